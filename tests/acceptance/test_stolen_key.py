"""A key stolen here can do exactly what docs/threat-model.md says, and no more: on a real broker, with real workers.

The thief is K11, an agency with an account and a key of its own; stolen is what belongs to the province H37.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiormq.exceptions import ChannelAccessRefused

from axis.blobs import Blobs
from axis.core.lanes import notices_queue
from axis.core.messages import Outgoing
from axis.gateway import Enrolled, Limits, create_app
from axis.gateway.quotas import UploadQuotas
from axis.trust import issue_token
from schemas.wire import SIGNATURE_HEADER
from tests.rig import Rig, now, rig, until
from tests.services import Vhost
from tests.unit.gateway.harness import http, path_of, serving

BY_BROKER = "403"
TAKEN = "accepted"
FILE = b"%PDF"
PATH = path_of(FILE)


@dataclass(frozen=True, slots=True)
class Attempt:
    """A document the thief sends: account and key used, in whose name, by which routing key; and what becomes of it."""

    account: str
    signer: str | None
    claim: str
    key: str
    outcome: str


# The key without the account: no document at all, in nobody's name.
KEY_ALONE = (
    Attempt("K11", "H37", "H37", "H37", BY_BROKER),
    Attempt("K11", "H37", "H37", "K11", "abuse/account"),
    Attempt("K11", "H37", "H37.05", "K11", "abuse/account"),
    Attempt("K11", "H37", "K11", "K11", "abuse/signer"),
)
# The account without the key: no document either.
ACCOUNT_ALONE = (
    Attempt("H37", None, "H37", "H37", "signature/missing"),
    Attempt("H37", "K11", "H37", "H37", "abuse/signer"),
    Attempt("H37", "K11", "K11", "H37", "abuse/account"),
)
# Both: what the agency itself may do, for itself and for what is below it; nothing above, beside or elsewhere.
BOTH = (
    Attempt("H37", "H37", "H37", "H37", TAKEN),
    Attempt("H37", "H37", "H37.05", "H37.05", TAKEN),
    Attempt("H37", "H37", "G22", "H37", "abuse/account"),
    Attempt("H37", "H37", "G22", "G22", BY_BROKER),
    Attempt("H37.05", "H37.05", "H37.05", "H37.05", TAKEN),
    Attempt("H37.05", "H37.05", "H37", "H37", BY_BROKER),
    Attempt("H37.05", "H37.05", "H37", "H37.05", "abuse/account"),
)
REVOKED = "certificate/revoked"


async def test_what_is_sent_with_what_was_stolen(vhost: Vhost, database: str, tmp_path: Path) -> None:
    async with rig(vhost, database, tmp_path) as axis:
        await axis.connect(["G22", "H37", "H37.05", "K11"])
        attempts = (*KEY_ALONE, *ACCOUNT_ALONE, *BOTH)
        messages = [_document(axis, attempt) for attempt in attempts]
        async with axis.worker("router"):
            stopped = await _send(axis, attempts, messages)
            ends = stopped | await _ends(axis, attempts, messages, stopped)
            assert [ends[message.message_id] for message in messages] == [attempt.outcome for attempt in attempts]
            taken = sum(attempt.outcome == TAKEN for attempt in attempts)
            assert len(await axis.mail("G22", taken)) == taken
            await _nothing_of_anothers_is_recalled(axis)
            await _revoke(axis, "H37")
            await until(lambda: _is_refused(axis))


async def test_what_is_reported_with_a_stolen_key(vhost: Vhost, database: str, tmp_path: Path) -> None:
    async with rig(vhost, database, tmp_path) as axis:
        await axis.connect(["G22", "H37", "K11"])
        document = axis.submission(axis.envelope("G22", ["H37"]))
        identifier = str(document.message_id)
        async with axis.worker("router"), axis.worker("tracker"):
            await axis.send_as("G22", document)
            await axis.notices("G22", 1)
            forged = axis.status("H37", identifier, "06", routing_key="K11", user_id="K11")
            await axis.send_as("K11", forged)
            (receipt,) = await axis.receipts("K11", 1)
            assert (receipt.message_id, receipt.code) == (forged.message_id, "abuse/account")
            # With the account as well it is the agency's own word, and the sender is told it.
            await axis.send_as("H37", axis.status("H37", identifier, "03"))
            (told,) = await axis.notices("G22", 1)
            assert told.type == "status"


async def test_what_the_gateway_gives_for_a_stolen_key(vhost: Vhost, database: str, tmp_path: Path) -> None:
    """The key alone is enough here: tokens are all that the gateway asks for. Files are still asked for by SHA-256."""
    async with rig(vhost, database, tmp_path) as axis:
        await axis.connect(["G22", "H37", "H37.05"])
        async with _gateway(axis) as (client, enrolled):

            async def answer(code: str, method: str = "GET", **more: Any) -> tuple[int, str | None]:
                """Ask for the file in the name of a code, with the key of H37."""
                token = issue_token(axis.keys["H37"], code=code, method=method, path=PATH, now=now())
                told = await client.request(method, PATH, headers={"authorization": f"Bearer {token}"}, **more)
                return told.status_code, told.headers.get("axis-code")

            assert await answer("H37", "PUT", content=FILE) == (201, None)
            assert await answer("H37") == (200, None)
            # Below it, but not what is another's; and in nobody else's name.
            assert await answer("H37.05") == (404, "blob/not-found")
            assert await answer("H37.05", "PUT", content=FILE) == (201, None)
            assert await answer("H37.05") == (200, None)
            for code in ("G22", "H38"):
                for method in ("GET", "PUT"):
                    assert await answer(code, method, content=FILE) == (401, "abuse/signer")
            await _revoke(axis, "H37")
            await until(lambda: _knows_of_revocation(axis, enrolled))
            for code in ("H37", "H37.05"):
                for method in ("GET", "PUT"):
                    assert await answer(code, method, content=FILE) == (401, REVOKED)


@contextlib.asynccontextmanager
async def _gateway(axis: Rig) -> AsyncIterator[tuple[httpx.AsyncClient, Enrolled]]:
    """Serve the files of this axis on a port of their own, following its directory."""
    limits, enrolled = Limits(), Enrolled()
    quotas = UploadQuotas(axis.store.quotas, enrolled.quota_of)
    blobs = Blobs.open((axis.folder / "blobs").as_uri())
    app = create_app(blobs=blobs, store=axis.store, enrolled=enrolled, now=now, limits=limits, quotas=quotas)
    async with asyncio.TaskGroup() as group:
        following = group.create_task(enrolled.follow(axis.store.directory))
        await until(lambda: enrolled.find(axis.keys["H37"].thumbprint) is not None)
        async with serving(app, limits) as port, http(port) as client:
            yield client, enrolled
        following.cancel()


def _knows_of_revocation(axis: Rig, enrolled: Enrolled) -> bool:
    found = enrolled.find(axis.keys["H37"].thumbprint)
    return found is not None and found.revoked_at is not None


def _document(axis: Rig, attempt: Attempt, **changes: object) -> Outgoing:
    message = axis.submission(axis.envelope(attempt.claim, ["G22"], **changes), key=attempt.signer or "K11")
    headers = {} if attempt.signer is None else {SIGNATURE_HEADER: message.headers[SIGNATURE_HEADER]}
    return Outgoing(
        exchange=message.exchange,
        routing_key=f"normal.{attempt.key}",
        body=message.body,
        type=message.type,
        content_type=message.content_type,
        message_id=message.message_id,
        headers=headers,
        user_id=attempt.account,
    )


async def _send(axis: Rig, attempts: Sequence[Attempt], messages: Sequence[Outgoing]) -> dict[str | None, str]:
    stopped: dict[str | None, str] = {}
    for attempt, message in zip(attempts, messages, strict=True):
        if attempt.outcome == BY_BROKER:
            with pytest.raises(ChannelAccessRefused):
                await axis.send_as(attempt.account, message)
            stopped[message.message_id] = BY_BROKER
        else:
            await axis.send_as(attempt.account, message)
    return stopped


async def _ends(
    axis: Rig, attempts: Sequence[Attempt], messages: Sequence[Outgoing], stopped: dict[str | None, str]
) -> dict[str | None, str]:
    """Wait until each that the broker passed on has its receipt; every one is answered, good or bad."""
    ends: dict[str | None, str] = {}
    for account in {attempt.account for attempt in attempts}:
        sent = [
            message
            for attempt, message in zip(attempts, messages, strict=True)
            if attempt.account == account and message.message_id not in stopped
        ]
        for receipt in await axis.receipts(account, len(sent)):
            ends[receipt.message_id] = receipt.code or receipt.outcome.value
    return ends


async def _nothing_of_anothers_is_recalled(axis: Rig) -> None:
    document = axis.submission(axis.envelope("G22", ["K11"]))
    await axis.send_as("G22", document)
    await axis.notices("G22", 1)
    both = Attempt("H37", "H37", "H37", "H37", "abuse/concerned")
    await axis.send_as("H37", _document(axis, both, action="recall", concerns=document.message_id, reason="…"))
    (receipt,) = await axis.receipts("H37", 1)
    assert receipt.code == both.outcome


async def _revoke(axis: Rig, code: str) -> None:
    _, _, certificates = await axis.store.directory.load()
    (record,) = (each for each in certificates if each.thumbprint == axis.keys[code].thumbprint)
    await axis.store.directory.put_certificate(record.model_copy(update={"revoked_at": now()}))


async def _is_refused(axis: Rig) -> bool:
    """Try again as the agency itself; once the workers know of the revocation nothing more is taken."""
    attempt = Attempt("H37", "H37", "H37", "H37", REVOKED)
    await axis.send_as("H37", _document(axis, attempt))
    (receipt,) = await axis.receipts("H37", 1)
    assert await axis.waiting(notices_queue("H37")) == 0
    return receipt.code == attempt.outcome
