"""What happened to one delivery, in the order of time: what the axis did, and what it was told."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from axis.core.conversation import Talk
from axis.core.records import DeliveryState
from axis.core.tracked import Tracked, TrackedDelivery


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened. `kind`: `moment.<kind>` names it; `who` said it, None: the axis did it.

    `code`: of a status its code, of a conversation `talk.<code>`; `effect`: what a status did; `words`: what was
    written with it; `evidence`: the id of what shows it; `said_at`: when it was, by its reporter's clock.
    """

    at: dt.datetime
    kind: str
    who: str | None = None
    code: str | None = None
    effect: str | None = None
    words: str | None = None
    evidence: str | None = None
    said_at: dt.datetime | None = None


def moments_of(tracked: Tracked, delivery: TrackedDelivery) -> tuple[Moment, ...]:
    """Return what happened to a delivery; of what is written over in the store only the last."""
    return tuple(sorted(_moments(tracked, delivery), key=lambda each: each.at))


def _moments(tracked: Tracked, delivery: TrackedDelivery) -> Iterator[Moment]:
    envelope = tracked.envelope
    yield Moment(envelope.accepted_at, "accepted", evidence=envelope.id)
    if delivery.state is DeliveryState.REFUSED:
        yield Moment(envelope.accepted_at, "refused", code=delivery.reason, words=delivery.detail)
    for kind, at in (
        ("held", delivery.held_since),
        ("released", delivery.released_at),
        ("delivered", delivery.delivered_at),
        ("fetched", delivery.fetched_at),
    ):
        if at is not None:
            held = kind == "held"
            yield Moment(at, kind, code=delivery.reason if held else None, words=delivery.detail if held else None)
    for status in tracked.statuses:
        if delivery.recipient in status.recipients:
            yield Moment(
                status.received_at,
                "status",
                status.reporter,
                status.code,
                status.effect,
                status.reason,
                status.id,
                status.at,
            )
    for talk in tracked.conversations:
        if delivery.recipient not in {talk.recipient, talk.original}:
            continue
        yield Moment(
            talk.requested_at, "asked", talk.requested_by, talk.kind.value, words=talk.reason, evidence=talk.request
        )
        if talk.answered_at is not None:
            said = Talk.DECLINED if talk.state is Talk.DECLINED else Talk.AGREED
            yield Moment(talk.answered_at, "answered", talk.answered_by, said.value, words=talk.answer)
        if talk.destroyed_at is not None:
            yield Moment(talk.destroyed_at, "destroyed", talk.answered_by)
