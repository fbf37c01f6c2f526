"""Who asks: the bearer token of a request."""

import datetime as dt

from starlette.requests import Request

from axis.core.messages import Signer
from axis.errors import Refused
from axis.trust import Keyring, read_token
from axis.web.protocol import CERTIFIED

_LONGEST_TOKEN = 8 * 1024


def account_of(request: Request, keyring: Keyring, now: dt.datetime) -> str:
    """Return the code the token was made for.

    Raises Refused token/…, signature/…, certificate/…, abuse/signer or, where clients have certificates, tls/account.

    The token is bound to the method and to the path as it came over the wire, before any decoding.
    """
    return _read(request, keyring, now)[0]


def owner_of(request: Request, keyring: Keyring, now: dt.datetime) -> str:
    """Return the code the token was made for, by its own key; raises as `account_of`, and Refused api/not-own.

    A key above a code may sign for it, and its documents then say so; it does not read what comes to it.
    """
    account, signer = _read(request, keyring, now)
    if signer.organisation != account:
        raise Refused("api/not-own", f"the key is of {signer.organisation}, the token of {account}")
    return account


def _read(request: Request, keyring: Keyring, now: dt.datetime) -> tuple[str, Signer]:
    values = request.headers.getlist("authorization")
    if not values:
        raise Refused("token/missing")
    scheme, _, token = values[0].partition(" ")
    if len(values) > 1 or scheme.lower() != "bearer" or not token.isascii() or len(token) > _LONGEST_TOKEN:
        raise Refused("token/invalid", "Send one Authorization header: Bearer <token>.")
    path: bytes = request.scope["raw_path"]
    account, signer = read_token(token, keyring, method=request.method, path=path.decode("ascii"), now=now)
    # A token that was stolen opens nothing without the certificate of the one it was stolen from.
    state = request.scope.get("state", {})
    if CERTIFIED in state and state[CERTIFIED] != account:
        raise Refused("tls/account", f"The token is of {account}, the client's certificate of {state[CERTIFIED]}.")
    return account, signer
