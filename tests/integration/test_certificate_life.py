"""The life of a certificate under traffic: a change of keys, and a revocation."""

import asyncio
import contextlib
import datetime as dt
import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from schemas import Receipt
from tests.rig import Rig, now, rig, until
from tests.services import Vhost

SECOND = dt.timedelta(seconds=1)
ONE_BY_ONE = {"batch_size": "1"}


async def command(axis: Rig, *arguments: str) -> Any:
    """Run `axis …` as an operator does, and return what it says in JSON."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "from axis.cli import main; main()",
        *arguments,
        "--json",
        env={**os.environ, **axis.environment()},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return json.loads(out)


@contextlib.asynccontextmanager
async def traffic(axis: Rig, key: Callable[[], str]) -> AsyncIterator[list[str]]:
    """Send one document after the other while the block lasts, each signed by the key named then; yield their ids."""
    sent: list[str] = []
    stop = asyncio.Event()

    async def send() -> None:
        while not stop.is_set():
            message = axis.submission(axis.envelope(), key=key())
            await axis.send_as("G22", message)
            sent.append(message.message_id)

    async with asyncio.TaskGroup() as group:
        group.create_task(send())
        try:
            yield sent
        finally:
            stop.set()


async def answered(axis: Rig, count: int) -> dict[str, Receipt]:
    receipts = await axis.receipts("G22", count)
    told = {receipt.message_id or "": receipt for receipt in receipts}
    assert len(told) == count  # one each
    return told


@pytest.mark.timeout(600)
async def test_an_agency_changes_its_key_in_mid_traffic_without_one_refusal(
    vhost: Vhost, database: str, tmp_path: Path
) -> None:
    async with rig(vhost, database, tmp_path) as axis:
        await axis.connect(["G22", "H37"])
        old = axis.keys["G22"].thumbprint
        await axis.certify("G22", named="new", enrolled=False)
        new_pem = tmp_path / "new.pem"
        new_pem.write_bytes(axis.pems["new"])
        signing = ["G22"]
        async with axis.worker("router"):
            async with traffic(axis, lambda: signing[0]) as sent:
                await until(lambda: len(sent) >= 10)
                succeeded = await command(
                    axis, "certificate", "succeed", str(new_pem), old, "--overlap-days", "14", "--demonstration"
                )
                assert (succeeded["predecessor"], succeeded["organisation"]) == (old, "G22")
                # The agency changes over when it likes; what it signed before is still on its way then.
                before = len(sent)
                await until(lambda: len(sent) >= before + 10)
                signing[0] = "new"
                changed = len(sent) + 1  # one may be under way with the old key
                told = await answered(axis, changed)
                await command(axis, "certificate", "retire", old)
                before = len(sent)
                await until(lambda: len(sent) >= before + 10)
            told |= await answered(axis, len(sent) - changed)
            assert {told[each].outcome for each in sent} == {"accepted"}
            assert len(await axis.mail("H37", len(sent))) == len(sent)
            late = axis.submission(axis.envelope(), key="G22")
            await axis.send_as("G22", late)
            (refused,) = await axis.receipts("G22", 1)
            assert (refused.message_id, refused.code) == (late.message_id, "certificate/retired")
        signers = {(await axis.store.track(each))[0].envelope.thumbprint for each in (sent[0], sent[-1])}
        assert signers == {old, axis.keys["new"].thumbprint}


@pytest.mark.timeout(600)
async def test_a_revocation_in_mid_flow_counts_within_a_second_and_loses_nothing(
    vhost: Vhost, database: str, tmp_path: Path
) -> None:
    async with rig(vhost, database, tmp_path) as axis:
        await axis.connect(["G22", "H37"])
        thumbprint = axis.keys["G22"].thumbprint
        async with axis.worker("router", **ONE_BY_ONE):
            async with traffic(axis, lambda: "G22") as sent:
                await until(lambda: len(sent) >= 10)
                await command(axis, "certificate", "revoke", thumbprint, "--why", "mất thiết bị lưu khóa")
                known = now()
                before = len(sent)
                # So long that some were sent more than a second after the revocation.
                await until(lambda: now() > known + 2 * SECOND and len(sent) >= before + 10)
            told = await answered(axis, len(sent))
            assert {receipt.code for receipt in told.values()} == {None, "certificate/revoked"}
            accepted = [each for each in sent if told[each].outcome == "accepted"]
            assert sent[: len(accepted)] == accepted  # from some moment on, all are refused
            assert told[accepted[-1]].at < known + SECOND
            assert len(await axis.mail("H37", len(accepted))) == len(accepted)
        kept = await axis.store.quarantined(limit=10_000)
        assert len(kept) == len(sent) - len(accepted)
        # Those taken between the stroke of the second that it counts from and the moment it was known are suspect.
        suspects = await command(axis, "certificate", "suspects", thumbprint, "--since", "2020-01-01")
        assert {each["id"] for each in suspects["suspects"]} == set(accepted)
