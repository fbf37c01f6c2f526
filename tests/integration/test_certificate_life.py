"""The life of a certificate under traffic: a change of keys, a revocation, an authority that is away for a while."""

import asyncio
import contextlib
import datetime as dt
import json
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from axis.core.enrolment import Enrolment
from axis.core.evidence import Standing
from axis.trust import SigningKey
from axis.trust.enrolling import Confirmation, enrol_checked
from schemas import Receipt
from tests.authority import TestAuthority, pem_of
from tests.programs import AXIS, ran
from tests.rig import Rig, now, rig, until
from tests.services import Vhost

SECOND = dt.timedelta(seconds=1)
ONE_BY_ONE = {"batch_size": "1"}


async def command(axis: Rig, *arguments: str) -> Any:
    """Run `axis …` as an operator does, and return what it says in JSON."""
    code, out, err = await ran(*AXIS, *arguments, "--json", env={**os.environ, **axis.environment()})
    assert code == 0, err.decode()
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


async def record(axis: Rig, thumbprint: str) -> Enrolment:
    _, _, enrolled = await axis.store.directory.load()
    return next(each for each in enrolled if each.thumbprint == thumbprint)


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


class Responder:
    """A small web server of an authority; `away` and it answers nothing."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.away = False
        self.asked = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            head = await reader.readuntil(b"\r\n\r\n")
            self.asked += 1
            body = self.files.get(head.split(b" ")[1].decode())
            if body is not None and not self.away:
                writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
                await writer.drain()
        writer.close()


@contextlib.asynccontextmanager
async def responder() -> AsyncIterator[tuple[Responder, str]]:
    running = Responder()
    async with await asyncio.start_server(running.serve, "127.0.0.1", 0) as server:
        yield running, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def _standing(axis: Rig, identifier: str) -> Standing | None:
    """Tell what proved the signer of an accepted envelope; None: nothing that the router knew of."""
    (tracked,) = await axis.store.track(identifier)
    proof = tracked.envelope.proof
    return None if proof is None else proof.standing(tracked.envelope.accepted_at)


@pytest.mark.timeout(600)
async def test_evidence_is_fetched_kept_with_envelopes_grows_old_and_heals(
    vhost: Vhost, database: str, tmp_path: Path
) -> None:
    async with rig(vhost, database, tmp_path) as axis, responder() as (web, address):
        await axis.connect(["H37"], without_mailbox=["G22"])
        issuing = TestAuthority(at=now(), crl_url=f"{address}/below.crl", root_crl_url=f"{address}/root.crl")
        issuing.put_into(tmp_path / "trust")
        party = issuing.issue(code="H37")
        axis.keys["H37"] = SigningKey.from_pem(pem_of(party.key), party.pem)
        enrolment, _ = await enrol_checked(
            party.pem, "H37", "agency", now(), authorities=issuing.authorities, confirmed=Confirmation()
        )
        await axis.store.directory.put_certificate(enrolment)

        def publish(seconds: float, **below: Any) -> None:
            web.files["/root.crl"] = issuing.crl(issuing.root, at=now() - SECOND, days=1)
            web.files["/below.crl"] = issuing.crl(at=now() - SECOND, days=(seconds + 1) / 86_400, **below)

        async def send() -> str | None:
            message = axis.submission(axis.envelope(sender="H37", recipients=["H37"]))
            await axis.send_as("H37", message)
            (receipt,) = await axis.receipts("H37", 1)
            assert receipt.message_id == message.message_id
            codes[message.message_id] = receipt.code
            return receipt.code

        async def answered(code: str | None) -> bool:
            return await send() == code

        async def proved() -> bool:
            """Send until the router has heard of what the relay has found."""
            assert await send() is None
            return await _standing(axis, list(codes)[-1]) is Standing.FRESH

        codes: dict[str, str | None] = {}
        settings = {
            "evidence_minutes": "0.01",
            "evidence_hosts": '["127.0.0.1"]',
            "evidence_grace_hours": json.dumps({"*": 5 / 3600}),
        }
        publish(600)
        async with axis.worker("router"), axis.worker("relay", **settings) as relay:
            await until(proved)
            unproved = len(codes) - 1
            # The authority goes away: stale evidence is taken and marked, then it is not taken any more.
            publish(6)
            before = web.asked
            await until(lambda: web.asked >= before + 4)  # two lists a round: a whole one was with the new
            web.away = True
            await until(lambda: answered("certificate/unproven"), 180)
            accepted = [each for each, code in codes.items() if code is None]
            standings = [await _standing(axis, each) for each in accepted[unproved:]]
            assert standings == sorted(standings, key=str)  # fresh first, stale then
            assert set(standings) == {Standing.FRESH, Standing.STALE}
            assert any(each["event"] == "unproven" for each in relay.events())
            # It comes back, and nobody has to do anything.
            web.away = False
            publish(600)
            await until(lambda: answered(None))
            publish(600, revoked={party.certificate.serial_number: now() - 3600 * SECOND})
            await until(lambda: answered("certificate/revoked"))
        found = await command(axis, "certificate", "suspects", party.thumbprint)
        assert {each["id"] for each in found["suspects"]} == {each for each, code in codes.items() if code is None}
        assert all(each["after_revocation"] for each in found["suspects"])
        aged = [each["id"] for each in found["suspects"] if each.get("evidence", {}).get("age_seconds", -1) >= 0]
        assert set(aged) == {each for each, code in codes.items() if code is None} - set(list(codes)[:unproved])
        checked = await command(axis, "certificate", "check", party.thumbprint)
        assert (checked["state"], checked["standing"]) == ("revoked", "fresh")
