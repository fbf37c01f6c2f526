"""By when something has to be done, for pages: the calendar as operators have it now, and the targets of the axis."""

import asyncio
from functools import lru_cache

from axis.catalogue.workdays import workdays
from axis.console.desk import Desk
from axis.core.deadlines import Deadlines, DocumentFacts, Pause, deadlines
from axis.core.register import Reckon
from axis.core.workdays import Calendar, Hours, Override, read_hours, vietnam_day


async def reckoner(desk: Desk) -> Reckon:
    """Return what tells deadlines, as the registrar reckons them."""
    overrides = await desk.store.workdays.overrides()
    year, hours = vietnam_day(desk.now()).year, read_hours(desk.settings.working_hours)
    # The first time takes about a second: others are answered meanwhile.
    calendar = await asyncio.to_thread(_calendar, overrides, year, hours)

    def reckon(facts: DocumentFacts, pauses: tuple[Pause, ...]) -> Deadlines:
        return deadlines(facts, pauses, calendar, desk.settings.targets)

    return reckon


@lru_cache(maxsize=4)
def _calendar(overrides: tuple[Override, ...], year: int, hours: Hours) -> Calendar:
    return workdays(overrides, year, hours)
