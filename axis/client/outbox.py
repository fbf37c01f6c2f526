"""Everything an agency publishes goes through here: kept on disk first, sent until the broker has confirmed it."""

import asyncio
import contextlib
import datetime as dt
import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import replace

from axis.client.ledger import Entry, Ledger
from axis.client.papers import Paper
from axis.client.transport import Publishes
from axis.core.messages import Outgoing
from axis.errors import Unavailable
from axis.observe import NO_TRACES, Traces, carrying
from schemas import Outcome, Receipt

log = logging.getLogger("axis.client")

_FIRST_WAIT_SECONDS = 0.2
_LONGEST_WAIT_SECONDS = 15.0
_AT_A_TIME = 64
_PATIENCE = dt.timedelta(minutes=10)
_IN_A_SWEEP = 1_000


class Outbox:
    """Send what the ledger holds unconfirmed: at once, and again and again when the broker is away.

    Crash or cut at any point sends the same bytes under the same id again, and the axis answers the repeat with the
    same receipt; so a lost confirm never makes a second document.
    """

    def __init__(
        self,
        ledger: Ledger,
        publisher: Publishes,
        *,
        account: str,
        now: Callable[[], dt.datetime],
        traces: Traces = NO_TRACES,
    ) -> None:
        self._traces = traces
        self._ledger = ledger
        self._publisher = publisher
        self._account = account
        self._now = now
        self._sending: set[str] = set()
        self._work = asyncio.Event()
        self._swept = asyncio.Event()
        self._changed = asyncio.Condition()

    async def submit(self, entry: Entry, *, papers: Sequence[Paper] = ()) -> Entry:
        """Keep an entry and what is remembered of it, then send it once; return it as it stands then.

        Without `confirmed_at` it stays in the ledger and is sent again until it is confirmed. Raises Unavailable only
        when it cannot be kept.
        """
        (sent,) = await self.send(await self._ledger.write(entries=[entry], papers=papers))
        return sent

    async def send(self, kept: Sequence[Entry]) -> list[Entry]:
        """Send entries of the ledger that are not confirmed; return all of them as they stand then."""
        sent = await self._send(kept)
        if any(entry.confirmed_at is None for entry in sent):
            self._work.set()
        return sent

    async def postpone(self, entry_id: str, seconds: float) -> bool:
        """Send an entry again after so many seconds, and not before; say whether it is one of ours."""
        known = await self._ledger.postpone(entry_id, self._now() + dt.timedelta(seconds=seconds))
        if known:
            log.info("%s is over a limit of ours and will be sent again after %g s", entry_id, seconds)
            self._work.set()
        return known

    async def heard(self, receipt: Receipt) -> None:
        """Send what waited for the receipt of an envelope of ours, or give it up when that was refused."""
        if receipt.message_id is None:
            return
        if receipt.outcome is Outcome.REFUSED:
            await self._ledger.give_up(receipt.message_id, self._now())
        else:
            await self._ledger.unblock(receipt.message_id)
            self._work.set()

    async def outlook(self, about: str) -> str:
        """Say what is to be expected of a message that has no receipt yet."""
        times = [entry.not_before for entry in await self._ledger.entries(about=about) if entry.not_before]
        if not times:
            return "it will come among the notices"
        until = min(times).isoformat(timespec="seconds")
        return f"it was over a limit: it is kept and sent again by itself from {until} on, do not send it anew"

    async def wait_confirmed(self, about: str) -> None:
        """Wait until nothing about an envelope is left to send."""
        while await self._ledger.entries(about=about, limit=1):
            async with self._changed:
                await self._changed.wait()

    async def wait_swept(self, seconds: float) -> None:
        """Wait until everything that was left from before has been tried once, but not longer than this.

        So that it gets a chance to go out also from processes that live for one document.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._swept.wait()

    async def run(self) -> None:
        """Send what is left from before, and what could not be sent at once, until cancelled."""
        wait = _FIRST_WAIT_SECONDS
        while True:
            self._work.clear()
            left = await self._sweep()
            self._swept.set()
            if not left:
                wait = _FIRST_WAIT_SECONDS
                await self._wait_for_work()
            # Also after being woken: the send that woke us has failed a moment ago.
            await asyncio.sleep(wait * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, not a secret
            wait = min(wait * 2, _LONGEST_WAIT_SECONDS)

    async def _wait_for_work(self) -> None:
        """Wait until there is something to send, or until something postponed is due.

        Never for long: another process that shares the ledger may leave work, and says so to nobody here.
        """
        seconds = _LONGEST_WAIT_SECONDS
        with contextlib.suppress(Unavailable):
            if (due := await self._ledger.next_due()) is not None:
                seconds = min(seconds, max(0.0, (due - self._now()).total_seconds()))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._work.wait()

    async def _sweep(self) -> bool:
        """Send everything unconfirmed that is due; say whether anything of that is left."""
        try:
            # A receipt that another ledger got is not waited for for ever; the axis knows what to do with what it gets.
            await self._ledger.unblock(None, confirmed_before=self._now() - _PATIENCE)
            waiting = await self._ledger.entries(due=self._now(), limit=_IN_A_SWEEP)
            left = len(waiting) == _IN_A_SWEEP
            for start in range(0, len(waiting), _AT_A_TIME):
                sent = await self._send(waiting[start : start + _AT_A_TIME])
                confirmed = [entry.confirmed_at is not None for entry in sent]
                left = left or not all(confirmed)
                if not any(confirmed):
                    break  # the broker is away: the rest would only wait for its deadline too
        except Unavailable as error:
            log.warning("outbox: %s", error)
            return True
        return left

    async def _send(self, kept: Sequence[Entry]) -> list[Entry]:
        ids = {entry.id for entry in kept}
        async with self._changed:
            await self._changed.wait_for(lambda: self._sending.isdisjoint(ids))
            self._sending |= ids
        try:
            # Read again, by writing what is there: whoever was sending these may have had them confirmed.
            now = await self._ledger.write(entries=kept)
            return await self._publish(now)
        finally:
            self._sending -= ids
            async with self._changed:
                self._changed.notify_all()

    def _traced(self, entry: Entry, spans: contextlib.ExitStack) -> Outgoing:
        """Build the publish: a document begins a trace or goes on with the caller's, a status with its document's.

        What is sent again by the same process stays in its trace.
        """
        known = self._traces.recall(entry.about)
        message = entry.outgoing(self._account)
        if entry.kind == "status" and known is None:
            return message
        name = "send" if entry.kind == "document" else "report"
        context = spans.enter_context(self._traces.span(name, parent=known, message=entry.id))
        if entry.kind == "document":
            self._traces.remember(entry.about, context)
        return carrying(message, context)

    async def _publish(self, entries: Sequence[Entry]) -> list[Entry]:
        now = self._now()
        due = [entry for entry in entries if entry.confirmed_at is None and entry.is_due(now)]
        if not due:
            return list(entries)
        with contextlib.ExitStack() as spans:
            outcomes = await self._publisher.publish_many([self._traced(entry, spans) for entry in due])
        confirmed: dict[str, Entry] = {}
        at = self._now()
        for entry, outcome in zip(due, outcomes, strict=True):
            if outcome is None:
                confirmed[entry.id] = entry
            else:
                log.warning("%s %s is kept and will be sent again: %s", entry.kind, entry.id, outcome)
        if confirmed:
            await self._ledger.confirm(list(confirmed.values()), at)
        return [replace(entry, confirmed_at=at) if entry.id in confirmed else entry for entry in entries]
