"""What the console counts, for Prometheus; shown where workers show theirs, not on the address of the pages."""

import time
from collections.abc import Callable

from prometheus_client import Counter, Gauge, Histogram, start_http_server
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from axis.observe import process_registry

_METHODS = frozenset({"GET", "HEAD", "POST"})
_BUCKETS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """The counters of one console; a page is told by its route, so nothing of an address is a label."""

    def __init__(self, streams: Callable[[], int] = lambda: 0) -> None:
        self.registry = process_registry("console")
        self._requests = Counter(
            "axis_console_requests", "Requests answered", ["page", "method", "status"], registry=self.registry
        )
        self._seconds = Histogram(
            "axis_console_request_seconds",
            "From the request to the beginning of the answer: streams stay open for as long as they are watched",
            ["page"],
            buckets=_BUCKETS,
            registry=self.registry,
        )
        live = Gauge("axis_console_streams", "Pages that are live in browsers now", registry=self.registry)
        live.set_function(streams)

    def request(self, page: str, method: str, status: int, seconds: float) -> None:
        """Count one request; `status` 0: there was no answer."""
        self._requests.labels(page, method if method in _METHODS else "other", str(status)).inc()
        self._seconds.labels(page).observe(seconds)

    def serve(self, host: str, port: int) -> int:
        """Serve /metrics in a thread of its own and return the port taken."""
        server, _ = start_http_server(port, host, registry=self.registry)
        return int(server.server_port)


class Counted:
    """Wrap the application: every request is counted when its answer begins, or when it ends without one."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application and note how it answers."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, counted = time.perf_counter(), False

        def count(status: int) -> None:
            nonlocal counted
            if not counted:
                counted = True
                page = getattr(scope.get("route"), "path", "other")
                self._metrics.request(page, scope["method"], status, time.perf_counter() - started)

        async def observed(message: Message) -> None:
            if message["type"] == "http.response.start":
                count(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, observed)
        finally:
            count(0)
