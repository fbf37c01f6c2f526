"""Verdicts in memory."""

import datetime as dt
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

from axis.core.ids import time_of
from axis.store.fake_memory import Memory
from axis.store.paper_seam import FiledPaper, PaperStore, WaitingPaper


class FakePapers(PaperStore):
    """A verdict for each digest."""

    def __init__(
        self, alone: Callable[[], AbstractAsyncContextManager[Memory]], now: Callable[[], dt.datetime]
    ) -> None:
        self._alone = alone
        self._now = now
        self._verdicts: dict[str, Mapping[str, Any]] = {}

    async def waiting(self, since: dt.datetime, limit: int) -> list[WaitingPaper]:
        """Name PDFs that nobody has looked at."""
        async with self._alone() as memory:
            found = {
                each.sha256: memory.blobs[each.sha256]
                for each in memory.attachments
                if each.sha256 in memory.blobs
                and each.sha256 not in self._verdicts
                and each.name.lower().endswith(".pdf")
                and time_of(each.envelope_id) >= since.replace(microsecond=since.microsecond // 1000 * 1000)
            }
            return [WaitingPaper(sha256, size, self._now()) for sha256, size in found.items()][:limit]

    async def keep(self, sha256: str, verdict: Mapping[str, Any]) -> None:
        """Remember a verdict."""
        async with self._alone():
            self._verdicts.setdefault(sha256, dict(verdict))

    async def of(self, envelope_id: str) -> list[FiledPaper]:
        """Return the files of an envelope."""
        async with self._alone() as memory:
            named = sorted((each.name, each.sha256) for each in memory.attachments if each.envelope_id == envelope_id)
            return [FiledPaper(name, sha256, self._verdicts.get(sha256)) for name, sha256 in named]
