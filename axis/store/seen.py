"""What agencies are told of their own documents, out of PostgreSQL."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any

from axis.core.fate import Transport
from axis.core.registered import FeedItem, News, Record
from axis.store import rows
from axis.store.pool import Pool
from axis.store.queries import load
from axis.store.seen_seam import Said, SeenStore

_SQL = load("seen")


class PostgresSeen(SeenStore):
    """Statements on the register and on the statuses."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def own(self, account: str, envelope_ids: Collection[str]) -> Mapping[str, tuple[Record, ...]]:
        """Return how own deliveries are registered."""
        found: defaultdict[str, list[Record]] = defaultdict(list)
        if envelope_ids:
            async with self._pool.link("look own deliveries up") as link:
                for row in await link.fetch(_SQL["own"], account, list(envelope_ids)):
                    found[str(row["envelope_id"])].append(_record(row))
        return {identifier: tuple(records) for identifier, records in found.items()}

    async def said(self, items: Collection[FeedItem]) -> Mapping[int, Said]:
        """Return what was said with statuses."""
        wanted = [
            (each.seq, each.envelope_id, each.recipient, each.code, each.at)
            for each in items
            if each.kind is News.STATUS
        ]
        if not wanted:
            return {}
        async with self._pool.link("look statuses up") as link:
            records = await link.fetch(_SQL["said"], *rows.columns(wanted, 5))
        return {row["seq"]: Said(str(row["id"]), row["reporter"], row["at"], row["reason"]) for row in records}


def _record(row: Any) -> Record:
    return Record(
        **{name: value for name, value in row.items() if name != "envelope_id"}
        | {"transport": Transport(row["transport"])}
    )
