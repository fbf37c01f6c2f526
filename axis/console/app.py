"""The console as an ASGI application: what every request has to pass before a page sees it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import cast

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from axis.console.access.entering import ways_in
from axis.console.access.sessions import check_csrf, reader_of
from axis.console.desk import Desk
from axis.console.forms import read_form
from axis.console.guarding import HEALTH_PATH, SAFE_METHODS, Guarded, Origins
from axis.console.language import choose_language
from axis.console.page import Page
from axis.console.pages import PAGES
from axis.console.paths import here
from axis.console.reader import Reader
from axis.console.refusing import error_page, error_status
from axis.console.static import PATH as STATIC_PATH
from axis.console.static import STATIC
from axis.errors import AxisError, Refused, Unavailable
from axis.web.body import Disconnected
from axis.web.health import Health
from axis.web.problems import HttpRefused

PAGE_SECONDS = 30.0
CSRF_FIELD, CSRF_HEADER = "csrf", "x-csrf-token"
CHANGE_PASSWORD = "/password"  # noqa: S105 - a path
_SERVER_FAULT = 500

Endpoint = Callable[[Request], Awaitable[Response]]


def create_app(desk: Desk, origins: Origins, pages: Sequence[Page] = PAGES) -> Starlette:
    """Build the application; `origins`: where browsers reach it."""
    routes = [
        Route(f"{STATIC_PATH}/{{name:path}}", _answering(STATIC.answer), methods=["GET"]),
        Route(HEALTH_PATH, _answering(_healthy(desk)), methods=["GET"]),
        Route("/language/{language}", _answering(choose_language), methods=["GET"]),
        *(Route(each.path, _answering(each.answer), methods=list(each.methods)) for each in ways_in()),
        *(Route(page.path, _answering(_opened(page)), methods=list(page.methods)) for page in pages),
    ]

    async def refuse(request: Request, error: AxisError) -> Response:
        request.scope["app"] = app  # Starlette has not seen the request yet
        return error_page(request, error)

    app = Starlette(
        routes=routes,
        middleware=[Middleware(Guarded, origins=origins, refuse=refuse)],
        exception_handlers={HTTPException: _http_error},
    )
    app.router.redirect_slashes = False
    app.state.desk = desk
    app.state.origins = origins
    app.state.menu = _menu(pages)
    return app


def _healthy(desk: Desk) -> Endpoint:
    """Tell whoever asks whether pages can be answered; asking costs no login, and little of ours."""
    health = Health({"store": lambda: desk.store.operators.session(bytes(32), desk.now(), used=False)})

    async def healthy(_: Request) -> Response:
        checks = await health.outcome()
        fine = all(outcome == "ok" for outcome in checks.values())
        content = {"status": "ready" if fine else "not ready", "checks": checks}
        return JSONResponse(content, 200 if fine else 503)

    return healthy


def _menu(pages: Sequence[Page]) -> Callable[[Reader | None], tuple[tuple[str, str], ...]]:
    def menu(reader: Reader | None) -> tuple[tuple[str, str], ...]:
        if reader is None or reader.must_change_password:
            return ()
        return tuple((page.path, page.menu) for page in pages if page.menu is not None and reader.role in page.roles)

    return menu


def _opened(page: Page) -> Endpoint:
    """Let those in who may see a page; with a form that is theirs."""

    async def opened(request: Request) -> Response:
        desk, origins = cast("Desk", request.app.state.desk), cast("Origins", request.app.state.origins)
        changes = request.method not in SAFE_METHODS
        if changes:
            origins.check(request.headers)
        reader = await reader_of(request, desk, origins)
        if reader is None:
            return _to_login(request)
        request.state.reader = reader
        if changes:
            form = request.state.form = await read_form(request)
            check_csrf(reader, request.headers.get(CSRF_HEADER) or form.one(CSRF_FIELD, ""))
        if reader.must_change_password and page.path not in {CHANGE_PASSWORD, "/logout"}:
            return RedirectResponse(CHANGE_PASSWORD, 303)
        if reader.role not in page.roles:
            raise Refused("console/role")
        return await page.answer(request, reader)

    return opened


def _to_login(request: Request) -> Response:
    """Send somebody to log in and back; what was to be changed is not carried along."""
    target = f"/login?to={here(request)}" if request.method in SAFE_METHODS else "/login"
    if "hx-request" in request.headers or "text/event-stream" in request.headers.get("accept", ""):
        # A part of a page cannot show a login: the whole page goes there.
        return Response(status_code=401, headers={"hx-redirect": "/login", "axis-code": "console/session"})
    if request.method not in SAFE_METHODS:
        raise Refused("console/session")
    return RedirectResponse(target, 303)


def _answering(endpoint: Endpoint) -> Endpoint:
    """Turn every error into a page, and end what takes too long. A stream is begun in time, and then has its own."""
    log = structlog.get_logger(part="console")

    async def answering(request: Request) -> Response:
        try:
            try:
                async with asyncio.timeout(PAGE_SECONDS):
                    return await endpoint(request)
            except TimeoutError as error:
                raise Unavailable("The page took too long.") from error
        except Disconnected:
            return Response(status_code=400)  # nobody listens any more
        except AxisError as error:
            if error_status(error) >= _SERVER_FAULT:
                log.warning("refused", path=request.url.path, code=error.code, detail=error.detail)
            return error_page(request, error, _known(request))
        except Exception as error:
            # The last resort: the reader gets a code, the log the traceback.
            log.exception("failed", path=request.url.path, method=request.method)
            return error_page(request, AxisError(f"{type(error).__name__}: {error}"), _known(request))

    return answering


def _known(request: Request) -> Reader | None:
    return cast("Reader | None", getattr(request.state, "reader", None))


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - Starlette calls it for nothing else
    code = "http/method" if error.status_code == 405 else "http/address"  # noqa: PLR2004 - HTTP's number
    return error_page(request, HttpRefused(code))
