"""`axis audit` on a real broker and database: one of them older than the other."""

import json
import os
from collections.abc import AsyncIterator, Collection
from pathlib import Path
from typing import Any
from urllib.parse import quote

import asyncpg
import httpx
import pytest

from axis.core.lanes import mailbox_queue, notices_queue
from axis.core.messages import Outgoing
from tests.programs import AXIS, ran
from tests.rig import Rig, envelope_id, rig, until
from tests.services import Vhost

# Each asks the command several times, and every time is a process of its own.
pytestmark = pytest.mark.timeout(400)
NOTHING, NAMED, TO_DO, AWAY = 0, 1, 3, 69
FORGET = (
    "DELETE FROM notice WHERE about = ANY ($1::uuid[])",
    "DELETE FROM status_event WHERE envelope_id = ANY ($1::uuid[])",
    "DELETE FROM delivery WHERE envelope_id = ANY ($1::uuid[])",
    "DELETE FROM envelope WHERE id = ANY ($1::uuid[])",
)


@pytest.fixture
async def axis(vhost: Vhost, database: str, tmp_path: Path) -> AsyncIterator[Rig]:
    async with rig(vhost, database, tmp_path) as made:
        await made.connect(["G22", "H37", "H26"])
        yield made


async def audit(axis: Rig, verb: str, *options: str) -> tuple[int, dict[str, Any]]:
    """Run the command; return its exit code and what it said."""
    return await command(axis, "audit", verb, *options)


async def command(axis: Rig, *options: str) -> tuple[int, dict[str, Any]]:
    code, out, err = await ran(*AXIS, *options, "--json", env={**os.environ, **axis.environment()})
    assert out, err.decode()
    return code, json.loads(out)


def planned(found: dict[str, Any]) -> dict[str, int]:
    return {name: count for name, count in found["planned"].items() if count}


async def routed(axis: Rig, *messages: Outgoing) -> None:
    """Let a router take the messages, and leave what it made of them in the queues."""
    async with axis.worker("router"):
        for message in messages:
            await axis.send_as(message.user_id or "", message)
        await until(lambda: _stored(axis, messages))


async def _stored(axis: Rig, messages: Collection[Outgoing]) -> bool:
    tracked = [await axis.store.track(message.message_id) for message in messages]
    return all(found and found[0].envelope.published_at is not None for found in tracked)


async def forget(axis: Rig, *ids: str) -> None:
    """Bring the store back to before these envelopes: nothing of them is in it."""
    connection = await asyncpg.connect(axis.database)
    try:
        await connection.execute("ALTER TABLE status_event DISABLE TRIGGER ALL")
        for statement in FORGET:
            await connection.execute(statement, list(ids))
    finally:
        await connection.close()


async def empty(axis: Rig, *queues: str) -> None:
    """Lose what is in queues, as a broker does that comes back without them."""
    vhost = quote(axis.vhost.name, safe="")
    async with httpx.AsyncClient(base_url=axis.vhost.api_url, trust_env=False) as api:
        for queue in queues:
            (await api.delete(f"/api/queues/{vhost}/{queue}")).raise_for_status()
    await axis.apply_topology()


async def waiting(axis: Rig, *queues: str) -> list[int]:
    return [await axis.waiting(queue) for queue in queues]


async def test_two_sides_that_agree_leave_nothing_to_do(axis: Rig) -> None:
    await routed(axis, axis.submission(axis.envelope(recipients=["H37", "H26"])))
    code, found = await audit(axis, "plan")
    assert (code, planned(found), found["messages"]) == (NOTHING, {}, 3)
    assert await waiting(axis, mailbox_queue("normal", "H37"), notices_queue("G22")) == [1, 1]


async def test_a_broker_that_lost_its_queues_gets_everything_again_once(axis: Rig) -> None:
    first, second = (axis.submission(axis.envelope(recipients=["H37", "H26"])) for _ in range(2))
    await routed(axis, first, second)
    await empty(axis, mailbox_queue("normal", "H37"), notices_queue("G22"))
    now = (await axis.store.comparing.now()).isoformat()
    code, found = await audit(axis, "plan", "--until", now)
    assert (code, planned(found)) == (TO_DO, {"put document again": 2, "put notice again": 2})
    assert [(each["action"], each["mailboxes"]) for each in found["steps"][:1]] == [("put document again", ["H37"])]
    code, found = await audit(axis, "apply", "--until", now)
    assert (code, found["done"]) == (NOTHING, {"put document again": 2, "put notice again": 2})
    mail = await axis.take(mailbox_queue("normal", "H37"), 2)
    assert [envelope_id(each) for each in mail] == sorted([first.message_id, second.message_id])
    assert len(await axis.receipts("G22", 2)) == 2
    # Taken in silence since then, and still not put again.
    code, found = await audit(axis, "apply", "--until", now)
    assert (code, found["done"], found["gaps"]) == (NOTHING, {}, [])
    connection = await asyncpg.connect(axis.database)
    entries = await connection.fetch("SELECT action, detail FROM audit ORDER BY id")
    await connection.close()
    assert [each["action"] for each in entries] == ["audit.apply"] * 2
    assert json.loads(entries[0]["detail"])["done"] == {"put document again": 2, "put notice again": 2}


async def test_what_the_broker_confirmed_since_it_was_started_is_not_put_again(axis: Rig) -> None:
    message = axis.submission(axis.envelope())
    await routed(axis, message)
    assert len(await axis.mail("H37", 1)) == 1
    code, found = await audit(axis, "plan")
    assert (code, planned(found)) == (NOTHING, {})


async def test_a_recipient_that_answered_needs_nothing_again(axis: Rig) -> None:
    message = axis.submission(axis.envelope())
    await routed(axis, message)
    await axis.mail("H37", 1)
    await axis.notices("G22", 1)
    async with axis.worker("tracker"):
        await axis.send_as("H37", axis.status("H37", message.message_id, "01"))
        await until(lambda: _answered(axis, message.message_id))
    now = (await axis.store.comparing.now()).isoformat()
    _, found = await audit(axis, "plan", "--until", now)
    # The receipt was taken in silence: there is no other proof than the queue.
    assert planned(found) == {"put notice again": 1}
    _, found = await audit(axis, "plan", "--until", now, "--restored", "database")
    assert planned(found) == {}


async def _answered(axis: Rig, identifier: str) -> bool:
    (tracked,) = await axis.store.track(identifier)
    return bool(tracked.statuses) and all(each.published_at for each in tracked.notices)


async def test_envelopes_that_an_old_store_does_not_know_are_adopted(axis: Rig) -> None:
    message = axis.submission(axis.envelope(recipients=["H37", "H26"]))
    await routed(axis, message)
    (before,) = await axis.store.track(message.message_id)
    await axis.mail("H26", 1)  # one recipient has taken it
    await forget(axis, message.message_id)
    code, found = await audit(axis, "plan")
    assert (code, planned(found)) == (NAMED, {"adopt document": 1, "adopt receipt": 1})
    assert [risk["side"] for risk in found["at_risk"]] == ["database"]
    assert await axis.store.track(message.message_id) == ()
    code, found = await audit(axis, "apply")
    assert (code, found["gaps"]) == (NAMED, [])
    (after,) = await axis.store.track(message.message_id)
    assert [(d.recipient, d.mailbox, d.state) for d in after.deliveries] == [
        (d.recipient, d.mailbox, d.state) for d in before.deliveries
    ]
    assert (after.envelope.account, after.envelope.sha256) == (before.envelope.account, before.envelope.sha256)
    assert [each.id for each in after.notices] == [each.id for each in before.notices]
    # Not doubled where it waits; published again to the one it is not seen with, who drops it.
    assert await waiting(axis, mailbox_queue("normal", "H37"), mailbox_queue("normal", "H26")) == [1, 1]
    code, found = await audit(axis, "apply")
    assert (code, found["done"], found["at_risk"]) == (NOTHING, {}, [])
    # The sender sends again what it sent since then: the same receipt, nothing else.
    async with axis.worker("router"):
        await axis.send_as("G22", message)
        first, again = await axis.receipts("G22", 2)
    assert first == again


async def test_an_adopted_envelope_without_its_receipt_gets_another(axis: Rig) -> None:
    message = axis.submission(axis.envelope(recipients=["H37"]))
    await routed(axis, message)
    (old,) = await axis.receipts("G22", 1)
    await forget(axis, message.message_id)
    code, found = await audit(axis, "apply")
    assert (code, found["done"]) == (NAMED, {"adopt document": 1})
    (new,) = await axis.receipts("G22", 1)
    assert (new.message_id, new.outcome, new.recipients) == (old.message_id, old.outcome, old.recipients)
    assert await axis.waiting(mailbox_queue("normal", "H37")) == 1


async def test_of_an_envelope_with_nothing_but_a_receipt_the_sender_is_named(axis: Rig) -> None:
    message = axis.submission(axis.envelope())
    await routed(axis, message)
    await axis.mail("H37", 1)
    await forget(axis, message.message_id)
    for verb in ("plan", "apply", "apply"):
        code, found = await audit(axis, verb)
        assert code == NAMED
        assert planned(found) == {"gaps": 1}
        (gap,) = found["gaps"]
        assert (gap["problem"], gap["id"], gap["mailbox"]) == ("envelope-missing", message.message_id, "G22")
    async with axis.worker("router"):
        await axis.send_as("G22", message)
        await until(lambda: _stored(axis, [message]))
    code, found = await audit(axis, "apply")
    assert (code, found["gaps"], found["done"]) == (NAMED, [], {"adopt receipt": 1})
    assert (await audit(axis, "apply"))[0] == NOTHING


async def test_statuses_that_an_old_store_does_not_know_are_judged_and_recorded(axis: Rig) -> None:
    kept, lost = (axis.submission(axis.envelope()) for _ in range(2))
    await routed(axis, kept, lost)
    await axis.mail("H37", 2)
    async with axis.worker("tracker"):
        for message, word in ((kept, "01"), (kept, "03"), (lost, "01")):
            await axis.send_as("H37", axis.status("H37", message.message_id, word))
        await until(lambda: _count(axis, notices_queue("G22"), 5))
    connection = await asyncpg.connect(axis.database)
    await connection.execute("ALTER TABLE status_event DISABLE TRIGGER ALL")
    await connection.execute("DELETE FROM status_event")
    await connection.execute("DELETE FROM notice WHERE kind = 'status'")
    await connection.execute("UPDATE delivery SET last_status = NULL, last_status_at = NULL")
    await connection.close()
    await forget(axis, lost.message_id)
    code, found = await audit(axis, "plan")
    assert planned(found) == {"adopt status": 2, "gaps": 2}
    assert {gap["problem"] for gap in found["gaps"]} == {"envelope-missing", "status-alone"}
    code, found = await audit(axis, "apply")
    assert (code, found["done"]) == (NAMED, {"adopt status": 2})
    (tracked,) = await axis.store.track(kept.message_id)
    assert [(each.code, each.effect, each.reporter) for each in tracked.statuses] == [
        ("01", "advanced", "H37"),
        ("03", "advanced", "H37"),
    ]
    assert [each.last_status for each in tracked.deliveries] == ["03"]
    assert (await audit(axis, "apply"))[1]["done"] == {}


async def test_what_proves_nothing_is_left_where_it_is_and_named(axis: Rig) -> None:
    body = axis.envelope()
    forged = axis.submission(body, key="H26")  # a worker's account is needed to put it there; signed by another
    strange = axis.submission(axis.envelope(), message_id="strange")
    queue = mailbox_queue("normal", "H37")
    for each in (forged, strange):
        message = Outgoing(
            "axis.deliver", queue, each.body, each.type, each.content_type, each.message_id, each.headers
        )
        await axis.publisher.publish(message)
    code, found = await audit(axis, "apply")
    assert (code, found["done"]) == (NAMED, {})
    assert sorted((gap["problem"], gap["id"]) for gap in found["gaps"]) == sorted(
        [("not-proved", body["id"]), ("not-proved", "strange")]
    )
    assert await axis.waiting(queue) == 2
    assert await axis.store.track(body["id"]) == ()


async def test_the_same_id_with_other_bytes_is_named(axis: Rig) -> None:
    body = axis.envelope()
    await routed(axis, axis.submission(body))
    other = axis.submission({**body, "recipients": ["H37", "H26"]})
    queue = mailbox_queue("normal", "H26")
    await axis.publisher.publish(
        Outgoing("axis.deliver", queue, other.body, other.type, other.content_type, other.message_id, other.headers)
    )
    code, found = await audit(axis, "plan")
    assert (code, [gap["problem"] for gap in found["gaps"]]) == (NAMED, ["bytes-differ"])


async def test_a_mailbox_without_queues_is_named_and_served_when_they_are_there(axis: Rig) -> None:
    await routed(axis, axis.submission(axis.envelope()))
    vhost = quote(axis.vhost.name, safe="")
    async with httpx.AsyncClient(base_url=axis.vhost.api_url, trust_env=False) as api:
        (await api.delete(f"/api/queues/{vhost}/{mailbox_queue('normal', 'H37')}")).raise_for_status()
    now = (await axis.store.comparing.now()).isoformat()
    code, found = await audit(axis, "apply", "--until", now)
    assert (code, [gap["problem"] for gap in found["gaps"]], found["done"]) == (NAMED, ["no-queue"], {})
    await axis.apply_topology()
    code, found = await audit(axis, "apply", "--until", now)
    assert (code, found["done"]) == (NOTHING, {"put document again": 1})


async def test_a_mailbox_is_rebuilt_alone_while_workers_run_and_doing_it_again_does_nothing(axis: Rig) -> None:
    lost, there = (axis.submission(axis.envelope(recipients=["H37", "H26"])) for _ in range(2))
    await routed(axis, lost)
    queues = [mailbox_queue("normal", "H37"), mailbox_queue("normal", "H26")]
    await empty(axis, *queues)
    async with axis.worker("router"):
        await axis.send_as("G22", there)
        await until(lambda: _stored(axis, [there]))
        code, found = await command(axis, "mailbox", "rebuild", "H37")
        assert (code, found["done"], found["messages"]) == (NOTHING, {"put document again": 1}, 1)
        code, found = await command(axis, "mailbox", "rebuild", "H37", "--dry-run")
        assert (code, planned(found), found["messages"]) == (NOTHING, {}, 2)
    mail = await axis.take(queues[0], 2)
    assert {envelope_id(each) for each in mail} == {lost.message_id, there.message_id}
    assert await axis.waiting(queues[1]) == 1  # nobody asked for H26


async def test_nothing_is_applied_while_workers_run(axis: Rig) -> None:
    async with axis.worker("router"):
        code, found = await audit(axis, "plan")
        assert (code, found["workers_running"]) == (NOTHING, ["axis.route.normal", "axis.route.urgent"])
        code, found = await audit(axis, "apply")
        assert (code, found["error"]["code"]) == (AWAY, "audit/workers-running")


async def _count(axis: Rig, queue: str, count: int) -> bool:
    return await axis.waiting(queue) == count
