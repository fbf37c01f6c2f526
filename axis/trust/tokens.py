"""Bearer tokens for the gateway: signed by the agency's key, good for one method and one path, for a minute.

A stolen token repeats the one request it was made for, with any query: it reads what that agency may read there, for as
long as it lives, and changes nothing that was not asked for, since blobs and webhooks are named by their content.
"""

import datetime as dt
import json
import re
from typing import Any

from axis.core.admission import check_signer
from axis.core.messages import Signer
from axis.errors import Refused
from axis.trust import encoding, jws
from axis.trust.keyring import Keyring
from axis.trust.keys import SigningKey
from schemas.base import CODE_PATTERN

TYPE = "axis-token"
AUDIENCE = "axis-gateway"
LIFE_SECONDS = 60
MAX_LIFE_SECONDS = 120
LEEWAY_SECONDS = 30  # clocks are set by the axis, but not to the second
_MAX_CHARACTERS = 4096
_HEADER = frozenset({"alg", "typ", "x5t#S256"})
_CLAIMS = {"iss": str, "aud": str, "iat": int, "exp": int, "htm": str, "htu": str}
_MAX_CODE_CHARACTERS = 35
_CODE = re.compile(CODE_PATTERN.removesuffix("$"))


def issue_token(key: SigningKey, *, code: str, method: str, path: str, now: dt.datetime) -> str:
    """Make the token for one request of an agency; `path` as it goes over the wire."""
    issued = int(now.timestamp())
    claims = {"iss": code, "aud": AUDIENCE, "iat": issued, "exp": issued + LIFE_SECONDS, "htm": method, "htu": path}
    payload = json.dumps(claims, ensure_ascii=False, separators=(",", ":")).encode()
    return key.sign_compact({"typ": TYPE}, payload)


def verify_token(token: str, keyring: Keyring, *, method: str, path: str, now: dt.datetime) -> str:
    """Return the code a token was made for; raises as `read_token`."""
    return read_token(token, keyring, method=method, path=path, now=now)[0]


def read_token(token: str, keyring: Keyring, *, method: str, path: str, now: dt.datetime) -> tuple[str, Signer]:
    """Return the code a token was made for and who made it; raise Refused token/*, signature/* or certificate/*.

    The certificate must be enrolled for that code or above it.
    """
    if not token:
        raise Refused("token/missing")
    if len(token) > _MAX_CHARACTERS:
        raise Refused("token/invalid", f"{len(token)} characters")
    parts = token.split(".")
    if len(parts) != 3:  # noqa: PLR2004 - header, payload, signature
        raise Refused("token/invalid", "not a compact JWS")
    segment, payload, encoded = parts
    header = jws.read_header(segment, members=_HEADER)
    if header["typ"] != TYPE:
        # A signature made for something else must never pass as a token, nor the other way round.
        raise Refused("token/invalid", "typ is not axis-token")
    thumbprint = jws.read_thumbprint(header["x5t#S256"])
    signed = f"{segment}.{payload}".encode("ascii", errors="replace")
    signer = keyring.check(thumbprint, header["alg"], jws.signature_bytes(encoded), signed, now)
    claims = _claims(payload)
    _check_times(claims, now)
    for claim, wanted in (("aud", AUDIENCE), ("htm", method), ("htu", path)):
        if claims[claim] != wanted:
            raise Refused("token/invalid", f"{claim} is not this request's")
    code = str(claims["iss"])
    if len(code) > _MAX_CODE_CHARACTERS or not _CODE.fullmatch(code):
        # It becomes an account in the store and in the log: “H37.” and anything after it stands below H37 too.
        raise Refused("token/invalid", "iss is not a code in its canonical form")
    check_signer(code, signer)
    return code, signer


def _claims(payload: str) -> dict[str, Any]:
    try:
        claims = json.loads(encoding.decode(payload).decode("utf-8"), object_pairs_hook=jws.unique)
    except (ValueError, RecursionError) as error:
        raise Refused("token/invalid", "the claims are not JSON") from error
    if not isinstance(claims, dict) or claims.keys() != _CLAIMS.keys():
        raise Refused("token/invalid", f"the claims must be exactly {', '.join(_CLAIMS)}")
    for name, kind in _CLAIMS.items():
        if type(claims[name]) is not kind:
            raise Refused("token/invalid", f"{name} is not of its type")
    return claims


def _check_times(claims: dict[str, Any], now: dt.datetime) -> None:
    at = now.timestamp()
    if not 0 < claims["exp"] - claims["iat"] <= MAX_LIFE_SECONDS:
        raise Refused("token/invalid", f"it lives longer than {MAX_LIFE_SECONDS} s")
    if at > claims["exp"] + LEEWAY_SECONDS:
        raise Refused("token/invalid", "its time is over")
    if at < claims["iat"] - LEEWAY_SECONDS:
        raise Refused("token/invalid", "it was made in the future: set the clock by the axis")
