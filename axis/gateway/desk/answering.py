"""Errors and packages as answers, and the one file of a request."""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass

import structlog
from starlette.requests import Request
from starlette.responses import Response

from axis.core.partners import Incoming, Partner
from axis.errors import AxisError, Refused, Unavailable
from axis.gateway.desk.asking import refuse_unwritable
from axis.gateway.desk.desk import Desk
from axis.gateway.desk.encoding import base64_length, base64_pieces
from axis.gateway.desk.form import Form, receive_form
from axis.gateway.download import Download
from axis.gateway.metrics import Metrics
from axis.gateway.observing import Entry, entry_of
from axis.gateway.slots import Slots
from axis.web.body import Disconnected, read_body
from axis.web.limits import Limits
from axis.web.problems import HttpRefused
from schemas.reasons import Fault

_log = structlog.get_logger(part="desk")
_LGSP = "LGSP "
_SYSTEM_ERROR = "20"
_OURS = frozenset({"axis/internal"})


@dataclass(frozen=True, slots=True)
class Told:
    """An error in the words of the profiles: `number` is that of the connection guide."""

    number: str
    text: str
    status: int
    headers: Mapping[str, str]


def told(error: AxisError) -> Told:
    """Say an error. What a client did wrong is said with HTTP 200, as these clients expect it.

    Only what it should try again has an HTTP status of its own: 429 and 503, with Retry-After.
    """
    reason = error.reason
    number = next((each.removeprefix(_LGSP) for each in reason.rivals if each.startswith(_LGSP)), _SYSTEM_ERROR)
    headers = {"axis-code": error.code, "cache-control": "no-store"}
    if isinstance(error, Refused) and error.retry_after is not None:
        return Told(number, _text(error), 429, {**headers, "retry-after": str(error.retry_after)})
    if isinstance(error, Unavailable) or (isinstance(error, HttpRefused) and reason.fault is Fault.AXIS):
        return Told(number, reason.title_vi, 503, {**headers, "retry-after": "5"})
    if error.code in _OURS or reason.code != error.code:
        return Told(_SYSTEM_ERROR, reason.title_vi, 500, headers)  # the detail is for our log
    return Told(number, _text(error), 200, headers)


async def in_own_form(entry: Entry, answered: Awaitable[Response], failed: Callable[[AxisError], Response]) -> Response:
    """Turn every error into an answer of a profile's own; a fault of ours has its traceback in the log."""
    try:
        return await answered
    except Disconnected:
        raise
    except AxisError as error:
        fault = error
    except Exception as error:  # noqa: BLE001 - told and logged
        _log.exception("failed", route=entry.route)
        fault = AxisError(type(error).__name__)
    entry.code, entry.detail = fault.code, fault.detail
    return failed(fault)


def _text(error: AxisError) -> str:
    place = getattr(error, "line", None)
    where = "" if place is None else f" (dòng {place}, cột {getattr(error, 'column', None)})"
    return f"{error.reason.title_vi} {error.detail}{where} [{error.code}]"


def answer(content: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with JSON."""
    body = json.dumps(content, ensure_ascii=False).encode()
    return Response(body, status, {"cache-control": "no-store", **(headers or {})}, "application/json")


class Transfers:
    """Packages in and out, so many at once, for one partner and for all."""

    def __init__(self, desk: Desk, limits: Limits, metrics: Metrics) -> None:
        self._desk = desk
        self._limits = limits
        self._metrics = metrics
        most = desk.limits
        self._uploads = Slots(most.uploads, per_account=most.per_partner, wait_seconds=most.wait_seconds)
        self._downloads = Slots(most.downloads, per_account=most.per_partner, wait_seconds=most.wait_seconds)

    @asynccontextmanager
    async def form(self, request: Request, partner: Partner, file: str) -> AsyncIterator[Form]:
        """Take the form of a request; what is announced too large is refused before it is asked for."""
        limit = self._desk.limits.package_bytes
        announced = request.headers.get("content-length", "0")
        if announced.isdecimal() and int(announced) > limit + self._desk.limits.json_bytes:
            raise Refused("partner/too-large", f"the limit is {limit} bytes; {announced} were announced")

        async with (
            self._uploads.take(partner.system_id),
            receive_form(
                request.headers.get("content-type", ""),
                self._counted(request),
                file=file,
                folder=self._desk.spool,
                limit=limit,
            ) as form,
        ):
            refuse_unwritable(form.fields)
            yield form

    async def _counted(self, request: Request) -> AsyncGenerator[bytes, None]:
        entry = entry_of(request)
        async with aclosing(read_body(request.receive, self._limits)) as pieces:
            async for piece in pieces:
                entry.received += len(piece)
                yield piece

    async def json(self, request: Request) -> dict[str, str]:
        """Read a small JSON object of texts and numbers; names as they are, values as text."""
        read = bytearray()
        async with aclosing(self._counted(request)) as pieces:
            async for piece in pieces:
                read += piece
                if len(read) > self._desk.limits.json_bytes:
                    raise Refused("partner/too-large", f"the limit is {self._desk.limits.json_bytes} bytes")
        try:
            found = json.loads(bytes(read) or b"{}")
        except (ValueError, RecursionError) as error:
            raise Refused("partner/form", "the body is not JSON") from error
        if not isinstance(found, dict):
            raise Refused("partner/form", "the body is not a JSON object")
        said = {name: str(value) for name, value in found.items() if isinstance(value, str | int) and value is not True}
        refuse_unwritable(said)
        return said

    async def package(
        self,
        request: Request,
        partner: Partner,
        package: Incoming,
        *,
        before: bytes = b"",
        after: bytes = b"",
        encoded: bool = True,
        media_type: str = "application/json",
    ) -> Response:
        """Stream a package, in base64 between two pieces of JSON or as it is."""
        async with AsyncExitStack() as held:
            await held.enter_async_context(self._downloads.take(partner.system_id))
            pieces = await held.enter_async_context(self._desk.opened(package))
            body = _around(base64_pieces(pieces) if encoded else pieces, before, after)
            first = await anext(body, b"")
            if first == before:
                first += await anext(
                    body, b""
                )  # what is wrong with the package at once is an error, not half an answer
            length = base64_length(package.size) if encoded else package.size
            return Download(
                status=200,
                headers={
                    "content-type": media_type,
                    "content-length": str(len(before) + length + len(after)),
                    "cache-control": "private, no-store",
                    "x-content-type-options": "nosniff",
                },
                first=first,
                rest=body,
                held=held.pop_all(),
                entry=entry_of(request),
                metrics=self._metrics,
            )


async def _around(pieces: AsyncGenerator[bytes, None], before: bytes, after: bytes) -> AsyncGenerator[bytes, None]:
    if before:
        yield before
    async with aclosing(pieces):
        async for piece in pieces:
            yield piece
    if after:
        yield after
