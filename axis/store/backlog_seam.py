"""How much waits in the store, for whoever watches it; `seam.py` says what holds for every call."""

import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field

MOST = 100_000  # nothing is counted further than this, so a look costs the same whatever has piled up


@dataclass(frozen=True, slots=True)
class Pile:
    """What waits for one thing: at most `MOST` of it are counted, and the oldest of these told."""

    count: int = 0
    oldest: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Backlog:
    """What is committed and not at the broker yet, what is held and why, what was set aside and why."""

    envelopes: Pile = Pile()
    notices: Pile = Pile()
    held: Mapping[str, Pile] = field(default_factory=dict)  # deliveries by reason
    quarantine: Mapping[str, Pile] = field(default_factory=dict)  # messages by reason; the oldest by last seen


class BacklogStore(ABC):
    """Counts of what waits."""

    @abstractmethod
    async def look(self) -> Backlog:
        """Count what waits now. Each part is as of its own moment: nothing is locked for it."""

    @abstractmethod
    async def early(self) -> Mapping[str, Pile]:
        """Count what waits for the envelope that it acts on, by the queue that it came from."""
