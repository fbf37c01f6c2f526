"""The console as a process."""

import asyncio
import contextlib
import datetime as dt
from collections.abc import AsyncIterator, Callable

import httpx
import structlog

from axis.broker import ManagementApi, vhost_of
from axis.console.access.provider import SECONDS, OpenIdProvider
from axis.console.app import create_app
from axis.console.desk import Desk
from axis.console.guarding import HEADER_BYTES, Origins
from axis.console.live import Streams
from axis.console.metrics import Counted, Metrics
from axis.errors import Unavailable
from axis.settings import Settings
from axis.store import OperatorStore, Store
from axis.tls import Credentials
from axis.web.certificate import ServerCertificate
from axis.web.limits import Limits
from axis.web.serving import listen, serve_on

LIMITS = Limits(header_bytes=HEADER_BYTES, shutdown_seconds=5)
_FORGET_EVERY = dt.timedelta(minutes=10)


async def run(settings: Settings, announce: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT. `announce` is called with the address once requests are answered."""
    tls = _certificate(settings)
    broker = ManagementApi(settings.rabbitmq_api_url.get_secret_value(), vhost_of(settings.amqp_url.get_secret_value()))
    async with (
        Store.connect(settings.database_of("console"), name="axis console") as store,
        broker,
        _provider(settings) as provider,
    ):
        listener = listen(settings.console_host, settings.console_port)
        host, port = listener.getsockname()[:2]
        origins = Origins.of(settings.console_url, host, port, tls=tls is not None)
        streams = Streams()
        desk = Desk(store=store, settings=settings, now=_utc_now, management=broker, provider=provider, streams=streams)
        metrics = Metrics(lambda: streams.open)
        app = Counted(create_app(desk, origins), metrics)
        told = settings.console_url or next(name for name in sorted(origins.names) if host in name)

        def ready(host: str, port: int) -> None:
            page = (
                f"http://{settings.metrics_host}:{metrics.serve(settings.metrics_host, settings.metrics_port)}/metrics"
            )
            structlog.get_logger(part="console").info("listening", host=host, port=port, metrics=page)
            announce(told)

        def ending() -> None:
            streams.end()
            desk.groups.end()

        async with asyncio.TaskGroup() as group:
            # Not among those that are cancelled: it ends by itself, between two messages.
            group.create_task(desk.groups.work(store, _utc_now))
            background = [
                *([group.create_task(tls.follow())] if tls is not None else []),
                group.create_task(_forget(store.operators)),
            ]
            await serve_on(listener, app, LIMITS, ready, tls=tls, ending=ending)
            desk.groups.end()  # however it ended
            for task in background:
                task.cancel()


@contextlib.asynccontextmanager
async def _provider(settings: Settings) -> AsyncIterator[OpenIdProvider | None]:
    if settings.console_oidc is None:
        yield None
        return
    context = Credentials(settings.console_oidc_ca).context()
    async with httpx.AsyncClient(verify=context, timeout=SECONDS) as client:
        yield OpenIdProvider(settings.console_oidc, settings.console_oidc_secret, client, _utc_now)


def _certificate(settings: Settings) -> ServerCertificate | None:
    if settings.console_certificate is None or settings.console_key is None:
        return None
    return ServerCertificate(settings.console_certificate, settings.console_key, None)


async def _forget(operators: OperatorStore) -> None:
    log = structlog.get_logger(part="forgetting")
    while True:
        try:
            await operators.forget(_utc_now())
        except Unavailable as error:
            log.warning("waiting", code=error.code, detail=error.detail)
        await asyncio.sleep(_FORGET_EVERY.total_seconds())


def _utc_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
