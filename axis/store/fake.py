"""The store in memory, for tests: the same promises as PostgreSQL's, but for the death of the process."""

import asyncio
import contextlib
import datetime as dt
import json
import uuid
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

from axis.core.acts import Act
from axis.core.concerning import Waiting
from axis.core.records import DeliveryState, Hold, NoticeRow
from axis.core.registered import Sought
from axis.core.tracked import Quarantined, Tracked, TrackedEnvelope, TrackedWaiting
from axis.errors import Unavailable
from axis.store.comparing_seam import WithDeliveries
from axis.store.fake_backlog import FakeBacklog
from axis.store.fake_blobs import FakeBlobs
from axis.store.fake_comparing import FakeComparing
from axis.store.fake_directory import FakeDirectory
from axis.store.fake_log import FakeLog
from axis.store.fake_memory import Memory, StoredDelivery, StoredEnvelope, StoredNotice, tracked, tracked_envelope
from axis.store.fake_operators import FakeOperators
from axis.store.fake_papers import FakePapers
from axis.store.fake_partners import FakePartners
from axis.store.fake_proofs import FakeProofs
from axis.store.fake_quarantine import FakeQuarantine
from axis.store.fake_quotas import FakeQuotas
from axis.store.fake_register import FakeRegister
from axis.store.fake_replays import FakeReplays
from axis.store.fake_seen import FakeSeen
from axis.store.fake_suspects import FakeSuspects
from axis.store.fake_transaction import FakeTransaction
from axis.store.fake_watches import FakeWatches
from axis.store.fake_webhooks import FakeWebhooks
from axis.store.fake_workdays import FakeWorkdays
from axis.store.rows import grouped
from axis.store.seam import Store

_LOCK_SECONDS = 10.0

_Key = TypeVar("_Key", str, tuple[str, str])
_Stored = TypeVar("_Stored", StoredEnvelope, StoredNotice)


class FakeStore(Store):
    """A store in memory. Set `available` to False and every call raises Unavailable until it is True again."""

    directory: FakeDirectory
    suspects: FakeSuspects
    proofs: FakeProofs
    log: FakeLog
    partners: FakePartners

    def __init__(self, now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC)) -> None:
        self.available = True
        self.audits: list[tuple[str, str, str, dict[str, object]]] = []
        self._now = now
        self._memory = Memory()
        self._lock = asyncio.Lock()
        self.directory = FakeDirectory(self._check)
        self.blobs = FakeBlobs(self._alone, now)
        self.suspects = FakeSuspects(self._check)
        self.quotas = FakeQuotas(self._check, now)
        self.proofs = FakeProofs(self._alone, self.directory, now)
        self.partners = FakePartners(self._alone)
        self.comparing = FakeComparing(self._alone, now, self.partners.holds)
        self.acts: list[Act] = []
        self.log = FakeLog(self._alone, now, self.acts)
        self.papers = FakePapers(self._alone, now)
        self.register = FakeRegister(self._alone, now, self.partners.fetched_at)
        self.workdays = FakeWorkdays(self._check)
        self.webhooks = FakeWebhooks(self._alone, self._has_news)
        self.seen = FakeSeen(
            self._alone, lambda account: self.register.deliveries(Sought(account=account), limit=1_000_000)
        )
        self.backlog = FakeBacklog(self._alone)
        self.operators = FakeOperators(self._check, now, self.acts, self.audit)
        self.quarantines = FakeQuarantine(self._alone, now, self.audit)
        self.replays = FakeReplays(self._alone, now)
        self.watches = FakeWatches(self._alone, self.directory, self.comparing)

    async def _has_news(self, account: str, after: int) -> bool:
        return bool(await self.register.feed(account, after, 1))

    def _check(self) -> None:
        if not self.available:
            raise Unavailable("the store is away")

    @contextlib.asynccontextmanager
    async def _alone(self) -> AsyncIterator[Memory]:
        self._check()
        try:
            async with asyncio.timeout(_LOCK_SECONDS):
                await self._lock.acquire()
        except TimeoutError as error:
            raise Unavailable("another transaction does not end") from error
        try:
            yield self._memory
        finally:
            self._lock.release()

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[FakeTransaction]:
        """Begin a transaction; the next waits until this one ends."""
        async with self._alone() as memory:
            before = memory.copy()
            try:
                yield FakeTransaction(memory, self._now, self._check)
                self._check()
            except BaseException:
                self._memory = before
                raise

    async def mark_published(self, envelope_ids: Collection[str], notice_ids: Collection[str]) -> None:
        """Mark what the broker has confirmed."""
        async with self._alone() as memory:
            for identifier, envelope in memory.envelopes.items():
                if identifier in envelope_ids and envelope.published_at is None:
                    memory.envelopes[identifier] = replace(envelope, published_at=self._now())
            for key, notice in memory.notices.items():
                if key[0] in notice_ids and notice.published_at is None:
                    memory.notices[key] = replace(notice, published_at=self._now())

    async def unpublished(self, older_than: dt.timedelta, limit: int) -> tuple[WithDeliveries, list[NoticeRow]]:
        """Hand out what waits to be published."""
        async with self._alone() as memory:
            now = self._now()
            envelopes = _due(memory.envelopes.items(), now, older_than, limit)
            absent = {key for key, each in memory.envelopes.items() if each.published_at is None}
            absent -= {key for key, _ in envelopes}
            ready = ((key, notice) for key, notice in memory.notices.items() if notice.row.about not in absent)
            notices = _due(ready, now, older_than, limit)
            for identifier, envelope in envelopes:
                memory.envelopes[identifier] = replace(envelope, attempted_at=now, attempts=envelope.attempts + 1)
            for key, notice in notices:
                memory.notices[key] = replace(notice, attempted_at=now, attempts=notice.attempts + 1)
            return (
                [(each.row, [d.row for d in memory.deliveries[key]]) for key, each in sorted(envelopes, key=_id_of)],
                [each.row for _, each in sorted(notices, key=_id_of)],
            )

    async def held_queues(self) -> set[str]:
        """Name the queues that deliveries are held for."""
        async with self._alone() as memory:
            return {queue for queue, _ in memory.held()}

    async def behind(self, queues: Collection[str]) -> frozenset[str]:
        """Return those of the queues that deliveries are held for."""
        return frozenset(await self.held_queues()).intersection(queues)

    async def held(self, queue: str, limit: int) -> WithDeliveries:
        """Return envelopes with their deliveries held for a queue."""
        async with self._alone() as memory:
            waiting = [each.row for wanted, each in memory.held() if wanted == queue]
            first = {row.envelope_id for row in waiting[:limit]}
            by_envelope = grouped(row for row in waiting if row.envelope_id in first)
            return [(memory.envelopes[identifier].row, held) for identifier, held in by_envelope.items()]

    async def hold(self, holds: Sequence[Hold]) -> None:
        """Hold routed deliveries."""
        async with self._alone() as memory:
            for hold in holds:
                memory.change(hold.envelope_id, partial(_held, memory, hold, self._now()))

    async def claim(self, queue: str, envelope_ids: Collection[str]) -> set[tuple[str, str]]:
        """Say that held deliveries are published now."""
        async with self._alone() as memory:
            held = {id(each) for wanted, each in memory.held() if wanted == queue}
            claimed: set[tuple[str, str]] = set()

            def tried(each: StoredDelivery) -> StoredDelivery:
                if id(each) not in held:
                    return each
                claimed.add((each.row.envelope_id, each.row.recipient))
                return replace(each, tried=True)

            for identifier in envelope_ids:
                memory.change(identifier, tried)
            return claimed

    async def waiting(self, queue: str, at: dt.datetime, limit: int) -> list[Waiting]:
        """Return envelopes whose wait is over."""
        async with self._alone() as memory:
            over = [
                each
                for each in memory.waiting.values()
                if each.queue == queue and (each.until <= at or each.concerns in memory.envelopes)
            ]
            return sorted(over, key=lambda each: (each.concerns not in memory.envelopes, each.received_at, each.id))[
                :limit
            ]

    async def waiting_for(self, ids: Collection[str]) -> tuple[TrackedWaiting, ...]:
        """Tell of envelopes that wait."""
        async with self._alone() as memory:
            found = [each for each in memory.waiting.values() if {each.id, each.concerns} & set(ids)]
            found.sort(key=lambda each: (each.received_at, each.id))
            return tuple(map(TrackedWaiting.of, found[:100]))

    async def release(self, queue: str, envelope_ids: Collection[str]) -> None:
        """Say that held deliveries have been published."""
        async with self._alone() as memory:
            waiting = {id(each) for wanted, each in memory.held() if wanted == queue}
            for identifier in envelope_ids:
                memory.change(identifier, lambda each: _released(each, self._now()) if id(each) in waiting else each)

    async def track(self, term: str) -> tuple[Tracked, ...]:
        """Tell everything about an envelope or a document."""
        wanted = term.strip()
        async with self._alone() as memory:
            by_id = memory.envelopes.get(wanted.lower())
            if by_id is not None:
                return (tracked(memory, by_id, self.proofs.of, self.partners.fetched_at),)
            found = [each for each in memory.envelopes.values() if each.row.document_id == wanted]
            return tuple(
                tracked(memory, each, self.proofs.of, self.partners.fetched_at)
                for each in sorted(found, key=lambda e: e.row.id, reverse=True)[:50]
            )

    async def sent(self, sender: str, limit: int, before: str | None = None) -> tuple[TrackedEnvelope, ...]:
        """List the envelopes of a sender, the newest first."""
        async with self._alone() as memory:
            found = [
                each
                for identifier, each in sorted(memory.envelopes.items(), reverse=True)
                if each.row.sender == sender and (before is None or identifier < before)
            ]
            return tuple(tracked_envelope(each, self.proofs.of) for each in found[:limit])

    async def quarantined(
        self,
        limit: int = 100,
        *,
        reason: str | None = None,
        before: dt.datetime | None = None,
        behind: str | None = None,
    ) -> tuple[Quarantined, ...]:
        """List what is in quarantine, last seen first."""
        async with self._alone() as memory:
            found = [
                each
                for each in memory.quarantine.values()
                if (reason is None or each.reason == reason)
                and (before is None or (each.last_seen_at, each.id) < (before, behind or ""))
                and each.is_in
            ]
            return tuple(sorted(found, key=lambda each: (each.last_seen_at, each.id), reverse=True)[:limit])

    async def quarantined_one(self, identifier: str) -> Quarantined | None:
        """Return one message in quarantine."""
        async with self._alone() as memory:
            return next((each for each in memory.quarantine.values() if each.id == identifier), None)

    async def audit(self, actor: str, action: str, subject: str, detail: Mapping[str, object] | None = None) -> None:
        """Remember who did what; `audits` lists it."""
        async with self._alone():
            self.audits.append((actor, action, subject, dict(detail or {})))
            said = json.dumps(detail or {}, ensure_ascii=False, default=str)
            self.acts.append(
                Act(len(self.acts) + 1, self._now(), actor, action, subject, said, nonce=str(uuid.uuid4()))
            )

    async def ensure_partitions(self, now: dt.datetime) -> list[str]:  # noqa: ARG002 - the seam's signature
        """Do nothing: memory has no partitions."""
        self._check()
        return []


def _due(
    stored: Iterable[tuple[_Key, _Stored]], now: dt.datetime, older_than: dt.timedelta, limit: int
) -> list[tuple[_Key, _Stored]]:
    due = [
        (key, each)
        for key, each in stored
        if each.published_at is None and each.attempted_at <= now - older_than * 2 ** min(each.attempts, 5)
    ]
    return sorted(due, key=lambda item: item[1].attempted_at)[:limit]


def _held(memory: Memory, hold: Hold, at: dt.datetime, each: StoredDelivery) -> StoredDelivery:
    if each.row.state is not DeliveryState.ROUTED or each.row.mailbox != hold.mailbox:
        return each
    row = replace(each.row, state=DeliveryState.HELD, reason=hold.reason, detail=hold.detail)
    return replace(each, row=row, placed=next(memory.places), tried=True, placed_at=at)


def _released(each: StoredDelivery, at: dt.datetime) -> StoredDelivery:
    row = replace(each.row, state=DeliveryState.ROUTED, reason=None, detail=None, held_for=None)
    return replace(each, row=row, published_at=at, tried=True)


def _id_of(item: tuple[object, StoredEnvelope] | tuple[object, StoredNotice]) -> str:
    return item[1].row.id
