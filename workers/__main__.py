"""`python -m workers router|tracker|relay|notary`: one process each, as many of each as are needed."""

import asyncio
import contextlib
import datetime as dt
import os
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

import httpx
import typer

from axis.blobs import LOG_FOLDER, Objects
from axis.broker import Consumer, Link, Publisher
from axis.core.admission import IdWindow
from axis.core.decisions import Desk
from axis.core.lanes import route_queue
from axis.errors import AxisError
from axis.evidence import Refresher, fetching
from axis.proving import NoteSigner
from axis.proving.timestamps import fetch_timestamp
from axis.settings import Settings
from axis.store import Store
from axis.trust import SigningKey
from axis.trust.chains import Authorities
from schemas.wire import QUARANTINE_QUEUE, TRACK_QUEUE
from workers.certificates import Certificates
from workers.consuming import consume
from workers.metrics import Metrics
from workers.notary import Notary, Stamping
from workers.post import Post
from workers.quotas import SETTLE_SECONDS, Quotas
from workers.relay import Relay
from workers.router import Router
from workers.runtime import Handler, Log, configure_logging, every, stop_on_signals
from workers.suspects import Suspects
from workers.tracker import Tracker
from workers.view import View, utc_now
from workers.watchdog import watch

_HOUR_SECONDS = 3_600.0
_TAKING_UP_SECONDS = 1.0
_DAY_SECONDS = 86_400.0
_TSA_DEADLINE_SECONDS = 10.0
_GIVES_WAY = 10  # nice(2): a tenth of the processor time where another wants it


class Worker(StrEnum):
    """The processes of the axis."""

    ROUTER = "router"
    TRACKER = "tracker"
    RELAY = "relay"
    NOTARY = "notary"


@dataclass(frozen=True, slots=True)
class Context:
    """Everything a worker is composed of."""

    settings: Settings
    log: Log
    metrics: Metrics
    stop: asyncio.Event
    store: Store
    consuming: Link
    links: contextlib.AsyncExitStack
    view: View
    desk: Desk
    suspects: Suspects
    quotas: Quotas

    @property
    def window(self) -> IdWindow:
        """How far the time in an id may be from now."""
        return IdWindow(
            dt.timedelta(days=self.settings.id_past_days), dt.timedelta(minutes=self.settings.id_future_minutes)
        )

    async def post(self, what: str) -> Post:
        """Open a connection to publish on; lanes have one each, so that neither queues behind the other."""
        # Alarms at the broker block connections that publish, so consuming has one of its own.
        link = await self.links.enter_async_context(Link(self.settings.worker_url, f"axis {what} publishing"))
        return Post(store=self.store, publisher=Publisher(link), view=self.view, log=self.log, metrics=self.metrics)

    async def consume(self, queue: str, handler: Handler, *, agencies: bool = True) -> None:
        """Take batches from a queue, by default one that agencies write to, until the process is told to stop."""
        size = self.settings.batch_size
        consumer = Consumer(
            self.consuming,
            queue,
            batch=size,
            linger=self.settings.batch_linger_ms / 1000,
            prefetch=3 * size,  # one batch is finished, one handled, one on its way
        )
        await consume(
            consumer,
            queue,
            handler,
            stop=self.stop,
            log=self.log,
            metrics=self.metrics,
            suspects=self.suspects if agencies else None,
            gate=self.quotas.gate if agencies else None,
        )

    async def settle_quotas(self) -> None:
        """Count together with the other processes until told to stop."""
        await every(SETTLE_SECONDS, self.quotas.settle, stop=self.stop, log=self.log)


@contextlib.asynccontextmanager
async def _context(worker: Worker, settings: Settings) -> AsyncIterator[Context]:
    log = configure_logging(settings, worker.value)
    metrics = Metrics(worker.value)
    key = SigningKey.load(settings.axis_key, settings.key)
    async with (
        stop_on_signals(log) as stop,
        Store.connect(settings.database_of(worker.value), name=f"axis {worker.value}") as store,
        Link(settings.worker_url, f"axis {worker.value} consuming") as consuming,
        contextlib.AsyncExitStack() as links,
    ):
        view = View(store, log, settings.mailbox_limit, settings.quota, hybrid_required=settings.hybrid_required)
        await view.load()
        desk = Desk(now=utc_now, sign=key.sign, has_mailbox=view.has_mailbox)
        # Only now: who waits for the page waits for a worker that can work.
        port = metrics.serve(settings.metrics_host, settings.metrics_port)
        log.info("ready", metrics=f"http://{settings.metrics_host}:{port}/metrics")
        suspects, quotas = Suspects(store.suspects, log), Quotas(store.quotas, view.quota_of, utc_now)
        yield Context(settings, log, metrics, stop, store, consuming, links, view, desk, suspects, quotas)
        log.info("stopped")


async def _route(context: Context) -> None:
    if "urgent" not in context.settings.lanes:
        # Another router has the urgent ones: where both share processors it goes first, whatever waits here.
        os.nice(_GIVES_WAY)
    async with asyncio.TaskGroup() as group:
        for lane in context.settings.lanes:
            router = Router(
                store=context.store,
                post=await context.post(f"router {lane}"),
                view=context.view,
                desk=context.desk,
                window=context.window,
                log=context.log,
                metrics=context.metrics,
            )
            group.create_task(context.consume(route_queue(lane), router.handle))
            taking_up = partial(router.take_up, route_queue(lane))
            group.create_task(every(_TAKING_UP_SECONDS, taking_up, stop=context.stop, log=context.log))
        group.create_task(context.settle_quotas())


async def _track(context: Context) -> None:
    tracker = Tracker(
        store=context.store,
        post=await context.post("tracker"),
        view=context.view,
        desk=context.desk,
        window=context.window,
        log=context.log,
        metrics=context.metrics,
    )
    async with asyncio.TaskGroup() as group:
        group.create_task(context.consume(TRACK_QUEUE, tracker.handle))
        group.create_task(context.settle_quotas())


async def _relay(context: Context) -> None:
    seconds = context.settings.relay_seconds
    relay = Relay(
        store=context.store,
        post=await context.post("relay"),
        view=context.view,
        desk=context.desk,
        older_than=dt.timedelta(seconds=seconds),
        now=utc_now,
        log=context.log,
        metrics=context.metrics,
    )
    async with (
        fetching(context.settings.evidence_hosts) as fetch,
        asyncio.TaskGroup() as group,
    ):
        certificates = Certificates(
            store=context.store,
            refresher=Refresher(
                store=context.store,
                authorities=lambda: Authorities.load(context.settings.trusted),
                fetch=fetch,
                policy=context.settings.grace,
                now=utc_now,
                actor="relay",
            ),
            now=utc_now,
            log=context.log,
            metrics=context.metrics,
        )
        group.create_task(every(_HOUR_SECONDS, certificates.warn, stop=context.stop, log=context.log))
        if minutes := context.settings.evidence_minutes:
            group.create_task(every(60 * minutes, certificates.refresh, stop=context.stop, log=context.log))
        group.create_task(every(seconds / 3, relay.sweep, stop=context.stop, log=context.log))
        group.create_task(every(_DAY_SECONDS, relay.keep_partitions, stop=context.stop, log=context.log))
        # The quarantine is the end: what is given up there would be gone.
        group.create_task(context.consume(QUARANTINE_QUEUE, relay.drain_quarantine, agencies=False))


_WORK: dict[Worker, Callable[[Context], Coroutine[None, None, None]]] = {
    Worker.ROUTER: _route,
    Worker.TRACKER: _track,
    Worker.RELAY: _relay,
}


async def _notarise(settings: Settings) -> None:
    """Run the notary: it needs no broker, and holds a key of its own."""
    log = configure_logging(settings, Worker.NOTARY.value)
    metrics = Metrics(Worker.NOTARY.value)
    signers = NoteSigner.load_all(settings.axis_key, settings.log_origin)
    files = Objects.open(settings.blobs, LOG_FOLDER)
    async with (
        stop_on_signals(log) as stop,
        Store.connect(settings.database_of("notary"), name="axis notary", connections=2) as store,
        httpx.AsyncClient(timeout=_TSA_DEADLINE_SECONDS, trust_env=False) as http,
    ):
        notary = Notary(store=store.log, files=files, signers=signers, stop=stop, log=log, metrics=metrics)
        stamp = partial(fetch_timestamp, http, settings.tsa_url or "", deadline=_TSA_DEADLINE_SECONDS)
        stamping = Stamping(store=store.log, files=files, origin=settings.log_origin, stamp=stamp, log=log)
        port = metrics.serve(settings.metrics_host, settings.metrics_port)
        keys = [str(signer.public) for signer in signers]
        log.info("ready", metrics=f"http://{settings.metrics_host}:{port}/metrics", keys=keys)
        watching = asyncio.create_task(watch(settings.stuck_seconds))
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(every(settings.log_seconds, notary.work, stop=stop, log=log))
                if settings.tsa_url is not None:
                    group.create_task(every(settings.tsa_seconds, stamping.work, stop=stop, log=log))
        finally:
            watching.cancel()
        log.info("stopped")


async def run(worker: Worker, settings: Settings) -> None:
    """Run one worker until SIGTERM or SIGINT; what was taken is finished first."""
    if worker is Worker.NOTARY:
        await _notarise(settings)
        return
    async with _context(worker, settings) as context, asyncio.TaskGroup() as group:
        watching = [group.create_task(context.view.watch()), group.create_task(watch(settings.stuck_seconds))]
        await _WORK[worker](context)
        for each in watching:
            each.cancel()


def main(worker: Worker) -> None:
    """Run one process of the axis; settings come from AXIS_… variables or .axis/axis.env."""
    try:
        asyncio.run(run(worker, Settings.load()))
    except AxisError as error:
        sys.stderr.write(f"{worker.value}: {error}\n")
        sys.exit(error.exit_code)


if __name__ == "__main__":
    typer.run(main)
