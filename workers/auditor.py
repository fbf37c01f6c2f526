"""The auditor: looks at every queue, compares it with the store, says what is wrong, and heals what is safe.

    look      each AXIS_WATCH_SECONDS: one listing of the queues; what is missing of them is made again at the second
              look that misses it, so that nobody's work in between is disturbed
    compare   a pass through the store beside it, page by page and without hurry; judged at the next look
    heal      what is safe to do twice: a queue or binding is made again, what is unmarked is handed to the relay at
              once. Everything else is named, with the command that a person may run

A crash costs one look: what is noted is what stands in the store, and the next look finds the same again. Several
auditors at once note the same.
"""

import asyncio
import datetime as dt
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from axis.core.broker_objects import Binding
from axis.core.topology import Change, places
from axis.core.watching import (
    Arrivals,
    Cause,
    Copies,
    Counted,
    Finding,
    Kind,
    MailboxWatch,
    QueueCount,
    absent,
    aged,
    compare,
    is_judged,
    judge,
    look,
    not_there,
)
from axis.errors import Misconfigured, Unavailable
from axis.store import Pile, Store
from workers.metrics import Metrics
from workers.runtime import Log, stopped_within

_ACTOR = "auditor"
_HASTENED = 10_000  # at once; what is left is hastened when it is found again
_RELAY_PERIODS = 5
_PAUSE = 4  # times as long as a page took: a fifth of one database connection at most
_LEAST_PAUSE_SECONDS = 0.01
_REST_SECONDS = 60.0  # between two passes
_TOPOLOGY = dt.timedelta(minutes=1)  # all bindings are a long list


class Broker(Protocol):
    """What the auditor asks of the management API."""

    async def queue_counts(self) -> list[QueueCount]:
        """Return the numbers of every queue."""

    async def bindings(self) -> list[Binding]:
        """Return what binds queues to exchanges."""

    async def apply(self, changes: Sequence[Change], progress: Callable[[str], None]) -> None:
        """Make what is missing."""


class Auditor:
    """Watch, compare, say and heal."""

    def __init__(
        self,
        *,
        store: Store,
        broker: Broker,
        patience: dt.timedelta,
        relay_period: dt.timedelta,
        now: Callable[[], dt.datetime],
        stop: asyncio.Event,
        log: Log,
        metrics: Metrics,
    ) -> None:
        self._store = store
        self._broker = broker
        self._patience = patience
        self._unmarked_after = _RELAY_PERIODS * relay_period
        self._now = now
        self._stop = stop
        self._log = log
        self._metrics = metrics
        self._watches: dict[str, MailboxWatch] | None = None  # None: not read yet, or another's work may stand there
        self._missed: dict[str, dt.datetime] = {}  # what is not there -> the first look that missed it
        self._compared_at: dt.datetime | None = None  # with what the directory demands
        self._counted: Counted | None = None  # the last whole pass
        self._arrivals: dict[str, Arrivals] = {}

    async def look(self) -> None:
        """Look at everything once; raise Unavailable when store or broker is away, to be called again."""
        before = self._watches
        if before is None:
            before = {each.queue: each for each in await self._store.watches.watches()}
        counts, at = await self._broker.queue_counts(), self._now()
        watches = {count.queue: look(before.get(count.queue), count, at) for count in counts}
        known = self._arrivals
        self._arrivals = {name: known.get(name) or Arrivals(each.oldest_at) for name, each in watches.items()}
        for count in counts:
            oldest = self._arrivals[count.queue].oldest(count, at)
            watches[count.queue] = replace(watches[count.queue], oldest_at=oldest)
        if self._counted is not None:
            watches.update({each.queue: each for each in aged(watches.values(), self._counted)})
        self._watches = None
        changed = [each for name, each in watches.items() if _differs(before.get(name), each)]
        await self._store.watches.seen(changed, before.keys() - watches.keys(), at)
        self._watches = watches
        lacking = await self._lacking(watches, at)
        unmarked = await self._store.watches.unmarked(at - self._unmarked_after)
        held = await self._store.watches.held(at - self._patience)
        found = [
            *judge(watches.values(), held, unmarked, patience=self._patience),
            *([] if self._counted is None else compare(self._counted, watches, unmarked)),
            *(not_there(change, self._missed[change.name]) for change in lacking),
        ]
        await self._report(found, lacking, at)
        self._metrics.mailboxes(each for each in watches.values() if is_judged(each))
        self._metrics.findings({kind.value: _pile(found, kind) for kind in Kind})

    async def count(self, rest_seconds: float = _REST_SECONDS) -> None:
        """Pass through the store again and again until told to stop."""
        while not self._stop.is_set():
            try:
                await self._pass()
            except Unavailable as error:
                self._log.warning("waiting", code=error.code, detail=error.detail)
            if await stopped_within(self._stop, rest_seconds):
                return

    async def _pass(self) -> None:
        if not self._watches:
            return  # nothing to compare with
        begun, watches = self._now(), dict(self._watches)
        if any(begun - each.seen_at > self._patience for each in watches.values()):
            return  # the broker is away: numbers of then say nothing about now
        copies: dict[str, Copies] = {}
        after: str | None = None
        while not self._stop.is_set():
            started = time.monotonic()
            after, some = await self._store.watches.copies(after, begun, begun - self._patience)
            for queue, found in some.items():
                copies[queue] = copies[queue] + found if queue in copies else found
            if after is None:
                self._counted = Counted(begun, watches, copies)
                self._log.debug("compared", queues=len(copies), seconds=(self._now() - begun).total_seconds())
                return
            if await stopped_within(self._stop, max(_PAUSE * (time.monotonic() - started), _LEAST_PAUSE_SECONDS)):
                return

    async def _lacking(self, watches: dict[str, MailboxWatch], at: dt.datetime) -> tuple[Change, ...]:
        recently = self._compared_at is not None and at - self._compared_at < _TOPOLOGY
        if recently and not self._missed:
            return ()
        self._compared_at = at
        wanted = places(await self._store.watches.mailboxes(at))
        changes = absent(wanted, watches, await self._broker.bindings())
        self._missed = {change.name: self._missed.get(change.name, at) for change in changes}
        return changes

    async def _report(self, found: Sequence[Finding], lacking: Sequence[Change], at: dt.datetime) -> None:
        new, healed = await self._store.watches.report(found, at)
        for finding in new:
            self._log.warning("found", kind=finding.kind.value, subject=finding.subject, detail=finding.detail)
        for finding in healed:
            self._log.info("healed by itself", kind=finding.kind.value, subject=finding.subject)
        if any(finding.cause in {Cause.UNMARKED, Cause.UNTOLD} for finding in new):
            count = await self._store.watches.hasten(at - self._unmarked_after, _HASTENED)
            await self._healed("auditor.hasten", Kind.STUCK, {"count": count})
        if due := [change for change in lacking if self._missed[change.name] < at]:
            await self._make(due, at)

    async def _make(self, changes: Sequence[Change], at: dt.datetime) -> None:
        """Make queues and bindings again, if our account may."""
        try:
            await self._broker.apply(changes, lambda _: None)
        except (Misconfigured, Unavailable) as error:
            self._log.warning("not healed", code=error.code, detail=error.detail, remedy="axis topology apply")
            return
        await self._healed(
            "auditor.make", Kind.TOPOLOGY, {"made": [f"{change.kind} {change.name}" for change in changes]}
        )
        await self._store.watches.heal([not_there(change, at) for change in changes], at)
        for change in changes:
            del self._missed[change.name]

    async def _healed(self, action: str, kind: Kind, detail: dict[str, object]) -> None:
        await self._store.audit(_ACTOR, action, kind.value, detail)
        self._metrics.healed(kind.value)
        self._log.warning("healed", action=action, **detail)


def _pile(found: Sequence[Finding], kind: Kind) -> Pile:
    times = [finding.since for finding in found if finding.kind is kind]
    return Pile(len(times), min(times, default=None))


def _differs(before: MailboxWatch | None, now: MailboxWatch) -> bool:
    """Say whether anything changed but the time of the look, which stands once for all."""
    return before is None or any(
        getattr(before, name) != getattr(now, name) for name in MailboxWatch.__slots__ if name != "seen_at"
    )
