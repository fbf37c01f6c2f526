"""Questions in the query of an address, read strictly: what is not understood is refused, never passed over."""

import datetime as dt
from collections.abc import Collection
from enum import StrEnum
from typing import TypeVar

from starlette.requests import Request

from axis.core.codes import canonical
from axis.core.ids import is_id
from axis.errors import Malformed
from axis.web.problems import HttpRefused

_LONGEST = 500
_HIGHEST = 2**62
_Choice = TypeVar("_Choice", bound=StrEnum)


class Query:
    """The parameters of a request, each of them once; `known`: those that there are. Raises HttpRefused http/query."""

    def __init__(self, request: Request, known: Collection[str]) -> None:
        self._values: dict[str, str] = {}
        for name, value in request.query_params.multi_items():
            if name not in known:
                raise HttpRefused("http/query", f"There is no parameter {name[:40]!r}; there are {', '.join(known)}.")
            if name in self._values:
                raise HttpRefused("http/query", f"{name} stands twice.")
            if len(value) > _LONGEST or "\0" in value:
                raise HttpRefused("http/query", f"{name} is longer than {_LONGEST} characters, or has a NUL in it.")
            self._values[name] = value

    def text(self, name: str) -> str | None:
        """Return a text; None: it is not asked for."""
        return self._values.get(name) or None

    def number(self, name: str, default: int, most: int = _HIGHEST, least: int = 0) -> int:
        """Return a whole number within bounds."""
        value = self._values.get(name)
        if value is None:
            return default
        if not (value.isascii() and value.isdecimal() and len(value) <= 19 and least <= int(value) <= most):  # noqa: PLR2004 - digits of 2**63
            raise HttpRefused("http/query", f"{name} is a number from {least} to {most}.")
        return int(value)

    def code(self, name: str) -> str | None:
        """Return an identifier code, in either form."""
        value = self.text(name)
        try:
            return None if value is None else canonical(value)
        except Malformed as error:
            raise HttpRefused("http/query", f"{name}: {error.detail}") from error

    def moment(self, name: str) -> dt.datetime | None:
        """Return a moment with its zone (RFC 3339)."""
        value = self.text(name)
        try:
            # A plus sign in an address is a space to whoever decodes forms.
            read = None if value is None else dt.datetime.fromisoformat(value.replace(" ", "+"))
            if read is None:
                return None
            if read.tzinfo is not None:
                return read.astimezone(dt.UTC)
        except (ValueError, OverflowError):
            pass
        raise HttpRefused("http/query", f"{name} is a time such as 2026-11-24T08:00:00+07:00.")

    def one_of(self, name: str, choices: type[_Choice]) -> _Choice | None:
        """Return one of some words."""
        value = self.text(name)
        try:
            return None if value is None else choices(value)
        except ValueError:
            raise HttpRefused("http/query", f"{name} is one of {', '.join(choices)}.") from None

    def envelope(self, name: str) -> str | None:
        """Return the id of an envelope."""
        value = self.text(name)
        if value is not None and not is_id(value):
            raise HttpRefused("http/query", f"{name} is the id of an envelope.")
        return value
