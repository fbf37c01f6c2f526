"""The gateway as an ASGI application."""

import datetime as dt
from collections.abc import Awaitable, Callable
from typing import Protocol

import orjson
import structlog
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from axis.blobs import Blobs
from axis.errors import AxisError
from axis.gateway.api import AgencyApi, api_routes
from axis.gateway.certificates import Certificates
from axis.gateway.desk import Desk, desk_routes
from axis.gateway.enrolled import Enrolled
from axis.gateway.log import Log, Proving
from axis.gateway.metrics import Metrics
from axis.gateway.observing import Observed, entry_of
from axis.gateway.quotas import UploadQuotas
from axis.gateway.requests import Plain
from axis.gateway.slots import Slots
from axis.gateway.transfers import BlobRights, Transfers
from axis.web.body import Disconnected
from axis.web.health import Health
from axis.web.limits import Limits
from axis.web.problems import HttpRefused, problem

Endpoint = Callable[[Request], Awaitable[Response]]


class BlobStore(Protocol):
    """The part of axis.store.Store that the gateway uses."""

    @property
    def blobs(self) -> BlobRights:
        """Who uploaded what, and who may read it."""


def create_app(
    *,
    blobs: Blobs,
    store: BlobStore,
    enrolled: Enrolled,
    now: Callable[[], dt.datetime],
    limits: Limits | None = None,
    quotas: UploadQuotas | None = None,
    log_files: Log | None = None,
    desk: Desk | None = None,
    api: AgencyApi | None = None,
    desk_only: bool = False,
) -> Starlette:
    """Build the application. The caller keeps `enrolled` up to date (Enrolled.follow).

    `quotas`: None counts nothing. `log_files`: the log of receipts, where this gateway shows it. `desk`: serves
    existing document systems; the caller runs its agencies. `api`: answers agencies about their documents. `desk_only`:
    nothing of what is for agencies themselves.
    """
    metrics = Metrics()
    log = structlog.get_logger(part="gateway")
    limits = limits or Limits()
    transfers = Transfers(
        blobs=blobs, rights=store.blobs, enrolled=enrolled, now=now, limits=limits, metrics=metrics, quotas=quotas
    )
    certificates = Certificates(enrolled, now)
    health = Health({"blobs": blobs.check, "store": lambda: store.blobs.may_read("", "0" * 64)})

    async def ready(request: Request) -> Response:
        entry_of(request).route = "health"
        checks = await health.outcome()
        fine = all(outcome == "ok" for outcome in checks.values())
        told: dict[str, object] = {"status": "ready" if fine else "not ready", "checks": checks}
        if desk is not None:
            # Who is served is no stranger's business, and one agency that is away is no reason to send nobody here.
            states = desk.agencies.states.values()
            told["desk"] = {"agencies": len(states), "connected": sum(states)}
        content = orjson.dumps(told)
        return Response(content, 200 if fine else 503, media_type="application/json")

    async def alive(request: Request) -> Response:
        entry_of(request).route = "health"
        return Response(orjson.dumps({"status": "alive"}), media_type="application/json")

    async def measured(request: Request) -> Response:
        entry_of(request).route = "metrics"
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    proving = []
    if log_files is not None:
        slots = Slots(limits.downloads, per_account=limits.downloads // 2, wait_seconds=limits.wait_seconds)
        answers = Proving(log_files, enrolled=enrolled, now=now, slots=slots)
        proving = [
            Route("/log/{path:path}", _guarded(answers.file, log), methods=["GET"]),
            Route("/v1/receipts/{receipt}/proof", _guarded(answers.proof, log), methods=["GET"]),
        ]
    for_agencies = [
        *proving,
        Route("/v1/blobs/{sha256}", _guarded(transfers.answer, log), methods=["PUT", "HEAD", "GET"]),
        Route("/v1/limits", _guarded(transfers.limits, log), methods=["GET"]),
        Route("/v1/certificates/{thumbprint}", _guarded(certificates.one, log), methods=["GET"]),
        Route("/v1/sealing-keys", _guarded(certificates.for_sealing, log), methods=["GET"]),
        *(() if api is None else api_routes(api, limits, lambda endpoint: _guarded(endpoint, log))),
    ]
    app = Starlette(
        routes=[
            *(() if desk_only else for_agencies),
            *(desk_routes(desk, limits, metrics, lambda endpoint: _guarded(endpoint, log)) if desk is not None else ()),
            Route("/v1/health", _guarded(ready, log), methods=["GET"]),
            Route("/v1/health/live", _guarded(alive, log), methods=["GET"]),
            Route("/metrics", _guarded(measured, log), methods=["GET"]),
        ],
        middleware=[
            Middleware(Observed, metrics=metrics, log=log),
            Middleware(Plain, header_bytes=limits.header_bytes),
        ],
        exception_handlers={HTTPException: _http_error},
    )
    # A token is for one path: an address that is almost right is wrong, not redirected.
    app.router.redirect_slashes = False
    return app


def _guarded(endpoint: Endpoint, log: structlog.typing.FilteringBoundLogger) -> Endpoint:
    """Turn every error of a handler into an answer."""

    async def guarded(request: Request) -> Response:
        try:
            return await endpoint(request)
        except AxisError as error:
            return _answer(request, error)
        except Exception as error:
            # The last resort: the agency gets a code, the log the traceback.
            log.exception("failed", path=request.url.path, method=request.method)
            return _answer(request, AxisError(f"{type(error).__name__}: {error}"))

    return guarded


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - Starlette calls it for nothing else
    code = "http/method" if error.status_code == 405 else "http/address"  # noqa: PLR2004 - HTTP's number
    headers = {name.lower(): value for name, value in (error.headers or {}).items()}
    return _answer(request, HttpRefused(code, headers=headers))


def _answer(request: Request, error: AxisError) -> Response:
    entry = entry_of(request)
    entry.code, entry.detail = error.code, error.detail
    if isinstance(error, Disconnected):
        return _Nothing()
    return problem(error, close=request.method == "PUT")


class _Nothing(Response):
    """Say nothing: nobody listens any more."""

    async def __call__(self, *_: object) -> None:
        """Send nothing."""
