"""Replays, on the fake and on PostgreSQL."""

import datetime as dt
from dataclasses import replace

from axis.core.conversation import Conversation, Kind, Talk
from axis.core.ids import new_id
from axis.core.records import Accepted
from axis.core.replaying import Place, Replay
from axis.store import Store
from tests.builders import NOW
from tests.unit.store.rows import accepted, delivery_row, envelope_row, held, notice_row

EVER = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


def a_replay(queue: str = "replay.H37") -> Replay:
    return Replay(new_id(NOW), "H37", queue, NOW - HOUR, NOW + HOUR, "Trần Văn Thử", NOW)


async def keep(store: Store, *envelopes: Accepted) -> None:
    async with store.transaction() as tx:
        await tx.accept(envelopes)


async def places(store: Store, since: dt.datetime, until: dt.datetime, page: int = 1000) -> list[Place]:
    found: list[Place] = []
    after: str | None = None
    while True:
        after, some = await store.replays.places("H37", since, until, made_since=EVER, after=after, page=page)
        if after is None:
            return sorted(found)
        found += some


async def test_a_queue_has_one_replay_that_has_not_ended(store: Store) -> None:
    replays, first = store.replays, a_replay()
    assert await replays.open(first.queue) is None
    assert await replays.begin(first) == first
    assert await replays.begin(a_replay()) == first
    assert await replays.open(first.queue) == first
    other = a_replay("replay.test")
    assert await replays.begin(other) == other
    await replays.end(first, NOW + HOUR)
    await replays.end(first, NOW + 2 * HOUR)
    assert await replays.open(first.queue) is None
    again = replace(a_replay(), begun_at=NOW + HOUR)
    assert await replays.begin(again) == again
    listed = await replays.listed()
    assert [each.id for each in listed] == [again.id, other.id, first.id]
    assert listed[-1].ended_at == NOW + HOUR
    assert len(await replays.listed(1)) == 1


async def test_it_is_advanced_by_whoever_knows_where_it_stands_and_by_nobody_else(store: Store) -> None:
    replays = store.replays
    begun = await replays.begin(a_replay())
    place, next_ = Place(NOW, new_id(NOW)), Place(NOW + HOUR, new_id(NOW))
    moved = await replays.advance(begun, place, 3, 1)
    assert moved == replace(begun, after=place, put=3, left_out=1)
    assert await replays.advance(begun, place, 3, 1) is None  # another process, as far as this one knows
    assert moved is not None
    moved = await replays.advance(moved, next_, 2, 0)
    assert moved == replace(begun, after=next_, put=5, left_out=1)
    assert await replays.open(begun.queue) == moved
    await replays.fill(begun, NOW)
    await replays.fill(begun, NOW + HOUR)
    filled = await replays.open(begun.queue)
    assert filled is not None
    assert filled.filled_at == NOW
    assert moved is not None
    await replays.end(begun, NOW)
    assert await replays.advance(moved, Place(NOW + 2 * HOUR, new_id(NOW)), 1, 0) is None


async def test_what_was_for_the_mailbox_is_named_page_by_page_whatever_became_of_it(store: Store) -> None:
    assert await places(store, EVER, NOW + HOUR) == []
    later, first, last = (accepted(["G01", "H37"], accepted_at=NOW + dt.timedelta(minutes=each)) for each in (5, 0, 9))
    row = envelope_row(accepted_at=NOW + dt.timedelta(minutes=3))
    waits = Accepted(row, (held(row.id, "H37"),), (), notice_row(about=row.id))
    through = envelope_row(accepted_at=NOW + dt.timedelta(minutes=4))
    below = Accepted(through, (delivery_row(through.id, "H37.02", mailbox="H37"),), (), notice_row())
    await keep(store, later, first, last, waits, below, accepted(["G01"], accepted_at=NOW))
    expected = [Place(each.envelope.accepted_at, each.envelope.id) for each in (first, waits, below, later, last)]
    for page in (1, 2, 1000):
        assert await places(store, EVER, NOW + HOUR, page) == expected
    # From then on, to before then.
    assert await places(store, row.accepted_at, last.envelope.accepted_at) == expected[1:4]


async def test_what_was_recalled_and_the_recall_of_it_are_known_for_each_recipient(store: Store) -> None:
    document, recall, other = accepted(["H37", "H26"]), accepted(["H37", "H26"], action="recall"), accepted(["H37"])
    asked = accepted(["H37"], action="recall")
    await keep(store, document, recall, other, asked)
    about, request = document.envelope.id, recall.envelope.id
    talks = [
        Conversation(request, about, "H37", "H37", Kind.RECALL, Talk.WITHDRAWN, NOW, "G22"),
        Conversation(request, about, "H26", "H26", Kind.RECALL, Talk.DECLINED, NOW, "G22"),
        Conversation(asked.envelope.id, other.envelope.id, "H37", "H37", Kind.RECALL, Talk.REQUESTED, NOW, "G22"),
        Conversation(other.envelope.id, other.envelope.id, "H37", "H37", Kind.TAKE_BACK, Talk.DESTROYED, NOW, "G22"),
    ]
    async with store.transaction() as tx:
        await tx.begin(talks)
    ids = [about, request, other.envelope.id, asked.envelope.id, new_id(NOW)]
    found = {each.envelope.id: each for each in await store.replays.candidates("H37", ids)}
    assert found.keys() == set(ids[:4])
    assert [each.recipient for each in found[about].deliveries] == ["H37"]
    assert (found[about].gone, found[about].carried_out) == (frozenset({"H37"}), False)
    assert (found[request].gone, found[request].carried_out) == (frozenset(), True)
    assert (found[other.envelope.id].gone, found[other.envelope.id].carried_out) == (frozenset({"H37"}), False)
    assert (found[asked.envelope.id].gone, found[asked.envelope.id].carried_out) == (frozenset(), False)
    (declined,) = await store.replays.candidates("H26", [request])
    assert not declined.carried_out
    assert await store.replays.candidates("H26", [other.envelope.id]) == []
    assert await store.replays.candidates("H26", []) == []
    ordered = [each.place for each in await store.replays.candidates("H37", ids)]
    assert ordered == sorted(ordered)
