"""The register in memory: what PostgreSQL does with indexes and triggers, by looking at everything."""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from typing import Literal

from axis.core.codes import is_within
from axis.core.deadlines import Clock
from axis.core.news import was_due
from axis.core.registered import COUNTS, Entry, EntryDelivery, FeedItem, Flow, News, Overdue, Record, Sought
from axis.core.registration import DueKey, Event, Registered, Subject, TallyKey, Told
from axis.core.searching import answers, question_of
from axis.core.tracked import Tracked
from axis.store.fake_counting import FakeCounting, add, delivery_of
from axis.store.fake_memory import FetchedAt, Memory, StoredEnvelope, tracked
from axis.store.register_seam import MOST_AGENCIES, MOST_COUNTED, Decide

_STEP = dt.timedelta(hours=1)


class FakeRegister(FakeCounting):
    """Documents, deliveries and counts as dictionaries; what was touched is what differs from the last look."""

    def __init__(
        self,
        alone: Callable[[], AbstractAsyncContextManager[Memory]],
        now: Callable[[], dt.datetime],
        fetched: FetchedAt,
    ) -> None:
        self._alone = alone
        self._fetched = fetched
        self._now = now
        self._entries: dict[str, Entry] = {}
        self._lexemes: dict[str, tuple[str, ...]] = {}
        self._records: dict[tuple[str, str], Record] = {}
        self._tallies: defaultdict[TallyKey, list[int]] = defaultdict(lambda: [0] * len(COUNTS))
        self._due: Counter[DueKey] = Counter()
        self._flow: defaultdict[dt.datetime, list[int]] = defaultdict(lambda: [0, 0, 0])
        self._feed: list[tuple[dt.datetime, FeedItem]] = []
        self._seq = 0
        self._late_from = now()
        self._looks: dict[str, Tracked] = {}
        self._heard: set[object] = set()
        self._silent: set[str] = set()

    async def search(self, sought: Sought, *, limit: int = 50, before: str | None = None) -> tuple[Entry, ...]:
        """List documents, the newest first."""
        async with self._alone():
            found = [
                entry
                for identifier, entry in sorted(self._entries.items(), reverse=True)
                if (before is None or identifier < before)
                and self._fits(entry, sought)
                and (not _about_deliveries(sought) or any(self._deliveries_of(entry, sought)))
                and sought.open in {None, self._is_open(entry, sought.account)}
            ]
        return tuple(found[:limit])

    async def deliveries(
        self, sought: Sought, *, limit: int = 50, before: tuple[str, str] | None = None
    ) -> tuple[EntryDelivery, ...]:
        """List deliveries, those of the newest document first."""
        async with self._alone():
            found = [
                delivery_of(entry, record)
                for identifier, entry in sorted(self._entries.items(), reverse=True)
                if self._fits(entry, sought)
                for record in sorted(self._deliveries_of(entry, sought), key=lambda each: each.recipient, reverse=True)
                if before is None or (identifier, record.recipient) < before
                if sought.open is None or record.ended is not sought.open
            ]
        return tuple(found[:limit])

    def _is_open(self, entry: Entry, account: str | None) -> bool:
        if account in {None, entry.account}:
            return entry.open > 0
        return any(not each.ended for each in self._deliveries_of(entry, Sought(account=account)))

    def _fits(self, entry: Entry, sought: Sought) -> bool:
        return (
            answers(self._lexemes[entry.id], question_of(sought))
            and (sought.since is None or entry.accepted_at >= sought.since)
            and (sought.until is None or entry.accepted_at < sought.until)
            and (sought.sent_late is None or entry.sent_late == sought.sent_late)
        )

    def _deliveries_of(self, entry: Entry, sought: Sought) -> Iterator[Record]:
        now = dt.datetime.now(dt.UTC)
        for (identifier, recipient), record in self._records.items():
            codes = [code for code in (recipient, record.resolved, record.mailbox) if code is not None]
            if (
                identifier == entry.id
                and (sought.account is None or sought.account in {entry.account, record.mailbox})
                and (sought.recipient is None or any(is_within(code, sought.recipient) for code in codes))
                and sought.mailbox in {None, record.mailbox}
                and sought.transport in {None, record.transport}
                and sought.business in {None, record.business}
                and sought.reason in {None, record.reason}
                and (sought.late in {None, Clock.SENDING} or _is_late(record, sought.late, now))
            ):
                yield record

    async def count(self, sought: Sought, most: int = MOST_COUNTED) -> int:
        """Count documents, and stop at `most`."""
        return len(await self.search(sought, limit=most))

    async def count_deliveries(self, sought: Sought, most: int = MOST_COUNTED) -> int:
        """Count deliveries, and stop at `most`."""
        return len(await self.deliveries(sought, limit=most))

    async def flow(self, since: dt.datetime, minutes: int) -> tuple[Flow, ...]:
        """Sum what passed by steps of minutes."""
        sums: defaultdict[dt.datetime, list[int]] = defaultdict(lambda: [0, 0, 0])
        step = dt.timedelta(minutes=minutes)
        async with self._alone():
            for at, counts in self._flow.items():
                if at >= since:
                    add(sums[since + (at - since) // step * step], counts)
        return tuple(Flow(at, *counts) for at, counts in sorted(sums.items()))

    async def overdue(
        self,
        clock: Clock,
        at: dt.datetime,
        *,
        by: Literal["mailbox"] = "mailbox",  # noqa: ARG002 - the only way so far
    ) -> tuple[Overdue, ...]:
        """Say which agencies are late."""
        if clock is Clock.SENDING:
            raise ValueError("sending is its sender's: look for documents sent late")
        found: defaultdict[str, list[dt.datetime]] = defaultdict(list)
        async with self._alone():
            for record in self._records.values():
                deadline = _deadline(record, clock)[0]
                if record.mailbox is not None and deadline is not None and _is_late(record, clock, at):
                    found[record.mailbox].append(deadline)
        late = [Overdue(mailbox, len(deadlines), min(deadlines)) for mailbox, deadlines in found.items()]
        return tuple(sorted(late, key=lambda each: (-each.count, each.mailbox))[:MOST_AGENCIES])

    async def lag(self) -> tuple[int, dt.datetime | None]:
        """Return how many envelopes wait; since when is not known here."""
        async with self._alone() as memory:
            waiting = sum(1 for _ in self._touched(memory))
        return waiting, self._now() if waiting else None

    async def feed(self, account: str, after: int, limit: int) -> tuple[FeedItem, ...]:
        """Return what changed for an agency."""
        async with self._alone():
            return tuple(item for _, item in self._feed if item.account == account and item.seq > after)[:limit]

    async def feed_span(self) -> tuple[int, int]:
        """Return the first and the last number of the feed."""
        async with self._alone():
            return (self._feed[0][1].seq if self._feed else self._seq + 1), self._seq

    async def keep(self, batch: int, decide: Decide) -> int:
        """Register at most `batch` envelopes."""
        async with self._alone() as memory:
            touched = list(self._touched(memory))[:batch]
            for each in decide([self._subject(stored, now) for stored, now in touched]) if touched else ():
                self._write(each)
            for stored, now in touched:
                self._looks[stored.row.id] = now
                self._silent.discard(stored.row.id)
                self._heard.update(key for key, _ in _said(now))
            return len(touched)

    def _touched(self, memory: Memory) -> Iterator[tuple[StoredEnvelope, Tracked]]:
        for identifier, stored in memory.envelopes.items():
            now = tracked(memory, stored, lambda _: None, self._fetched)
            if self._looks.get(identifier) != now:
                yield stored, now

    def _subject(self, stored: StoredEnvelope, now: Tracked) -> Subject:
        identifier = stored.row.id
        return Subject(
            tracked=now,
            body=stored.row.body,
            news=identifier not in self._silent,
            events=tuple(event for key, event in _said(now) if key not in self._heard),
            before=self._entries.get(identifier),
            records={recipient: each for (of, recipient), each in self._records.items() if of == identifier},
        )

    def _write(self, registered: Registered) -> None:
        identifier = registered.entry.id
        self._entries[identifier] = registered.entry
        if registered.lexemes is not None:
            self._lexemes[identifier] = registered.lexemes
        self._records.update({(identifier, each.recipient): each for each in registered.records})
        for key, counts in registered.tallies.items():
            add(self._tallies[key], counts)
        self._due.update(registered.due)
        for at, passed in registered.flow.items():
            add(self._flow[at], passed)
        for told in registered.feed:
            self._tell(identifier, told)

    def _tell(self, identifier: str, told: Told) -> None:
        self._seq += 1
        item = FeedItem(self._seq, told.account, told.kind, identifier, told.recipient, told.code, told.at)
        self._feed.append((self._now(), item))

    async def tell_late(self, at: dt.datetime) -> int:
        """Put into the feed whose deadline has passed."""
        async with self._alone() as memory:
            since, until = self._late_from, min(at, self._late_from + _STEP)
            if any(self._touched(memory)):
                return 0  # since when is not known here
            passed = [
                (deadline, identifier, recipient, clock, record)
                for (identifier, recipient), record in self._records.items()
                for clock in (Clock.ARRIVAL, Clock.ACCEPTANCE, Clock.FINISHING)
                if (deadline := _deadline(record, clock)[0]) is not None and since <= deadline < until
                if record.mailbox is not None and _is_late(record, clock, until)
                if not was_due(deadline, self._entries[identifier])
            ]
            for deadline, identifier, recipient, clock, record in sorted(passed, key=lambda each: each[:3]):
                for account in dict.fromkeys((self._entries[identifier].account, record.mailbox or "")):
                    self._tell(identifier, Told(account, News.LATE, recipient, clock.value, deadline))
            self._late_from = max(since, until)
            return len(passed)

    async def prune(self, before: dt.datetime) -> int:
        """Forget what is old in the feed and the flow."""
        async with self._alone():
            kept = [(noted_at, item) for noted_at, item in self._feed if noted_at >= before]
            gone = len(self._feed) - len(kept)
            self._feed = kept
            for at in [at for at in self._flow if at < before]:
                del self._flow[at]
            return gone

    async def rebuild(self) -> int:
        """Forget the register, and touch every envelope."""
        async with self._alone() as memory:
            untold = {stored.row.id for stored, _ in self._touched(memory)}
            for forgotten in (self._entries, self._lexemes, self._records, self._tallies, self._due, self._looks):
                forgotten.clear()
            self._silent = (memory.envelopes.keys() - untold) | (self._silent & untold)
            return len(memory.envelopes)


def _said(now: Tracked) -> Iterator[tuple[object, Event]]:
    """List what was said about an envelope, each with what tells it from the others."""
    for status in now.statuses:
        for recipient in status.recipients:
            yield (status.id, recipient), Event(News.STATUS, recipient, status.code, status.received_at)
    for talk in now.conversations:
        if talk.about == now.envelope.id:
            at = talk.destroyed_at or talk.answered_at or talk.requested_at
            recipient = talk.original or talk.recipient
            code = f"{talk.kind.value} {talk.state.value}"
            yield (*talk.key, talk.state), Event(News.CONVERSATION, recipient, code, at)


def _about_deliveries(sought: Sought) -> bool:
    asked = (sought.mailbox, sought.transport, sought.business, sought.reason)
    return sought.late not in {None, Clock.SENDING} or any(each is not None for each in asked)


def _deadline(record: Record, clock: Clock | None) -> tuple[dt.datetime | None, dt.datetime | None]:
    match clock:
        case Clock.ARRIVAL:
            return record.arrive_by, record.arrived_at
        case Clock.ACCEPTANCE:
            return record.accept_by, record.accepted_at
        case Clock.FINISHING:
            return record.finish_by, record.finished_at
    return None, None


def _is_late(record: Record, clock: Clock | None, at: dt.datetime) -> bool:
    deadline, done_at = _deadline(record, clock)
    awaited = not record.ended and record.mailbox is not None  # else nobody is late with it
    return awaited and done_at is None and deadline is not None and deadline < at
