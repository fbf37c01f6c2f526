"""The relay as a process: what is committed and unmarked, what is held, what the broker gave up."""

import contextlib
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from axis.broker import Consumer
from axis.core.lanes import mailbox_queue, notices_queue, route_queue
from schemas import Mailbox
from tests.builders import LONG_AGO
from tests.rig import Rig, envelope_id, hash_of, rig, until
from tests.services import Vhost

CRASHING = str(Path(__file__).parents[1] / "crashing.py")
SECONDS = "0.6"  # what is unmarked for longer is published again; a sweep comes three times as often
SWEEPS = 1.0


async def test_what_a_dead_router_left_unmarked_is_published_by_the_relay(
    vhost: Vhost, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRASH_AT", "after commit")
    monkeypatch.setenv("CRASH_MARK", str(tmp_path / "crashed"))
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    async with rig(vhost, database, tmp_path) as axis:
        await axis.connect(["G22", "H37", "H26"])
        message = axis.submission(axis.envelope(recipients=["H37", "H26"]))
        await axis.send_as("G22", message)
        async with axis.worker("router", script=CRASHING) as router:
            assert await router.died() == -9
        async with axis.worker("relay", relay_seconds=SECONDS) as relay:
            for code in ("H37", "H26"):
                assert [envelope_id(each) for each in await axis.mail(code, 1)] == [message.message_id]
            (receipt,) = await axis.receipts("G22", 1)
            await until(lambda: any(each["event"] == "republished" for each in relay.events()))
            # The router comes back, is given the message again, and finds it done.
            async with axis.worker("router"):
                (again,) = await axis.receipts("G22", 1)
            assert again == receipt
            for code in ("H37", "H26"):
                assert await axis.take(mailbox_queue("normal", code), 0, settle=SWEEPS) == []
            assert sum(each["event"] == "republished" for each in relay.events()) == 1


async def test_a_mailbox_without_queues_holds_the_delivery_until_they_are_there(
    vhost: Vhost, database: str, tmp_path: Path
) -> None:
    async with rig(vhost, database, tmp_path) as axis:
        await axis.connect(["G22", "H37"], without_mailbox=["H26", "H26.05"])
        await axis.store.directory.put_mailbox(Mailbox(code="H26", valid_from=LONG_AGO, password_hash=hash_of("H26")))
        message = axis.submission(axis.envelope(recipients=["H26", "H37", "H26.05"]))
        async with axis.worker("router"), axis.worker("relay", relay_seconds=SECONDS) as relay:
            await axis.send_as("G22", message)
            (receipt,) = await axis.receipts("G22", 1)
            assert [(each.outcome, each.code) for each in receipt.recipients] == [
                ("held", "mailbox/not-ready"),
                ("routed", None),
                ("held", "mailbox/not-ready"),
            ]
            assert receipt.outcome == "accepted"
            assert [envelope_id(each) for each in await axis.mail("H37", 1)] == [message.message_id]
            assert await _states(axis, message.message_id) == ["held", "delivered", "held"]
            await axis.apply_topology()
            (released,) = await axis.take(mailbox_queue("normal", "H26"), 1, settle=SWEEPS)
            assert envelope_id(released) == message.message_id
            assert released.headers["axis-routes"] == '{"H26":[2]}'
            await until(lambda: any(each["event"] == "released" for each in relay.events()))
            assert await _states(axis, message.message_id) == ["delivered", "delivered", "delivered"]
            assert await axis.take(mailbox_queue("normal", "H37"), 0) == []


async def test_a_queue_deleted_after_the_router_saw_it_loses_nothing(
    vhost: Vhost, database: str, tmp_path: Path
) -> None:
    async with rig(vhost, database, tmp_path) as axis:
        await axis.connect(["G22", "H37"])
        async with axis.worker("router") as router:
            seen, gone = (axis.submission(axis.envelope()) for _ in range(2))
            await axis.send_as("G22", seen)
            assert [envelope_id(each) for each in await axis.mail("H37", 1)] == [seen.message_id]
            await _delete(axis, mailbox_queue("normal", "H37"))
            await axis.send_as("G22", gone)
            await axis.notices("G22", 2)
            await until(lambda: any(each["event"] == "publish failed" for each in router.events()))
            later = axis.submission(axis.envelope())
            await axis.send_as("G22", later)
            (receipt,) = await axis.receipts("G22", 1)
            assert (receipt.message_id, receipt.recipients[0].outcome) == (later.message_id, "held")
        async with axis.worker("relay", relay_seconds=SECONDS):
            await until(lambda: _held(axis, gone.message_id))
            await axis.apply_topology()
            mail = await axis.take(mailbox_queue("normal", "H37"), 2, settle=SWEEPS)
        assert sorted(map(envelope_id, mail)) == sorted([gone.message_id, later.message_id])
        for message in (gone, later):
            assert await _states(axis, message.message_id) == ["delivered"]


async def test_a_receipt_waits_for_the_queue_it_goes_to(vhost: Vhost, database: str, tmp_path: Path) -> None:
    async with rig(vhost, database, tmp_path) as axis:
        await axis.connect(["G22", "H37"])
        await _delete(axis, notices_queue("G22"))
        message = axis.submission(axis.envelope())
        async with axis.worker("router"), axis.worker("relay", relay_seconds=SECONDS):
            await axis.send_as("G22", message)
            assert [envelope_id(each) for each in await axis.mail("H37", 1)] == [message.message_id]
            await axis.apply_topology()
            (notice,) = await axis.take(notices_queue("G22"), 1, settle=SWEEPS)
            assert notice.type == "receipt"


async def test_what_the_broker_gives_up_is_kept_and_answered(vhost: Vhost, database: str, tmp_path: Path) -> None:
    async with rig(vhost, database, tmp_path) as axis:
        await axis.connect(["G22", "H37"])
        message = axis.submission(axis.envelope())
        nobody = axis.submission(b"\xff\0", message_id="\x1b[2J", routing_key="normal.x", user_id=None)
        await axis.send_as("G22", message)
        await axis.send_through(axis.vhost.amqp_url, nobody)
        async with contextlib.aclosing(Consumer(axis.link, route_queue("normal"), batch=1).batches()) as batches:
            for _ in range(2):
                batch = await anext(batches)
                await batch.reject(*batch.messages)
        async with axis.worker("relay", relay_seconds=SECONDS) as relay:
            (receipt,) = await axis.receipts("G22", 1)
            assert (receipt.code, receipt.message_id) == ("message/poison", message.message_id)
            await until(lambda: sum(each["event"] == "refused" for each in relay.events()) == 2)
            assert await relay.counted("axis_messages_total", reason="message/poison") == 2
        kept = {each.body: each for each in await axis.store.quarantined()}
        assert kept.keys() == {message.body, nobody.body}
        assert {(each.reason, each.source) for each in kept.values()} == {("message/poison", "axis.quarantine")}
        assert "axis.route.normal" in kept[message.body].detail
        assert kept[nobody.body].account is None
        assert await axis.waiting("axis.quarantine") == 0


async def _states(axis: Rig, identifier: str) -> list[str]:
    (tracked,) = await axis.store.track(identifier)
    return [str(each.state) for each in tracked.deliveries]


async def _held(axis: Rig, identifier: str) -> bool:
    return await _states(axis, identifier) == ["held"]


async def _delete(axis: Rig, queue: str) -> None:
    vhost = quote(axis.vhost.name, safe="")
    async with httpx.AsyncClient(base_url=axis.vhost.api_url, trust_env=False) as api:
        (await api.delete(f"/api/queues/{vhost}/{queue}")).raise_for_status()
