"""Which messages workers had in hand when they ended."""

from collections.abc import Collection

from axis.store.pool import Pool
from axis.store.queries import load
from axis.store.seam import SuspectStore

_SQL = load("suspects")


class PostgresSuspects(SuspectStore):
    """The table of suspects in PostgreSQL."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def times(self, keys: Collection[bytes]) -> dict[bytes, int]:
        """Return how often messages are noted."""
        async with self._pool.link("look up suspects") as link:
            return {record["key"]: record["times"] for record in await link.fetch(_SQL["times"], list(keys))}

    async def note(self, keys: Collection[bytes]) -> None:
        """Count messages once more."""
        async with self._pool.link("note suspects") as link:
            await link.execute(_SQL["note"], sorted(set(keys)))  # in one order: two workers may be given the same

    async def clear(self, keys: Collection[bytes]) -> None:
        """Forget messages."""
        async with self._pool.link("clear suspects") as link:
            await link.execute(_SQL["clear"], list(keys))
