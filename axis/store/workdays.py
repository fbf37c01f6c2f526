"""Overrides of working days in PostgreSQL."""

import datetime as dt

from axis.core.workdays import Override
from axis.store.pool import Pool
from axis.store.queries import load
from axis.store.workday_seam import WorkdayStore

_SQL = load("workdays")


class PostgresWorkdays(WorkdayStore):
    """The table of overrides."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def overrides(self) -> tuple[Override, ...]:
        """Return all of them, by day."""
        async with self._pool.link("read the calendar") as link:
            return tuple(Override(**record) for record in await link.fetch(_SQL["overrides"]))

    async def put(self, override: Override) -> None:
        """Say it of a day."""
        async with self._pool.link("write the calendar") as link:
            await link.execute(_SQL["put"], override.day, override.working, override.why)

    async def remove(self, day: dt.date) -> bool:
        """Say nothing of a day any more."""
        async with self._pool.link("write the calendar") as link:
            return await link.fetchrow(_SQL["remove"], day) is not None
