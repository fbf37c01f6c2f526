"""What every request has to be, and what every answer says to the browser."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from axis.errors import AxisError, Refused
from axis.web.headers import wrong

HEADER_BYTES = 16 * 1024
HEALTH_PATH = "/health"
SAFE_METHODS = frozenset({"GET", "HEAD"})
# Nothing but our own files runs or colours anything; no page is framed; no form goes elsewhere.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_SAID = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # `no-referrer` would make browsers say `Origin: null` with our own forms.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
_HSTS = "max-age=31536000"


@dataclass(frozen=True, slots=True)
class Origins:
    """Where browsers reach this console: scheme, host and port, as they say it in `Origin` and in `Host`."""

    names: frozenset[str]

    @classmethod
    def of(cls, url: str | None, host: str, port: int, *, tls: bool) -> Self:
        """Take the address that was given, else the host and the port listened on; loopback has three names."""
        if url is not None:
            return cls(frozenset({url.rstrip("/").lower()}))
        scheme = "https" if tls else "http"
        hosts = {host.lower()}
        if host in {"127.0.0.1", "::1", "localhost"}:
            hosts |= {"127.0.0.1", "localhost"}
        written = (f"[{each}]" if ":" in each else each for each in hosts)
        default = 443 if tls else 80
        return cls(frozenset(f"{scheme}://{each}" + ("" if port == default else f":{port}") for each in written))

    @property
    def secure(self) -> bool:
        """Whether browsers come over TLS."""
        return all(name.startswith("https:") for name in self.names)

    @property
    def hosts(self) -> frozenset[str]:
        """What `Host` may say."""
        return frozenset(urlsplit(name).netloc for name in self.names)

    def check(self, headers: Headers) -> None:
        """Raise Refused console/forged for a request that does not say that it comes from one of our own pages.

        Every browser says so with a form: Origin since 2020 at the latest, Sec-Fetch-Site since 2023.
        """
        origin, site = headers.get("origin"), headers.get("sec-fetch-site")
        if origin is None and site is None:
            raise Refused("console/forged", "The browser did not say which page the request comes from.")
        if origin is not None and origin.lower() not in self.names:
            raise Refused("console/forged", "The request comes from another origin.")
        if site is not None and site != "same-origin":
            raise Refused("console/forged", "The request comes from another site.")


class Guarded:
    """Wrap the application: refuse what is not meant for us, and tell browsers what an answer may do."""

    def __init__(
        self, app: ASGIApp, *, origins: Origins, refuse: Callable[[Request, AxisError], Awaitable[Response]]
    ) -> None:
        self._app = app
        self._origins = origins
        self._hosts = origins.hosts
        self._refuse = refuse
        self._said = dict(_SAID) | ({"strict-transport-security": _HSTS} if origins.secure else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application, or refuse."""

        async def saying(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(self._said)
                headers.setdefault("cache-control", "no-store")
            await send(message)

        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        error = self._wrong(scope["path"], Headers(scope=scope))
        if error is None:
            await self._app(scope, receive, saying)
            return
        response = await self._refuse(Request(scope), error)
        response.headers["connection"] = "close"
        await response(scope, receive, saying)

    def _wrong(self, path: str, headers: Headers) -> AxisError | None:
        hosts = headers.getlist("host")
        # Whoever looks after processes asks by their address, and is told nothing but that it works.
        if path == HEALTH_PATH:
            return wrong(headers, HEADER_BYTES)
        if len(hosts) != 1 or hosts[0].lower() not in self._hosts:
            return Refused("console/host")
        return wrong(headers, HEADER_BYTES)
