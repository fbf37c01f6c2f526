"""What the registrar is composed of: the store, in its own role."""

import asyncio
import datetime as dt
import os

from axis.catalogue.workdays import workdays
from axis.core.workdays import Calendar, read_hours
from axis.settings import Service, Settings
from axis.store import Store
from workers.metrics import Metrics
from workers.registrar import Registrar
from workers.runtime import configure_logging, every, stop_on_signals
from workers.view import utc_now
from workers.watchdog import watch

NAME: Service = "registrar"
_GIVES_WAY = 10  # nice(2): whoever moves documents goes first
_LOOK_SECONDS = 5.0
_PRUNE_SECONDS = 3_600.0


async def work(settings: Settings) -> None:
    """Run it until SIGTERM or SIGINT."""
    os.nice(_GIVES_WAY)
    log = configure_logging(settings, NAME)
    metrics = Metrics(NAME)
    async with (
        stop_on_signals(log) as stop,
        Store.connect(settings.database_of(NAME), name="axis registrar", connections=2) as store,
    ):

        async def calendar() -> Calendar:
            return workdays(await store.workdays.overrides(), utc_now().year, read_hours(settings.working_hours))

        registrar = Registrar(
            store=store.register,
            calendar=calendar,
            targets=settings.targets,
            feed_for=dt.timedelta(days=settings.feed_days),
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
                group.create_task(every(settings.register_seconds, registrar.keep, stop=stop, log=log))
                group.create_task(every(_LOOK_SECONDS, registrar.look, stop=stop, log=log))
                group.create_task(every(_PRUNE_SECONDS, registrar.prune, stop=stop, log=log))
        finally:
            watching.cancel()
        log.info("stopped")
