"""What the notary is composed of: it needs no broker, and holds a key of its own."""

import asyncio
from functools import partial

import httpx

from axis.blobs import LOG_FOLDER, Objects
from axis.proving import NoteSigner
from axis.proving.timestamps import fetch_timestamp
from axis.settings import Service, Settings
from axis.store import Store
from workers.metrics import Metrics
from workers.notary import Notary, Stamping
from workers.runtime import configure_logging, every, stop_on_signals
from workers.watchdog import watch

NAME: Service = "notary"
_TSA_DEADLINE_SECONDS = 10.0


async def work(settings: Settings) -> None:
    """Run it until SIGTERM or SIGINT."""
    log = configure_logging(settings, NAME)
    metrics = Metrics(NAME)
    signers = NoteSigner.load_all(settings.axis_key, settings.log_origin)
    files = Objects.open(settings.blobs, LOG_FOLDER)
    async with (
        stop_on_signals(log) as stop,
        Store.connect(settings.database_of(NAME), name="axis notary", connections=2) as store,
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
