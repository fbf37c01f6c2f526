"""What is broken, and for how long."""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from axis.faults.field import Field

# What the relay waits for is waited for by every round that loses a publish; the product's 30 s would be most of a run.
DEFAULT_SETTINGS: Mapping[str, str] = {"relay_seconds": "2"}

_LONG_MINUTES = 1.5


@dataclass(frozen=True, slots=True)
class Shape:
    """What a scenario needs of the axis it breaks. `settings`: AXIS_… of all workers, as lower-case names."""

    routers: int = 1
    trackers: int = 1
    relays: int = 1
    broker_nodes: int = 1
    replica: bool = False
    gateway: bool = False
    wires: bool = False  # everything goes through wires that can be made slow, silent or dead
    rate: float | None = None  # of the traffic, where it has to be less than usual
    limit: int | None = None
    settings: Mapping[str, str] = field(default_factory=dict)


def _possible() -> str | None:
    return None


@dataclass(frozen=True, slots=True)
class Scenario:
    """One way of breaking the axis.

    `play` breaks things until `Field.over()` says so, and leaves everything healed. `impossible` says in a sentence why
    this machine cannot play it; such a scenario is reported as skipped, never as passed. `weight`: its share of a run;
    what is over in a moment is worth repeating more often than what takes minutes to heal.
    """

    number: int
    name: str
    title: str
    play: Callable[["Field", Random], Awaitable[None]]
    shape: Shape = field(default_factory=Shape)
    impossible: Callable[[], str | None] = _possible
    weight: float = 1.0


class Budget:
    """How long a scenario goes on: minutes from the first question on, or a number of fault events."""

    def __init__(self, *, minutes: float | None = None, events: int | None = None) -> None:
        self._seconds = None if minutes is None else minutes * 60
        self._events = events
        self._started: float | None = None
        self.is_long = minutes is not None and minutes >= _LONG_MINUTES

    def used_up(self, events: int) -> bool:
        """Say whether it is over after so many events."""
        if self._started is None:
            self._started = time.monotonic()
        if self._events is not None and events >= self._events:
            return True
        return self._seconds is not None and time.monotonic() - self._started >= self._seconds
