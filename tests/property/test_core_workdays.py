import datetime as dt

from hypothesis import given, settings
from hypothesis import strategies as st

from axis.core.workdays import VIETNAM_TIME, Calendar

NEAR = st.dates(dt.date(2026, 1, 1), dt.date(2026, 12, 31))
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: dt.timezone(dt.timedelta(minutes=minutes)))
MOMENTS = st.datetimes(dt.datetime(2026, 1, 1), dt.datetime(2026, 12, 31), timezones=ZONES)  # noqa: DTZ001 - the zone is added
TIMES = st.integers(0, 2_000_000).map(lambda milliseconds: dt.timedelta(milliseconds=100 * milliseconds))
CALENDARS = st.builds(Calendar, st.frozensets(NEAR, max_size=12), st.frozensets(NEAR, max_size=6))
FEW = settings(max_examples=30)  # of dates in one year, with holidays strewn over it


def is_worked(calendar: Calendar, moment: dt.datetime) -> bool:
    local = moment.astimezone(VIETNAM_TIME)
    return calendar.is_working(local.date()) and any(since <= local.time() <= to for since, to in calendar.hours)


@FEW
@given(CALENDARS, MOMENTS, TIMES, TIMES)
def test_more_time_is_never_earlier_and_always_within_working_hours(
    calendar: Calendar, moment: dt.datetime, one: dt.timedelta, other: dt.timedelta
) -> None:
    less, more = calendar.add(moment, min(one, other)), calendar.add(moment, max(one, other))
    assert moment <= less <= more
    assert is_worked(calendar, less)
    assert is_worked(calendar, more)


@FEW
@given(CALENDARS, MOMENTS, MOMENTS, TIMES)
def test_a_later_start_is_never_earlier_done(
    calendar: Calendar, one: dt.datetime, other: dt.datetime, time: dt.timedelta
) -> None:
    assert calendar.add(min(one, other), time) <= calendar.add(max(one, other), time)


@FEW
@given(CALENDARS, MOMENTS, TIMES)
def test_what_was_added_is_what_passes(calendar: Calendar, moment: dt.datetime, time: dt.timedelta) -> None:
    assert calendar.between(moment, calendar.add(moment, time)) == time


@FEW
@given(CALENDARS, MOMENTS, TIMES)
def test_the_zone_in_which_a_moment_is_written_makes_no_difference(
    calendar: Calendar, moment: dt.datetime, time: dt.timedelta
) -> None:
    assert calendar.add(moment, time) == calendar.add(moment.astimezone(dt.UTC), time)


@FEW
@given(CALENDARS, NEAR)
def test_the_next_morning_is_the_first_one_worked(calendar: Calendar, day: dt.date) -> None:
    morning = calendar.next_morning(day)
    assert (morning.hour, morning.minute, morning.utcoffset()) == (12, 0, dt.timedelta(hours=7))
    between = [day + dt.timedelta(days=number) for number in range(1, (morning.date() - day).days)]
    assert morning.date() > day
    assert calendar.is_working(morning.date())
    assert not any(map(calendar.is_working, between))
