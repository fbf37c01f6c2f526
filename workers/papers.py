"""Looking at the signatures inside stored PDFs, once each, beside the way of documents.

Nothing waits for it: not an upload, not a route, not a delivery. It is a process of its own with rights of its own (it
writes one table), gives way to every other process on the machine, and looks at each file in a child that can be given
up (axis.signatures.pdf). What it finds is a fact for operators; recipients look for themselves, with whom they trust.
"""

import asyncio
import datetime as dt
import os
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from functools import partial
from pathlib import Path

from axis.blobs import Blobs
from axis.blobs.store import Corrupted
from axis.errors import NotFound, Unavailable
from axis.settings import Service, Settings
from axis.signatures.pdf import MAX_BYTES, look_at
from axis.signatures.trust import Trust
from axis.signatures.verdict import Standing, Verdict
from axis.store import PaperStore, Store, WaitingPaper
from workers.metrics import Metrics
from workers.runtime import Log, configure_logging, every, stop_on_signals
from workers.view import utc_now
from workers.watchdog import watch

NAME: Service = "papers"
Look = Callable[[Path, dt.datetime, Trust], Awaitable[Verdict]]

_AT_ONCE = 50
_SECONDS = 10.0
_NEWS = dt.timedelta(days=1)  # how far each look goes back
# An envelope may be made a month before it is sent; so far back the first look goes, and one each hour.
_OLD = dt.timedelta(days=32)
_OLD_SECONDS = 3_600.0
_PATIENCE = 240  # seconds: who gives way to all others may have to wait for a processor; its own time is limited more
_GIVES_WAY = 19  # nice(2): what no other process wants


class Papers:
    """Look at what nobody has looked at; `look` takes a file, since when it is known to be here, and whom to trust.

    What could not be looked at is tried again a few times, what was not trusted when `trusted` says something else.
    """

    def __init__(
        self,
        *,
        store: PaperStore,
        blobs: Blobs,
        look: Look,
        trusted: Callable[[], Trust],
        now: Callable[[], dt.datetime],
        stop: asyncio.Event,
        log: Log,
        metrics: Metrics,
    ) -> None:
        self._store = store
        self._blobs = blobs
        self._look = look
        self._trusted = trusted
        self._now = now
        self._stop = stop
        self._log = log
        self._metrics = metrics

    async def work(self, back: dt.timedelta = _NEWS) -> None:
        """Look at all that waits; raise Unavailable when store, blob store or the disk is away, to be called again."""
        trust = await asyncio.to_thread(self._trusted)
        while not self._stop.is_set():
            waiting = await self._store.waiting(self._now() - back, _AT_ONCE, trust.name)
            for paper in waiting:
                if self._stop.is_set():
                    return
                try:
                    verdict = await self._verdict(paper, trust)
                except OSError as error:  # no place for the file, or none for the process: not the file's fault
                    raise Unavailable(f"looking at {paper.sha256}: {error}") from error
                await self._store.keep(paper.sha256, verdict.as_json(), trust.name)
                self._metrics.paper(verdict.standing.value)
                self._log.info("looked at", sha256=paper.sha256, standing=verdict.standing.value)
            if len(waiting) < _AT_ONCE:
                return

    async def _verdict(self, paper: WaitingPaper, trust: Trust) -> Verdict:
        if paper.size > MAX_BYTES:
            return Verdict(Standing.NOT_LOOKED_AT, detail=f"{paper.size} bytes are over the limit of {MAX_BYTES}")
        handle, name = await asyncio.to_thread(tempfile.mkstemp, suffix=".pdf")
        part = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                _, pieces = await self._blobs.get(paper.sha256)
                async with aclosing(pieces):
                    async for piece in pieces:
                        await asyncio.to_thread(file.write, piece)
            return await self._look(part, paper.recorded_at, trust)
        except (NotFound, Corrupted) as error:
            return Verdict(Standing.NOT_LOOKED_AT, detail=error.detail[:300])
        finally:
            await asyncio.to_thread(part.unlink, missing_ok=True)


async def work(settings: Settings) -> None:
    """Run it until SIGTERM or SIGINT."""
    os.nice(_GIVES_WAY)
    log = configure_logging(settings, NAME)
    metrics = Metrics(NAME)

    async def look(path: Path, at: dt.datetime, trust: Trust) -> Verdict:
        return await look_at(path, trust=trust, at=at, patience=_PATIENCE)

    async with (
        stop_on_signals(log) as stop,
        Store.connect(settings.database_of(NAME), name="axis papers", connections=1) as store,
    ):
        papers = Papers(
            store=store.papers,
            blobs=Blobs.open(settings.blobs),
            look=look,
            trusted=partial(Trust.load, settings.trusted),
            now=utc_now,
            stop=stop,
            log=log,
            metrics=metrics,
        )
        port = metrics.serve(settings.metrics_host, settings.metrics_port)
        log.info("ready", metrics=f"http://{settings.metrics_host}:{port}/metrics")
        watching = asyncio.create_task(watch(settings.stuck_seconds))
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(every(_SECONDS, papers.work, stop=stop, log=log))
                group.create_task(every(_OLD_SECONDS, lambda: papers.work(_OLD), stop=stop, log=log))
        finally:
            watching.cancel()
        log.info("stopped")
