"""What the store promises about the log that proves; `seam.py` says what holds for every call."""

import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Literal

from axis.core.records import NoticeRow

LogKind = Literal["receipt", "act"]


@dataclass(frozen=True, slots=True)
class Logged:
    """What has a place in the log, or is to get one; digests are SHA-256, hexadecimal."""

    kind: LogKind
    id: str
    sha256: str
    signature_sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """A place in the log: `logged` is what its row says now, None when that is gone."""

    position: int
    leaf_hash: bytes
    logged: Logged | None


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A checkpoint as it was signed; `timestamp` is a TimeStampResp, once there is one."""

    size: int
    root: bytes
    note: str
    signed_at: dt.datetime
    timestamp: bytes | None = None


@dataclass(frozen=True, slots=True)
class LogHead:
    """How many places are given out, and the checkpoint that was signed last."""

    assigned: int
    latest: SignedCheckpoint | None

    @property
    def size(self) -> int:
        """How many places somebody may have been shown."""
        return 0 if self.latest is None else self.latest.size


LeafHash = Callable[[Logged], bytes]


class LogStore(ABC):
    """Places in the log and what was signed about them. Places are dense; whoever gives them out is alone meanwhile."""

    @abstractmethod
    async def assign(self, leaf: LeafHash, limit: int, overlap: dt.timedelta) -> int:
        """Give places to committed receipts that have none, the first first, and to acts; return to how many.

        At most `limit` of each. Looked at is what came since the last one, less the `overlap`; `overlooked` finds what
        came later than that with an id made earlier.
        """

    @abstractmethod
    async def overlooked(
        self, leaf: LeafHash, after: str | None, within: dt.timedelta, page: int
    ) -> tuple[str | None, int]:
        """Look through one page of receipts, `after` an id or from the beginning of the time `within`.

        Gives places to those without one. Returns where the next page begins (None: this was the last) and how many
        there were.
        """

    @abstractmethod
    async def unlogged(self, within: dt.timedelta, older_than: dt.timedelta) -> int:
        """Count the receipts of the time `within` that have no place though they are older; at most a thousand."""

    @abstractmethod
    async def head(self) -> LogHead:
        """Return how far the log is."""

    @abstractmethod
    async def entries(self, start: int, stop: int) -> list[Placed]:
        """Return the places from `start` to before `stop`, in order."""

    @abstractmethod
    async def record(self, size: int, root: bytes, note: str) -> SignedCheckpoint:
        """Remember what was signed, before anybody is shown it; what is there for that size stays, and is returned."""

    @abstractmethod
    async def renew(self, size: int, root: bytes, note: str) -> None:
        """Replace the signatures under a checkpoint; its text is the same."""

    @abstractmethod
    def publishing(self) -> AbstractAsyncContextManager[SignedCheckpoint | None]:
        """Keep others from publishing while the block lasts, and say what is the newest."""

    @abstractmethod
    async def stamp(self, size: int, timestamp: bytes) -> None:
        """Keep a timestamp beside a checkpoint; one that is there stays."""

    @abstractmethod
    async def adopt(self, start: int, entries: Sequence[tuple[LogKind, str, bytes]], signed: SignedCheckpoint) -> bool:
        """Take over what was published and forgotten here: kind, id and leaf hash of each place from `start` on.

        Places from there on that were given out to others are taken back: nobody was shown them. Returns False, and
        does nothing, when the log did not end at `start` any more.
        """

    @abstractmethod
    async def position_of(self, receipt_id: str) -> int | None:
        """Return a receipt's place; None while it has none."""

    @abstractmethod
    async def covering(self, position: int) -> SignedCheckpoint | None:
        """Return the checkpoint to prove a place with: the first with a timestamp, else the newest; None: not yet."""

    @abstractmethod
    async def receipt(self, identifier: str) -> NoticeRow | None:
        """Return a receipt by its own id, or by that of the envelope it answers; None when there is none."""
