"""The store in PostgreSQL."""

import contextlib
import datetime as dt
import re
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import Any

from axis.core.concerning import Waiting
from axis.core.records import Hold, NoticeRow
from axis.core.tracked import Quarantined, Tracked, TrackedEnvelope, TrackedWaiting
from axis.store import hostile, rows
from axis.store.acting import waiting_row
from axis.store.backlog import PostgresBacklog
from axis.store.blobs import PostgresBlobs
from axis.store.committing import commit
from axis.store.comparing import PostgresComparing
from axis.store.comparing_seam import WithDeliveries
from axis.store.directory import PostgresDirectory
from axis.store.log import PostgresLog
from axis.store.operators import PostgresOperators
from axis.store.papers import PostgresPapers
from axis.store.partitions import ensure_partitions
from axis.store.partners import PostgresPartners
from axis.store.pool import Pool, open_pool
from axis.store.proofs import PostgresProofs
from axis.store.quarantine import PostgresQuarantine
from axis.store.queries import load
from axis.store.quotas import PostgresQuotas
from axis.store.reaching import reaching
from axis.store.register import PostgresRegister
from axis.store.replays import PostgresReplays
from axis.store.seam import Store
from axis.store.seen import PostgresSeen
from axis.store.suspects import PostgresSuspects
from axis.store.tracking import track
from axis.store.transaction import PostgresTransaction
from axis.store.watching import PostgresWatches
from axis.store.webhooks import PostgresWebhooks
from axis.store.workdays import PostgresWorkdays

_ACCEPTING = load("accepting")
_ACTING = load("acting")
_PUBLISHING = load("publishing")
_TRACKING = load("tracking")
_EVIDENCE = load("evidence")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@contextlib.asynccontextmanager
async def connect(dsn: str, *, name: str, connections: int) -> AsyncIterator[Store]:
    """Open the store; see `Store.connect`."""
    async with open_pool(dsn, name, connections) as pool:
        yield PostgresStore(pool)


class PostgresStore(Store):
    """The store in PostgreSQL; open it with `Store.connect`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self.directory = PostgresDirectory(pool)
        self.blobs = PostgresBlobs(pool)
        self.suspects = PostgresSuspects(pool)
        self.quotas = PostgresQuotas(pool)
        self.comparing = PostgresComparing(pool)
        self.proofs = PostgresProofs(pool)
        self.log = PostgresLog(pool)
        self.partners = PostgresPartners(pool)
        self.papers = PostgresPapers(pool)
        self.register = PostgresRegister(pool)
        self.workdays = PostgresWorkdays(pool)
        self.quarantines = PostgresQuarantine(pool)
        self.webhooks = PostgresWebhooks(pool)
        self.seen = PostgresSeen(pool)
        self.backlog = PostgresBacklog(pool)
        self.operators = PostgresOperators(pool)
        self.watches = PostgresWatches(pool)
        self.replays = PostgresReplays(pool)

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[PostgresTransaction]:
        """Begin a transaction that commits at the end of the block."""
        async with self._pool.lend() as link:
            with reaching("begin a transaction"):
                # Named although it is the usual default: what `accept` promises does not hold in the stricter ones.
                await link.execute("BEGIN ISOLATION LEVEL READ COMMITTED")
            try:
                yield PostgresTransaction(link)
            except BaseException:
                with contextlib.suppress(Exception):  # the server rolls back by itself when the connection is gone
                    await link.execute("ROLLBACK")
                raise
            with reaching("commit"):
                await commit(link)

    async def mark_published(self, envelope_ids: Collection[str], notice_ids: Collection[str]) -> None:
        """Mark what the broker has confirmed."""
        if not envelope_ids and not notice_ids:
            return
        envelopes, notices = list(envelope_ids), list(notice_ids)
        async with self._pool.link("mark what was published") as link:
            await link.execute(_PUBLISHING["mark"], envelopes, *rows.span(envelopes), notices, *rows.span(notices))

    async def unpublished(self, older_than: dt.timedelta, limit: int) -> tuple[WithDeliveries, list[NoticeRow]]:
        """Hand out what waits to be published."""
        async with self._pool.link("find what is unmarked") as link:
            envelopes = await link.fetch(_PUBLISHING["unmarked_envelopes"], older_than, limit)
            found = sorted(map(rows.envelope, envelopes), key=lambda envelope: envelope.id)
            ids = [envelope.id for envelope in found]
            notices = await link.fetch(_PUBLISHING["unmarked_notices"], older_than, limit, ids)
            deliveries = await link.fetch(_ACCEPTING["deliveries"], ids, *rows.span(ids)) if ids else []
        by_envelope = rows.grouped(map(rows.delivery, deliveries))
        return (
            [(envelope, by_envelope.get(envelope.id, [])) for envelope in found],
            sorted(map(rows.notice, notices), key=lambda notice: notice.id),
        )

    async def held_queues(self) -> set[str]:
        """Name the queues that deliveries are held for."""
        async with self._pool.link("find what is held") as link:
            return {record["held_for"] for record in await link.fetch(_PUBLISHING["held_queues"])}

    async def behind(self, queues: Collection[str]) -> frozenset[str]:
        """Return those of the queues that deliveries are held for."""
        if not queues:
            return frozenset()
        async with self._pool.link("find what is held") as link:
            return frozenset(record["queue"] for record in await link.fetch(_PUBLISHING["behind"], list(queues)))

    async def held(self, queue: str, limit: int) -> WithDeliveries:
        """Return envelopes with their deliveries held for a queue."""
        async with self._pool.link("find what is held") as link:
            by_envelope = rows.grouped(map(rows.delivery, await link.fetch(_PUBLISHING["held"], queue, limit)))
            ids = list(by_envelope)
            envelopes = await link.fetch(_PUBLISHING["envelopes"], ids, *rows.span(ids)) if ids else []
        found = {(envelope := rows.envelope(record)).id: envelope for record in envelopes}
        return [(found[identifier], deliveries) for identifier, deliveries in by_envelope.items()]

    async def hold(self, holds: Sequence[Hold]) -> None:
        """Hold routed deliveries."""
        wanted = [(each.envelope_id, each.mailbox, each.queue, each.reason, each.detail) for each in holds]
        async with self._pool.link("hold deliveries") as link:
            await link.execute(_PUBLISHING["hold"], *rows.columns(wanted, 5))

    async def claim(self, queue: str, envelope_ids: Collection[str]) -> set[tuple[str, str]]:
        """Say that held deliveries are published now."""
        async with self._pool.link("claim deliveries") as link:
            found = await link.fetch(_PUBLISHING["claim"], queue, sorted(envelope_ids))
        return {(str(record["envelope_id"]), record["recipient"]) for record in found}

    async def waiting(self, queue: str, at: dt.datetime, limit: int) -> list[Waiting]:
        """Return envelopes whose wait is over."""
        async with self._pool.link("find what waits") as link:
            return list(map(waiting_row, await link.fetch(_ACTING["waiting"], queue, at, limit)))

    async def waiting_for(self, ids: Collection[str]) -> tuple[TrackedWaiting, ...]:
        """Tell of envelopes that wait."""
        known = [each for each in ids if _UUID.fullmatch(each)]
        async with self._pool.link("find what waits") as link:
            found = await link.fetch(_ACTING["waiting_for"], known)
        return tuple(TrackedWaiting.of(waiting_row(record)) for record in found)

    async def release(self, queue: str, envelope_ids: Collection[str]) -> None:
        """Say that held deliveries have been published."""
        async with self._pool.link("release deliveries") as link:
            await link.execute(_PUBLISHING["release"], queue, sorted(envelope_ids))

    async def track(self, term: str) -> tuple[Tracked, ...]:
        """Tell everything about an envelope or a document."""
        wanted = term.strip()
        async with self._snapshot("track") as link:
            found: list[Any] = []
            if _UUID.fullmatch(wanted.lower()):
                found = await link.fetch(_TRACKING["envelope_by_id"], wanted.lower())
            # A document_id is whatever its sender likes, a UUID too.
            if not found and "\0" not in wanted:
                found = await link.fetch(_TRACKING["envelopes_by_document"], hostile.text(wanted, hostile.MAX_TEXT))
            return await track(link, found)

    async def sent(self, sender: str, limit: int, before: str | None = None) -> tuple[TrackedEnvelope, ...]:
        """List the envelopes of a sender, the newest first."""
        async with self._pool.link("list envelopes") as link:
            return tuple(map(rows.tracked_envelope, await link.fetch(_TRACKING["sent"], sender, before, limit)))

    async def quarantined(
        self,
        limit: int = 100,
        *,
        reason: str | None = None,
        before: dt.datetime | None = None,
        behind: str | None = None,
    ) -> tuple[Quarantined, ...]:
        """List what is in quarantine, last seen first."""
        async with self._pool.link("list the quarantine") as link:
            return tuple(
                map(rows.quarantined, await link.fetch(_EVIDENCE["quarantined"], limit, reason, before, behind))
            )

    async def quarantined_one(self, identifier: str) -> Quarantined | None:
        """Return one message in quarantine."""
        if not _UUID.fullmatch(identifier):
            return None
        async with self._pool.link("read the quarantine") as link:
            record = await link.fetchrow(_EVIDENCE["quarantined_one"], identifier)
        return None if record is None else rows.quarantined(record)

    async def audit(self, actor: str, action: str, subject: str, detail: Mapping[str, object] | None = None) -> None:
        """Remember who did what by hand."""
        said = [hostile.text(each, hostile.MAX_TEXT) for each in (actor, action, subject)]
        async with self._pool.link("write the audit") as link:
            await link.execute(_EVIDENCE["audit"], *said, hostile.as_json(detail or {}))

    async def ensure_partitions(self, now: dt.datetime) -> list[str]:
        """Make the partitions of the coming months."""
        async with self._pool.link("make partitions") as link:
            return await ensure_partitions(link, now)

    @contextlib.asynccontextmanager
    async def _snapshot(self, what: str) -> AsyncIterator[Any]:
        async with self._pool.link(what) as link, link.transaction(isolation="repeatable_read", readonly=True):
            yield link
