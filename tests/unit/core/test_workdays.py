import datetime as dt

import pytest

from axis.core.workdays import USUAL_HOURS, VIETNAM_TIME, Calendar, end_of_day, vietnam_day
from axis.errors import Misconfigured

# As Vietnam had it in 2026: Tết, and Monday 31 August off, for which Saturday 22 August was worked.
TET = frozenset(dt.date(2026, 2, day) for day in range(16, 21))
VIETNAM_2026 = Calendar(TET | {dt.date(2026, 8, 31)}, frozenset({dt.date(2026, 8, 22)}))


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=VIETNAM_TIME)


def test_weekends_holidays_and_swapped_days() -> None:
    days = {day: VIETNAM_2026.is_working(dt.date.fromisoformat(day)) for day in
            ("2026-02-13", "2026-02-14", "2026-02-16", "2026-08-22", "2026-08-23", "2026-08-31")}  # fmt: skip
    assert [day for day, working in days.items() if working] == ["2026-02-13", "2026-08-22"]


@pytest.mark.parametrize(
    ("signed", "morning"),
    [
        ("2026-11-24", "2026-11-25"),
        ("2026-11-27", "2026-11-30"),  # a Friday
        ("2026-11-28", "2026-11-30"),  # a Saturday
        ("2026-02-13", "2026-02-23"),  # the Friday before Tết
        ("2026-08-21", "2026-08-22"),  # the Saturday is worked
        ("2026-08-29", "2026-09-01"),  # the Monday is off
    ],
)
def test_the_morning_of_the_next_working_day(signed: str, morning: str) -> None:
    assert VIETNAM_2026.next_morning(dt.date.fromisoformat(signed)) == at(f"{morning}T12:00")


@pytest.mark.parametrize(
    ("start", "minutes", "end"),
    [
        ("2026-11-24T08:00", 240, "2026-11-24T12:00"),
        ("2026-11-24T08:00", 241, "2026-11-24T13:31"),
        ("2026-11-24T12:30", 30, "2026-11-24T14:00"),
        ("2026-11-24T17:00", 60, "2026-11-25T08:30"),
        ("2026-11-27T17:31", 1, "2026-11-30T08:01"),
        ("2026-02-13T17:00", 60, "2026-02-23T08:30"),
        ("2026-11-24T06:00", 0, "2026-11-24T08:00"),
        ("2026-11-23T08:00", 5 * 480, "2026-11-27T17:30"),
    ],
)
def test_working_time_is_added(start: str, minutes: int, end: str) -> None:
    assert VIETNAM_2026.add(at(start), dt.timedelta(minutes=minutes)) == at(end)


def test_working_time_between_two_moments() -> None:
    assert VIETNAM_2026.between(at("2026-02-13T17:00"), at("2026-02-23T08:30")) == dt.timedelta(hours=1)
    assert VIETNAM_2026.between(at("2026-11-24T12:10"), at("2026-11-24T13:00")) == dt.timedelta(0)
    assert VIETNAM_2026.between(at("2026-11-24T14:00"), at("2026-11-24T09:00")) == dt.timedelta(0)


def test_a_day_is_vietnams_wherever_the_time_was_written() -> None:
    late = dt.datetime(2026, 11, 24, 17, 30, tzinfo=dt.UTC)  # 00:30 of the next day there
    assert vietnam_day(late) == dt.date(2026, 11, 25)
    assert VIETNAM_2026.add(late, dt.timedelta(minutes=1)) == at("2026-11-25T08:01")
    assert end_of_day(dt.date(2026, 11, 24)) == dt.datetime(2026, 11, 24, 16, 59, 59, tzinfo=dt.UTC)


def test_dates_at_the_end_of_time_are_answered() -> None:
    assert Calendar().working_day(dt.date.max) == dt.date.max
    assert end_of_day(dt.date.max).astimezone(dt.timezone(dt.timedelta(hours=14))).year == 9999
    assert Calendar().next_morning(dt.date.max).date() == dt.date.max
    assert Calendar().between(at("9999-12-30T17:00"), at("9999-12-31T23:00")) == dt.timedelta(minutes=30)
    with pytest.raises(Misconfigured):
        Calendar().add(at("9999-12-30T17:00"), dt.timedelta(hours=9))


def test_a_calendar_without_working_days_is_refused() -> None:
    off = frozenset(dt.date(2026, 1, 1) + dt.timedelta(days=number) for number in range(500))
    with pytest.raises(Misconfigured, match="no working day"):
        Calendar(off).working_day(dt.date(2026, 1, 1))


@pytest.mark.parametrize("hours", [(), ((dt.time(12), dt.time(8)),), (*USUAL_HOURS[:1], (dt.time(12), dt.time(17)))])
def test_hours_that_are_none_are_refused(hours: tuple[tuple[dt.time, dt.time], ...]) -> None:
    with pytest.raises(Misconfigured, match="08:00-12:00"):
        Calendar(hours=hours)
