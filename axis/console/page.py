"""What a page is."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from axis.console.reader import Reader
from axis.core.operators import Role

Answer = Callable[[Request, Reader], Awaitable[Response]]

ADMINISTRATORS = frozenset({Role.ADMINISTRATOR})
OPERATORS = ADMINISTRATORS | {Role.OPERATOR}
STAFF = OPERATORS | {Role.VIEWER}
EVERYBODY = STAFF | {Role.AGENCY}


@dataclass(frozen=True, slots=True)
class Page:
    """Who may get which path answered by what. A method that changes something is POST: its form is checked before.

    `menu`: the key of its name in the menu (axis.console.language); None: it is not there.
    """

    path: str
    answer: Answer
    methods: tuple[str, ...] = ("GET",)
    roles: frozenset[Role] = STAFF
    menu: str | None = None
