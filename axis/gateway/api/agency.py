"""What the answers of the agency API share: who asks, how often, and how many at once."""

import contextlib
import datetime as dt
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from axis.gateway.access import owner_of
from axis.gateway.api.news import FeedEnd
from axis.gateway.enrolled import Enrolled
from axis.gateway.observing import entry_of
from axis.gateway.pace import Pace
from axis.gateway.slots import Slots
from axis.outside import Destinations
from axis.store import Store

_PER_SECOND, _BURST = 10.0, 50  # requests of one agency
_AT_ONCE, _WAITING = 16, 512  # that are answered, and that wait for news, of all agencies
_PER_ACCOUNT = 4


@dataclass(frozen=True, slots=True)
class AgencyApi:
    """Everything the answers are made of."""

    store: Store
    enrolled: Enrolled
    now: Callable[[], dt.datetime]
    targets: Destinations
    pace: Pace = field(default_factory=lambda: Pace(_PER_SECOND, _BURST, time.monotonic, "limit/requests"))
    slots: Slots = field(default_factory=lambda: Slots(_AT_ONCE, per_account=_PER_ACCOUNT, wait_seconds=10.0))
    waiting: Slots = field(default_factory=lambda: Slots(_WAITING, per_account=_PER_ACCOUNT, wait_seconds=1.0))
    end: FeedEnd = field(init=False)

    def __post_init__(self) -> None:
        """Follow the feed's end."""
        object.__setattr__(self, "end", FeedEnd(self.store.register.feed_span))

    def who(self, request: Request, route: str, cost: int = 1) -> str:
        """Return who asks, and note it; raises what `owner_of` does, and Refused limit/requests."""
        entry = entry_of(request)
        entry.route = route
        entry.account = owner_of(request, self.enrolled.keyring, self.now())
        self.pace.take(entry.account, cost)
        return entry.account

    @contextlib.asynccontextmanager
    async def asked(self, request: Request, route: str) -> AsyncIterator[str]:
        """Hold a place while a question is answered; yield who asks."""
        account = self.who(request, route)
        async with self.slots.take(account):
            yield account


def told(content: object, status: int = 200) -> Response:
    """Answer with JSON that nobody keeps."""
    return Response(orjson.dumps(content), status, {"cache-control": "no-store"}, "application/json")


def present(members: dict[str, Any]) -> dict[str, Any]:
    """Leave out what is not there."""
    return {name: value for name, value in members.items() if value is not None}
