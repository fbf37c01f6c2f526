"""Errors as answers: RFC 9457 problem+json with the stable codes of schemas.reasons."""

from collections.abc import Mapping
from types import MappingProxyType

import orjson
from starlette.responses import Response

from axis.errors import AxisError, Refused, Unavailable
from schemas.reasons import HTTP, WIRE
from schemas.reasons.api import STATUS as API_STATUS
from schemas.reasons.http import STATUS

CODE_HEADER = "axis-code"  # a HEAD answer has no body to say it in
_RETRY_AFTER_SECONDS = "5"

_STATUS = MappingProxyType(
    {
        "blob/not-found": 404,
        "log/not-found": 404,
        "log/not-logged": 404,
        "blob/too-large": 413,
        "axis/unavailable": 503,
        "axis/internal": 500,
        **API_STATUS,
    }
)
_LIMITED = "limit/"
_UNPROVEN = ("token/", "certificate/", "signature/", "abuse/", "tls/account")


class HttpRefused(AxisError):
    """Refuse a request for what it is as HTTP; `headers` go into the answer."""

    def __init__(
        self, code: str, detail: str = "", *, status: int | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail or HTTP[code].title, code=code)
        self.status = status or STATUS[code]
        self.headers = {**(headers or {})}


def status_of(error: AxisError) -> int:
    """Map a code to an HTTP status; an unknown code is the client's fault only if the catalogue says so."""
    if isinstance(error, HttpRefused):
        return error.status
    if isinstance(error, Unavailable):
        return 503
    if error.code in _STATUS:
        return _STATUS[error.code]
    if error.code.startswith(_UNPROVEN):
        return 401
    if error.code.startswith(_LIMITED):
        return 429
    return 400 if error.code in WIRE else 500


def problem(error: AxisError, *, close: bool) -> Response:
    """Answer with an error; `close` the connection where a body may not have been read."""
    status = status_of(error)
    reason = error.reason
    headers = {CODE_HEADER: error.code, "cache-control": "no-store"}
    if isinstance(error, HttpRefused):
        headers |= error.headers
    if isinstance(error, Refused) and error.retry_after is not None:
        headers["retry-after"] = str(error.retry_after)
    if status == 401:  # noqa: PLR2004 - HTTP's number
        headers["www-authenticate"] = "Bearer"
    if status == 503:  # noqa: PLR2004 - HTTP's number
        headers["retry-after"] = _RETRY_AFTER_SECONDS
    if close:
        headers["connection"] = "close"
    body = {
        "code": error.code,
        "title": reason.title,
        "title_vi": reason.title_vi,
        "status": status,
        # What is wrong inside the axis is for its log, not for an agency.
        "detail": error.detail if status < 500 else reason.title,  # noqa: PLR2004 - HTTP's number
        "remedy": reason.remedy,
        "remedy_vi": reason.remedy_vi,
        "retry": reason.retry,
    }
    return Response(orjson.dumps(body), status, headers, "application/problem+json")
