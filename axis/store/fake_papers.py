"""Verdicts in memory."""

import datetime as dt
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

from axis.core.ids import time_of
from axis.store.fake_memory import Memory
from axis.store.paper_seam import MOST_TRIES, FiledPaper, PaperStore, WaitingPaper


@dataclass(frozen=True, slots=True)
class _Kept:
    verdict: Mapping[str, Any]
    trust: str
    at: dt.datetime
    tries: int = 1

    def counts(self, now: dt.datetime, trust: str) -> bool:
        """Say whether the file need not be looked at again."""
        match self.verdict.get("standing"):
            case "not-looked-at":
                return self.tries >= MOST_TRIES or self.at > now - self.tries * dt.timedelta(hours=1)
            case "not-trusted":
                return self.trust == trust
        return True


class FakePapers(PaperStore):
    """A verdict for each digest."""

    def __init__(
        self, alone: Callable[[], AbstractAsyncContextManager[Memory]], now: Callable[[], dt.datetime]
    ) -> None:
        self._alone = alone
        self._now = now
        self._verdicts: dict[str, _Kept] = {}

    async def waiting(self, since: dt.datetime, limit: int, trust: str) -> list[WaitingPaper]:
        """Name PDFs that nobody has looked at."""
        async with self._alone() as memory:
            found = {
                each.sha256: memory.blobs[each.sha256]
                for each in memory.attachments
                if each.sha256 in memory.blobs
                and not ((kept := self._verdicts.get(each.sha256)) and kept.counts(self._now(), trust))
                and each.name.lower().endswith(".pdf")
                and time_of(each.envelope_id) >= since.replace(microsecond=since.microsecond // 1000 * 1000)
            }
            return [WaitingPaper(sha256, size, self._now()) for sha256, size in found.items()][:limit]

    async def keep(self, sha256: str, verdict: Mapping[str, Any], trust: str) -> None:
        """Remember a verdict."""
        async with self._alone():
            before = self._verdicts.get(sha256)
            standing = None if before is None else before.verdict.get("standing")
            if standing not in {None, "not-looked-at", "not-trusted"}:
                return
            tries = before.tries + 1 if before is not None and standing == "not-looked-at" else 1
            self._verdicts[sha256] = _Kept(dict(verdict), trust, self._now(), tries)

    async def of(self, envelope_id: str) -> list[FiledPaper]:
        """Return the files of an envelope."""
        async with self._alone() as memory:
            named = sorted((each.name, each.sha256) for each in memory.attachments if each.envelope_id == envelope_id)
            kept = self._verdicts
            return [
                FiledPaper(name, sha256, kept[sha256].verdict if sha256 in kept else None) for name, sha256 in named
            ]
