"""What the pages of one console work with."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from starlette.requests import Request

from axis.broker import ManagementApi
from axis.console.access.passwords import Passwords
from axis.console.access.provider import OpenIdProvider
from axis.console.handing import Groups
from axis.console.live import Streams, Topic
from axis.console.rendering import Rendering
from axis.settings import Settings
from axis.store import Store


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything a page may reach.

    `management`: the broker's, None where a test has none; `provider`: who logs people in besides, if anybody does.
    """

    store: Store
    settings: Settings
    now: Callable[[], dt.datetime]
    management: ManagementApi | None = None
    provider: OpenIdProvider | None = None
    passwords: Passwords = field(default_factory=Passwords)
    rendering: Rendering = field(default_factory=Rendering)
    streams: Streams = field(default_factory=Streams)
    groups: Groups = field(default_factory=Groups)  # what is requeued from quarantine
    topics: dict[str, Topic[Any]] = field(default_factory=dict)  # what is watched live, by name
    kept: dict[str, object] = field(default_factory=dict)  # what is read seldom, by name


def desk_of(request: Request) -> Desk:
    """Return the desk of the console that a request came to."""
    return cast("Desk", request.app.state.desk)
