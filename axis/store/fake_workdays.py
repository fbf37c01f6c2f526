"""Overrides of working days in memory."""

import datetime as dt
from collections.abc import Callable

from axis.core.workdays import Override
from axis.store.workday_seam import WorkdayStore


class FakeWorkdays(WorkdayStore):
    """One override for a day."""

    def __init__(self, check: Callable[[], None]) -> None:
        self._check = check
        self._days: dict[dt.date, Override] = {}

    async def overrides(self) -> tuple[Override, ...]:
        """Return all of them, by day."""
        self._check()
        return tuple(override for _, override in sorted(self._days.items()))

    async def put(self, override: Override) -> None:
        """Say it of a day."""
        self._check()
        self._days[override.day] = override

    async def remove(self, day: dt.date) -> bool:
        """Say nothing of a day any more."""
        self._check()
        return self._days.pop(day, None) is not None
