"""A document marked as a state secret: what is left of it is the fact and the identifiers, whatever happens meanwhile.

A canary stands in every text and in the file; after the refusal it is looked for in all tables, queues, logs and files.
"""

import asyncio
import datetime as dt
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from axis.blobs import Blobs
from axis.core.lanes import mailbox_queue, route_queue
from axis.core.messages import Outgoing
from axis.gateway.forgetting import forget_unwanted
from schemas import Receipt
from schemas.wire import QUARANTINE_QUEUE, SIGNATURE_HEADER, STATUS_EXCHANGE, TRACK_QUEUE
from tests.builders import as_bytes
from tests.rig import Process, Rig, rig, until
from tests.services import Vhost
from tests.unit.gateway.harness import digest_of

CANARY = "CANARY-7391-XYZZY"
FILE = f"%PDF {CANARY}".encode()
CRASHING = str(Path(__file__).parents[1] / "crashing.py")
QUEUES = (
    *(route_queue(lane) for lane in ("normal", "urgent")),
    TRACK_QUEUE,
    QUARANTINE_QUEUE,
    mailbox_queue("normal", "H37"),
    mailbox_queue("urgent", "H37"),
)


async def pieces() -> AsyncIterator[bytes]:
    yield FILE


def attachment(data: bytes = FILE) -> dict[str, Any]:
    return {"name": f"{CANARY}.pdf", "media_type": "application/pdf", "size": len(data), "sha256": digest_of(data)}


def secret(axis: Rig, subject: str = f"Tối mật: {CANARY}") -> dict[str, Any]:
    document = {"subject": subject, "abstract": CANARY, "document_id": CANARY}
    return axis.envelope(document=document, attachments=[attachment()])


async def upload(axis: Rig) -> Blobs:
    """Store the file as G22 does before it sends."""
    blobs = Blobs.open((axis.folder / "blobs").as_uri())
    await blobs.put(digest_of(FILE), pieces(), 1_000)
    await axis.store.blobs.record_upload(digest_of(FILE), len(FILE), "G22")
    return blobs


async def refusal(axis: Rig) -> Receipt:
    (notice,) = await axis.notices("G22", 1)
    assert CANARY.encode() not in notice.body
    return Receipt.model_validate_json(notice.body)


async def nothing_is_left(axis: Rig, blobs: Blobs) -> None:
    """Look everywhere."""
    await until(lambda: _empty(axis))
    await forget_unwanted(axis.store.blobs, blobs, dt.timedelta(0))
    link = await asyncpg.connect(axis.database)
    try:
        tables = [name for (name,) in await link.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
        assert "quarantine" in tables
        for table in tables:
            rows = " ".join(text for (text,) in await link.fetch(f'SELECT to_jsonb(t)::text FROM "{table}" AS t'))  # noqa: S608 - names of the catalogue
            assert CANARY not in rows, table
            assert CANARY.encode().hex() not in rows, table
    finally:
        await link.close()
    for path in await asyncio.to_thread(lambda: [each for each in axis.folder.rglob("*") if each.is_file()]):
        assert CANARY.encode() not in path.read_bytes(), path
    assert await blobs.size(digest_of(FILE)) is None


async def _empty(axis: Rig) -> bool:
    states = await axis.link.queue_states(QUEUES)
    return all(state is not None and state.messages == 0 for state in states.values())


async def _kept(axis: Rig, message: Outgoing, *, account: str | None = "G22") -> None:
    """Check the one row that says that it came."""
    (kept,) = await axis.store.quarantined()
    full = await axis.store.quarantined_one(kept.id)
    assert full is not None
    assert (full.reason, full.account, full.body, full.size) == ("secrecy/marked", account, b"", len(message.body))
    assert (full.message_id, full.sha256) == (message.message_id, digest_of(message.body))


async def test_an_envelope(vhost: Vhost, database: str, tmp_path: Path) -> None:
    async with rig(vhost, database, tmp_path) as axis:
        await axis.connect(["G22", "H37"])
        blobs = await upload(axis)
        message = axis.submission(secret(axis))
        async with axis.worker("router") as router:
            await axis.send_as("G22", message)
            receipt = await refusal(axis)
            assert (receipt.outcome, receipt.code) == ("refused", "secrecy/marked")
            assert (receipt.message_id, receipt.message_sha256) == (message.message_id, digest_of(message.body))
            await _kept(axis, message)
            assert not await axis.store.blobs.may_read("G22", digest_of(FILE))
            (event,) = [each for each in router.events() if each["event"] == "refused"]
            assert (event["id"], event["account"], event["code"]) == (message.message_id, "G22", "secrecy/marked")
            await nothing_is_left(axis, blobs)
        assert await axis.store.track(message.message_id) == ()


async def test_a_file_that_another_envelope_names_stays(vhost: Vhost, database: str, tmp_path: Path) -> None:
    async with rig(vhost, database, tmp_path) as axis:
        await axis.connect(["G22", "H37"])
        blobs = await upload(axis)
        async with axis.worker("router"):
            await axis.send_as("G22", axis.submission(axis.envelope(attachments=[attachment()])))
            await axis.notices("G22", 1)
            await axis.send_as("G22", axis.submission(secret(axis)))
            assert (await refusal(axis)).code == "secrecy/marked"
        assert await forget_unwanted(axis.store.blobs, blobs, dt.timedelta(0)) == 0
        assert await axis.store.blobs.may_read("H37", digest_of(FILE))
        assert await blobs.size(digest_of(FILE)) == len(FILE)


def _signed(axis: Rig, body: bytes, **changes: Any) -> Outgoing:
    good = axis.submission(axis.envelope())
    return axis.submission(
        body,
        **{
            "routing_key": good.routing_key,
            "message_id": good.message_id,
            "user_id": "G22",
            "headers": {SIGNATURE_HEADER: axis.keys["G22"].sign(body), "x-subject": CANARY},
            **changes,
        },
    )


MALFORMED = {
    "cut off": lambda axis: _signed(axis, as_bytes(secret(axis))[:-3]),
    "an unknown member": lambda axis: _signed(axis, as_bytes({**secret(axis, CANARY), "do_mat": "mat"})),
    "escaped and cut off": lambda axis: _signed(axis, json.dumps(secret(axis)).encode()[:-3]),
    "not UTF-8": lambda axis: _signed(axis, as_bytes(secret(axis)) + b"\xff"),
    "badly signed": lambda axis: _signed(axis, as_bytes(secret(axis)), headers={SIGNATURE_HEADER: CANARY}),
    "under another routing key": lambda axis: _signed(axis, as_bytes(secret(axis)), routing_key="urgent.G22"),
    "sent as a status": lambda axis: _signed(
        axis, as_bytes(secret(axis)), exchange=STATUS_EXCHANGE, routing_key="G22", type="status"
    ),
    "of no type": lambda axis: _signed(axis, as_bytes(secret(axis)), type=CANARY),
}


@pytest.mark.parametrize("name", MALFORMED)
async def test_a_message_that_is_wrong_otherwise_as_well(
    vhost: Vhost, database: str, tmp_path: Path, name: str
) -> None:
    async with rig(vhost, database, tmp_path) as axis:
        await axis.connect(["G22", "H37"])
        blobs = await upload(axis)
        message = MALFORMED[name](axis)
        async with axis.worker("router"), axis.worker("tracker"):
            await axis.send_as("G22", message)
            assert (await refusal(axis)).code == "secrecy/marked"
            await _kept(axis, message)
            await nothing_is_left(axis, blobs)


@pytest.mark.parametrize("point", ["before commit", "after commit", "after publish"])
async def test_a_router_that_is_killed_over_it(
    vhost: Vhost, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    monkeypatch.setenv("CRASH_AT", point)
    monkeypatch.setenv("CRASH_MARK", str(tmp_path / "crashed"))
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    async with rig(vhost, database, tmp_path) as axis:
        await axis.connect(["G22", "H37"])
        blobs = await upload(axis)
        message = axis.submission(secret(axis))
        await axis.send_as("G22", message)
        async with axis.worker("router", script=CRASHING) as first:
            assert await first.died() == -9, first.log.read_text()
        async with axis.worker("router"):
            receipts = [each for each in await axis.notices("G22", 1) if CANARY.encode() in each.body]
            assert receipts == []
            await nothing_is_left(axis, blobs)
            await _kept(axis, message)


async def test_what_the_broker_gave_up(vhost: Vhost, database: str, tmp_path: Path) -> None:
    async with rig(vhost, database, tmp_path) as axis:
        await axis.connect(["G22", "H37"])
        blobs = await upload(axis)
        message = axis.submission(secret(axis), exchange="", routing_key=QUARANTINE_QUEUE, user_id=None)
        await axis.publisher.publish(message)
        async with axis.worker("relay") as relay:
            await until(lambda: _said(relay))
            await _kept(axis, message, account=None)
        # Without a proved account nobody's upload is touched: this one is G22's, and the message may be anybody's.
        assert await blobs.size(digest_of(FILE)) == len(FILE)
        await blobs.remove(digest_of(FILE))
        await nothing_is_left(axis, blobs)


def _said(process: Process) -> bool:
    return any(each["event"] == "refused" for each in process.events())
