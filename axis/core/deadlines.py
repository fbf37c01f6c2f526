"""By when a document has to be sent, has to have arrived, to be accepted, to be finished.

The law names one number (QĐ 28/2018 article 6.2): a document is sent on the day it is signed, at the latest in the
morning of the next working day; an urgent one at once. For arriving and being accepted it says "promptly", so the axis
has targets of its own (`Targets`); the day by which a document is to be finished is named by its sender (`due_on`).
docs/decisions says why each is counted as it is here.

Time in which a recipient could do nothing does not count: while the document was held at the axis, and while a recall
was asked and not answered. While such a pause lasts there is no deadline at all.
"""

import datetime as dt
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from axis.core.messages import Lane
from axis.core.workdays import Calendar, end_of_day
from schemas import Action

__all__ = [
    "Calendar",
    "Clock",
    "Deadlines",
    "DocumentFacts",
    "Escalation",
    "Minutes",
    "Pause",
    "Target",
    "Targets",
    "deadlines",
    "escalation",
    "sent_late",
]

_DAY = dt.timedelta(days=1)
_MOST_MINUTES = 60 * 24 * 366


class Clock(StrEnum):
    """What is waited for with a deadline."""

    SENDING = "sending"  # the sender: QĐ 28/2018 article 6.2
    ARRIVAL = "arrival"  # the recipient's system has it
    ACCEPTANCE = "acceptance"  # taken in (03) or refused (02)
    FINISHING = "finishing"  # handled (06), by the day that its sender named


class Escalation(StrEnum):
    """How a deadline stands."""

    ON_TIME = "on time"
    NEAR = "near"  # less than a quarter of the time is left
    LATE = "late"
    VERY_LATE = "very late"  # the whole time has passed once more, and a day at least


Minutes = Annotated[int, Field(gt=0, le=_MOST_MINUTES)]


class _Settled(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Target(_Settled):
    """How much time there is, by lane: for an urgent document in minutes, for another in minutes of working time."""

    urgent: Minutes
    normal: Minutes

    def of(self, lane: Lane) -> int:
        """Return the minutes of a lane."""
        return self.urgent if lane == "urgent" else self.normal


class KindTargets(_Settled):
    """What is different for one kind of document."""

    arrival: Target | None = None
    acceptance: Target | None = None


class Targets(_Settled):
    """How soon documents should arrive and be accepted. `kinds`: by the name of a kind, letter case apart."""

    arrival: Target = Target(urgent=15, normal=240)
    acceptance: Target = Target(urgent=60, normal=480)
    kinds: dict[str, KindTargets] = Field(default_factory=dict)

    def of(self, clock: Literal[Clock.ARRIVAL, Clock.ACCEPTANCE], kind: str | None) -> Target:
        """Return the target of a kind of document."""
        usual = self.arrival if clock is Clock.ARRIVAL else self.acceptance
        if kind is None or not self.kinds:
            return usual
        wanted = _folded(kind)
        special = next((found for name, found in self.kinds.items() if _folded(name) == wanted), None)
        if special is None:
            return usual
        return (special.arrival if clock is Clock.ARRIVAL else special.acceptance) or usual


@dataclass(frozen=True, slots=True)
class DocumentFacts:
    """What deadlines depend on of a document; days are as the sender wrote them."""

    lane: Lane
    action: str
    kind: str | None
    issued_on: dt.date | None
    due_on: dt.date | None
    sent_at: dt.datetime
    accepted_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Pause:
    """Time that does not count; `until` None: it lasts."""

    since: dt.datetime
    until: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Deadlines:
    """By when; None: no such deadline, or none as long as `paused`."""

    send_by: dt.datetime | None
    sent_late: bool
    arrive_by: dt.datetime | None
    accept_by: dt.datetime | None
    finish_by: dt.datetime | None
    paused: bool = False

    def of(self, clock: Clock) -> dt.datetime | None:
        """Return the deadline of one clock."""
        return {
            Clock.SENDING: self.send_by,
            Clock.ARRIVAL: self.arrive_by,
            Clock.ACCEPTANCE: self.accept_by,
            Clock.FINISHING: self.finish_by,
        }[clock]


def deadlines(document: DocumentFacts, pauses: Sequence[Pause], calendar: Calendar, targets: Targets) -> Deadlines:
    """Return by when one delivery of a document has to be where. Raises Misconfigured for an impossible calendar.

    A recall, an update and a replacement have to arrive and to be answered like a document; a recall is not finished.
    """
    send_by = _send_by(document, calendar)
    late = send_by is not None and document.sent_at > send_by
    stretches = _joined(pauses)
    if any(each.until is None for each in stretches):
        return Deadlines(send_by, late, None, None, None, paused=True)

    def target(clock: Literal[Clock.ARRIVAL, Clock.ACCEPTANCE]) -> dt.datetime:
        minutes = dt.timedelta(minutes=targets.of(clock, document.kind).of(document.lane))
        return _after(document.accepted_at, minutes, stretches, None if document.lane == "urgent" else calendar)

    return Deadlines(
        send_by,
        late,
        target(Clock.ARRIVAL),
        target(Clock.ACCEPTANCE),
        None if document.action == Action.RECALL else _finish_by(document, stretches, calendar),
    )


def sent_late(document: DocumentFacts, calendar: Calendar) -> bool:
    """Say whether a document was sent later than QĐ 28/2018 article 6.2 has it."""
    send_by = _send_by(document, calendar)
    return send_by is not None and document.sent_at > send_by


def escalation(
    started: dt.datetime, deadline: dt.datetime | None, done_at: dt.datetime | None, now: dt.datetime
) -> Escalation | None:
    """Say how a deadline stands, whose time began at `started`; None: there is none.

    What was done is judged by when it was done, and is never near.
    """
    if deadline is None:
        return None
    at = now if done_at is None else done_at
    whole = max(deadline - started, dt.timedelta(0))
    if at > deadline:
        return Escalation.VERY_LATE if at - deadline > max(whole, _DAY) else Escalation.LATE
    return Escalation.NEAR if done_at is None and deadline - at < whole / 4 else Escalation.ON_TIME


def _send_by(document: DocumentFacts, calendar: Calendar) -> dt.datetime | None:
    """Of an urgent document only the day of signing is known, not the hour: "at once" is by the end of that day."""
    if document.issued_on is None or document.action != Action.NEW:
        return None
    if document.lane == "urgent":
        return end_of_day(document.issued_on)
    return calendar.next_morning(document.issued_on)


def _finish_by(document: DocumentFacts, pauses: Sequence[Pause], calendar: Calendar) -> dt.datetime | None:
    """A day off is none to finish on: the next working day is (Civil Code 2015, article 148.5)."""
    if document.due_on is None:
        return None
    paused = sum((each.until - each.since for each in pauses if each.until is not None), dt.timedelta(0))
    later = min(paused.days, dt.date.max.toordinal() - document.due_on.toordinal())
    return end_of_day(calendar.working_day(document.due_on + later * _DAY))


def _after(start: dt.datetime, time: dt.timedelta, pauses: Sequence[Pause], calendar: Calendar | None) -> dt.datetime:
    """Add time that pauses do not use up: working time with a calendar, else by the clock."""
    left = time
    for pause in pauses:
        if pause.until is None or pause.until <= start:
            continue
        passed = _passed(start, pause.since, calendar)
        if passed >= left:
            break
        left -= passed
        start = pause.until
    return start + left if calendar is None else calendar.add(start, left)


def _passed(start: dt.datetime, end: dt.datetime, calendar: Calendar | None) -> dt.timedelta:
    return max(end - start, dt.timedelta(0)) if calendar is None else calendar.between(start, end)


def _joined(pauses: Sequence[Pause]) -> list[Pause]:
    """Put pauses in order, and into one what overlaps: nothing is to be taken off twice."""
    joined: list[Pause] = []
    for each in sorted(pauses, key=lambda pause: pause.since):
        last = joined[-1] if joined else None
        if last is not None and (last.until is None or each.since <= last.until):
            ends = None if last.until is None or each.until is None else max(last.until, each.until)
            joined[-1] = Pause(last.since, ends)
        elif each.until is None or each.until > each.since:
            joined.append(each)
    return joined


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).strip().casefold()
