"""What accounts have taken of their limits."""

from collections.abc import Sequence

from axis.core.quotas import Taking
from axis.store.pool import Pool
from axis.store.queries import load
from axis.store.seam import QuotaStore

_SQL = load("quotas")


class PostgresQuotas(QuotaStore):
    """The table of levels in PostgreSQL."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def add(self, takings: Sequence[Taking]) -> dict[tuple[str, str], float]:
        """Add what was taken; return the levels now."""
        columns = zip(*((each.account, each.meter, each.amount, each.per_second) for each in takings), strict=True)
        async with self._pool.link("count what was taken") as link:
            rows = await link.fetch(_SQL["add"], *(list(column) for column in columns)) if takings else []
        return {(row["account"], row["meter"]): row["level"] for row in rows}
