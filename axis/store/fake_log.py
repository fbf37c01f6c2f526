"""The log's places and checkpoints in memory."""

import contextlib
import datetime as dt
import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace

from axis.core.acts import Act
from axis.core.ids import time_of
from axis.core.records import NoticeRow
from axis.store.fake_memory import Memory
from axis.store.log_seam import LeafHash, Logged, LogHead, LogKind, LogStore, Placed, SignedCheckpoint

_Alone = Callable[[], AbstractAsyncContextManager[Memory]]


class FakeLog(LogStore):
    """Lists; the acts are the store's own."""

    def __init__(self, alone: _Alone, now: Callable[[], dt.datetime], acts: Sequence[Act]) -> None:
        self._alone = alone
        self._now = now
        self._acts = acts
        self.places: list[tuple[LogKind, str, bytes]] = []
        self.checkpoints: dict[int, SignedCheckpoint] = {}

    async def assign(self, leaf: LeafHash, limit: int, overlap: dt.timedelta) -> int:
        """Give places to receipts and acts that have none."""
        async with self._alone() as memory:
            newest = max((time_of(id_) for kind, id_, _ in self.places if kind == "receipt"), default=None)
            since = None if newest is None else min(newest, self._now() - overlap)
            fresh = [each for each in self._receipts(memory) if since is None or time_of(each.id) >= since]
            acts = [Logged("act", str(act.id), act.sha256) for act in self._acts]
            return self._append(leaf, fresh, limit) + self._append(leaf, acts, limit)

    async def overlooked(
        self, leaf: LeafHash, after: str | None, within: dt.timedelta, page: int
    ) -> tuple[str | None, int]:
        """Look through one page of receipts."""
        async with self._alone() as memory:
            since, now = self._now() - within, self._now()
            found = [
                each
                for each in self._receipts(memory)
                if time_of(each.id) < now and (time_of(each.id) >= since if after is None else each.id > after)
            ][:page]
            return found[-1].id if found else None, self._append(leaf, found, page)

    async def unlogged(self, within: dt.timedelta, older_than: dt.timedelta) -> int:
        """Count receipts without a place."""
        async with self._alone() as memory:
            logged = {id_ for kind, id_, _ in self.places if kind == "receipt"}
            first, last = self._now() - within, self._now() - older_than
            missing = [each for each in self._receipts(memory) if each.id not in logged]
            return sum(first <= time_of(each.id) < last for each in missing[:1000])

    async def head(self) -> LogHead:
        """Return how far the log is."""
        async with self._alone():
            return self._head()

    async def entries(self, start: int, stop: int) -> list[Placed]:
        """Return places with what they are about."""
        async with self._alone() as memory:
            there = {(each.kind, each.id): each for each in self._receipts(memory)}
            there |= {("act", str(act.id)): Logged("act", str(act.id), act.sha256) for act in self._acts}
            return [
                Placed(position, leaf_hash, there.get((kind, id_)))
                for position, (kind, id_, leaf_hash) in enumerate(self.places[start:stop], start)
            ]

    async def record(self, size: int, root: bytes, note: str) -> SignedCheckpoint:
        """Remember what was signed."""
        async with self._alone():
            return self.checkpoints.setdefault(size, SignedCheckpoint(size, root, note, self._now()))

    async def renew(self, size: int, root: bytes, note: str) -> None:
        """Replace signatures."""
        async with self._alone():
            if size in self.checkpoints and self.checkpoints[size].root == root:
                self.checkpoints[size] = replace(self.checkpoints[size], note=note)

    @contextlib.asynccontextmanager
    async def publishing(self) -> AsyncIterator[SignedCheckpoint | None]:
        """Keep others from publishing."""
        async with self._alone():
            yield self._head().latest

    async def stamp(self, size: int, timestamp: bytes) -> None:
        """Keep a timestamp."""
        async with self._alone():
            if self.checkpoints[size].timestamp is None:
                self.checkpoints[size] = replace(self.checkpoints[size], timestamp=timestamp)

    async def adopt(self, start: int, entries: Sequence[tuple[LogKind, str, bytes]], signed: SignedCheckpoint) -> bool:
        """Take over what was published and forgotten here."""
        async with self._alone():
            if self._head().size != start:
                return False
            self.places[start:] = entries
            self.checkpoints[signed.size] = signed
            return True

    async def position_of(self, receipt_id: str) -> int | None:
        """Return a receipt's place."""
        async with self._alone():
            places = (at for at, (kind, id_, _) in enumerate(self.places) if (kind, id_) == ("receipt", receipt_id))
            return next(places, None)

    async def covering(self, position: int) -> SignedCheckpoint | None:
        """Return the checkpoint to prove a place with."""
        async with self._alone():
            later = sorted((each for each in self.checkpoints.values() if each.size > position), key=lambda s: s.size)
            return next((each for each in later if each.timestamp is not None), later[-1] if later else None)

    async def receipt(self, identifier: str) -> NoticeRow | None:
        """Return a receipt."""
        async with self._alone() as memory:
            envelope = memory.envelopes.get(identifier)
            for key in (identifier, "" if envelope is None else envelope.receipt):
                if (found := memory.notices.get((key, "receipt"))) is not None:
                    return found.row
            return None

    def _receipts(self, memory: Memory) -> list[Logged]:
        rows = sorted((row.row for (_, kind), row in memory.notices.items() if kind == "receipt"), key=lambda r: r.id)
        return [Logged("receipt", row.id, _sha256(row.body), _sha256(row.signature.encode())) for row in rows]

    def _append(self, leaf: LeafHash, wanted: Sequence[Logged], limit: int) -> int:
        placed = {(kind, id_) for kind, id_, _ in self.places}
        new = [each for each in wanted if (each.kind, each.id) not in placed][:limit]
        self.places += [(each.kind, each.id, leaf(each)) for each in new]
        return len(new)

    def _head(self) -> LogHead:
        return LogHead(len(self.places), self.checkpoints[max(self.checkpoints)] if self.checkpoints else None)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
