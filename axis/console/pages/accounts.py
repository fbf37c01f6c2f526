"""Accounts, for administrators: who may log in, and as what."""

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from axis.console.access.passwords import one_time_password
from axis.console.desk import desk_of
from axis.console.forms import Form, form_of
from axis.console.guarding import SAFE_METHODS
from axis.console.page import ADMINISTRATORS, Page
from axis.console.reader import Reader
from axis.core.codes import canonical
from axis.core.operators import LOGIN, Operator, Role
from axis.errors import AxisError, Malformed, NotFound, Refused

_MOST_NAME = 200


async def accounts(request: Request, reader: Reader) -> Response:
    """List the accounts, or make one."""
    if request.method in SAFE_METHODS:
        return await _list(request, reader)
    desk, form = desk_of(request), form_of(request)
    try:
        operator = _told(form, form.one("login", most=64))
        password = one_time_password()
        hashed = await desk.passwords.hash_beside(password)
        if not await desk.store.operators.add(replace(operator, temporary=True), hashed, by=reader.login):
            raise Refused("console/account", f"{operator.login}: taken.")  # noqa: TRY301 - told like all that is wrong
    except (Refused, Malformed) as error:
        return await _list(request, reader, error)
    return await _one(request, reader, operator.login, password=password)


async def account(request: Request, reader: Reader) -> Response:
    """Show an account, or do something with it."""
    login = request.path_params["login"]
    if request.method in SAFE_METHODS:
        return await _one(request, reader, login)
    desk, form = desk_of(request), form_of(request)
    found = await desk.store.operators.find(login)
    if found is None:
        raise NotFound(f"There is no account {login}.")
    before = found[0]
    act = form.one("act")
    try:
        if act == "password":
            password = one_time_password()
            hashed = await desk.passwords.hash_beside(password)
            if not await desk.store.operators.set_password(login, hashed, temporary=True, by=reader.login):
                raise Refused("console/account", f"{login} logs in elsewhere.")  # noqa: TRY301 - as above
            return await _one(request, reader, login, password=password)
        if login == reader.login:
            # Whoever took this away from the last administrator could not give it back.
            raise Refused("console/account", "Nobody closes or changes the own account.")  # noqa: TRY301 - as above
        await desk.store.operators.change(_changed(before, act, form, request), by=reader.login)
    except (Refused, Malformed) as error:
        return await _one(request, reader, login, error=error)
    return RedirectResponse(request.url.path + "?done", 303)


def _changed(before: Operator, act: str, form: Form, request: Request) -> Operator:
    if act == "close":
        return replace(before, closed_at=before.closed_at or desk_of(request).now())
    if act == "reopen":
        return replace(before, closed_at=None)
    if act == "change":
        after = _told(form, before.login)
        return replace(before, name=after.name, role=after.role, code=after.code)
    raise Refused("console/form", "act: change, close, reopen or password.")


def _told(form: Form, login: str) -> Operator:
    """Make an account of what was typed; raise Refused console/form or console/account, Malformed code/…."""
    name, role, code = form.one("name", most=_MOST_NAME), form.one("role"), form.one("code", "", most=64)
    if not name:
        raise Refused("console/form", "name: nothing.")
    if role not in set(Role):
        raise Refused("console/form", "role: none that there is.")
    if not LOGIN.fullmatch(login):
        raise Refused("console/account", "A login has 1 to 64 letters of ASCII, digits, and . _ @ -")
    if (role == Role.AGENCY) != bool(code):
        raise Refused("console/account", "An agency user, and nobody else, has an agency's code.")
    return Operator(login, name, Role(role), canonical(code) if code else None)


async def _list(request: Request, reader: Reader, error: AxisError | None = None) -> Response:
    desk = desk_of(request)
    return desk.rendering.page(
        request,
        "accounts.html",
        reader=reader,
        status=200 if error is None else 400,
        accounts=await desk.store.operators.all(),
        problem=None if error is None else error.reason,
        detail="" if error is None else error.detail,
        typed=_typed(request),
    )


def _typed(request: Request) -> dict[str, str]:
    """Return what was typed into the form, for it to be corrected."""
    form = form_of(request) if request.method == "POST" else Form({})
    return {name: (form.every(name) or ("",))[0] for name in ("login", "name", "role", "code")}


async def _one(
    request: Request, reader: Reader, login: str, *, password: str | None = None, error: AxisError | None = None
) -> Response:
    desk = desk_of(request)
    found = await desk.store.operators.find(login)
    if found is None:
        raise NotFound(f"There is no account {login}.")
    return desk.rendering.page(
        request,
        "account.html",
        reader=reader,
        status=200 if error is None else 400,
        account=found[0],
        password=password,
        problem=None if error is None else error.reason,
        detail="" if error is None else error.detail,
        done="done" in request.query_params,
    )


PAGES = (
    Page("/accounts", accounts, methods=("GET", "POST"), roles=ADMINISTRATORS, menu="menu.accounts"),
    Page("/accounts/{login:path}", account, methods=("GET", "POST"), roles=ADMINISTRATORS),
)
