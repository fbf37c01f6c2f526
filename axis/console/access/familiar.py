"""Browsers that an account was logged in with before: strangers who guess its password do not lock these out.

A cookie says so: a random number, and its authentication under the hash of the password that was proved. Nothing is
kept of it, nobody without that hash makes one, and it ends with the password. It opens nothing: who has it types the
password like anybody else, and wrong ones are counted for the cookie itself (OWASP, “device cookies”).
"""

import hashlib
import hmac
import secrets

from starlette.requests import Request
from starlette.responses import Response

from axis.console.access.sessions import cookie_name
from axis.console.guarding import Origins

_SECONDS = 90 * 24 * 3600
_LONGEST = 200


def remember_browser(response: Response, origins: Origins, login: str, hashed: str) -> None:
    """Let the browser be known from now on as one that this account was logged in with."""
    nonce = secrets.token_urlsafe(18)
    response.set_cookie(
        _name(origins, login),
        f"{nonce}.{_proof(login, nonce, hashed)}",
        max_age=_SECONDS,
        path="/",
        secure=origins.secure,
        httponly=True,
        samesite="strict",
    )


def familiar_key(request: Request, origins: Origins, login: str, hashed: str | None) -> str | None:
    """Return for which key wrong passwords of a familiar browser are counted; None: it is none to this account."""
    said = request.cookies.get(_name(origins, login), "")
    nonce, _, proof = said.partition(".")
    if hashed is None or not said.isascii() or len(said) > _LONGEST:
        return None
    if not hmac.compare_digest(proof, _proof(login, nonce, hashed)):
        return None
    return f"browser:{hashlib.sha256(nonce.encode('ascii')).hexdigest()}"


def _name(origins: Origins, login: str) -> str:
    # One for each account: who has two of them in one browser is known for both. A login may be no name of a cookie.
    return cookie_name(origins, f"axis-known-{hashlib.sha256(login.encode()).hexdigest()[:16]}")


def _proof(login: str, nonce: str, hashed: str) -> str:
    return hmac.digest(hashed.encode(), f"axis console browser {nonce} {login}".encode(), "sha256").hex()
