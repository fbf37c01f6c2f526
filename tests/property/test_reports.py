"""A report is equal to the rows it summarises, whatever the documents went through."""

import asyncio
import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from axis.console.reports.making import check_report, make_report
from axis.core.periods import Length, Period, period_of
from axis.core.registered import Side
from axis.core.reporting import DOCUMENTS, DOCUMENTS_LATE, MEASURES, SIDES, Counted
from axis.errors import Refused
from axis.store import FakeStore, Store
from tests.unit.store.lives import DAYS, FIRST, counted_again, play, rows_of, took_again

LAST = FIRST + dt.timedelta(days=DAYS - 1)
AT = dt.datetime(2026, 12, 31, tzinfo=dt.UTC)


@st.composite
def periods(draw: st.DrawFn) -> Period:
    first = draw(st.dates(FIRST, LAST))
    if draw(st.booleans()):
        return period_of(draw(st.sampled_from((Length.MONTH, Length.QUARTER, Length.YEAR))), first)
    return Period(Length.DAYS, first, draw(st.dates(first, LAST)))


@settings(max_examples=12)
@given(st.integers(0, 1 << 32), periods(), st.sampled_from((None, "G22", "H37", "H37.05", "H37.05.02")))
def test_every_number_is_what_its_rows_add_up_to(seed: int, period: Period, below: str | None) -> None:
    asyncio.run(_compare(FakeStore(), seed, period, below))


async def _compare(store: Store, seed: int, period: Period, below: str | None) -> None:
    await play(store, seed, documents=12)
    entries, deliveries = await rows_of(store)
    try:
        made = await make_report(store, period, below, AT)
    except Refused as error:
        assert error.code == "report/code"  # noqa: PT017 - nobody is in this directory
        for side in SIDES:
            assert not counted_again(entries, deliveries, side, period.first, period.last, below, whole=True)
        return
    for line in (*made.report.lines, made.report.total):
        for side in SIDES:
            for shown, span in ((line.now, period), (line.before, period.before)):
                told = {name: count for name, count in shown[side].items() if count}
                again = counted_again(entries, deliveries, side, span.first, span.last, line.code, whole=line.whole)
                assert told == {name: count for name, count in again.items() if count}
            for times, span in ((line.took, period), (line.took_before, period.before)):
                took = took_again(deliveries, side, span.first, span.last, line.code, whole=line.whole)
                for name, (count, average) in took.items():
                    assert times[side][name].deliveries == count
                    assert times[side][name].average == (None if average is None else pytest.approx(average, abs=0.51))
    assert {side: sum(line.now[side]["deliveries"] for line in made.report.lines) for side in SIDES} == {
        side: made.report.total.now[side]["deliveries"] for side in SIDES
    }
    assert await check_report(store, period, below) == ()


@settings(max_examples=8)
@given(st.integers(0, 1 << 32), st.sampled_from(SIDES), st.sampled_from((None, "G22", "H37.05")), st.booleans())
def test_the_rows_behind_a_number_are_as_many_as_it_says(seed: int, side: Side, code: str | None, whole: bool) -> None:
    asyncio.run(_list(FakeStore(), seed, side, code, whole=whole))


async def _list(store: Store, seed: int, side: Side, code: str | None, *, whole: bool) -> None:
    await play(store, seed, documents=8)
    entries, deliveries = await rows_of(store)
    counts = counted_again(entries, deliveries, side, FIRST, LAST, code, whole=whole)
    for name, measure in MEASURES.items():
        counted = Counted(FIRST, LAST, side, code, whole, measure)
        assert len(await store.register.counted(counted, limit=1000)) == counts[name], name
    if side == "sent":
        for name in (DOCUMENTS, DOCUMENTS_LATE):
            found = await store.register.counted_documents(counted, late=name == DOCUMENTS_LATE, limit=1000)
            assert len(found) == counts[name], name
