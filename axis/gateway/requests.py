"""What a request must be before anybody looks at what it wants."""

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from axis.gateway.observing import entry_of
from axis.web.headers import wrong
from axis.web.problems import problem


class Plain:
    """Pass on requests that mean the same to everybody on the way; refuse the others and close."""

    def __init__(self, app: ASGIApp, *, header_bytes: int) -> None:
        self._app = app
        self._header_bytes = header_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application, or refuse."""
        error = wrong(Headers(scope=scope), self._header_bytes)
        if error is None:
            await self._app(scope, receive, send)
            return
        entry = entry_of(Request(scope))
        entry.code, entry.detail = error.code, error.detail
        await problem(error, close=True)(scope, receive, send)
