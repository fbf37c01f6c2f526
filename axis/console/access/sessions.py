"""Sessions: a random token in a cookie, of which the store has the digest."""

import datetime as dt
import hashlib
import hmac
import ipaddress
import secrets
from collections.abc import Collection
from typing import Literal

from starlette.requests import Request
from starlette.responses import Response

from axis.console.desk import Desk
from axis.console.guarding import Origins
from axis.console.language import language_of
from axis.console.reader import Reader
from axis.core.operators import LONGEST, Operator, Session
from axis.errors import Refused

_TOKEN_CHARACTERS = 43  # 256 bits, base64url


def cookie_name(origins: Origins, name: str = "axis") -> str:
    """Name a cookie; with `__Host-` (RFC 6265bis section 4.1.3) no neighbour under the same domain can set it."""
    return f"__Host-{name}" if origins.secure else name


def token_of(request: Request, origins: Origins) -> str | None:
    """Return the token in a request's cookie, if there is one that could be."""
    token = request.cookies.get(cookie_name(origins))
    return token if token is not None and len(token) == _TOKEN_CHARACTERS and token.isascii() else None


def digest(token: str) -> bytes:
    """Return what the store knows a token by."""
    return hashlib.sha256(token.encode("ascii")).digest()


def csrf_of(token: str) -> str:
    """Derive what forms of a session carry: whoever has not got the cookie cannot know it."""
    return hmac.digest(token.encode("ascii"), b"axis console form", "sha256").hex()


async def reader_of(request: Request, desk: Desk, origins: Origins, *, used: bool = True) -> Reader | None:
    """Return who is logged in with the cookie of a request; None: nobody."""
    token = token_of(request, origins)
    found = None if token is None else await desk.store.operators.session(digest(token), desk.now(), used=used)
    if token is None or found is None:
        return None
    operator, _ = found
    return Reader(
        login=operator.login,
        name=operator.name,
        role=operator.role,
        code=operator.code,
        language=language_of(request),
        csrf=csrf_of(token),
        must_change_password=operator.temporary,
    )


def check_csrf(reader: Reader, said: str) -> None:
    """Raise Refused console/forged for a form that is not of this session."""
    if not hmac.compare_digest(reader.csrf.encode(), said.encode("utf-8", "replace")):
        raise Refused("console/forged", "The form is of another session, or of none.")


async def begin(
    request: Request,
    response: Response,
    desk: Desk,
    operator: Operator,
    *,
    means: Literal["password", "oidc"],
    password: str | None,
    address: str,
) -> None:
    """Log somebody in: a new token, whatever the browser had before; `password`: the hash that was proved.

    Raises Refused console/login for an account that was closed, or has another password, by now.
    """
    origins: Origins = request.app.state.origins
    now = desk.now()
    if (before := token_of(request, origins)) is not None:
        await desk.store.operators.end(digest(before))
    token = secrets.token_urlsafe(32)
    session = Session(digest(token), operator.login, now, now, address, means)
    if not await desk.store.operators.begin(session, password):
        raise Refused("console/login")
    await desk.store.audit(operator.login, "console.login", operator.login, {"address": address, "means": means})
    set_cookie(response, origins, token)


def set_cookie(response: Response, origins: Origins, token: str | None) -> None:
    """Give the browser the token, or take it away."""
    response.set_cookie(
        cookie_name(origins),
        token or "",
        max_age=0 if token is None else int(LONGEST / dt.timedelta(seconds=1)),
        path="/",
        secure=origins.secure,
        httponly=True,
        samesite="lax",
    )


def address_of(request: Request, proxies: Collection[str]) -> str:
    """Return the address somebody asks from; a proxy of ours is believed who it forwards for."""
    asks = request.client.host if request.client is not None else "unknown"
    if asks in proxies:
        forwarded = request.headers.getlist("x-forwarded-for")
        last = forwarded[-1].rpartition(",")[2].strip() if forwarded else ""
        try:
            return str(ipaddress.ip_address(last))
        except ValueError:
            return asks
    return asks


def address_key(address: str) -> str:
    """Name an address for counting: who has one address of IPv6 has 2^64 of them."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return f"address:{address}"
    return f"address:{known if known.version == 4 else ipaddress.ip_network((known, 64), strict=False)}"  # noqa: PLR2004 - IPv4
