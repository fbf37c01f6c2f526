"""One HTTP server, with every limit that has to be kept below the application."""

import asyncio
import contextlib
import functools
import signal
import socket
from collections.abc import Callable, Iterator

import uvicorn
from starlette.types import ASGIApp

from axis.errors import Misconfigured
from axis.web.certificate import ServerCertificate
from axis.web.limits import Limits
from axis.web.protocol import WebProtocol


async def serve(
    app: ASGIApp,
    host: str,
    port: int,
    limits: Limits,
    announce: Callable[[str, int], None],
    *,
    tls: ServerCertificate | None = None,
) -> None:
    """Answer requests until SIGTERM or SIGINT."""
    await serve_on(listen(host, port), app, limits, announce, tls=tls)


async def serve_on(
    listener: socket.socket,
    app: ASGIApp,
    limits: Limits,
    announce: Callable[[str, int], None],
    *,
    tls: ServerCertificate | None = None,
    ending: Callable[[], None] = lambda: None,
) -> None:
    """Answer requests on an open port until SIGTERM or SIGINT; `ending` is called then, before answers are awaited."""
    server = http_server(app, limits, lambda: announce(*listener.getsockname()[:2]), tls, ending)
    with _signals_consumed():
        await server.serve([listener])


def http_server(
    app: ASGIApp,
    limits: Limits,
    ready: Callable[[], None],
    tls: ServerCertificate | None = None,
    ending: Callable[[], None] = lambda: None,
) -> uvicorn.Server:
    """Build the HTTP server with every limit that has to be kept below the application."""
    protocol = type("Protocol", (WebProtocol,), {"limits": limits})
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
    return _Announcing(config, ready, limits.handshake_seconds, ending)


class _Announcing(uvicorn.Server):
    """uvicorn, saying when it is ready and when it ends, and with a deadline for the handshake of TLS."""

    def __init__(
        self,
        config: uvicorn.Config,
        ready: Callable[[], None],
        handshake_seconds: float,
        ending: Callable[[], None],
    ) -> None:
        super().__init__(config)
        self._ready = ready
        self._handshake_seconds = handshake_seconds
        self._ending = ending

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say so."""
        with _handshakes_within(self._handshake_seconds if self.config.ssl is not None else None):
            await super().startup(sockets)
        self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Say so, so that answers without an end end; then wait for those that have one."""
        self._ending()
        await super().shutdown(sockets)


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
        raise Misconfigured(f"Cannot listen on {host} port {port}: {error.strerror or error}") from error


@contextlib.contextmanager
def _signals_consumed() -> Iterator[None]:
    """Let the signals that stop uvicorn end there: it raises them again after its own orderly end."""
    before = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
