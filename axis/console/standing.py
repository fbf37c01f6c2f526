"""How the deadlines of a delivery stand."""

import datetime as dt
from dataclasses import dataclass
from typing import Protocol

from axis.core.deadlines import Clock, Escalation, escalation


class Timed(Protocol):
    """By when, and when it was: a record of the register, or a delivery in a list of it."""

    @property
    def arrive_by(self) -> dt.datetime | None:
        """By when it is to be with its recipient."""

    @property
    def accept_by(self) -> dt.datetime | None:
        """By when it is to be taken in or refused."""

    @property
    def finish_by(self) -> dt.datetime | None:
        """By when it is to be handled."""

    @property
    def arrived_at(self) -> dt.datetime | None:
        """When the axis heard that it was."""

    @property
    def accepted_at(self) -> dt.datetime | None:
        """Likewise."""

    @property
    def finished_at(self) -> dt.datetime | None:
        """Likewise."""

    @property
    def ended(self) -> bool:
        """Whether nothing more is to come."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One deadline: by when, when it was met, and how that is."""

    clock: Clock
    by: dt.datetime
    done_at: dt.datetime | None
    escalation: Escalation

    @property
    def tone(self) -> str:
        """The colour of its badge; the words say the same."""
        return _TONES[self.escalation]


_TONES = {
    Escalation.ON_TIME: "good",
    Escalation.NEAR: "fair",
    Escalation.LATE: "poor",
    Escalation.VERY_LATE: "bad",
}


def standings(started: dt.datetime, timed: Timed, now: dt.datetime) -> tuple[Standing, ...]:
    """Say how the deadlines stand of what began at `started`; what ended without being met is waited for no longer."""
    found = []
    for clock, by, done_at in (
        (Clock.ARRIVAL, timed.arrive_by, timed.arrived_at),
        (Clock.ACCEPTANCE, timed.accept_by, timed.accepted_at),
        (Clock.FINISHING, timed.finish_by, timed.finished_at),
    ):
        stands = escalation(started, by, done_at, now)
        if by is not None and stands is not None and (done_at is not None or not timed.ended):
            found.append(Standing(clock, by, done_at, stands))
    return tuple(found)
