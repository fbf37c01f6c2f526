"""What reports are made of, on the fake and on PostgreSQL: counts, and the rows behind them."""

import datetime as dt
from dataclasses import replace

import asyncpg
import pytest

from axis.console.reports.making import check_report, make_report
from axis.core.periods import Length, Period
from axis.core.registered import EntryDelivery
from axis.core.reporting import DOCUMENTS_LATE, MEASURES, SIDES, Counted
from axis.store import FakeStore, Store
from axis.store.migrating import packaged
from tests.unit.store.lives import DAYS, FIRST, counted_again, play, rows_of, took_again

LAST = FIRST + dt.timedelta(days=DAYS - 1)
PERIOD = Period(Length.DAYS, FIRST + dt.timedelta(days=1), LAST)
AT = dt.datetime(2026, 12, 31, tzinfo=dt.UTC)


async def test_reports_and_their_rows_are_the_same_everywhere(store: Store) -> None:
    await play(store, seed=28, documents=40)
    entries, deliveries = await rows_of(store)
    for below in (None, "H37"):
        made = await make_report(store, PERIOD, below, AT)
        assert made.behind == (0, None)
        assert await check_report(store, PERIOD, below) == ()
        for line in (*made.report.lines, made.report.total):
            for side in SIDES:
                again = counted_again(entries, deliveries, side, PERIOD.first, PERIOD.last, line.code, whole=line.whole)
                assert {name: n for name, n in line.now[side].items() if n} == {n: c for n, c in again.items() if c}
    lines = [(line.code, line.whole) for line in made.report.lines]
    assert lines == [("H37", False), ("H37.05", True)]
    # Enough happened for the comparison to mean something.
    assert all(sum(made.report.total.now[side][name] for side in SIDES) for name in ("business 02", "arrival late"))


async def test_the_rows_of_a_number_are_found_and_paged(store: Store) -> None:
    await play(store, seed=15, documents=25)
    entries, deliveries = await rows_of(store)
    again = counted_again(entries, deliveries, "received", PERIOD.first, PERIOD.last, "H37", whole=True)
    for name, measure in MEASURES.items():
        counted = Counted(PERIOD.first, PERIOD.last, "received", "H37", whole=True, measure=measure)
        assert len(await store.register.counted(counted, limit=1000)) == again[name], name
    everything = Counted(PERIOD.first, PERIOD.last, "sent", None, whole=True, measure=MEASURES["deliveries"])
    whole = await store.register.counted(everything, limit=1000)
    paged: list[EntryDelivery] = []
    before: tuple[str, str] | None = None
    while page := await store.register.counted(everything, limit=7, before=before):
        paged += page
        before = page[-1].envelope_id, page[-1].recipient
    assert tuple(paged) == whole
    own = [each for each in whole if "H37" in {each.entry.account, each.mailbox}]
    assert list(await store.register.counted(replace(everything, account="H37"), limit=1000)) == own
    refused = replace(everything, measure=MEASURES["transport undeliverable"], reason="recipient/closed")
    assert {each.reason for each in await store.register.counted(refused)} == {"recipient/closed"}
    late = [each for each in entries if each.sent_late and PERIOD.first <= each.accepted_at.date() <= PERIOD.last]
    assert late
    first = await store.register.counted_documents(everything, late=True, limit=1)
    rest = await store.register.counted_documents(everything, late=True, limit=1000, before=first[0].id)
    told = counted_again(entries, deliveries, "sent", PERIOD.first, PERIOD.last, None, whole=True)
    assert len(first) + len(rest) == told[DOCUMENTS_LATE]
    assert all(each.sent_late for each in (*first, *rest))


async def test_a_check_says_which_number_is_wrong(store: Store, request: pytest.FixtureRequest) -> None:
    await play(store, seed=3, documents=5)
    if isinstance(store, FakeStore):
        tallies = store.register._tallies  # type: ignore[attr-defined]
        key = next(each for each in tallies if each.transport)
        tallies[key][0] += 1
    else:
        link = await asyncpg.connect(request.getfixturevalue("database"))
        await link.execute(
            "UPDATE tally SET deliveries = deliveries + 1 "
            "WHERE ctid = (SELECT ctid FROM tally WHERE transport <> '' LIMIT 1)"
        )
        await link.close()
    (found,) = await check_report(store, Period(Length.DAYS, FIRST, LAST), None)
    assert found.told[0] == found.rows[0] + 1
    assert found.kind.transport is not None


async def test_averages_are_what_the_rows_took(store: Store, request: pytest.FixtureRequest) -> None:
    await play(store, seed=28, documents=40)
    _, deliveries = await rows_of(store)
    made = await make_report(store, PERIOD, None, AT)
    for line in (*made.report.lines, made.report.total):
        for side in SIDES:
            again = took_again(deliveries, side, PERIOD.first, PERIOD.last, line.code, whole=line.whole)
            for name, (count, average) in again.items():
                took = line.took[side][name]
                assert took.deliveries == count
                assert took.average == (None if average is None else pytest.approx(average, abs=0.51))
    assert all(took.average for took in made.report.total.took["sent"].values())
    if not isinstance(store, FakeStore):  # what was registered before the sums were there is filled by the migration
        link = await asyncpg.connect(request.getfixturevalue("database"))
        await link.execute("UPDATE tally SET arrived_seconds = 0, accepted = 0, finished = 0, finished_seconds = 0")
        assert await check_report(store, PERIOD, None)
        text = next(each.text for each in packaged() if each.name.endswith("tally_times"))
        await link.execute(text[text.index("UPDATE tally") :])
        await link.close()
        assert await check_report(store, PERIOD, None) == ()
