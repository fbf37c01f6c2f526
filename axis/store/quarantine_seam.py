"""What the store promises about what leaves quarantine by hand; `seam.py` says what holds for every call."""

import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from axis.core.concerning import Waiting


@dataclass(frozen=True, slots=True)
class Departure:
    """Who took a message out of quarantine, how and why."""

    at: dt.datetime
    how: Literal["dropped", "requeued"]
    actor: str
    why: str


class QuarantineStore(ABC):
    """Taking messages out of quarantine. The bytes stay; each departure is kept for ever and audited with it."""

    @abstractmethod
    async def drop(self, ids: Collection[str], *, by: str, why: str) -> frozenset[str]:
        """Take messages out for good, all or nothing; return those that were in. One that comes again is in again."""

    @abstractmethod
    async def requeue(self, identifier: str, waiting: Waiting, *, by: str, why: str) -> bool:
        """Take a message out and hand it to the routers of its queue, as what waited for its time is, all or nothing.

        False: it is not in quarantine any more, or something under its id waits for the routers already.
        """

    @abstractmethod
    async def departures(self, identifier: str) -> tuple[Departure, ...]:
        """Return what was done with a message by hand, the last first."""
