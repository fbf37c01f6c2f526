"""Errors as answers: RFC 9457 problem+json with the stable codes of schemas.reasons."""

from collections.abc import Mapping
from types import MappingProxyType

import orjson
from starlette.responses import Response

from axis.errors import AxisError, Unavailable
from schemas.reasons import REASONS, Fault, Reason

CODE_HEADER = "axis-code"  # a HEAD answer has no body to say it in
_RETRY_AFTER_SECONDS = "5"

# Codes that only HTTP can cause, with their status.
_HTTP: Mapping[str, tuple[int, Reason]] = MappingProxyType(
    {
        reason.code: (status, reason)
        for status, reason in (
            (404, Reason("http/address", "There is nothing at this address", "See the list of addresses.")),
            (405, Reason("http/method", "The method is not allowed here", "See the Allow header.")),
            (400, Reason("http/length", "Content-Length and Transfer-Encoding exclude each other", "Send only one.")),
            (431, Reason("http/headers", "The headers are over the limit", "Send fewer or shorter headers.")),
            (400, Reason("http/content-range", "A blob is stored whole", "Upload all bytes in one request.")),
            (416, Reason("http/range", "The range is outside the blob", "See the Content-Range header.")),
            (408, Reason("http/slow", "The upload is too slow", "Upload again over a faster line.", retry=True)),
            (
                503,
                Reason("http/busy", "Too many transfers at once", "Try again a little later.", Fault.AXIS, retry=True),
            ),
        )
    }
)
_STATUS = MappingProxyType(
    {"blob/not-found": 404, "blob/too-large": 413, "axis/unavailable": 503, "axis/internal": 500}
)
_UNPROVEN = ("token/", "certificate/", "signature/", "abuse/")


class HttpRefused(AxisError):
    """Refuse a request for what it is as HTTP; `headers` go into the answer."""

    def __init__(
        self, code: str, detail: str = "", *, status: int | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail or _HTTP[code][1].title, code=code)
        self.status = status or _HTTP[code][0]
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
    return 400 if error.code in REASONS else 500


def problem(error: AxisError, *, close: bool) -> Response:
    """Answer with an error; `close` the connection where a body may not have been read."""
    status = status_of(error)
    reason = _HTTP[error.code][1] if error.code in _HTTP else error.reason
    headers = {CODE_HEADER: error.code, "cache-control": "no-store"}
    if isinstance(error, HttpRefused):
        headers |= error.headers
    if status == 401:  # noqa: PLR2004 - HTTP's number
        headers["www-authenticate"] = "Bearer"
    if status == 503:  # noqa: PLR2004 - HTTP's number
        headers["retry-after"] = _RETRY_AFTER_SECONDS
    if close:
        headers["connection"] = "close"
    body = {
        "code": error.code,
        "title": reason.title,
        "status": status,
        # What is wrong inside the axis is for its log, not for an agency.
        "detail": error.detail if status < 500 else reason.title,  # noqa: PLR2004 - HTTP's number
        "remedy": reason.remedy,
        "retry": reason.retry,
    }
    return Response(orjson.dumps(body), status, headers, "application/problem+json")
