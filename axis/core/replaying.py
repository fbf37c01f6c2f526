"""A replay: documents that a mailbox got before, out of the store, once more and in their order.

It goes into a queue of its own, so that nothing of it mixes with what is new, and every copy says that it is one. What
is not to be seen any more is left out and named: what was recalled, and the recall that was carried out; what never
left the axis, or still waits there, is named as well.
"""

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

from axis.core.fanout import fan_out
from axis.core.messages import Outgoing
from axis.core.records import DeliveryRow, DeliveryState, EnvelopeRow
from schemas.wire import REPLAY_HEADER


class Place(NamedTuple):
    """Where an envelope stands in the order of a replay: when it was accepted, and of equal times by id."""

    accepted_at: dt.datetime
    id: str


@dataclass(frozen=True, slots=True)
class Replay:
    """One replay, as the store keeps it: of what was accepted from `since` to before `until`; done up to `after`."""

    id: str
    mailbox: str
    queue: str
    since: dt.datetime
    until: dt.datetime
    by: str
    begun_at: dt.datetime
    after: Place | None = None
    put: int = 0
    left_out: int = 0
    filled_at: dt.datetime | None = None
    ended_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """An envelope and its deliveries for the mailbox.

    `gone`: recipients (as addressed) whose copy was withdrawn or destroyed. `carried_out`: it is a recall, and all of
    these recipients did what it asks.
    """

    envelope: EnvelopeRow
    deliveries: tuple[DeliveryRow, ...]
    gone: frozenset[str] = frozenset()
    carried_out: bool = False

    @property
    def place(self) -> Place:
        """Where it stands in the order."""
        return Place(self.envelope.accepted_at, self.envelope.id)


class Why(StrEnum):
    """Why something is not replayed."""

    RECALLED = "recalled"  # its copy was withdrawn or destroyed
    CARRIED_OUT = "carried out"  # the recall of such a document
    WITHDRAWN = "withdrawn"  # recalled while it was held: it never left
    HELD = "held"  # it still waits at the axis, and comes by itself
    REFUSED = "refused"  # it could not be delivered


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What is not replayed, for one recipient."""

    id: str
    recipient: str
    why: Why


@dataclass(frozen=True, slots=True)
class Decided:
    """What is done with one envelope: the message, if any, and for whom it is left out."""

    place: Place
    message: Outgoing | None
    left_out: tuple[LeftOut, ...]


_STATES = {
    DeliveryState.WITHDRAWN: Why.WITHDRAWN,
    DeliveryState.HELD: Why.HELD,
    DeliveryState.REFUSED: Why.REFUSED,
}


def decide(candidate: Candidate, replay: Replay, at: dt.datetime) -> Decided:
    """Make the copy of one envelope, for those recipients of the mailbox who may see it."""
    envelope, left_out, going = candidate.envelope, [], []
    for delivery in candidate.deliveries:
        if (why := _why(candidate, delivery)) is None:
            going.append(delivery)
        else:
            left_out.append(LeftOut(envelope.id, delivery.recipient, why))
    message = _message(envelope, going, replay, at) if going else None
    return Decided(candidate.place, message, tuple(left_out))


def _why(candidate: Candidate, delivery: DeliveryRow) -> Why | None:
    if delivery.state in _STATES:
        return _STATES[delivery.state]
    if delivery.recipient in candidate.gone:
        return Why.RECALLED
    return Why.CARRIED_OUT if candidate.carried_out else None


def _message(envelope: EnvelopeRow, deliveries: Sequence[DeliveryRow], replay: Replay, at: dt.datetime) -> Outgoing:
    # Not through the schema: these bytes fitted that of their day.
    recipients: list[str] = json.loads(envelope.body)["recipients"]
    routed = [replace(each, state=DeliveryState.ROUTED) for each in deliveries]
    (message,) = fan_out(envelope, recipients, routed)
    mark = {
        "replay": replay.id,
        "at": at.isoformat(),
        "by": replay.by,
        "accepted_at": envelope.accepted_at.isoformat(),
    }
    header = json.dumps(mark, ensure_ascii=True, separators=(",", ":"))
    return replace(
        message, exchange="", routing_key=replay.queue, bcc=(), headers={**message.headers, REPLAY_HEADER: header}
    )
