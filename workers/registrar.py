"""The registrar: keeps the register (axis.core.register), which is what people search, list and count in.

    take      what was touched, a batch at a time: triggers note it in the transaction that changed it
    decide    how each envelope is registered now, and what that changes in the counts
    write     register, counts and feed, and forget what was touched, in one transaction

Nobody waits for it: it takes no lock that a router wants, and gives way on the machine. A crash leaves everything as it
was before the batch. A second registrar waits for the lock of the first. An envelope that cannot be registered, a
fault of ours, is logged and left out; it keeps nobody else back.
"""

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable, Sequence

from axis.core.deadlines import Calendar, Deadlines, DocumentFacts, Pause, Targets, deadlines
from axis.core.register import Reckon, register
from axis.core.registration import Registered, Subject
from axis.errors import Unavailable
from axis.store import RegisterStore
from workers.metrics import Metrics
from workers.runtime import Log

_BATCH = 500
_CALENDAR_FOR = dt.timedelta(minutes=1)


class Registrar:
    """Bring the register up to what the store has committed; `calendar` says which days are worked, as of now."""

    def __init__(
        self,
        *,
        store: RegisterStore,
        calendar: Callable[[], Awaitable[Calendar]],
        targets: Targets,
        feed_for: dt.timedelta,
        now: Callable[[], dt.datetime],
        stop: asyncio.Event,
        log: Log,
        metrics: Metrics,
    ) -> None:
        self._store = store
        self._calendar = calendar
        self._targets = targets
        self._feed_for = feed_for
        self._now = now
        self._stop = stop
        self._log = log
        self._metrics = metrics
        self._known: tuple[dt.datetime, Calendar] | None = None

    async def keep(self) -> None:
        """Register all that was touched; raise Unavailable when the store is away, to be called again."""
        try:
            reckon = await self._reckon()
            while not self._stop.is_set():
                try:
                    count = await self._store.keep(_BATCH, lambda subjects: self._decide(subjects, reckon))
                except Unavailable:
                    raise
                except Exception as error:  # noqa: BLE001 - whatever one envelope is like, the others are registered
                    self._log.exception("batch not registered", exc_info=error)
                    count = await self._one_by_one(reckon)
                if not count:
                    break
        except Unavailable:
            self._metrics.away(away=True)
            raise
        self._metrics.away(away=False)

    async def look(self) -> None:
        """Tell what has become late, and how far the register is behind."""
        while await self._store.tell_late(self._now()) and not self._stop.is_set():
            pass
        self._metrics.register(*await self._store.lag())

    async def prune(self) -> None:
        """Forget what can be followed no longer."""
        if gone := await self._store.prune(self._now() - self._feed_for):
            self._log.info("pruned the feed", items=gone)

    def _decide(self, subjects: Sequence[Subject], reckon: Reckon) -> list[Registered]:
        registered = []
        for subject in subjects:
            try:
                registered.append(register(subject, reckon))
            except Exception as error:  # noqa: BLE001 - as above
                self._left_out(subject, error)
        return registered

    async def _one_by_one(self, reckon: Reckon) -> int:
        """Register a batch change by change, and leave out what the database does not take."""
        for number in range(_BATCH):
            taken: list[Subject] = []

            def decide(subjects: Sequence[Subject], taken: list[Subject] = taken) -> list[Registered]:
                taken.extend(subjects)
                return self._decide(subjects, reckon)

            try:
                count = await self._store.keep(1, decide)
            except Unavailable:
                raise
            except Exception as error:  # noqa: BLE001 - as above
                for subject in taken:
                    self._left_out(subject, error)
                count = await self._store.keep(1, lambda _: ())
            if not count or self._stop.is_set():
                return number
        return _BATCH

    def _left_out(self, subject: Subject, error: Exception) -> None:
        self._log.error("not registered", id=subject.tracked.envelope.id, exc_info=error)

    async def _reckon(self) -> Reckon:
        if self._known is None or self._now() - self._known[0] >= _CALENDAR_FOR:
            self._known = self._now(), await self._calendar()
        calendar = self._known[1]

        def reckon(document: DocumentFacts, pauses: tuple[Pause, ...]) -> Deadlines:
            return deadlines(document, pauses, calendar, self._targets)

        return reckon
