"""Logging in with a password. Nobody is logged in yet, so these pages look after themselves."""

import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from axis.console.access.elsewhere import LEAVE, LEFT, RETURN, come_back, leave, left
from axis.console.access.familiar import familiar_key, remember_browser
from axis.console.access.sessions import address_key, address_of, begin, reader_of
from axis.console.desk import Desk, desk_of
from axis.console.forms import read_form
from axis.console.guarding import Origins
from axis.console.language import language_of
from axis.console.paths import ours
from axis.core.operators import FREE, Operator
from axis.errors import Refused

_MOST_LOGIN = 200


@dataclass(frozen=True, slots=True)
class WayIn:
    """A path that strangers may ask for."""

    path: str
    answer: Callable[[Request], Awaitable[Response]]
    methods: tuple[str, ...] = ("GET",)


def ways_in() -> tuple[WayIn, ...]:
    """List the paths for logging in."""
    return (WayIn("/login", login, ("GET", "POST")), WayIn(LEAVE, leave), WayIn(RETURN, come_back), WayIn(LEFT, left))


async def login(request: Request) -> Response:
    """Show the form, or log in with what was typed."""
    desk, origins = desk_of(request), request.app.state.origins
    if request.method == "POST":
        return await _enter(request, desk, origins)
    to = ours(request.query_params.get("to"))
    if await reader_of(request, desk, origins) is not None:
        return RedirectResponse(to, 303)
    return desk.rendering.page(
        request,
        "login.html",
        reader=None,
        to=to,
        login="",
        problem=None,
        wait=0,
        provider=desk.provider is not None,
        changed="changed" in request.query_params,
    )


async def _enter(request: Request, desk: Desk, origins: Origins) -> Response:
    origins.check(request.headers)
    form = await read_form(request)
    login = form.one("login", most=_MOST_LOGIN)
    password = form.secret("password")
    to = ours(form.one("to", "/"))
    address = address_of(request, desk.settings.console_proxies)
    try:
        operator, hashed = await _prove(request, login, password, address)
    except Refused as error:
        response = desk.rendering.page(
            request,
            "login.html",
            reader=None,
            language=language_of(request),
            status=429 if error.retry_after else 401,
            to=to,
            login=login,
            problem=error.reason,
            wait=error.retry_after or 0,
            provider=desk.provider is not None,
            changed=False,
        )
        response.headers["axis-code"] = error.code
        if error.retry_after:
            response.headers["retry-after"] = str(error.retry_after)
        return response
    response = RedirectResponse("/password" if operator.temporary else to, 303)
    await begin(request, response, desk, operator, means="password", password=hashed, address=address)
    remember_browser(response, origins, operator.login, hashed)
    return response


async def _prove(request: Request, login: str, password: str, address: str) -> tuple[Operator, str]:
    """Return whose login and password these are, and the hash that was proved.

    Raises Refused console/login or console/locked. An account that is not there takes as long, is
    counted and is locked as one that is: nobody learns which are.
    """
    desk, log = desk_of(request), structlog.get_logger(part="login")
    operators = desk.store.operators
    found = await operators.find(login)
    operator, hashed = (None, None) if found is None else found
    # Wrong passwords of a browser that is known to the account are its own, whoever else guesses from wherever:
    # otherwise a stranger who tries the moment a wait is over keeps everybody out of an account for ever.
    own = familiar_key(request, request.app.state.origins, login, hashed)
    account, place = (f"account:{login}", address_key(address)) if own is None else (own, own)
    counted, wait = await operators.attempt({account, place}, desk.now())
    if wait:
        log.info("locked", address=address, seconds=wait.total_seconds())
        raise Refused("console/locked", retry_after=math.ceil(wait.total_seconds()))
    usable = operator is not None and operator.closed_at is None
    fits = await desk.passwords.fits(password, hashed if usable else None)
    if operator is not None and hashed is not None and fits:
        await operators.forgive(account, place)
        return operator, hashed
    log.info("wrong", address=address)
    for each in counted:
        if each.failures >= FREE[each.key.partition(":")[0]]:
            # A login that nobody has may be a password typed into the wrong field: that is not written down.
            subject = place if each.key != account else login if operator is not None else "unknown"
            told = {"address": address, "failures": each.failures, "seconds": each.wait.total_seconds()}
            await desk.store.audit("console", "console.locked", subject, told)
    raise Refused("console/login")
