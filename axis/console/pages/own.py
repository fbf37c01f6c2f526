"""What everybody may do with the own account: log out, and change the password."""

import hashlib
import math

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from axis.console.access.elsewhere import part
from axis.console.access.familiar import remember_browser
from axis.console.access.passwords import check_new
from axis.console.access.sessions import digest, set_cookie, token_of
from axis.console.desk import Desk, desk_of
from axis.console.forms import form_of
from axis.console.guarding import SAFE_METHODS
from axis.console.page import EVERYBODY, Page
from axis.console.reader import Reader
from axis.errors import AxisError, Refused


async def logout(request: Request, reader: Reader) -> Response:
    """End the session, in the browser and in the store, and then where an OpenID provider has one for it."""
    desk, origins = desk_of(request), request.app.state.origins
    token = token_of(request, origins)
    response: Response = RedirectResponse("/login", 303)
    if token is not None:
        found = await desk.store.operators.session(digest(token), desk.now(), used=False)
        await desk.store.operators.end(digest(token))
        await desk.store.audit(reader.login, "console.logout", reader.login)
        if found is not None and found[1].means == "oidc":
            response = await part(request, found[0].issuer)
    set_cookie(response, origins, None)
    # What the browser has kept of pages is nobody's business who sits there next.
    response.headers["clear-site-data"] = '"cache", "storage"'
    return response


async def password(request: Request, reader: Reader) -> Response:
    """Show the form, or set a new password: all sessions end, this one too."""
    desk, origins = desk_of(request), request.app.state.origins
    if request.method in SAFE_METHODS:
        return desk.rendering.page(request, "password.html", reader=reader, problem=None)
    form = form_of(request)
    try:
        await _prove(desk, reader, form.secret("present"))
        check_new(form.secret("new"), form.secret("again"), reader.login)
    except Refused as error:
        return _again(request, reader, error)
    hashed = await desk.passwords.hash_beside(form.secret("new"))
    await desk.store.operators.set_password(reader.login, hashed, temporary=False, by=reader.login)
    response = RedirectResponse("/login?changed", 303)
    set_cookie(response, origins, None)
    remember_browser(response, origins, reader.login, hashed)
    return response


async def _prove(desk: Desk, reader: Reader, present: str) -> None:
    """Ask again who it is: whoever finds a browser left open is not to take the account over.

    Guesses count for the session: strangers who guess at the login keep nobody from a new password, and no session is
    begun without the present one.
    """
    here = f"browser:{hashlib.sha256(reader.csrf.encode('ascii')).hexdigest()}"
    _, wait = await desk.store.operators.attempt({here}, desk.now())
    if wait:
        raise Refused("console/locked", retry_after=math.ceil(wait.total_seconds()))
    found = await desk.store.operators.find(reader.login)
    if not await desk.passwords.fits(present, None if found is None else found[1]):
        raise Refused("console/login")
    await desk.store.operators.forgive(here, here)


def _again(request: Request, reader: Reader, error: AxisError) -> Response:
    status = {"console/locked": 429, "console/login": 403}.get(error.code, 400)
    response = desk_of(request).rendering.page(
        request, "password.html", reader=reader, status=status, problem=error.reason
    )
    response.headers["axis-code"] = error.code
    return response


PAGES = (
    Page("/logout", logout, methods=("POST",), roles=EVERYBODY),
    Page("/password", password, methods=("GET", "POST"), roles=EVERYBODY),
)
