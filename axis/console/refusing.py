"""Errors as pages: the code, what happened and what to do, in the reader's language."""

from starlette.requests import Request
from starlette.responses import Response

from axis.console.desk import desk_of
from axis.console.language import language_of
from axis.console.reader import Reader
from axis.errors import AxisError, NotFound, Refused
from axis.web.problems import CODE_HEADER, status_of
from schemas.reasons.console import STATUS

_SERVER_FAULT = 500


def error_status(error: AxisError) -> int:
    """Map a code to an HTTP status."""
    if isinstance(error, NotFound):
        return 404
    return STATUS.get(error.code) or status_of(error)


def error_page(request: Request, error: AxisError, reader: Reader | None = None) -> Response:
    """Answer with an error. What is wrong inside is for the log: a reader gets its code."""
    status = error_status(error)
    reason = error.reason
    response = desk_of(request).rendering.page(
        request,
        # htmx puts what comes into the page that is there.
        "error-part.html" if "hx-request" in request.headers else "error.html",
        reader=reader,
        language=language_of(request),
        status=status,
        code=error.code,
        reason=reason,
        detail=error.detail if status < _SERVER_FAULT and error.detail != reason.title else "",
    )
    response.headers[CODE_HEADER] = error.code
    if isinstance(error, Refused) and error.retry_after is not None:
        response.headers["retry-after"] = str(error.retry_after)
    return response
