"""What the audit asks of the store, on the fake and on PostgreSQL."""

import datetime as dt

from axis.core.audit import Marked, ToldMark
from axis.core.ids import new_id
from axis.core.records import Accepted, Hold
from axis.store import Store
from tests.builders import NOW
from tests.unit.store.rows import accepted, delivery_row, envelope_row, held, notice_row, status_row

EVER = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


async def keep(store: Store, *envelopes: Accepted, marked: bool = True) -> None:
    async with store.transaction() as tx:
        await tx.accept(envelopes)
    if marked:
        await store.mark_published([each.envelope.id for each in envelopes], [each.receipt.id for each in envelopes])


async def soon(store: Store) -> dt.datetime:
    return await store.comparing.now() + dt.timedelta(hours=1)


async def unanswered(store: Store, since: dt.datetime = EVER, page: int = 1000) -> list[Marked]:
    pages = store.comparing.unanswered(since, await soon(store), made_since=EVER, page=page)
    return [copy async for found in pages for copy in found]


async def told(store: Store, page: int = 1000) -> list[ToldMark]:
    return [
        each
        async for found in store.comparing.told(EVER, await soon(store), made_since=EVER, page=page)
        for each in found
    ]


async def test_an_empty_store_knows_nothing(store: Store) -> None:
    assert await store.comparing.newest() is None
    assert await store.comparing.known_envelopes([]) == {}
    assert await store.comparing.known_envelopes([new_id(NOW)]) == {}
    assert await store.comparing.known_notices([]) == set()
    assert await store.comparing.envelopes([]) == await store.comparing.envelopes([new_id(NOW)]) == []
    assert await store.comparing.notices([]) == await store.comparing.notices([(new_id(NOW), "receipt")]) == []
    assert await unanswered(store) == []
    assert await told(store) == []
    await store.comparing.put_again([], [])
    await store.comparing.put_again([(new_id(NOW), "H37")], [(new_id(NOW), "status")])


async def test_the_newest_is_the_last_thing_recorded_whatever_its_id(store: Store) -> None:
    first = accepted(accepted_at=NOW)
    early_id = accepted(id=new_id(NOW - dt.timedelta(days=3)), accepted_at=NOW + dt.timedelta(minutes=1))
    await keep(store, first, early_id)
    assert await store.comparing.newest() == NOW + dt.timedelta(minutes=1)
    async with store.transaction() as tx:
        await tx.statuses([status_row(first.envelope.id, received_at=NOW + dt.timedelta(minutes=2))], {})
    assert await store.comparing.newest() == NOW + dt.timedelta(minutes=2)


async def test_what_is_known_is_told_with_its_digest(store: Store) -> None:
    first, status = accepted(), notice_row(kind="status")
    await keep(store, first)
    async with store.transaction() as tx:
        await tx.notices([status])
    ids = [first.envelope.id, new_id(NOW)]
    assert await store.comparing.known_envelopes(ids) == {first.envelope.id: first.envelope.sha256}
    found = await store.comparing.known_notices([first.receipt.id, status.id, new_id(NOW)])
    assert found == {(first.receipt.id, "receipt"), (status.id, "status")}
    assert await store.comparing.envelopes(ids) == [(first.envelope, list(first.deliveries))]
    assert await store.comparing.notices([(status.id, "status"), (first.receipt.id, "status")]) == [status]


async def test_only_marked_copies_without_an_answer_are_listed(store: Store) -> None:
    row = envelope_row(lane="urgent")
    silent, waiting = accepted(["G01", "H37"]), accepted()
    mixed = Accepted(row, (delivery_row(row.id, "G01"), held(row.id, "H37")), (), notice_row(about=row.id))
    await keep(store, silent, mixed)
    await keep(store, waiting, marked=False)
    assert await unanswered(store) == sorted(
        [
            Marked(silent.envelope.id, "G01", "normal"),
            Marked(silent.envelope.id, "H37", "normal"),
            Marked(row.id, "G01", "urgent"),
        ]
    )


async def test_a_word_of_any_recipient_answers_for_the_whole_copy(store: Store) -> None:
    row = envelope_row()
    behind = [delivery_row(row.id, code, mailbox="H37") for code in ("H37", "H37.05")]
    first = Accepted(row, (*behind, delivery_row(row.id, "G01")), (), notice_row(about=row.id))
    await keep(store, first)
    async with store.transaction() as tx:
        status = status_row(row.id, recipients=("H37.05",))
        await tx.statuses([status], {(row.id, "H37.05"): ("01", NOW)})
    assert await unanswered(store) == [Marked(row.id, "G01", "normal")]


async def test_a_noted_status_is_an_answer_and_the_senders_own_is_none(store: Store) -> None:
    noted, recalled = accepted(), accepted()
    await keep(store, noted, recalled)
    async with store.transaction() as tx:
        statuses = [status_row(noted.envelope.id, code="15", effect="noted")]
        statuses += [status_row(recalled.envelope.id, code="13", effect="noted", reporter="G22")]
        await tx.statuses(statuses, {})
    assert await unanswered(store) == [Marked(recalled.envelope.id, "H37", "normal")]


async def test_long_lists_come_in_pages_and_nothing_twice(store: Store) -> None:
    many = [accepted(["G01", "H37"]) for _ in range(7)]
    await keep(store, *many)
    expected = sorted(Marked(each.envelope.id, code, "normal") for each in many for code in ("G01", "H37"))
    assert await unanswered(store, page=2) == expected
    assert await told(store, page=2) == sorted(ToldMark(each.receipt.id, "receipt", "G22") for each in many)


async def test_only_what_was_marked_in_the_time_asked_about(store: Store) -> None:
    first = accepted()
    await keep(store, first)
    now = await store.comparing.now()
    assert await unanswered(store, since=now + dt.timedelta(minutes=1)) == []
    before = [each async for each in store.comparing.unanswered(EVER, EVER, made_since=EVER)]
    assert [copy for page in before for copy in page] == []
    late = [each async for each in store.comparing.unanswered(EVER, now, made_since=NOW + dt.timedelta(days=1))]
    assert [copy for page in late for copy in page] == []
    notices = [each async for each in store.comparing.told(EVER, EVER, made_since=EVER)]
    assert [each for page in notices for each in page] == []


async def test_what_was_put_again_counts_from_then(store: Store) -> None:
    first = accepted(["G01", "H37"])
    await keep(store, first)
    until = await store.comparing.now()
    await store.comparing.put_again([(first.envelope.id, "H37")], [(first.receipt.id, "receipt")])
    pages = [page async for page in store.comparing.unanswered(EVER, until, made_since=EVER)]
    assert [copy for page in pages for copy in page] == [Marked(first.envelope.id, "G01", "normal")]
    assert [each async for page in store.comparing.told(EVER, until, made_since=EVER) for each in page] == []
    (tracked,) = await store.track(first.envelope.id)
    by_recipient = {each.recipient: each.delivered_at for each in tracked.deliveries}
    assert by_recipient["H37"] is not None
    assert by_recipient["G01"] is not None
    assert by_recipient["H37"] > by_recipient["G01"]


async def test_what_was_put_again_was_not_held(store: Store) -> None:
    # Held time is not its recipient's: a mailbox that is made again must not take it off every deadline.
    document = accepted(["H37"])
    await keep(store, document)
    await store.comparing.put_again([(document.envelope.id, "H37")], [])
    (tracked,) = await store.track(document.envelope.id)
    (delivery,) = tracked.deliveries
    assert (delivery.held_since, delivery.released_at) == (None, None)
    assert delivery.delivered_at is not None


async def test_what_is_held_once_more_is_not_released(store: Store) -> None:
    document = accepted(["H37"])
    await keep(store, document)
    queue, identifier = "mailbox.normal.H37", document.envelope.id
    for _ in range(2):
        await store.hold([Hold(identifier, "H37", queue, "mailbox/full", "50,000 wait")])
        (tracked,) = await store.track(identifier)
        assert (tracked.deliveries[0].held_since is not None, tracked.deliveries[0].released_at) == (True, None)
        await store.release(queue, [identifier])
    (tracked,) = await store.track(identifier)
    assert tracked.deliveries[0].released_at is not None
