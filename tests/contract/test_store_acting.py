"""Recalls, updates and replacements in both stores."""

import asyncio
import datetime as dt
from dataclasses import replace

from axis.core.concerning import Waiting
from axis.core.conversation import Conversation, Kind, Talk
from axis.core.ids import new_id
from axis.core.records import DeliveryState, Withdrawal
from axis.store import Store, TrackedWaiting
from axis.store.backlog_seam import Pile
from tests.builders import NOW
from tests.unit.store.rows import accepted, delivery_row, held, sha256

QUEUE = "mailbox.normal.H37"


def talk(about: str, recipient: str = "H37", **changes: object) -> Conversation:
    asked = Conversation(new_id(NOW), about, recipient, recipient, Kind.RECALL, Talk.REQUESTED, NOW, "G22", "Nhầm")
    return replace(asked, **changes)  # type: ignore[arg-type]


def by_id(waiting: TrackedWaiting) -> str:
    return waiting.id


async def put(store: Store, *recipients_held: str) -> str:
    made = accepted()
    rows = [held(made.envelope.id, code) for code in recipients_held] or [delivery_row(made.envelope.id, "H37")]
    async with store.transaction() as tx:
        await tx.accept([replace(made, deliveries=tuple(rows))])
    return made.envelope.id


async def test_what_is_held_and_was_never_tried_is_withdrawn(store: Store) -> None:
    document = await put(store, "H37", "H26")
    assert await store.claim("mailbox.normal.H26", [document]) == {(document, "H26")}
    gone = [Withdrawal(document, code, "recalled") for code in ("H37", "H26", "H99")]
    async with store.transaction() as tx:
        found = await tx.concerned(document)
        assert found is not None
        assert {each.recipient: (each.state, each.held_for, each.tried) for each in found.deliveries} == {
            "H37": (DeliveryState.HELD, QUEUE, False),
            "H26": (DeliveryState.HELD, "mailbox.normal.H26", True),
        }
        await tx.withdraw(gone)
        await tx.withdraw([])
    (tracked,) = await store.track(document)
    assert {each.recipient: (each.state.value, each.reason, each.detail) for each in tracked.deliveries} == {
        "H37": ("withdrawn", "concerns/withdrawn", "recalled"),
        "H26": ("held", "mailbox/not-ready", "not there yet"),
    }
    assert await store.claim(QUEUE, [document]) == set()
    assert await store.claim("mailbox.normal.H26", [document]) == {(document, "H26")}
    assert await store.held_queues() == {"mailbox.normal.H26"}
    async with store.transaction() as tx:
        assert await tx.concerned(new_id(NOW)) is None


async def test_a_delivery_may_be_held_behind_another_lane(store: Store) -> None:
    document = await put(store, "H37")
    update = accepted(action="update", concerns=document, lane="urgent")
    async with store.transaction() as tx:
        await tx.accept([replace(update, deliveries=(held(update.envelope.id, "H37", held_for=QUEUE),))])
    assert [envelope.id for envelope, _ in await store.held(QUEUE, 10)] == [document, update.envelope.id]
    assert await store.claim(QUEUE, [document, update.envelope.id]) == {(document, "H37"), (update.envelope.id, "H37")}
    await store.release(QUEUE, [document, update.envelope.id])
    assert await store.held_queues() == set()


async def test_conversations_are_begun_once_moved_and_shown(store: Store) -> None:
    document = await put(store)
    asked = talk(document)
    other = talk(document, "H26", request=asked.request, original=None)
    async with store.transaction() as tx:
        await tx.begin([asked, other])
        await tx.begin([])
    moved = replace(asked, state=Talk.DESTROYED, answered_at=NOW, answered_by="H37", answer="đã hủy", destroyed_at=NOW)
    back = talk(document, request=document, kind=Kind.TAKE_BACK)
    async with store.transaction() as tx:
        await tx.begin([replace(asked, reason="another")])
        assert await tx.conversations([asked.key, other.key]) == {asked.key: asked, other.key: other}
        assert await tx.conversations([asked.key, (asked.request, "H99")]) == {asked.key: asked}
        assert await tx.conversations([]) == {}
        await tx.move([moved, back])
        await tx.move([])
        found = await tx.concerned(document)
        assert found is not None
        assert {each.key: each for each in found.conversations} == {each.key: each for each in (moved, other, back)}
    (tracked,) = await store.track(document)
    assert {each.key for each in tracked.conversations} == {moved.key, other.key, back.key}
    assert len(tracked.conversations) == 3


async def test_what_waits_is_kept_once_until_its_document_comes(store: Store) -> None:
    document, nothing = new_id(NOW), new_id(NOW)
    until = NOW + dt.timedelta(minutes=10)
    first, late = (
        Waiting(
            id=new_id(NOW),
            concerns=concerns,
            queue="axis.route.urgent",
            account="G22",
            routing_key="urgent.G22",
            content_type="application/vnd.axis.envelope+json",
            headers={"axis-signature": "header..signature", "axis-signature-pq": "p" * 4_926},  # the longest there is
            body=b'{"action": "recall"}',
            sha256=sha256(b"thu"),
            received_at=NOW,
            until=until,
        )
        for concerns in (document, nothing)
    )
    late = replace(late, received_at=NOW - dt.timedelta(minutes=1))
    async with store.transaction() as tx:
        assert await tx.wait(late, 2) == late
        assert await tx.wait(first, 2) == first
        assert await tx.wait(replace(first, sha256=sha256(b"other"), until=until + until.resolution), 3) == first
        # No more of this account, but those are known, and another's are its own.
        assert await tx.wait(replace(first, id=new_id(NOW)), 2) is None
        assert await tx.wait(late, 2) == late
        other = replace(first, id=new_id(NOW), account="H26", queue="axis.route.bulk")
        assert await tx.wait(other, 2) == other
    assert await store.backlog.early() == {
        "axis.route.bulk": Pile(1, NOW),
        "axis.route.urgent": Pile(2, NOW - dt.timedelta(minutes=1)),
    }
    told = [TrackedWaiting.of(each) for each in (late, first, other)]
    assert [each.action for each in told] == ["recall"] * 3
    assert await store.waiting_for([nothing]) == await store.waiting_for([late.id]) == (told[0],)
    assert await store.waiting_for([document, nothing, "no id"]) == tuple(told[:1] + sorted(told[1:], key=by_id))
    assert await store.waiting_for([new_id(NOW), "no id"]) == await store.waiting_for([]) == ()
    assert await store.waiting("axis.route.urgent", NOW, 10) == []
    assert await store.waiting("axis.route.normal", until, 10) == []
    async with store.transaction() as tx:
        await tx.accept([accepted(id=document)])
    assert await store.waiting("axis.route.urgent", NOW, 10) == [first]
    assert await store.waiting("axis.route.urgent", until, 10) == [first, late]
    assert await store.waiting("axis.route.urgent", until, 1) == [first]

    async def forget() -> bool:
        async with store.transaction() as tx:
            assert not await tx.waited(first.id, sha256(b"other"))
            return await tx.waited(first.id, first.sha256)

    assert sorted(await asyncio.gather(*(forget() for _ in range(4)))) == [False, False, False, True]
    assert await store.waiting("axis.route.urgent", until, 10) == [late]


async def test_a_transaction_tells_what_is_stored(store: Store) -> None:
    document = await put(store)
    async with store.transaction() as tx:
        assert set(await tx.existing([document, new_id(NOW)])) == {document}
        assert await tx.existing([]) == {}
