"""The gateway as a process."""

import asyncio
import datetime as dt
from collections.abc import Callable
from datetime import timedelta
from typing import Literal

import structlog

from axis.blobs import LOG_FOLDER, Blobs, Objects
from axis.errors import Unavailable
from axis.gateway.api import AgencyApi
from axis.gateway.app import create_app
from axis.gateway.desk import Desk, open_desk
from axis.gateway.enrolled import Enrolled
from axis.gateway.forgetting import EVERY, forget_unwanted
from axis.gateway.log import Log
from axis.gateway.quotas import UploadQuotas
from axis.settings import Settings
from axis.store import Store
from axis.web.certificate import ServerCertificate
from axis.web.limits import Limits
from axis.web.serving import serve

_SWEEP_EVERY = _FORGET_EVERY = timedelta(hours=6)
# Far longer than Limits.chunk_seconds: no running upload leaves its file alone for that long.
_SWEEP_OLDER_THAN = timedelta(hours=1)


Part = Literal["all", "agencies", "desk"]


async def run(settings: Settings, announce: Callable[[str, int], None], part: Part = "all") -> None:
    """Serve until SIGTERM or SIGINT; running transfers are given time to end.

    `announce` is called with host and port once requests are answered. `part`: what agencies use (blobs, certificates,
    the log), the desk for existing document systems, or both. Those systems have secrets and no certificates: the desk
    alone asks for none.
    """
    if part == "desk":
        settings = settings.model_copy(update={"gateway_client_ca": None})
    limits = Limits(blob_bytes=settings.max_blob_bytes, redirect_seconds=settings.blobs_redirect_seconds)
    blobs = Blobs.open(settings.blobs)
    log_files = Objects.open(settings.blobs, LOG_FOLDER)
    enrolled = Enrolled(default=settings.quota)
    tls = _certificate(settings)
    async with Store.connect(settings.database_of("gateway"), name="axis gateway") as store:
        await enrolled.load(store.directory)
        quotas = UploadQuotas(store.quotas, enrolled.quota_of)
        log = Log(log_files, store.log)
        desk = None
        if part != "agencies":
            desk = open_desk(settings, store.partners, lambda: enrolled.directory, _utc_now)
        api = None if part == "desk" else AgencyApi(store, enrolled, _utc_now, settings.destinations)
        app = create_app(
            blobs=blobs,
            store=store,
            enrolled=enrolled,
            now=_utc_now,
            limits=limits,
            quotas=quotas,
            log_files=log,
            desk=desk,
            api=api,
            desk_only=part == "desk",
        )
        async with asyncio.TaskGroup() as group:
            background = [
                *([group.create_task(tls.follow())] if tls is not None else []),
                group.create_task(enrolled.follow(store.directory)),
                *(
                    ()
                    if part == "desk"
                    else (group.create_task(_sweep(blobs)), group.create_task(_forget(store, blobs)))
                ),
                *(
                    ()
                    if desk is None
                    else (
                        group.create_task(desk.agencies.run()),
                        group.create_task(_forget_finished(desk, timedelta(days=settings.partner_keep_days))),
                    )
                ),
            ]
            await serve(app, settings.gateway_host, settings.gateway_port, limits, announce, tls=tls)
            for task in background:
                task.cancel()


def _certificate(settings: Settings) -> ServerCertificate | None:
    if settings.gateway_certificate is None or settings.gateway_key is None:
        return None
    return ServerCertificate(
        settings.gateway_certificate, settings.gateway_key, settings.gateway_client_ca, settings.gateway_client_crl
    )


async def _sweep(blobs: Blobs) -> None:
    log = structlog.get_logger(part="sweep")
    while True:
        try:
            removed = await blobs.sweep(_SWEEP_OLDER_THAN)
        except Unavailable as error:
            log.warning("waiting", code=error.code, detail=error.detail)
        else:
            log.info("swept", removed=removed)
        await asyncio.sleep(_SWEEP_EVERY.total_seconds())


async def _forget(store: Store, blobs: Blobs) -> None:
    log = structlog.get_logger(part="forgetting")
    while True:
        try:
            await forget_unwanted(store.blobs, blobs)
        except Unavailable as error:
            log.warning("waiting", code=error.code, detail=error.detail)
        await asyncio.sleep(EVERY.total_seconds())


async def _forget_finished(desk: Desk, keep: timedelta) -> None:
    log = structlog.get_logger(part="forgetting")
    while True:
        try:
            gone = await desk.forget(_utc_now() - keep)
        except (Unavailable, OSError) as error:
            log.warning("waiting", detail=str(error))
        else:
            log.info("forgotten", incoming=gone.incoming, outgoing=gone.outgoing, files=gone.files)
        await asyncio.sleep(_FORGET_EVERY.total_seconds())


def _utc_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
