"""Logging in at an OpenID provider and coming back; logging out there too.

What has to be remembered meanwhile is one random value in a cookie of the browser that left: state, nonce and the
verifier of PKCE are derived from it, so that whoever comes back is the one who left, and nobody else's code counts.
"""

import base64
import hmac
import secrets
from dataclasses import replace

import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from axis.console.access.provider import OpenIdProvider, ProviderFailed
from axis.console.access.sessions import address_of, begin, cookie_name
from axis.console.desk import Desk, desk_of
from axis.console.guarding import Origins
from axis.console.paths import ours
from axis.core.identity import role_of
from axis.core.operators import Operator
from axis.errors import Refused
from axis.web.problems import HttpRefused

LEAVE, RETURN, LEFT = "/login/provider", "/login/provider/return", "/login/provider/left"
_COOKIE = "axis-leaving"
_SECONDS = 600
_MOST_CODE = 4_000
_BY = "console"  # who changes what the provider says otherwise


async def leave(request: Request) -> Response:
    """Send a browser to the provider."""
    provider, origins = _provider(request), request.app.state.origins
    secret = secrets.token_urlsafe(32)
    address = await provider.address(
        state=_derived(secret, "state"),
        nonce=_derived(secret, "nonce"),
        verifier=_derived(secret, "verifier"),
        back=_address(request, origins, RETURN),
    )
    response = RedirectResponse(address, 303)
    to = base64.urlsafe_b64encode(ours(request.query_params.get("to")).encode()).decode("ascii").rstrip("=")
    _remember(response, origins, f"{secret}.{to}")
    return response


async def come_back(request: Request) -> Response:
    """Log in whom the provider names."""
    provider, origins, desk = _provider(request), request.app.state.origins, desk_of(request)
    secret, to = _remembered(request, origins)
    asked = request.query_params
    if not hmac.compare_digest(asked.get("state", "").encode(), _derived(secret, "state").encode()):
        raise Refused("console/forged", "The login was begun by another browser, or long ago.")
    code = asked.get("code", "")
    if "error" in asked or not 0 < len(code) <= _MOST_CODE:
        said = [asked.get(name, "")[:200] for name in ("error", "error_description")]
        raise ProviderFailed(f"It sends somebody back with {said!r}")
    claims = await provider.claims(
        code,
        nonce=_derived(secret, "nonce"),
        verifier=_derived(secret, "verifier"),
        back=_address(request, origins, RETURN),
    )
    given = role_of(claims, provider.settings)
    if given is None:
        structlog.get_logger(part="login").info("no role", subject=claims["sub"])
        raise Refused("console/provider-role")
    role, agency = given
    name = claims.get(provider.settings.name_claim)
    subject = str(claims["sub"])
    wanted = Operator(
        login=f"oidc:{subject}",  # no login that is typed has a colon
        name=name if isinstance(name, str) and name.strip() else subject,
        role=role,
        code=agency,
        issuer=provider.settings.issuer,
        subject=subject,
    )
    operator = await _known(desk, wanted)
    response = RedirectResponse(to, 303)
    address = address_of(request, desk.settings.console_proxies)
    await begin(request, response, desk, operator, means="oidc", password=None, address=address)
    _remember(response, origins, None)
    return response


async def part(request: Request, issuer: str | None) -> Response:
    """Answer somebody who has logged out here and had come from a provider: sent there, or told what goes on there.

    A page that leads on, and no redirect: browsers hold what a form is redirected to against `form-action` too.
    """
    desk, origins = desk_of(request), request.app.state.origins
    secret, address, outcome = secrets.token_urlsafe(32), None, "none"
    if desk.provider is not None and desk.provider.settings.issuer == issuer:
        try:
            address = await desk.provider.end_address(
                state=_derived(secret, "end"), back=_address(request, origins, LEFT)
            )
        except ProviderFailed as error:
            structlog.get_logger(part="login").warning("logged out here alone", code=error.code, detail=error.detail)
            outcome = "failed"
    if address is not None:
        outcome = "going"
    # Who chooses another language is led to the login: the address of this page takes forms only.
    response = desk.rendering.page(
        request, "parting.html", reader=None, outcome=outcome, address=address, here="/login", asked={}
    )
    _remember(response, origins, None if address is None else f"{secret}.")
    return response


async def left(request: Request) -> Response:
    """Tell who comes back from logging out at the provider; whoever did not leave from here is told nothing."""
    _provider(request)
    origins = request.app.state.origins
    try:
        secret, _ = _remembered(request, origins)
    except Refused:
        return RedirectResponse("/login", 303)
    if not hmac.compare_digest(request.query_params.get("state", "").encode(), _derived(secret, "end").encode()):
        return RedirectResponse("/login", 303)
    response = desk_of(request).rendering.page(request, "parting.html", reader=None, outcome="done", address=None)
    _remember(response, origins, None)
    return response


async def _known(desk: Desk, wanted: Operator) -> Operator:
    """Return the account of somebody, as the provider says it now; raise Refused console/login when it is closed."""
    operators = desk.store.operators
    found = await operators.find_subject(wanted.issuer or "", wanted.subject or "")
    if found is None:
        if not await operators.add(wanted, None, by=_BY):
            raise Refused("console/account", f"{wanted.login}: another provider's.")
        return wanted
    if found.closed_at is not None:
        raise Refused("console/login", "The account is closed.")
    after = replace(found, name=wanted.name, role=wanted.role, code=wanted.code)
    if after != found:
        await operators.change(after, by=_BY)
    return after


def _provider(request: Request) -> OpenIdProvider:
    provider = desk_of(request).provider
    if provider is None:
        raise HttpRefused("http/address")
    return provider


def _derived(secret: str, what: str) -> str:
    digest = hmac.digest(secret.encode("ascii"), f"axis console {what}".encode("ascii"), "sha256")
    return base64.urlsafe_b64encode(digest).decode("ascii").rstrip("=")


def _address(request: Request, origins: Origins, path: str) -> str:
    """Return where the provider sends the browser to; the host was checked."""
    host = request.headers["host"].lower()
    return f"{'https' if origins.secure else 'http'}://{host}{path}"


def _remember(response: Response, origins: Origins, value: str | None) -> None:
    # `lax`: the provider's redirect is a navigation from elsewhere, and has to bring it along.
    response.set_cookie(
        cookie_name(origins, _COOKIE),
        value or "",
        max_age=0 if value is None else _SECONDS,
        path="/",
        secure=origins.secure,
        httponly=True,
        samesite="lax",
    )


def _remembered(request: Request, origins: Origins) -> tuple[str, str]:
    value = request.cookies.get(cookie_name(origins, _COOKIE), "")
    secret, _, to = value.partition(".")
    if not secret.isascii() or len(secret) < 43:  # noqa: PLR2004 - 256 bits, base64url
        raise Refused("console/forged", "The login was begun by another browser, or long ago.")
    try:
        path = base64.urlsafe_b64decode(to + "=" * (-len(to) % 4)).decode()
    except ValueError:
        path = "/"
    return secret, ours(path)
