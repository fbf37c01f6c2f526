"""Making a report: what is asked for, the tallies of it, and the names of its agencies."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from axis.core.codes import canonical
from axis.core.periods import Length, Period, period_of, read_period
from axis.core.registered import Side, Tally
from axis.core.reporting import SIDES, Difference, Report, differences, report
from axis.core.workdays import beginning_of_day, vietnam_day
from axis.errors import Refused
from axis.store import Store

_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Made:
    """A report, and what it was made of. `behind`: how many changes its numbers lack, the oldest of them since when."""

    report: Report
    names: Mapping[str, str]
    made_at: dt.datetime
    behind: tuple[int, dt.datetime | None]

    @property
    def running(self) -> bool:
        """Whether the period is not over yet."""
        return self.report.period.running(vietnam_day(self.made_at))


def period_asked(text: str | None, now: dt.datetime) -> Period:
    """Read a period, by default the quarter it is; raise Refused report/period or report/future."""
    today = vietnam_day(now)
    return period_of(Length.QUARTER, today) if text is None else read_period(text, today)


def code_of(text: str | None) -> str | None:
    """Read a code in either form; raise Malformed code/malformed."""
    return None if text is None else canonical(text, tolerant=True)


async def make_report(store: Store, period: Period, below: str | None, now: dt.datetime) -> Made:
    """Make the report of a period; raise Refused report/code for a code that nobody knows and that did nothing."""
    register = store.register
    behind = await register.lag()
    told, before = await _tallies(store, period, below), await _tallies(store, period.before, below)
    made = report(period, below, told, before)
    codes = {each.code for each in made.lines if each.code is not None} | ({below} if below is not None else set())
    names = await store.directory.names(codes, min(now, beginning_of_day(period.last + _DAY) - dt.timedelta(seconds=1)))
    if below is not None and below not in names and not made.lines:
        raise Refused("report/code", f"{below} is in no directory, and nothing was sent by it or to it.")
    return Made(made, names, now, behind)


async def check_report(store: Store, period: Period, below: str | None) -> tuple[Difference, ...]:
    """Count again from the rows what reports of a period are made of, and say where it differs."""
    found: list[Difference] = []
    for side in SIDES:
        told, rows = await store.register.recount(period.first, period.last, side=side, below=below)
        found += differences(side, told, rows)
    return tuple(found)


async def _tallies(store: Store, period: Period, below: str | None) -> Mapping[Side, tuple[Tally, ...]]:
    return {side: await store.register.tallies(period.first, period.last, side=side, below=below) for side in SIDES}
