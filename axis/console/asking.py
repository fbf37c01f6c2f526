"""What a query asks for: words, days, numbers; each bounded, an empty field being none."""

import datetime as dt
import re
from enum import StrEnum
from typing import TypeVar

from starlette.requests import Request

from axis.console.rendering import VIETNAM
from axis.core.codes import canonical
from axis.errors import Malformed, Refused

_Choice = TypeVar("_Choice", bound=StrEnum)

_MOST = 500
_NUMBER = re.compile(r"[0-9]{1,18}")


def words_asked(request: Request, name: str) -> str | None:
    """Return a field of the query without spaces around it; raise Refused console/form for one that no text is."""
    asked = request.query_params.get(name, "").strip()
    if len(asked) > _MOST or "\0" in asked:
        raise Refused("console/form", f"{name}: at most {_MOST} characters of text.")
    return asked or None


def number_asked(request: Request, name: str) -> int | None:
    """Return a whole number, not below nothing; raise Refused console/form."""
    asked = words_asked(request, name)
    if asked is None:
        return None
    if not _NUMBER.fullmatch(asked):
        raise Refused("console/form", f"{name}: a whole number.")
    return int(asked)


def day_asked(request: Request, name: str) -> dt.date | None:
    """Return a day (2026-11-27, as fields of browsers write it); raise Refused console/form."""
    asked = words_asked(request, name)
    if asked is None:
        return None
    try:
        day = dt.date.fromisoformat(asked)
    except ValueError as error:
        raise Refused("console/form", f"{name}: a day as 2026-11-27.") from error
    if not dt.date(1990, 1, 1) <= day <= dt.date(2200, 1, 1):
        raise Refused("console/form", f"{name}: a day of this or the last century.")
    return day


def code_asked(request: Request, name: str) -> str | None:
    """Return a code of an agency, in either form; raise Refused console/form."""
    asked = words_asked(request, name)
    try:
        return None if asked is None else canonical(asked, tolerant=True)
    except Malformed as error:
        raise Refused("console/form", f"{name}: {error.detail}.") from error


def choice_asked(request: Request, name: str, choices: type[_Choice]) -> _Choice | None:
    """Return one of some values; raise Refused console/form."""
    asked = words_asked(request, name)
    if asked is None:
        return None
    try:
        return choices(asked)
    except ValueError as error:
        raise Refused("console/form", f"{name}: one of {', '.join(choices)}.") from error


def beginning(day: dt.date | None) -> dt.datetime | None:
    """Return when a day begins in Vietnam."""
    return None if day is None else dt.datetime.combine(day, dt.time(), VIETNAM)


def end(day: dt.date | None) -> dt.datetime | None:
    """Return when a day is over in Vietnam."""
    return None if day is None else dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), VIETNAM)
