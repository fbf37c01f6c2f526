"""OpenID Connect: what is asked of a provider, and what is believed of its answers.

Authorization code with PKCE (RFC 7636, S256), state and nonce. The ID token is believed when a key of the provider
signed it, and issuer, audience, nonce and times are as they have to be (OpenID Connect Core 1.0, section 3.1.3.7).
Logging out is begun here too (OpenID Connect RP-Initiated Logout 1.0), without the ID token as a hint: none is kept.
Whatever the provider sends is bounded in size, and in time; redirects are not followed.
"""

import asyncio
import base64
import datetime as dt
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import quote, urlencode, urlsplit

import httpx
import orjson
import structlog
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from pydantic import SecretStr

from axis.core.identity import Provider
from axis.errors import AxisError
from axis.tls import is_loopback

ALGORITHMS = ("RS256", "PS256", "ES256", "Ed25519")
SECONDS = 10.0
MOST_BYTES = 256 * 1024
_KEPT = dt.timedelta(minutes=10)
_SKEW = dt.timedelta(minutes=2)
_OLDEST = dt.timedelta(minutes=10)
_KEYS = frozenset({"RSA", "EC", "OKP"})


class ProviderFailed(AxisError):
    """Report that a provider did not answer as it has to; `detail` is for the log, not for the browser."""

    code = "console/provider"


@dataclass(frozen=True, slots=True)
class _Known:
    """What a provider published, and when it was asked."""

    authorization: str
    token: str
    keys: str
    end: str | None
    key_set: KeySet
    at: dt.datetime


class OpenIdProvider:
    """One provider. `client` has its certificate authorities; it is closed by who made it."""

    def __init__(
        self,
        provider: Provider,
        secret: SecretStr | None,
        client: httpx.AsyncClient,
        now: Callable[[], dt.datetime],
    ) -> None:
        self.settings = provider
        self._secret = secret
        self._client = client
        self._now = now
        self._lock = asyncio.Lock()
        self._known: _Known | None = None

    async def address(self, *, state: str, nonce: str, verifier: str, back: str) -> str:
        """Return where to send a browser; it comes back to `back`. Raises ProviderFailed."""
        known = await self._discovered()
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode("ascii")).digest()).rstrip(b"=")
        asked = {
            "response_type": "code",
            "client_id": self.settings.client_id,
            "redirect_uri": back,
            "scope": self.settings.scope,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge.decode("ascii"),
            "code_challenge_method": "S256",
        }
        return _asking(known.authorization, asked)

    async def end_address(self, *, state: str, back: str) -> str | None:
        """Return where a browser ends its session at the provider, and then comes back to `back`; None: nowhere.

        Raises ProviderFailed.
        """
        known = await self._discovered()
        if known.end is None:
            return None
        asked = {"client_id": self.settings.client_id, "post_logout_redirect_uri": back, "state": state}
        return _asking(known.end, asked)

    async def claims(self, code: str, *, nonce: str, verifier: str, back: str) -> Mapping[str, Any]:
        """Return what the provider says of who came back with a code; raise ProviderFailed."""
        known = await self._discovered()
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": back, "code_verifier": verifier}
        headers = {"accept": "application/json"}
        if self._secret is None:
            form["client_id"] = self.settings.client_id
        else:
            # RFC 6749 section 2.3.1: both are form-encoded before they are put together.
            pair = (quote(each, safe="") for each in (self.settings.client_id, self._secret.get_secret_value()))
            headers["authorization"] = "Basic " + base64.b64encode(":".join(pair).encode()).decode("ascii")
        answer = await self._fetch("POST", known.token, data=form, headers=headers)
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise ProviderFailed("The token endpoint gave no ID token.")
        return self._checked(await self._read(token, known), nonce)

    async def _read(self, token: str, known: _Known) -> dict[str, Any]:
        try:
            return dict(jwt.decode(token, known.key_set, algorithms=ALGORITHMS).claims)
        except InvalidKeyIdError:
            # Its keys have changed since: they are asked for once more, and then it is a wrong token.
            known = await self._discovered(anew=known)
        except (JoseError, ValueError) as error:
            raise ProviderFailed(f"The ID token cannot be read: {error}") from error
        try:
            return dict(jwt.decode(token, known.key_set, algorithms=ALGORITHMS).claims)
        except (JoseError, ValueError) as error:
            raise ProviderFailed(f"The ID token cannot be read: {error}") from error

    def _checked(self, claims: dict[str, Any], nonce: str) -> dict[str, Any]:
        mine, now = self.settings.client_id, self._now().timestamp()
        skew = _SKEW.total_seconds()
        audience = claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        expires, issued, subject = _time(claims.get("exp")), _time(claims.get("iat")), claims.get("sub")
        wrong = [
            name
            for name, fine in (
                ("iss", claims.get("iss") == self.settings.issuer),
                ("aud", mine in audiences),
                ("azp", claims.get("azp", None if len(audiences) > 1 else mine) == mine),
                ("nonce", claims.get("nonce") == nonce),
                ("exp", now < expires + skew),
                ("iat", now - _OLDEST.total_seconds() < issued < now + skew),
                ("sub", isinstance(subject, str) and 0 < len(subject) <= 255 and subject.isprintable()),  # noqa: PLR2004 - Core 1.0, section 2
            )
            if not fine
        ]
        if wrong:
            raise ProviderFailed(f"The ID token is wrong in {', '.join(wrong)}.")
        return claims

    async def _discovered(self, anew: _Known | None = None) -> _Known:
        """Return what the provider publishes, asked for every ten minutes; `anew`: if that is what is known."""
        async with self._lock:
            known, now = self._known, self._now()
            if known is not None and known is not anew and now < known.at + _KEPT:
                return known
            issuer = self.settings.issuer
            told = await self._fetch("GET", f"{issuer.rstrip('/')}/.well-known/openid-configuration")
            if told.get("issuer") != issuer:
                raise ProviderFailed("The provider calls itself otherwise.")
            names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
            authorization, token, keys = (_endpoint(told.get(name), name) for name in names)
            end, key_set = _end(told.get("end_session_endpoint")), _key_set(await self._fetch("GET", keys))
            self._known = _Known(authorization, token, keys, end, key_set, now)
            return self._known

    async def _fetch(self, method: str, url: str, **parts: Any) -> dict[str, Any]:
        try:
            async with (
                asyncio.timeout(SECONDS),
                self._client.stream(method, url, follow_redirects=False, **parts) as response,
            ):
                content = bytearray()
                async for chunk in response.aiter_bytes():
                    content += chunk
                    if len(content) > MOST_BYTES:
                        raise ProviderFailed(f"{url}: more than {MOST_BYTES} bytes.")
            if response.status_code != httpx.codes.OK:
                raise ProviderFailed(f"{url} answers {response.status_code}: {bytes(content[:200])!r}")
            told = orjson.loads(bytes(content))
        except (httpx.HTTPError, TimeoutError, ValueError) as error:
            raise ProviderFailed(f"{url}: {type(error).__name__}: {error}") from error
        if not isinstance(told, dict):
            raise ProviderFailed(f"{url}: no JSON object.")
        return told


def _endpoint(url: object, name: str) -> str:
    if isinstance(url, str):
        try:
            parts = urlsplit(url)
        except ValueError as error:
            raise ProviderFailed(f"{name}: {error}") from error
        if parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or "")):
            return url
    raise ProviderFailed(f"{name}: no https address.")


def _end(url: object) -> str | None:
    """Take the address for logging out, which a provider need not have: nonsense keeps nobody from logging in."""
    if url is None:
        return None
    try:
        return _endpoint(url, "end_session_endpoint")
    except ProviderFailed as error:
        structlog.get_logger(part="login").warning("no logging out at the provider", detail=error.detail)
        return None


def _asking(endpoint: str, asked: Mapping[str, str]) -> str:
    return endpoint + ("&" if urlsplit(endpoint).query else "?") + urlencode(asked)


def _key_set(told: dict[str, Any]) -> KeySet:
    """Take the keys that signatures are made with; those of kinds we do not know are left."""
    keys = told.get("keys")
    known = [
        key
        for key in (keys if isinstance(keys, list) else [])
        if isinstance(key, dict) and key.get("kty") in _KEYS and key.get("use", "sig") == "sig"
    ]
    try:
        return KeySet.import_key_set(cast("Any", {"keys": known}))
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise ProviderFailed(f"The provider's keys cannot be read: {error}") from error


def _time(value: object) -> float:
    """Return a time in seconds; what is none was never."""
    return float("nan") if isinstance(value, bool) or not isinstance(value, int | float) else value
