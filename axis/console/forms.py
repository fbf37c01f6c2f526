"""What a browser sends with a form, bounded in size and time."""

from collections.abc import Mapping
from typing import cast
from urllib.parse import parse_qsl

from starlette.requests import Request

from axis.errors import Refused
from axis.web.body import read_body
from axis.web.limits import Limits

MOST_BYTES = 64 * 1024
MOST_FIELDS = 1_000
_TYPE = "application/x-www-form-urlencoded"
_LIMITS = Limits(chunk_seconds=10.0, grace_seconds=20.0)


class Form:
    """The fields of a form; a field may come more than once."""

    def __init__(self, fields: Mapping[str, tuple[str, ...]]) -> None:
        self._fields = fields

    def one(self, name: str, default: str | None = None, *, most: int = 4_000) -> str:
        """Return a field that is there once, without spaces around it; raise Refused console/form."""
        found = self._fields.get(name, ())
        if not found and default is not None:
            return default
        if len(found) != 1:
            raise Refused("console/form", f"{name}: {len(found)} values where one is needed.")
        return _bounded(name, found[0].strip(), most)

    def secret(self, name: str, *, most: int = 1_024) -> str:
        """Return a password as it was typed; raise Refused console/form."""
        found = self._fields.get(name, ())
        if len(found) != 1:
            raise Refused("console/form", f"{name}: {len(found)} values where one is needed.")
        return _bounded(name, found[0], most)

    def every(self, name: str) -> tuple[str, ...]:
        """Return all values of a field, such as of boxes that were ticked."""
        return self._fields.get(name, ())


async def read_form(request: Request) -> Form:
    """Read the body; raise Refused console/form or console/size, HttpRefused http/slow, Disconnected."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = bytearray()
    async for chunk in read_body(request.receive, _LIMITS):
        body += chunk
        if len(body) > MOST_BYTES:
            raise Refused("console/size", f"At most {MOST_BYTES} bytes.")
    if not body:
        return Form({})
    if kind != _TYPE:
        raise Refused("console/form", f"Forms are {_TYPE}.")
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    except ValueError as error:
        raise Refused("console/form", "The body is no form.") from error
    fields: dict[str, tuple[str, ...]] = {}
    for name, value in pairs:
        fields[name] = (*fields.get(name, ()), value)
    return Form(fields)


def form_of(request: Request) -> Form:
    """Return the form that came with a request; it was read and checked before the page was asked."""
    return cast("Form", request.state.form)


def _bounded(name: str, value: str, most: int) -> str:
    if len(value) > most:
        raise Refused("console/form", f"{name}: at most {most} characters.")
    if "\0" in value:
        raise Refused("console/form", f"{name}: a character that no text has.")
    return value
