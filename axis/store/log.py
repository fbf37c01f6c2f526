"""The log's places and checkpoints in PostgreSQL."""

import contextlib
import datetime as dt
import re
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

from axis.core.acts import Act
from axis.core.records import NoticeRow
from axis.store import rows
from axis.store.log_seam import LeafHash, Logged, LogHead, LogKind, LogStore, Placed, SignedCheckpoint
from axis.store.pool import Pool
from axis.store.queries import load

_SQL = load("log")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class PostgresLog(LogStore):
    """The tables log_entry and log_checkpoint."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def assign(self, leaf: LeafHash, limit: int, overlap: dt.timedelta) -> int:
        """Give places to receipts and acts that have none."""
        async with self._alone("give places in the log") as link:
            receipts = [_receipt(record) for record in await link.fetch(_SQL["fresh_receipts"], overlap, limit)]
            acts = [_act(record) for record in await link.fetch(_SQL["fresh_acts"], limit)]
            return await self._append(link, leaf, [*receipts, *acts])

    async def overlooked(
        self, leaf: LeafHash, after: str | None, within: dt.timedelta, page: int
    ) -> tuple[str | None, int]:
        """Look through one page of receipts."""
        async with self._pool.link("look for receipts without a place") as link:
            found = await link.fetchrow(_SQL["page"], after, within, page)
        if not found["missing"]:
            return rows.identifier(found["last"]), 0
        ids = [str(each) for each in found["missing"]]
        async with self._alone("give places in the log") as link:
            receipts = [_receipt(each) for each in await link.fetch(_SQL["receipts_by_id"], ids, *rows.span(ids))]
            return rows.identifier(found["last"]), await self._append(link, leaf, receipts)

    async def unlogged(self, within: dt.timedelta, older_than: dt.timedelta) -> int:
        """Count receipts without a place."""
        async with self._pool.link("look for receipts without a place") as link:
            return int(await link.fetchval(_SQL["unlogged"], within, older_than))

    async def head(self) -> LogHead:
        """Return how far the log is."""
        async with self._pool.link("look where the log ends") as link:
            return _head(await link.fetchrow(_SQL["head"]))

    async def entries(self, start: int, stop: int) -> list[Placed]:
        """Return places with what they are about."""
        async with self._pool.link("read places of the log") as link:
            return [_placed(record) for record in await link.fetch(_SQL["entries"], start, stop)]

    async def record(self, size: int, root: bytes, note: str) -> SignedCheckpoint:
        """Remember what was signed."""
        async with self._pool.link("keep a checkpoint") as link:
            await link.execute(_SQL["record"], size, root, note)
            return _signed(await link.fetchrow(_SQL["checkpoint"], size))

    async def renew(self, size: int, root: bytes, note: str) -> None:
        """Replace signatures."""
        async with self._pool.link("keep a checkpoint") as link:
            await link.execute(_SQL["renew"], size, root, note)

    @contextlib.asynccontextmanager
    async def publishing(self) -> AsyncIterator[SignedCheckpoint | None]:
        """Keep others from publishing."""
        async with self._alone("publish a checkpoint") as link:
            yield _head(await link.fetchrow(_SQL["head"])).latest

    async def stamp(self, size: int, timestamp: bytes) -> None:
        """Keep a timestamp."""
        async with self._pool.link("keep a timestamp") as link:
            await link.execute(_SQL["stamp"], size, timestamp)

    async def adopt(self, start: int, entries: Sequence[tuple[LogKind, str, bytes]], signed: SignedCheckpoint) -> bool:
        """Take over what was published and forgotten here."""
        async with self._alone("take over the published log") as link:
            if _head(await link.fetchrow(_SQL["head"])).size != start:
                return False
            await link.execute(_SQL["forget"], start)
            await self._insert(link, start, entries)
            await link.execute(_SQL["record"], signed.size, signed.root, signed.note)
        return True

    async def position_of(self, receipt_id: str) -> int | None:
        """Return a receipt's place."""
        if not _UUID.fullmatch(receipt_id):
            return None
        async with self._pool.link("look up a place in the log") as link:
            position: int | None = await link.fetchval(_SQL["position_of_receipt"], receipt_id)
        return position

    async def covering(self, position: int) -> SignedCheckpoint | None:
        """Return the checkpoint to prove a place with."""
        async with self._pool.link("find a checkpoint") as link:
            record = await link.fetchrow(_SQL["covering"], position)
        return None if record is None else _signed(record)

    async def receipt(self, identifier: str) -> NoticeRow | None:
        """Return a receipt."""
        if not _UUID.fullmatch(identifier):
            return None
        async with self._pool.link("read a receipt") as link:
            record = await link.fetchrow(_SQL["receipt"], identifier)
            record = record or await link.fetchrow(_SQL["receipt_about"], identifier)
        return None if record is None else rows.notice(record)

    @contextlib.asynccontextmanager
    async def _alone(self, what: str) -> AsyncIterator[Any]:
        async with self._pool.link(what) as link, link.transaction():
            await link.execute(_SQL["lock"])
            yield link

    async def _append(self, link: Any, leaf: LeafHash, logged: Sequence[Logged]) -> int:
        if logged:
            start = _head(await link.fetchrow(_SQL["head"])).assigned
            await self._insert(link, start, [(each.kind, each.id, leaf(each)) for each in logged])
        return len(logged)

    async def _insert(self, link: Any, start: int, entries: Iterable[tuple[LogKind, str, bytes]]) -> None:
        placed = [
            (position, id_ if kind == "receipt" else None, int(id_) if kind == "act" else None, leaf_hash)
            for position, (kind, id_, leaf_hash) in enumerate(entries, start)
        ]
        await link.execute(_SQL["assign"], *rows.columns(placed, 4))


def _head(record: Any) -> LogHead:
    latest = None if record["size"] is None else _signed(record)
    return LogHead(record["assigned"] or 0, latest)


def _signed(record: Any) -> SignedCheckpoint:
    return SignedCheckpoint(record["size"], record["root"], record["note"], record["signed_at"], record["timestamp"])


def _receipt(record: Any) -> Logged:
    return Logged("receipt", str(record["id"]), record["sha256"].hex(), record["signature_sha256"].hex())


def _act(record: Any, key: str = "id") -> Logged:
    act = Act(
        id=record[key],
        at=record["at"],
        actor=record["actor"],
        action=record["action"],
        subject=record["subject"],
        detail=record["detail"],
        nonce=str(record["nonce"]),
    )
    return Logged("act", str(act.id), act.sha256)


def _placed(record: Any) -> Placed:
    logged: Logged | None = None
    if record["receipt"] is not None and record["sha256"] is not None:
        id_, sha256 = str(record["receipt"]), record["sha256"].hex()
        logged = Logged("receipt", id_, sha256, record["signature_sha256"].hex())
    elif record["act"] is not None and record["nonce"] is not None:
        logged = _act(record, "act")
    return Placed(record["position"], record["leaf_hash"], logged)
