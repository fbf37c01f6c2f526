"""What agencies are told of their own documents beside the lists; `seam.py` says what holds for every call."""

import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from axis.core.registered import FeedItem, Record


@dataclass(frozen=True, slots=True)
class Said:
    """What was said with a status; `at`: when, by the clock of whoever said it."""

    id: str
    reporter: str
    at: dt.datetime
    reason: str | None


class SeenStore(ABC):
    """Looking up what stands behind a page of a list or of the feed."""

    @abstractmethod
    async def own(self, account: str, envelope_ids: Collection[str]) -> Mapping[str, tuple[Record, ...]]:
        """Return how the deliveries of some envelopes into an agency's own mailbox are registered."""

    @abstractmethod
    async def said(self, items: Collection[FeedItem]) -> Mapping[int, Said]:
        """Return by number what was said with the statuses among some items of the feed."""
