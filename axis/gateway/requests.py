"""What a request must be before anybody looks at what it wants."""

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from axis.gateway.observing import entry_of
from axis.gateway.problems import HttpRefused, problem

_FIELD_OVERHEAD = 4  # colon, space, line end


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


def wrong(headers: Headers, header_bytes: int) -> HttpRefused | None:
    """Say what is wrong with a request's headers."""
    # A proxy that believes the one and we the other see different requests (RFC 9112 section 6.1): smuggling.
    if "content-length" in headers and "transfer-encoding" in headers:
        return HttpRefused("http/length")
    # The server below bounds only headers that come in pieces.
    size = sum(len(name) + len(value) + _FIELD_OVERHEAD for name, value in headers.raw)
    if size > header_bytes:
        return HttpRefused("http/headers", f"The limit is {header_bytes} bytes.")
    return None
