"""What the auditor is composed of: the store, and the broker's management API as the account that sets it up."""

import asyncio
import datetime as dt
import os

from axis.broker import ManagementApi, vhost_of
from axis.settings import Service, Settings
from axis.store import Store
from workers.auditor import Auditor
from workers.metrics import Metrics
from workers.runtime import configure_logging, every, stop_on_signals
from workers.view import utc_now
from workers.watchdog import watch

NAME: Service = "auditor"
_GIVES_WAY = 10  # nice(2): whoever moves documents goes first


async def work(settings: Settings) -> None:
    """Run it until SIGTERM or SIGINT."""
    os.nice(_GIVES_WAY)
    log = configure_logging(settings, NAME)
    metrics = Metrics(NAME)
    async with (
        stop_on_signals(log) as stop,
        Store.connect(settings.database_of(NAME), name="axis auditor", connections=2) as store,
        ManagementApi(
            settings.rabbitmq_api_url.get_secret_value(), vhost_of(settings.amqp_url.get_secret_value())
        ) as api,
    ):
        auditor = Auditor(
            store=store,
            broker=api,
            patience=dt.timedelta(minutes=settings.stuck_minutes),
            relay_period=dt.timedelta(seconds=settings.relay_seconds),
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
                group.create_task(every(settings.watch_seconds, auditor.look, stop=stop, log=log))
                group.create_task(auditor.count())
        finally:
            watching.cancel()
        log.info("stopped")
