"""What a worker that takes messages is composed of."""

import asyncio
import contextlib
import datetime as dt
from collections.abc import AsyncIterator
from dataclasses import dataclass

from axis.broker import Consumer, Link, Publisher
from axis.core.admission import IdWindow
from axis.core.decisions import Desk
from axis.observe import Traces, open_traces
from axis.settings import Service, Settings
from axis.store import Store
from axis.trust import SigningKey
from workers.consuming import consume
from workers.metrics import Metrics
from workers.post import Post
from workers.quotas import SETTLE_SECONDS, Quotas
from workers.runtime import Handler, Log, configure_logging, every, stop_on_signals
from workers.suspects import Suspects
from workers.view import View, utc_now


@dataclass(frozen=True, slots=True)
class Context:
    """Everything a worker is composed of."""

    settings: Settings
    log: Log
    metrics: Metrics
    traces: Traces
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
        return Post(
            store=self.store,
            publisher=Publisher(link),
            view=self.view,
            log=self.log,
            metrics=self.metrics,
            traces=self.traces,
        )

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
async def context_of(worker: Service, settings: Settings) -> AsyncIterator[Context]:
    """Connect a worker to everything, and say that it is ready."""
    log = configure_logging(settings, worker)
    metrics = Metrics(worker)
    key = SigningKey.load(settings.axis_key, settings.key)
    async with (
        stop_on_signals(log) as stop,
        Store.connect(settings.database_of(worker), name=f"axis {worker}") as store,
        Link(settings.worker_url, f"axis {worker} consuming") as consuming,
        contextlib.AsyncExitStack() as links,
    ):
        traces = links.enter_context(
            open_traces(worker, settings.traces_url, ratio=settings.traces_ratio, came=metrics.trace_header)
        )
        view = View(store, log, settings.mailbox_limit, settings.quota, hybrid_required=settings.hybrid_required)
        await view.load()
        desk = Desk(now=utc_now, sign=key.sign, has_mailbox=view.has_mailbox)
        # Only now: who waits for the page waits for a worker that can work.
        port = metrics.serve(settings.metrics_host, settings.metrics_port)
        log.info("ready", metrics=f"http://{settings.metrics_host}:{port}/metrics")
        suspects, quotas = Suspects(store.suspects, log), Quotas(store.quotas, view.quota_of, utc_now)
        yield Context(settings, log, metrics, traces, stop, store, consuming, links, view, desk, suspects, quotas)
        log.info("stopped")
