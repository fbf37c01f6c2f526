"""Periods that statistics are made of: months, quarters, years, or any days; all in Vietnam's time."""

import datetime as dt
import re
from dataclasses import dataclass
from enum import StrEnum

from axis.errors import Refused

FIRST_YEAR = 2018  # the decision is of that year
MOST_DAYS = 5 * 366
_DAY = dt.timedelta(days=1)
_MONTHS = 12
_QUARTER = 3
_YEAR = re.compile(r"([0-9]{4})")
_PART = re.compile(r"([0-9]{4})-(Q?)([0-9]{1,2})", re.IGNORECASE)
_SPAN = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})\.\.([0-9]{4}-[0-9]{2}-[0-9]{2})")
_FORMS = "2026-11, 2026-Q4, 2026 or 2026-11-01..2026-11-15"


class Length(StrEnum):
    """What kind of period it is."""

    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"
    DAYS = "days"


@dataclass(frozen=True, slots=True)
class Period:
    """Some days, both included."""

    length: Length
    first: dt.date
    last: dt.date

    def __str__(self) -> str:
        """Write it as `read_period` reads it."""
        match self.length:
            case Length.YEAR:
                return f"{self.first.year:04}"
            case Length.QUARTER:
                return f"{self.first.year:04}-Q{self.number}"
            case Length.MONTH:
                return f"{self.first.year:04}-{self.first.month:02}"
            case Length.DAYS:
                return f"{self.first}..{self.last}"

    @property
    def number(self) -> int:
        """Say which quarter or month of its year it is."""
        month = self.first.month
        return (month - 1) // _QUARTER + 1 if self.length is Length.QUARTER else month

    @property
    def before(self) -> "Period":
        """The period before it: as long, and over the day before this one begins."""
        last = self.first - _DAY
        match self.length:
            case Length.DAYS:
                return Period(self.length, last - (self.last - self.first), last)
            case Length.YEAR:
                return Period(self.length, dt.date(last.year, 1, 1), last)
            case Length.QUARTER:
                return Period(self.length, dt.date(last.year, last.month - _QUARTER + 1, 1), last)
            case Length.MONTH:
                return Period(self.length, last.replace(day=1), last)

    def running(self, today: dt.date) -> bool:
        """Say whether it is not over yet."""
        return today <= self.last


def read_period(text: str, today: dt.date) -> Period:
    """Read a period as people write it; raise Refused report/period, or report/future for one that has not begun."""
    period = _read(text.strip())
    if period.last < period.first:
        raise Refused("report/period", f"The period ends on {period.last}, before it begins on {period.first}.")
    if period.first.year < FIRST_YEAR:
        raise Refused("report/period", f"The period begins before {FIRST_YEAR}.")
    if (period.last - period.first).days >= MOST_DAYS:
        raise Refused("report/period", f"The period is longer than {MOST_DAYS} days.")
    if period.first > today:
        raise Refused("report/future", f"The period begins on {period.first}; today is {today} in Vietnam.")
    return period


def period_of(length: Length, day: dt.date) -> Period:
    """Return the month, quarter or year that a day is in; of days, that day alone."""
    match length:
        case Length.YEAR:
            return _months(length, day.year, 1, _MONTHS)
        case Length.QUARTER:
            return _months(length, day.year, (day.month - 1) // _QUARTER * _QUARTER + 1, _QUARTER)
        case Length.MONTH:
            return _months(length, day.year, day.month, 1)
        case Length.DAYS:
            return Period(length, day, day)


def _read(text: str) -> Period:
    try:
        if found := _YEAR.fullmatch(text):
            return period_of(Length.YEAR, dt.date(int(found[1]), 1, 1))
        if found := _SPAN.fullmatch(text):
            return Period(Length.DAYS, dt.date.fromisoformat(found[1]), dt.date.fromisoformat(found[2]))
        if found := _PART.fullmatch(text):
            number = int(found[3])
            length, month = (Length.QUARTER, (number - 1) * _QUARTER + 1) if found[2] else (Length.MONTH, number)
            return period_of(length, dt.date(int(found[1]), month, 1))
    except ValueError as error:
        raise Refused("report/period", f"{text[:60]!r} is no period: {error}.") from error
    raise Refused("report/period", f"{text[:60]!r} is no period such as {_FORMS}.")


def _months(length: Length, year: int, month: int, count: int) -> Period:
    over = year * _MONTHS + month - 1 + count
    if over // _MONTHS > dt.MAXYEAR:
        raise Refused("report/period", f"The year {year} is too far away.")
    return Period(length, dt.date(year, month, 1), dt.date(over // _MONTHS, over % _MONTHS + 1, 1) - _DAY)
