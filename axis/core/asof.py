"""What was known of an envelope at an earlier moment."""

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from axis.core import lifecycle
from axis.core.conversation import Conversation, Talk
from axis.core.lifecycle import Effect
from axis.core.records import DeliveryState
from axis.core.tracked import Tracked, TrackedDelivery, TrackedStatus
from schemas import StatusCode

_CODES = {each.value: each for each in StatusCode}


def as_of(tracked: Tracked, moment: dt.datetime) -> Tracked | None:
    """Return what was known at a moment; None: the axis had not accepted it then.

    What the store writes over is not brought back: why a delivery was held that was released since, an earlier time
    that it was held, and an answer to a recall that a later one took the place of.
    """
    envelope = tracked.envelope
    if envelope.accepted_at > moment:
        return None
    statuses = tuple(each for each in tracked.statuses if each.received_at <= moment)
    talks = tuple(_talk_as_of(each, moment) for each in tracked.conversations if each.requested_at <= moment)
    # By recipient: of 5,000 with a few statuses each, looking through all of them for each would take minutes.
    mine: defaultdict[str, list[TrackedStatus]] = defaultdict(list)
    for status in statuses:
        for recipient in status.recipients:
            mine[recipient].append(status)
    asked: defaultdict[str | None, list[Conversation]] = defaultdict(list)
    for talk in tracked.conversations:
        asked[talk.original].append(talk)
    return Tracked(
        envelope=replace(envelope, published_at=_past(envelope.published_at, moment)),
        deliveries=tuple(
            _delivery_as_of(each, mine[each.recipient], asked[each.recipient], moment) for each in tracked.deliveries
        ),
        statuses=statuses,
        notices=tuple(replace(each, published_at=_past(each.published_at, moment)) for each in tracked.notices),
        conversations=talks,
    )


def _delivery_as_of(
    delivery: TrackedDelivery, statuses: Sequence[TrackedStatus], talks: Sequence[Conversation], moment: dt.datetime
) -> TrackedDelivery:
    current: StatusCode | None = None
    reported_at: dt.datetime | None = None
    for each in statuses:
        code = _known(each.code)
        if code is not None and lifecycle.apply(current, code).effect is Effect.ADVANCED:
            current, reported_at = code, each.at
    state = _state_as_of(delivery, talks, moment)
    forgotten = state is not delivery.state
    return replace(
        delivery,
        state=state,
        reason=None if forgotten else delivery.reason,
        detail=None if forgotten else delivery.detail,
        last_status=None if current is None else current.value,
        last_status_at=reported_at,
        held_since=_past(delivery.held_since, moment),
        released_at=_past(delivery.released_at, moment),
        fetched_at=_past(delivery.fetched_at, moment),
        delivered_at=_past(delivery.delivered_at, moment),
    )


def _state_as_of(delivery: TrackedDelivery, talks: Sequence[Conversation], moment: dt.datetime) -> DeliveryState:
    state = delivery.state
    if state is DeliveryState.WITHDRAWN:
        mine = (each for each in talks if each.state is Talk.WITHDRAWN)
        gone = min((each.destroyed_at or each.requested_at for each in mine), default=moment)
        return state if gone <= moment else DeliveryState.HELD
    if state is DeliveryState.DELIVERED and _past(delivery.delivered_at, moment) is None:
        held = _past(delivery.held_since, moment) is not None and _past(delivery.released_at, moment) is None
        return DeliveryState.HELD if held else DeliveryState.ROUTED
    if state is DeliveryState.HELD and delivery.held_since is not None and delivery.held_since > moment:
        return DeliveryState.ROUTED
    return state


def _talk_as_of(talk: Conversation, moment: dt.datetime) -> Conversation:
    if talk.state is Talk.REQUESTED:
        return talk
    if talk.destroyed_at is not None and talk.destroyed_at > moment:
        talk = replace(talk, destroyed_at=None, state=Talk.REQUESTED if talk.answered_at is None else Talk.AGREED)
    if talk.answered_at is not None and talk.answered_at > moment:
        talk = replace(talk, answered_at=None, answered_by=None, answer=None, state=Talk.REQUESTED)
    return talk


def _past(at: dt.datetime | None, moment: dt.datetime) -> dt.datetime | None:
    return None if at is None or at > moment else at


def _known(code: str) -> StatusCode | None:
    """Read a status code; one that this version does not know moves nothing."""
    return _CODES.get(code)
