"""Verdicts on the signatures inside PDFs."""

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any

from axis.core.ids import new_id
from axis.store.paper_seam import MOST_TRIES, FiledPaper, PaperStore, WaitingPaper
from axis.store.pool import Pool
from axis.store.queries import load

_SQL = load("papers")


class PostgresPapers(PaperStore):
    """The table of verdicts in PostgreSQL."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def waiting(self, since: dt.datetime, limit: int, trust: str) -> list[WaitingPaper]:
        """Name PDFs that nobody has looked at."""
        # Ids are ordered by time to the millisecond, and random behind it: all of that one counts.
        floor = new_id(since - dt.timedelta(milliseconds=1))
        async with self._pool.link("look for PDFs") as link:
            records = await link.fetch(_SQL["waiting"], floor, limit, trust, MOST_TRIES)
        return [WaitingPaper(**record) for record in records]

    async def keep(self, sha256: str, verdict: Mapping[str, Any], trust: str) -> None:
        """Remember a verdict."""
        async with self._pool.link("keep a verdict") as link:
            await link.execute(_SQL["keep"], sha256, json.dumps(dict(verdict)), trust)

    async def of(self, envelope_id: str) -> list[FiledPaper]:
        """Return the files of an envelope."""
        async with self._pool.link("look up files") as link:
            records = await link.fetch(_SQL["of"], envelope_id)
        return [FiledPaper(each["name"], each["sha256"], _verdict(each["verdict"])) for each in records]


def _verdict(text: str | None) -> Mapping[str, Any] | None:
    return None if text is None else dict(json.loads(text))
