"""The gateway as a process."""

import asyncio
import contextlib
import datetime as dt
import functools
import signal
import socket
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Literal

import structlog
import uvicorn
from starlette.applications import Starlette

from axis.blobs import LOG_FOLDER, Blobs, Objects
from axis.errors import Misconfigured, Unavailable
from axis.gateway.app import create_app
from axis.gateway.certificate import ServerCertificate, certificate_of
from axis.gateway.desk import open_desk
from axis.gateway.enrolled import Enrolled
from axis.gateway.forgetting import EVERY, forget_unwanted
from axis.gateway.limits import Limits
from axis.gateway.log import Log
from axis.gateway.protocol import GatewayProtocol
from axis.gateway.quotas import UploadQuotas
from axis.settings import Settings
from axis.store import Store

_SWEEP_EVERY = timedelta(hours=6)
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
    tls = certificate_of(settings)
    async with Store.connect(settings.database_of("gateway"), name="axis gateway") as store:
        await enrolled.load(store.directory)
        quotas = UploadQuotas(store.quotas, enrolled.quota_of)
        log = Log(log_files, store.log)
        desk = None
        if part != "agencies":
            desk = open_desk(settings, store.partners, lambda: enrolled.directory, _utc_now)
        app = create_app(
            blobs=blobs,
            store=store,
            enrolled=enrolled,
            now=_utc_now,
            limits=limits,
            quotas=quotas,
            log_files=log,
            desk=desk,
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
                *(() if desk is None else (group.create_task(desk.agencies.run()),)),
            ]
            await serve(app, settings.gateway_host, settings.gateway_port, limits, announce, tls=tls)
            for task in background:
                task.cancel()


async def serve(
    app: Starlette,
    host: str,
    port: int,
    limits: Limits,
    announce: Callable[[str, int], None],
    *,
    tls: ServerCertificate | None = None,
) -> None:
    """Answer requests until SIGTERM or SIGINT."""
    listener = listen(host, port)
    server = http_server(app, limits, lambda: announce(*listener.getsockname()[:2]), tls)
    with _signals_consumed():
        await server.serve([listener])


def http_server(
    app: Starlette, limits: Limits, ready: Callable[[], None], tls: ServerCertificate | None = None
) -> uvicorn.Server:
    """Build the HTTP server with every limit that has to be kept below the application."""
    protocol = type("Protocol", (GatewayProtocol,), {"limits": limits})
    config = uvicorn.Config(
        app,
        http=protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=limits.connections,
        h11_max_incomplete_event_size=limits.header_bytes,
        timeout_graceful_shutdown=limits.shutdown_seconds,
    )
    if tls is not None:
        config.load()
        config.ssl = tls.context
    return _Announcing(config, ready, limits.handshake_seconds)


class _Announcing(uvicorn.Server):
    """uvicorn, saying when it is ready, and with a deadline for the handshake of TLS."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None], handshake_seconds: float) -> None:
        super().__init__(config)
        self._ready = ready
        self._handshake_seconds = handshake_seconds

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say so."""
        with _handshakes_within(self._handshake_seconds if self.config.ssl is not None else None):
            await super().startup(sockets)
        self._ready()


@contextlib.contextmanager
def _handshakes_within(seconds: float | None) -> Iterator[None]:
    """Give the servers that are created meanwhile a deadline for handshakes: uvicorn has no word for it.

    asyncio's own is a minute, and whoever opens connections and says nothing would hold each for so long.
    """
    loop = asyncio.get_running_loop()
    before = loop.create_server
    loop.create_server = functools.partial(before, ssl_handshake_timeout=seconds)  # type: ignore[method-assign]
    try:
        yield
    finally:
        loop.create_server = before  # type: ignore[method-assign]


def listen(host: str, port: int) -> socket.socket:
    """Open the port (0: any free one); raise Misconfigured."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=1024)
    except OSError as error:
        raise Misconfigured(f"The gateway cannot listen on {host} port {port}: {error.strerror or error}") from error


@contextlib.contextmanager
def _signals_consumed() -> Iterator[None]:
    """Let the signals that stop uvicorn end there: it raises them again after its own orderly end."""
    before = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


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


def _utc_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
