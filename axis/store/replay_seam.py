"""What the store promises about replays; `seam.py` says what holds for every call."""

import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence

from axis.core.replaying import Candidate, Place, Replay


class ReplayStore(ABC):
    """Replays, how far each is, and what they are made of. For one queue there is at most one that has not ended."""

    @abstractmethod
    async def begin(self, replay: Replay) -> Replay:
        """Keep a new replay; return the one that is open for its queue, where there is one: nothing is kept then."""

    @abstractmethod
    async def open(self, queue: str) -> Replay | None:
        """Return the replay of a queue that has not ended."""

    @abstractmethod
    async def listed(self, limit: int = 100) -> tuple[Replay, ...]:
        """List replays, those not ended first, then the last first."""

    @abstractmethod
    async def places(
        self,
        mailbox: str,
        since: dt.datetime,
        until: dt.datetime,
        *,
        made_since: dt.datetime,
        after: str | None,
        page: int = 1000,
    ) -> tuple[str | None, Sequence[Place]]:
        """Name, of the next `page` envelopes behind an id, those for a mailbox that were accepted in a time.

        `made_since`: ids made before are not looked at. Returns the last id looked at too; None: no more.
        """

    @abstractmethod
    async def candidates(self, mailbox: str, ids: Collection[str]) -> list[Candidate]:
        """Return envelopes with their deliveries for a mailbox, in the order of their places."""

    @abstractmethod
    async def advance(self, replay: Replay, after: Place, put: int, left_out: int) -> Replay | None:
        """Note that a replay is done up to a place; None: somebody else has advanced it meanwhile, or ended it."""

    @abstractmethod
    async def fill(self, replay: Replay, at: dt.datetime) -> None:
        """Note that all of a replay is in its queue."""

    @abstractmethod
    async def end(self, replay: Replay, at: dt.datetime) -> None:
        """Note that a replay has ended."""
