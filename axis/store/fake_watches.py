"""The auditor's looks and findings in memory."""

import datetime as dt
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace

from axis.core.ids import time_of
from axis.core.lanes import mailbox_queue
from axis.core.watching import Cause, Copies, Finding, HeldQueue, MailboxWatch, Unmarked
from axis.store.comparing_seam import ComparingStore
from axis.store.fake_directory import FakeDirectory
from axis.store.fake_memory import Memory
from axis.store.watch_seam import WatchStore

_DAY = dt.timedelta(days=1)


class FakeWatches(WatchStore):
    """Looks and findings in memory; what is held is there since its envelope was accepted."""

    def __init__(
        self,
        alone: Callable[[], AbstractAsyncContextManager[Memory]],
        directory: FakeDirectory,
        comparing: ComparingStore,
    ) -> None:
        self._alone = alone
        self._directory = directory
        self._comparing = comparing
        self._watches: dict[str, MailboxWatch] = {}
        self._seen_at: dt.datetime | None = None
        self._open: dict[tuple[Cause, str], Finding] = {}
        self._healed: list[Finding] = []

    async def watches(self, mailboxes: Collection[str] | None = None) -> tuple[MailboxWatch, ...]:
        """Return the queues as last seen."""
        async with self._alone():
            return tuple(
                replace(each, seen_at=self._seen_at or each.seen_at)
                for _, each in sorted(self._watches.items())
                if mailboxes is None or each.mailbox in mailboxes
            )

    async def seen(self, changed: Sequence[MailboxWatch], gone: Collection[str], at: dt.datetime) -> None:
        """Note a look at all queues."""
        async with self._alone():
            self._seen_at = at
            self._watches.update({each.queue: each for each in changed})
            for queue in gone:
                self._watches.pop(queue, None)

    async def mailboxes(self, at: dt.datetime) -> list[str]:
        """Return the mailboxes in force."""
        _, mailboxes, _ = await self._directory.load()
        valid = {each.code for each in mailboxes if each.valid_from <= at and (not each.valid_to or at < each.valid_to)}
        return sorted(valid)

    async def held(self, before: dt.datetime) -> list[HeldQueue]:
        """Return what has been held for long, by queue."""
        async with self._alone() as memory:
            waiting: dict[str, list[dt.datetime]] = {}
            for queue, each in memory.held():
                waiting.setdefault(queue, []).append(memory.envelopes[each.row.envelope_id].row.accepted_at)
        return [
            HeldQueue(queue, len(times), min(times)) for queue, times in sorted(waiting.items()) if min(times) < before
        ]

    async def unmarked(self, before: dt.datetime) -> Unmarked:
        """Count what is not confirmed."""
        async with self._alone() as memory:
            times = [each.row.accepted_at for each in memory.envelopes.values() if each.published_at is None]
            old = [each for each in times if each < before]
            told = [time_of(key[0]) for key in _untold(memory, before)]
        return Unmarked(len(times) - len(old), len(old), min(old, default=None), len(told), min(told, default=None))

    async def hasten(self, before: dt.datetime, limit: int) -> int:
        """Let the relay take up at once what waits for it."""
        async with self._alone() as memory:
            due = [
                key
                for key, each in memory.envelopes.items()
                if each.published_at is None and each.row.accepted_at < before
            ]
            for key in due[:limit]:
                envelope = memory.envelopes[key]
                memory.envelopes[key] = replace(envelope, attempts=0, attempted_at=envelope.attempted_at - _DAY)
            told = _untold(memory, before)[:limit]
            for place in told:
                notice = memory.notices[place]
                memory.notices[place] = replace(notice, attempts=0, attempted_at=notice.attempted_at - _DAY)
        return len(due[:limit]) + len(told)

    async def copies(
        self, after: str | None, until: dt.datetime, old: dt.datetime, page: int = 1000
    ) -> tuple[str | None, Mapping[str, Copies]]:
        """Count the unanswered copies of the next envelopes."""
        async with self._alone() as memory:
            ids = sorted(each for each in memory.envelopes if after is None or each > after)[:page]
            marks = {
                (each.row.envelope_id, each.row.mailbox): each.published_at
                or memory.envelopes[each.row.envelope_id].published_at
                for deliveries in memory.deliveries.values()
                for each in deliveries
            }
        if not ids:
            return None, {}
        found: dict[str, Copies] = {}
        ever = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
        async for some in self._comparing.unanswered(ever, until, made_since=ever):
            for copy in some:
                at = marks[copy.envelope_id, copy.mailbox]
                if copy.envelope_id not in ids or at is None:
                    continue
                queue = mailbox_queue("urgent" if copy.lane == "urgent" else "normal", copy.mailbox)
                one = Copies(1, int(at < old), at, copy.envelope_id)
                found[queue] = found[queue] + one if queue in found else one
        return ids[-1], found

    async def report(self, found: Sequence[Finding], at: dt.datetime) -> tuple[list[Finding], list[Finding]]:
        """Note all that is wrong now."""
        async with self._alone():
            now = {(each.cause, each.subject): each for each in found}
            new = [each for place, each in sorted(now.items()) if place not in self._open]
            healed = [
                replace(each, healed_at=at, healed="itself") for place, each in self._open.items() if place not in now
            ]
            self._open = {**{place: each for place, each in self._open.items() if place in now}, **now}
            self._healed += healed
        return new, healed

    async def heal(self, findings: Sequence[Finding], at: dt.datetime) -> None:
        """Note what the auditor healed."""
        async with self._alone():
            for each in findings:
                if (was := self._open.pop((each.cause, each.subject), None)) is not None:
                    self._healed.append(replace(was, healed_at=at, healed="auditor"))

    async def findings(self, *, open: bool = True, limit: int = 100) -> tuple[Finding, ...]:  # noqa: A002
        """List findings."""
        async with self._alone():
            return tuple(reversed([*self._open.values()] if open else self._healed))[:limit]


def _untold(memory: Memory, before: dt.datetime) -> list[tuple[str, str]]:
    return [
        key
        for key, each in memory.notices.items()
        if each.published_at is None and each.attempts >= 2 and time_of(key[0]) < before  # noqa: PLR2004 - tried twice
    ]
