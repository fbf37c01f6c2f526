"""Working days and working hours: what a deadline is counted in. Pure; which days are off is handed in.

Vietnam has one zone and no summer time, so days and hours are those of +07:00 whatever the zone of the machine. Days
off and days worked instead come from `axis.catalogue.workdays` (the holidays of Vietnam and the table of overrides).
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from axis.errors import Misconfigured

VIETNAM_TIME = dt.timezone(dt.timedelta(hours=7))  # QĐ 28/2018 article 14.4
NOON = dt.time(12)

# Civil servants' hours differ by agency; these are the usual ones, eight hours a day. AXIS_WORKING_HOURS says others.
USUAL_HOURS = ((dt.time(8), dt.time(12)), (dt.time(13, 30), dt.time(17, 30)))

_SEARCHED_DAYS = 400  # more than any holiday lasts: a calendar without a working day in so many is a mistake
_DAY = dt.timedelta(days=1)
_NONE = dt.timedelta(0)

Hours = Sequence[tuple[dt.time, dt.time]]


@dataclass(frozen=True, slots=True)
class Calendar:
    """Which days are worked, and when on them.

    `off`: days off between Monday and Friday; `worked`: Saturdays and Sundays that are worked instead. `hours`: from
    and to, in order, not touching, of one day.
    """

    off: frozenset[dt.date] = frozenset()
    worked: frozenset[dt.date] = frozenset()
    hours: Hours = field(default=USUAL_HOURS)

    def __post_init__(self) -> None:
        edges = [edge for span in self.hours for edge in span]
        if not edges or any(one >= other for one, other in pairwise(edges)):
            raise Misconfigured("working hours are from and to, in order, of one day: 08:00-12:00,13:30-17:30")

    def is_working(self, day: dt.date) -> bool:
        """Say whether a day is worked."""
        return day in self.worked or (day.weekday() < 5 and day not in self.off)  # noqa: PLR2004 - Saturday

    def working_day(self, day: dt.date) -> dt.date:
        """Return the day itself when it is worked, else the next one that is. Raises Misconfigured."""
        for number in range(_SEARCHED_DAYS):
            if day.toordinal() + number > dt.date.max.toordinal():
                return dt.date.max
            if self.is_working(found := day + number * _DAY):
                return found
        raise Misconfigured(f"the calendar has no working day in {_SEARCHED_DAYS} days from {day} on")

    def next_working_day(self, day: dt.date) -> dt.date:
        """Return the first working day after a day."""
        return self.working_day(day + _DAY if day < dt.date.max else day)

    def next_morning(self, day: dt.date) -> dt.datetime:
        """Return the end of the morning of the next working day: noon (QĐ 28/2018 article 6.2)."""
        return dt.datetime.combine(self.next_working_day(day), NOON, VIETNAM_TIME)

    def add(self, moment: dt.datetime, time: dt.timedelta) -> dt.datetime:
        """Return the moment by which so much working time has passed; never one outside working hours.

        The later the start or the more time, the later the moment. No time at all: the next moment that is worked.
        """
        left = max(time, _NONE)
        for since, until in self._spans(moment):
            if left <= until - since:
                return since + left
            left -= until - since
        raise Misconfigured(f"{time} after {moment} is behind the end of the calendar")

    def between(self, start: dt.datetime, end: dt.datetime) -> dt.timedelta:
        """Return how much working time passes from one moment to another; none when that is earlier."""
        passed = _NONE
        if end <= start:
            return passed
        for since, until in self._spans(start):
            if since >= end:
                break
            passed += min(until, end) - since
        return passed

    def _spans(self, moment: dt.datetime) -> Iterator[tuple[dt.datetime, dt.datetime]]:
        """Yield the stretches of working time from a moment on."""
        local = moment.astimezone(VIETNAM_TIME)
        day = self.working_day(local.date())
        while day < dt.date.max:
            for since, until in self.hours:
                end = dt.datetime.combine(day, until, VIETNAM_TIME)
                if end >= local:
                    yield max(dt.datetime.combine(day, since, VIETNAM_TIME), local), end
            day = self.next_working_day(day)


def beginning_of_day(day: dt.date) -> dt.datetime:
    """Return the moment at which a day begins in Vietnam."""
    return dt.datetime.combine(day, dt.time(), VIETNAM_TIME)


def end_of_day(day: dt.date) -> dt.datetime:
    """Return the last second of a day in Vietnam: a term of days ends at midnight (Civil Code 2015, article 148.6).

    Of the very last day it is that of the day before: in zones further east there is no such moment.
    """
    return dt.datetime.combine(min(day, dt.date.max - _DAY), dt.time(23, 59, 59), VIETNAM_TIME)


def vietnam_day(moment: dt.datetime) -> dt.date:
    """Return the day it is in Vietnam."""
    return moment.astimezone(VIETNAM_TIME).date()


@dataclass(frozen=True, slots=True)
class Override:
    """What an operator has said about a day, before any holiday: worked or off, and why."""

    day: dt.date
    working: bool
    why: str


def read_hours(text: str) -> Hours:
    """Read working hours as they are written in settings, `08:00-12:00,13:30-17:30`. Raises Misconfigured."""
    try:
        spans = [tuple(map(dt.time.fromisoformat, span.strip().split("-"))) for span in text.split(",")]
        read = tuple((since, until) for since, until in spans)
    except ValueError as error:
        raise Misconfigured(f"{text!r} are no working hours: write 08:00-12:00,13:30-17:30") from error
    return Calendar(hours=read).hours
