"""Of the register in memory: the counts that reports are made of, and the rows behind them."""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager

from axis.core.codes import is_within
from axis.core.fate import Transport
from axis.core.registered import COUNTS, Entry, EntryDelivery, Record, Side, Tally
from axis.core.registration import TallyKey
from axis.core.reporting import Counted, tally_of
from axis.core.workdays import vietnam_day
from axis.store.fake_memory import Memory
from axis.store.register_seam import RegisterStore

Counts = Sequence[int]  # in the order of COUNTS


class FakeCounting(RegisterStore):
    """Of `FakeRegister`: what reports need."""

    _alone: Callable[[], AbstractAsyncContextManager[Memory]]
    _entries: dict[str, Entry]
    _records: dict[tuple[str, str], Record]
    _tallies: defaultdict[TallyKey, list[int]]

    async def tallies(
        self, first: dt.date, last: dt.date, *, side: Side, below: str | None = None
    ) -> tuple[Tally, ...]:
        """Sum over the days by code and state."""
        async with self._alone():
            return self._told(first, last, side, below)

    async def recount(
        self, first: dt.date, last: dt.date, *, side: Side, below: str | None = None
    ) -> tuple[tuple[Tally, ...], tuple[Tally, ...]]:
        """Return the tallies, and what the registered rows themselves add up to."""
        async with self._alone():
            sums: defaultdict[Tally, list[int]] = defaultdict(lambda: [0] * len(COUNTS))
            for each in self._all(first, last):
                tally = tally_of(side, each)
                if below is None or is_within(tally.code, below):
                    add(sums[tally.kind], tally.counts)
            rows = [kind.counting(counts) for kind, counts in sums.items()]
            if side == "sent":
                rows += self._documents(first, last, below)
            return self._told(first, last, side, below), tuple(rows)

    async def counted(
        self, counted: Counted, *, limit: int = 50, before: tuple[str, str] | None = None
    ) -> tuple[EntryDelivery, ...]:
        """List the deliveries that a number of a report counts."""
        async with self._alone():
            found = [
                each
                for each in self._all(counted.first, counted.last)
                if counted.holds(tally_of(counted.side, each))
                and counted.account in {None, each.entry.account, each.mailbox}
                and (before is None or (each.envelope_id, each.recipient) < before)
            ]
        found.sort(key=lambda each: (each.envelope_id, each.recipient), reverse=True)
        return tuple(found[:limit])

    async def counted_documents(
        self, counted: Counted, *, late: bool, limit: int = 50, before: str | None = None
    ) -> tuple[Entry, ...]:
        """List the documents that a number of a report counts."""
        async with self._alone():
            found = [
                each
                for identifier, each in sorted(self._entries.items(), reverse=True)
                if counted.first <= vietnam_day(each.accepted_at) <= counted.last
                and counted.of(each.sender)
                and counted.account in {None, each.account}
                and (not late or each.sent_late)
                and (before is None or identifier < before)
            ]
        return tuple(found[:limit])

    def _told(self, first: dt.date, last: dt.date, side: Side, below: str | None) -> tuple[Tally, ...]:
        sums: defaultdict[TallyKey, list[int]] = defaultdict(lambda: [0] * len(COUNTS))
        for key, counts in self._tallies.items():
            if key.side == side and first <= key.day <= last and (below is None or is_within(key.code, below)):
                add(sums[key._replace(day=first)], counts)
        return _tallies(sums)

    def _all(self, first: dt.date, last: dt.date) -> Iterator[EntryDelivery]:
        for (identifier, _), record in self._records.items():
            entry = self._entries[identifier]
            if first <= vietnam_day(entry.accepted_at) <= last:
                yield delivery_of(entry, record)

    def _documents(self, first: dt.date, last: dt.date, below: str | None) -> Iterator[Tally]:
        sums: defaultdict[TallyKey, list[int]] = defaultdict(lambda: [0] * len(COUNTS))
        for entry in self._entries.values():
            if first <= vietnam_day(entry.accepted_at) <= last and (below is None or is_within(entry.sender, below)):
                add(sums[TallyKey("sent", first, entry.sender, entry.lane)], (0, 1, int(entry.sent_late)))
        yield from _tallies(sums)


def _tallies(sums: Mapping[TallyKey, Counts]) -> tuple[Tally, ...]:
    return tuple(
        Tally(
            code=key.code,
            lane="urgent" if key.lane == "urgent" else "normal",
            transport=Transport(key.transport) if key.transport else None,
            business=key.business or None,
            reason=key.reason or None,
            arrival=key.arrival,
            acceptance=key.acceptance,
            finishing=key.finishing,
            **dict(zip(COUNTS, counts, strict=True)),
        )
        for key, counts in sorted(sums.items())
        if any(counts[:3])
    )


def delivery_of(entry: Entry, record: Record) -> EntryDelivery:
    """Make one line of a list."""
    return EntryDelivery(
        envelope_id=entry.id,
        recipient=record.recipient,
        mailbox=record.mailbox,
        sender=entry.sender,
        lane=entry.lane,
        transport=record.transport,
        business=record.business,
        since=record.since,
        reason=record.reason,
        detail=record.detail,
        arrive_by=record.arrive_by,
        accept_by=record.accept_by,
        finish_by=record.finish_by,
        entry=entry,
        resolved=record.resolved,
        arrived_at=record.arrived_at,
        accepted_at=record.accepted_at,
        finished_at=record.finished_at,
        ended=record.ended,
    )


def add(total: list[int], counts: Iterable[int]) -> None:
    """Add counts to others."""
    for number, count in enumerate(counts):
        total[number] += count
