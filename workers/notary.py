"""The notary: gives receipts and acts of administration their places in the log, and signs what the log is then.

Order, and what a crash does at each point:

    assign    places in the log, one transaction          crash after: the places stay, the next pass goes on with them
    files     bundles, then tiles, each durable           crash between: written again with the same bytes
    record    the checkpoint, signed, in the store        crash before: the same; after: published by the next pass
    publish   `checkpoint` in the blob store              crash after: nothing is left to do
    clean     partial tiles that became full              crash before: they stay, and are in nobody's way

So no checkpoint names a file that is not durable. Places are given out under one lock, files follow from places, and a
size has one checkpoint by its key in the store: two notaries do the same work and cannot sign two trees. Routers know
nothing of all this: what is logged is what they have committed.

What was published is compared with the store before anything is signed. Where the store is behind, it came back from an
older copy, and takes over what was published. Where the two differ, nothing is signed any more until a person has
looked: a log that forks has lost its point.

BUG: a notary that loses its database while its publish is on the way to the blob store can put an older checkpoint over
a newer one. It is a true one, and the next pass puts the newest there.
"""

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from axis.errors import AxisError, Unavailable
from axis.proving import Checkpoint, Edge, Entry, LogReader, NoteSigner, leaf_hash, read_checkpoint
from axis.proving.tiles import CHECKPOINT, WIDTH, Tile, timestamp_name, write_bundle
from axis.store import Logged, LogHead, LogKind, LogStore, SignedCheckpoint
from workers.metrics import Metrics
from workers.runtime import Log

_AT_ONCE = 2_048
_OVERLAP = dt.timedelta(seconds=60)  # between making a receipt's id and committing it, clocks included
_WALK = dt.timedelta(days=31)
_WALK_PAGE = 2_000

Stamper = Callable[[Checkpoint], Awaitable[bytes]]


class Forked(AxisError):
    """Report that what was published, what is stored, and what is signed do not fit together."""

    code = "log/forked"


class Files(Protocol):
    """The log's files; see axis.blobs.Objects."""

    async def get(self, path: str) -> bytes | None:
        """Return a whole file."""
        ...

    async def put(self, path: str, content: bytes) -> None:
        """Store a file; it is durable when this returns."""
        ...

    async def drop(self, folder: str) -> int:
        """Remove a folder."""
        ...


class Notary:
    """Bring the published log up to what the store has committed. Its actions may be repeated, by several at once."""

    def __init__(
        self,
        *,
        store: LogStore,
        files: Files,
        signers: Sequence[NoteSigner],
        stop: asyncio.Event,
        log: Log,
        metrics: Metrics,
    ) -> None:
        self._stop = stop
        self._store = store
        self._files = files
        self._reader = LogReader(files)
        self._signers = signers
        self._keys = [signer.public for signer in signers]
        self._origin = signers[0].public.name
        self._log = log
        self._after: str | None = None
        self._begun = False
        self._metrics = metrics

    async def work(self) -> None:
        """Log what came since the last time; what must not be signed over is said, and stops nothing else."""
        try:
            await self._catch_up()
        except Unavailable:
            raise
        except AxisError as error:
            self._metrics.log_stopped()
            self._log.error("the log stands still", code=error.code, detail=error.detail)

    async def _catch_up(self) -> None:
        head = await self._agreed()
        if not self._begun:
            await self._renew(head.latest)
            self._begun = True
        while not self._stop.is_set():
            more = await self._store.assign(leaf_of, _AT_ONCE, _OVERLAP)
            self._after, late = await self._store.overlooked(leaf_of, self._after, _WALK, _WALK_PAGE)
            if late:
                self._log.warning("logged late", receipts=late)
            head = await self._store.head()
            while head.assigned > head.size and not self._stop.is_set():
                await self._extend(head)
                head = await self._store.head()
            if more < _AT_ONCE:
                break
        self._metrics.log_current(head.size, dt.datetime.now(dt.UTC))

    # What was published and what is stored

    async def _agreed(self) -> LogHead:
        """Return where the log ends, after published and stored log were found, or made, the same."""
        content = await self._files.get(CHECKPOINT)
        published = None if content is None else read_checkpoint(content.decode(errors="replace"), self._keys)
        head = await self._store.head()
        if published is not None and published.size > head.size:
            await self._adopt(published, (content or b"").decode(), head)
            head = await self._store.head()
        elif published is not None and head.latest is not None and published.size == head.size:
            if published.root != head.latest.root:
                raise Forked(
                    f"two checkpoints of {head.size} entries: the published one is not the one in the database"
                )
        elif head.latest is not None:
            await self._edge(head)  # what it names is there: a notary ended before it could publish
            await self._publish()
        return head

    async def _adopt(self, published: Checkpoint, note: str, head: LogHead) -> None:
        """Take over what an older copy of the store has forgotten."""
        start, edge = head.size, await self._edge(head)
        entries: list[tuple[LogKind, str, bytes]] = []
        for index in range(start // WIDTH, -(-published.size // WIDTH)):
            for position, data in enumerate(await self._reader.bundle(index, published.size), index * WIDTH):
                if position >= start:
                    entry = Entry.parse(data)
                    entries.append((entry.kind, entry.id, leaf_hash(data)))
        edge.append(each for _, _, each in entries)
        if edge.root() != published.root:
            raise Forked(
                f"the published log of {published.size} entries does not begin with the {start} in the database"
            )
        signed = SignedCheckpoint(published.size, published.root, note, dt.datetime.now(dt.UTC))
        if await self._store.adopt(start, entries, signed):
            self._log.warning("took over the published log", entries=len(entries), size=published.size)

    async def _edge(self, head: LogHead) -> Edge:
        """Return the log's right edge out of its files; raise Forked unless it is that of the stored checkpoint."""
        edge = await self._reader.edge(head.size)
        if head.latest is not None and edge.root() != head.latest.root:
            raise Forked(f"the files of the log are not those of its checkpoint of {head.size} entries")
        return edge

    # Going on

    async def _extend(self, head: LogHead) -> None:
        """Write the files of the next places, then sign and publish."""
        edge = await self._edge(head)
        stop = min(head.assigned, head.size + _AT_ONCE)
        placed = await self._store.entries(head.size, stop)
        if [each.position for each in placed] != list(range(head.size, stop)):
            raise Unavailable("another notary has taken places back")
        entries: list[bytes] = []
        for each in placed:
            if each.logged is None or leaf_of(each.logged) != each.leaf_hash:
                raise Forked(f"what has place {each.position} was changed or deleted before it was in the log")
            entries.append(entry_of(each.logged).data)
        bundles = await self._bundles(head.size, entries)
        tiles = edge.append(each.leaf_hash for each in placed)
        for tile, content in [*bundles.items(), *tiles.items()]:
            await self._files.put(tile.path, content)
        await self._sign(Checkpoint(self._origin, edge.size, edge.root()))
        await self._publish()
        for tile in [*bundles, *tiles]:
            if tile.width == WIDTH:
                await self._files.drop(tile.partials)
        self._log.info("logged", entries=len(entries), size=edge.size)

    async def _bundles(self, size: int, entries: Sequence[bytes]) -> dict[Tile, bytes]:
        """Return the bundles that the entries from `size` on fill or begin; the last one there is goes on."""
        index, there = divmod(size, WIDTH)
        before = await self._reader.bundle(index, size) if there else []
        waiting = [*before, *entries]
        parts = [waiting[at : at + WIDTH] for at in range(0, len(waiting), WIDTH)]
        return {Tile(None, number, len(part)): write_bundle(part) for number, part in enumerate(parts, index)}

    async def _sign(self, checkpoint: Checkpoint) -> None:
        signed = await self._store.record(checkpoint.size, checkpoint.root, checkpoint.signed(self._signers))
        if signed.root != checkpoint.root:
            raise Forked(f"another tree of {checkpoint.size} entries was signed before")

    async def _publish(self) -> None:
        async with self._store.publishing() as newest:
            if newest is not None:
                await self._files.put(CHECKPOINT, newest.note.encode())

    async def _renew(self, latest: SignedCheckpoint | None) -> None:
        """Sign the newest checkpoint with the keys there are now; the signatures of keys taken away are dropped."""
        if latest is None:
            return
        note = Checkpoint(self._origin, latest.size, latest.root).signed(self._signers)
        if note != latest.note:
            await self._store.renew(latest.size, latest.root, note)
            await self._publish()
            self._log.info("signed anew", keys=[str(key) for key in self._keys])


class Stamping:
    """Get timestamps of checkpoints, one at a time; a timestamp authority that is away is waited for by nobody."""

    def __init__(self, *, store: LogStore, files: Files, origin: str, stamp: Stamper, log: Log) -> None:
        self._store = store
        self._files = files
        self._origin = origin
        self._stamp = stamp
        self._log = log

    async def work(self) -> None:
        """Have the newest checkpoint stamped, unless it is; raise Unavailable to be tried again later."""
        latest = (await self._store.head()).latest
        if latest is None or latest.timestamp is not None:
            return
        timestamp = await self._stamp(Checkpoint(self._origin, latest.size, latest.root))
        await self._files.put(timestamp_name(latest.size), timestamp)
        await self._store.stamp(latest.size, timestamp)
        self._log.info("stamped", size=latest.size)


def entry_of(logged: Logged) -> Entry:
    """Return the entry of what has, or gets, a place."""
    return Entry(logged.kind, logged.id, logged.sha256, logged.signature_sha256)


def leaf_of(logged: Logged) -> bytes:
    """Return its leaf hash."""
    return leaf_hash(entry_of(logged).data)
