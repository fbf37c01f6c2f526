"""How much waits, in PostgreSQL."""

from collections.abc import Mapping
from typing import Any

from axis.store.backlog_seam import MOST, Backlog, BacklogStore, Pile
from axis.store.pool import Pool
from axis.store.queries import load

_SQL = load("backlog")


class PostgresBacklog(BacklogStore):
    """Counts by the partial indexes of what waits."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def look(self) -> Backlog:
        """Count what waits now."""
        async with self._pool.link("count what waits") as link:
            envelopes, notices, held, quarantine = [
                await link.fetch(_SQL[name], MOST) for name in ("envelopes", "notices", "held", "quarantine")
            ]
        return Backlog(
            envelopes=_pile(envelopes[0]),
            notices=_pile(notices[0]),
            held={record["reason"]: _pile(record) for record in held},
            quarantine={record["reason"]: _pile(record) for record in quarantine},
        )

    async def early(self) -> Mapping[str, Pile]:
        """Count what waits for the envelope that it acts on."""
        async with self._pool.link("count what waits") as link:
            return {record["queue"]: _pile(record) for record in await link.fetch(_SQL["waiting"], MOST)}


def _pile(record: Mapping[str, Any]) -> Pile:
    return Pile(record["count"], record["oldest"])
