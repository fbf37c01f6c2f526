"""The register (axis.core.registered): searches, lists and counts that never slow the routers, and keeping it.

What is read here is a copy: it is as old as `lag` says. Every call is bounded, whatever is looked for and however much
there is: a search looks through what is newest first, then asks an index. What no index answers alone (two things that
are common each, and hardly ever go together) is looked for among the newest of them only.
"""

import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Literal

from axis.core.deadlines import Clock
from axis.core.registered import (
    Entry,
    EntryDelivery,
    FeedItem,
    Flow,
    News,
    Overdue,
    Record,
    Side,
    Sought,
    Tally,
)
from axis.core.registration import Registered, Subject
from axis.core.reporting import Counted

__all__ = [
    "Counted",
    "Entry",
    "EntryDelivery",
    "FeedItem",
    "Flow",
    "News",
    "Overdue",
    "Record",
    "RegisterStore",
    "Registered",
    "Side",
    "Sought",
    "Subject",
    "Tally",
]

Decide = Callable[[Sequence[Subject]], Sequence[Registered]]
MOST_COUNTED = 1_000
MOST_AGENCIES = 1_000


class RegisterStore(ABC):
    """Reading the register, and keeping it."""

    @abstractmethod
    async def search(self, sought: Sought, *, limit: int = 50, before: str | None = None) -> tuple[Entry, ...]:
        """List documents, the newest first; `before`: the id to go on from."""

    @abstractmethod
    async def deliveries(
        self, sought: Sought, *, limit: int = 50, before: tuple[str, str] | None = None
    ) -> tuple[EntryDelivery, ...]:
        """List deliveries, those of the newest document first; `before`: the id and recipient to go on from.

        An `account` is shown what it sent, and of what it received its own deliveries.
        """

    @abstractmethod
    async def count(self, sought: Sought, most: int = MOST_COUNTED) -> int:
        """Count documents, and stop at `most`."""

    @abstractmethod
    async def count_deliveries(self, sought: Sought, most: int = MOST_COUNTED) -> int:
        """Count deliveries, and stop at `most`."""

    @abstractmethod
    async def tallies(
        self, first: dt.date, last: dt.date, *, side: Side, below: str | None = None
    ) -> tuple[Tally, ...]:
        """Sum over the days (in Vietnam, of acceptance; both included) by code and state; `below`: a code and below."""

    @abstractmethod
    async def recount(
        self, first: dt.date, last: dt.date, *, side: Side, below: str | None = None
    ) -> tuple[tuple[Tally, ...], tuple[Tally, ...]]:
        """Return the tallies, and what the registered rows themselves add up to, at one and the same moment."""

    @abstractmethod
    async def counted(
        self, counted: Counted, *, limit: int = 50, before: tuple[str, str] | None = None
    ) -> tuple[EntryDelivery, ...]:
        """List the deliveries that a number of a report counts, those of the newest document first."""

    @abstractmethod
    async def counted_documents(
        self, counted: Counted, *, late: bool, limit: int = 50, before: str | None = None
    ) -> tuple[Entry, ...]:
        """List the documents that a number of a report counts, the newest first; `late`: those sent late."""

    @abstractmethod
    async def flow(self, since: dt.datetime, minutes: int) -> tuple[Flow, ...]:
        """Sum what passed since a moment by steps of so many minutes; what passed before the register began is not."""

    @abstractmethod
    async def overdue(
        self, clock: Clock, at: dt.datetime, *, by: Literal["mailbox"] = "mailbox"
    ) -> tuple[Overdue, ...]:
        """Say which agencies have open deliveries whose deadline had passed at a moment; most first.

        Not for SENDING, which is the sender's. At most 1,000 agencies.
        """

    @abstractmethod
    async def lag(self) -> tuple[int, dt.datetime | None]:
        """Return how many changes wait to be registered (at most 100,000 are counted), and since when."""

    @abstractmethod
    async def feed(self, account: str, after: int, limit: int) -> tuple[FeedItem, ...]:
        """Return what changed for an agency behind a number, in order. Who reads on from the last misses nothing."""

    @abstractmethod
    async def feed_span(self) -> tuple[int, int]:
        """Return the first and the last number of the feed; the first is one more than the last while it is empty.

        A new reader begins behind the last. Who read on from a number before the first less one has missed something.
        """

    @abstractmethod
    async def keep(self, batch: int, decide: Decide) -> int:
        """Register at most `batch` changes, all of it or nothing; return how many.

        `decide` is given each envelope once and returns what to write of each. 0: there is nothing, or another
        registrar is at it.
        """

    @abstractmethod
    async def tell_late(self, at: dt.datetime) -> int:
        """Put into the feed whose deadline has passed since the last call, at most an hour's; return how many.

        Of a time that is not registered yet nothing is told: it waits, as long as the register is behind.
        """

    @abstractmethod
    async def prune(self, before: dt.datetime) -> int:
        """Forget what the feed and the flow had noted before a moment; return how many items."""

    @abstractmethod
    async def rebuild(self) -> int:
        """Forget the register, and touch every envelope; return how many. The feed and the flow stay.

        Nobody who writes waits for it. What waits to be told is told after it, some of it once more than before.
        The owner's work: nobody else may empty tables.
        """
