"""Keeping the register, on the fake and on PostgreSQL: what changes what, and what is told to whom."""

import asyncio
import datetime as dt
import json
from collections.abc import Sequence
from typing import Any

import pytest

from axis.core.conversation import Conversation, Kind, Talk
from axis.core.deadlines import Clock
from axis.core.fate import Transport
from axis.core.ids import new_id
from axis.core.records import Hold
from axis.core.register import register
from axis.store import FeedItem, Flow, Sought, Store
from tests.builders import NOW
from tests.unit.store.registering import keep, reckon
from tests.unit.store.rows import accepted, delivery_row, status_row

DAY = dt.timedelta(days=1)
SECOND = dt.timedelta(seconds=1)
TODAY = NOW.astimezone(dt.timezone(dt.timedelta(hours=7))).date()


def news(items: Sequence[FeedItem]) -> list[tuple[str, str | None, str | None]]:
    return [(each.kind.value, each.recipient, each.code) for each in items]


async def say(store: Store, identifier: str, recipient: str, code: str, **changes: Any) -> None:
    status = status_row(identifier, reporter=recipient, recipients=(recipient,), code=code, **changes)
    async with store.transaction() as tx:
        await tx.statuses([status], {(identifier, recipient): (code, NOW)} if code < "13" else {})


async def states(store: Store) -> dict[str, tuple[str, str | None, bool]]:
    listed = await store.register.deliveries(Sought())
    return {each.recipient: (each.transport.value, each.business, each.ended) for each in listed}


async def test_the_feed_tells_each_what_is_its_own_once_and_in_order(store: Store) -> None:
    document = accepted(["H37", "G01"])
    identifier = document.envelope.id
    async with store.transaction() as tx:
        await tx.accept([document])
    await keep(store)
    assert news(await store.register.feed("G22", 0, 100)) == [("accepted", None, None)]
    await store.mark_published([identifier], [])
    await keep(store)
    await say(store, identifier, "H37", "01")
    await say(store, identifier, "H37", "03", received_at=NOW + 2 * SECOND)
    await keep(store)
    told = await store.register.feed("G22", 0, 100)
    assert news(told)[1:3] == [("delivered", "H37", None), ("delivered", "G01", None)]
    assert news(told)[3:] == [("status", "H37", "01"), ("status", "H37", "03")]
    assert [each.seq for each in told] == sorted({each.seq for each in told})
    assert news(await store.register.feed("H37", 0, 100)) == [
        ("delivered", "H37", None),
        ("status", "H37", "01"),
        ("status", "H37", "03"),
    ]
    assert news(await store.register.feed("G01", 0, 100)) == [("delivered", "G01", None)]
    assert await store.register.feed("G22", told[-1].seq, 100) == ()
    assert news(await store.register.feed("G22", told[0].seq, 1)) == news(told[1:2])
    await keep(store)
    assert (await store.register.feed_span())[1] == 9
    assert await states(store) == {"H37": ("taken", "03", False), "G01": ("routed", None, False)}


async def test_a_delivery_is_followed_to_its_end(store: Store) -> None:
    document = accepted(["H37", "G01"])
    identifier = document.envelope.id
    async with store.transaction() as tx:
        await tx.accept([document])
    await store.mark_published([identifier], [])
    await store.hold([Hold(identifier, "G01", "mailbox.normal.G01", "mailbox/full", "50,000 wait")])
    await keep(store)
    assert await states(store) == {"H37": ("routed", None, False), "G01": ("held", None, False)}
    await say(store, identifier, "H37", "02", reason="không đúng thẩm quyền")
    await keep(store)
    (refused,) = await store.register.deliveries(Sought(business="02"))
    assert (refused.detail, refused.ended) == ("không đúng thẩm quyền", True)
    assert (await store.register.search(Sought()))[0].open == 1
    await store.release("mailbox.normal.G01", [identifier])
    for code in ("01", "06"):
        await say(store, identifier, "G01", code)
    await keep(store)
    assert await states(store) == {"H37": ("taken", "02", True), "G01": ("taken", "06", True)}
    (entry,) = await store.register.search(Sought(open=False))
    assert entry.open == 0
    assert await store.register.search(Sought(open=True)) == ()


async def test_a_conversation_is_told_to_both(store: Store) -> None:
    document = accepted(["H37"])
    talk = Conversation(
        request=new_id(NOW),
        about=document.envelope.id,
        recipient="H37",
        original="H37",
        kind=Kind.RECALL,
        state=Talk.REQUESTED,
        requested_at=NOW,
        requested_by="G22",
    )
    async with store.transaction() as tx:
        await tx.accept([document])
    await keep(store)
    async with store.transaction() as tx:
        await tx.begin([talk])
    await keep(store)
    assert news(await store.register.feed("H37", 0, 10)) == [("conversation", "H37", "recall requested")]
    assert news(await store.register.feed("G22", 0, 10))[1:] == [("conversation", "H37", "recall requested")]


async def test_counts_are_what_the_rows_are(store: Store) -> None:
    documents = [accepted(["H37", "G01", "H37.05"]), accepted(["G01"], lane="urgent", sender="H37", account="H37")]
    async with store.transaction() as tx:
        await tx.accept(documents)
    await keep(store)
    first = documents[0].envelope.id
    await store.mark_published([first], [])
    await say(store, first, "H37", "01", received_at=NOW + dt.timedelta(minutes=1))
    await say(store, first, "G01", "01", received_at=NOW + 30 * DAY)
    await keep(store)
    sent = await store.register.tallies(TODAY, TODAY, side="sent")
    assert sum(each.deliveries for each in sent) == 4
    assert [(each.code, each.documents) for each in sent if each.transport is None] == [("G22", 1), ("H37", 1)]
    taken = [each for each in sent if each.transport is Transport.TAKEN]
    assert sorted((each.arrival, each.deliveries) for each in taken) == [("late", 1), ("on time", 1)]
    received = await store.register.tallies(TODAY - DAY, TODAY + DAY, side="received", below="H37")
    assert sorted((each.code, each.transport, each.deliveries) for each in received) == [
        ("H37", Transport.TAKEN, 1),
        ("H37.05", Transport.ROUTED, 1),
    ]
    assert await store.register.tallies(TODAY + DAY, TODAY + DAY, side="sent") == ()
    # Made anew from the store it says the same.
    assert await store.register.rebuild() == 2
    assert await store.register.tallies(TODAY, TODAY, side="sent") == ()
    end = await store.register.feed_span()
    await keep(store, batch=1)
    assert await store.register.tallies(TODAY, TODAY, side="sent") == sent
    assert await store.register.feed_span() == end


async def test_who_is_late_is_counted_by_agency_and_told_once(store: Store) -> None:
    at = dt.datetime.now(dt.UTC)
    old = [accepted(["H37", "G01"], accepted_at=at - DAY, lane="urgent", id=new_id(at - DAY)) for _ in range(2)]
    new = accepted(["H37"], accepted_at=at, lane="urgent", id=new_id(at))
    async with store.transaction() as tx:
        await tx.accept([*old, new])
    await say(store, old[0].envelope.id, "G01", "01")
    await keep(store)
    due = at - DAY + dt.timedelta(minutes=15)
    late = await store.register.overdue(Clock.ARRIVAL, at)
    assert [(each.mailbox, each.count, each.oldest) for each in late] == [("H37", 2, due), ("G01", 1, due)]
    assert [each.count for each in await store.register.overdue(Clock.ACCEPTANCE, at)] == [2, 2]
    assert await store.register.overdue(Clock.FINISHING, at) == ()
    assert [(each.mailbox, each.count) for each in await store.register.overdue(Clock.ARRIVAL, at + DAY)] == [
        ("H37", 3),
        ("G01", 1),
    ]
    assert await store.register.overdue(Clock.ARRIVAL, due) == ()
    with pytest.raises(ValueError, match="sender"):
        await store.register.overdue(Clock.SENDING, at)
    await say(store, old[0].envelope.id, "H37", "02")
    await say(store, old[1].envelope.id, "H37", "02")
    await keep(store)
    assert [each.mailbox for each in await store.register.overdue(Clock.ARRIVAL, at)] == ["G01"]
    # What was late before the register began is in the lists, and no news.
    assert await store.register.tell_late(at + dt.timedelta(minutes=20)) == 1
    assert await store.register.tell_late(at + dt.timedelta(minutes=20)) == 0
    assert news(await store.register.feed("H37", 0, 100))[-1] == ("late", "H37", "arrival")


async def test_what_passes_is_summed_by_steps(store: Store) -> None:
    first, second = accepted(["H37", "G01"]), accepted(["H37"], accepted_at=NOW + dt.timedelta(minutes=7))
    async with store.transaction() as tx:
        await tx.accept([first, second])
    await say(store, first.envelope.id, "H37", "01", received_at=NOW + dt.timedelta(minutes=2))
    await say(store, first.envelope.id, "H37", "03", received_at=NOW + dt.timedelta(minutes=8))
    await keep(store)
    floor = NOW.replace(second=0, microsecond=0)
    assert await store.register.flow(floor, 5) == (
        Flow(floor, documents=1, deliveries=1, statuses=1),
        Flow(floor + dt.timedelta(minutes=5), documents=1, deliveries=0, statuses=1),
    )


async def test_a_registrar_that_dies_has_done_nothing(store: Store) -> None:
    document = accepted(["H37"])
    async with store.transaction() as tx:
        await tx.accept([document])
    waiting = (await store.register.lag())[0]

    def dies(subjects: Sequence[Any]) -> Any:
        raise SystemExit(9)

    with pytest.raises(SystemExit):
        await store.register.keep(10, dies)
    assert (await store.register.lag())[0] == waiting
    assert await store.register.keep(10, lambda subjects: [register(each, reckon) for each in subjects])
    assert len(await store.register.feed("G22", 0, 10)) == 1


async def test_what_a_body_says_badly_stops_nobody(store: Store) -> None:
    bodies = [
        b"\x00\xff",
        b"[]",
        b'{"document": 7}',
        b"[" * 100_000,
        b'{"document": {"number": 7, "notation": "\\ud800\\u0000", "issued_on": "gestern", "due_on": "2026-02-30"}}',
    ]
    documents = [accepted(["H37"], body=body) for body in bodies]
    async with store.transaction() as tx:
        await tx.accept(documents)
    await keep(store)
    entries = await store.register.search(Sought())
    assert {each.id for each in entries} == {each.envelope.id for each in documents}
    assert {each.notation for each in entries} == {None, "\N{REPLACEMENT CHARACTER}" * 2}
    assert {each.subject for each in entries} == {documents[0].envelope.subject}


async def test_units_are_found_by_the_code_above_and_the_mailbox(store: Store) -> None:
    identifier = new_id(NOW)
    row = delivery_row(identifier, "H22.05", resolved="H60.05", mailbox="H60")
    async with store.transaction() as tx:
        await tx.accept([accepted(deliveries=[row], id=identifier)])
    await keep(store)
    for code in ("H22", "H22.05", "H60", "H60.05"):
        assert len(await store.register.deliveries(Sought(recipient=code))) == 1, code
    assert await store.register.deliveries(Sought(recipient="H6")) == ()


async def test_one_among_thousands_of_recipients_is_written_alone(database: str) -> None:
    # The fake looks at everything.
    async with Store.connect(database) as store:
        await one_among_thousands(store)


async def one_among_thousands(store: Store) -> None:
    codes = [f"H{number:04}" for number in range(1_200)]
    document = accepted(codes)
    async with store.transaction() as tx:
        await tx.accept([document])
    await keep(store)
    await say(store, document.envelope.id, codes[7], "01")
    seen: list[int] = []

    def decide(subjects: Sequence[Any]) -> Any:
        registered = [register(each, reckon) for each in subjects]
        seen.extend(len(each.tracked.deliveries) for each in subjects)
        seen.extend(len(each.records) for each in registered)
        return registered

    while await store.register.keep(500, decide):
        pass
    assert seen == [1, 1]
    (entry,) = await store.register.search(Sought())
    assert (entry.recipients, entry.open) == (1_200, 1_200)
    assert await store.register.count_deliveries(Sought(transport=Transport.ACCEPTED), most=5_000) == 1_199


async def test_a_rebuild_forgets_nothing_that_is_not_told_yet(store: Store) -> None:
    told, untold = accepted(["H37"]), accepted(["G01"])
    async with store.transaction() as tx:
        await tx.accept([told])
    await keep(store)
    async with store.transaction() as tx:
        await tx.accept([untold])
    await say(store, told.envelope.id, "H37", "01")
    await store.register.rebuild()
    await keep(store)
    items = await store.register.feed("G22", 0, 100)
    assert {(each.envelope_id, each.kind.value, each.code) for each in items} >= {
        (told.envelope.id, "accepted", None),
        (told.envelope.id, "status", "01"),
        (untold.envelope.id, "accepted", None),
    }


@pytest.mark.parametrize("registered_at_once", [True, False])
async def test_what_was_due_before_it_was_accepted_is_told_once(store: Store, registered_at_once: bool) -> None:
    at = dt.datetime.now(dt.UTC)
    identifier = new_id(at)
    body = json.dumps({"id": identifier, "document": {"due_on": (at - 9 * DAY).date().isoformat()}}).encode()
    document = accepted(["H37"], accepted_at=at, id=identifier, body=body)
    async with store.transaction() as tx:
        await tx.accept([document])
    if registered_at_once:
        await keep(store)
    await store.register.tell_late(at + dt.timedelta(minutes=5))
    await keep(store)
    await store.mark_published([identifier], [])
    await keep(store)
    while await store.register.tell_late(at + dt.timedelta(minutes=5)):
        pass
    for account in ("G22", "H37"):
        told = news(await store.register.feed(account, 0, 100))
        assert [each for each in told if each[0] == "late"] == [("late", "H37", "finishing")]


async def test_what_became_late_while_the_register_was_behind_is_told(store: Store) -> None:
    at = dt.datetime.now(dt.UTC)
    document = accepted(["H37"], accepted_at=at, lane="urgent", id=new_id(at))  # to arrive within 15 minutes
    async with store.transaction() as tx:
        await tx.accept([document])
    await store.register.tell_late(at + dt.timedelta(minutes=30))  # nothing is registered yet
    await keep(store)
    while await store.register.tell_late(at + dt.timedelta(minutes=30)):
        pass
    late = [each for each in await store.register.feed("H37", 0, 10) if each.kind.value == "late"]
    assert [each.code for each in late] == ["arrival"]


async def test_nobody_waits_for_a_rebuild(database: str) -> None:
    # In the fake everybody is alone anyway.
    async with Store.connect(database) as store, Store.connect(database) as other:
        async with store.transaction() as tx:
            await tx.accept([accepted(["H37"])])
            async with asyncio.timeout(10):
                assert await other.register.rebuild() == 0  # a router is in the middle of something
        await keep(store)
        assert len(await store.register.search(Sought())) == 1
