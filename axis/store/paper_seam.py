"""What the store promises about the signatures inside PDFs; `seam.py` says what holds for every call."""

import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class WaitingPaper:
    """A stored PDF that nobody has looked at; it is known to be here since `recorded_at`."""

    sha256: str
    size: int
    recorded_at: dt.datetime


@dataclass(frozen=True, slots=True)
class FiledPaper:
    """One file of an envelope; `verdict` as `axis.signatures.Verdict` writes it, None: not looked at."""

    name: str
    sha256: str
    verdict: Mapping[str, Any] | None


MOST_TRIES = 5  # the first, and after 1, 2, 3 and 4 hours


class PaperStore(ABC):
    """Verdicts on files, by SHA-256: the same bytes are looked at once, whoever sent them.

    `trust` names who is trusted at the time (`axis.signatures.trust.Trust.name`).
    """

    @abstractmethod
    async def waiting(self, since: dt.datetime, limit: int, trust: str) -> list[WaitingPaper]:
        """Name PDFs of envelopes made since then that nobody has looked at, the oldest first.

        So are those that could not be looked at, a few times, later each time, and those that were not trusted when
        others were trusted.
        """

    @abstractmethod
    async def keep(self, sha256: str, verdict: Mapping[str, Any], trust: str) -> None:
        """Remember a verdict; one that is there already stays, unless it was not looked at or not trusted."""

    @abstractmethod
    async def of(self, envelope_id: str) -> list[FiledPaper]:
        """Return the files of an envelope by name, with what was found on each."""
