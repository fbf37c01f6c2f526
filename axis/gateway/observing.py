"""One log line and one count for each request."""

import time
from dataclasses import dataclass

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.typing import FilteringBoundLogger

from axis.gateway.metrics import Metrics

_QUIET = frozenset({"health", "metrics"})
_BLOB_STATUSES = frozenset({200, 206})  # every other body is a problem or an acknowledgement
_ENTRY = "axis.entry"


@dataclass(slots=True)
class Entry:
    """What is known about a request so far; the handlers fill it in."""

    route: str = "other"
    account: str | None = None
    subject: str | None = None  # the digest or thumbprint asked about
    code: str = ""
    detail: str | None = None
    received: int = 0
    sent: int = 0
    status: int = 0
    complete: bool = False


def entry_of(request: Request) -> Entry:
    """Return the entry of this request."""
    entry: Entry = request.scope[_ENTRY]
    return entry


class Observed:
    """Wrap the application: every request ends in the log and in the metrics, however it ends."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics, log: FilteringBoundLogger) -> None:
        self._app = app
        self._metrics = metrics
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application and note how it answers."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        entry = scope[_ENTRY] = Entry()
        started = time.perf_counter()

        async def observed(message: Message) -> None:
            await send(message)
            if message["type"] == "http.response.start":
                entry.status = message["status"]
            elif message["type"] == "http.response.body":
                entry.sent += len(message.get("body", b""))
                entry.complete = not message.get("more_body", False)

        try:
            await self._app(scope, receive, observed)
        finally:
            self._finish(entry, scope["method"], time.perf_counter() - started)

    def _finish(self, entry: Entry, method: str, seconds: float) -> None:
        self._metrics.request(route=entry.route, method=method, status=entry.status, code=entry.code, seconds=seconds)
        if entry.route == "blob":
            self._metrics.moved("in", entry.received)
            self._metrics.moved("out", entry.sent if entry.status in _BLOB_STATUSES else 0)
        if entry.status >= 500:  # noqa: PLR2004 - HTTP's number
            write = self._log.error
        elif entry.code or not entry.complete:
            write = self._log.warning
        else:
            write = self._log.debug if entry.route in _QUIET else self._log.info
        write(
            "request",
            method=method,
            route=entry.route,
            subject=entry.subject,
            account=entry.account,
            status=entry.status,
            complete=entry.complete,
            code=entry.code or None,
            detail=entry.detail,
            received=entry.received,
            sent=entry.sent,
            ms=round(seconds * 1000, 1),
        )
