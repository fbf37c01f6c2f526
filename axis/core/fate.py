"""What became of a delivery, on two planes: where the axis has brought it, and what its recipient did with it.

The business plane is the table of `lifecycle`. The transport plane is the table below; a delivery is

- accepted: recorded with its envelope, the broker has not confirmed it yet;
- held: waits at the axis, with a reason; released by itself;
- routed: in its mailbox, confirmed by the broker;
- taken: the recipient's system has it. Seen by the first thing it reports about it, or by its fetching it from the
  gateway; the broker forgets who took what;
- withdrawn: recalled before anybody saw it, at the axis or in the mailbox; its end;
- undeliverable: the axis refused this recipient, with a reason; its end.

No document expires (docs/decisions). What is seen of a delivery comes from several places, and late: a mark of the
broker's confirmation can be lost with a server, and then a document is taken that was never marked as routed. Hence
each state can be left out, and a delivery never goes back; only what was sent in vain is held again.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType

from axis.core.conversation import Conversation, Kind, Talk
from axis.core.deadlines import Pause
from axis.core.lifecycle import Effect
from axis.core.records import DeliveryState
from axis.core.tracked import Tracked, TrackedDelivery, TrackedStatus
from schemas import Action


class Transport(StrEnum):
    """Where the axis has brought a delivery."""

    ACCEPTED = "accepted"
    HELD = "held"
    ROUTED = "routed"
    TAKEN = "taken"
    WITHDRAWN = "withdrawn"
    UNDELIVERABLE = "undeliverable"


class Awaited(StrEnum):
    """What a delivery that is not at its end waits for."""

    CONFIRMATION = "confirmation"  # of the broker
    RELEASE = "release"  # from the axis
    TAKING = "taking"  # out of the mailbox
    ACCEPTANCE = "acceptance"  # 03, or 02
    FINISHING = "finishing"  # 06
    ANSWER = "answer"  # 15 or 16, to a recall, an update or a replacement
    DESTRUCTION = "destruction"  # 15 with proof, after a recall was agreed to


# Rows: the state before ("--": nothing is known). Columns: what is seen.
_TABLE = """
               accepted  held      routed    taken     withdrawn  undeliverable
--             advanced  advanced  advanced  advanced  advanced   advanced
accepted       repeated  advanced  advanced  advanced  advanced   late
held           late      repeated  advanced  advanced  advanced   late
routed         late      late      repeated  advanced  advanced   late
taken          late      late      late      repeated  advanced   late
withdrawn      late      late      late      late      repeated   late
undeliverable  late      late      late      late      late       repeated
"""


def _read(table: str) -> Mapping[Transport | None, Mapping[Transport, Effect]]:
    head, *rows = (line.split() for line in table.strip().splitlines())
    seen = [Transport(each) for each in head]
    return MappingProxyType(
        {
            None if before == "--" else Transport(before): MappingProxyType(
                dict(zip(seen, map(Effect, effects), strict=True))
            )
            for before, *effects in rows
        }
    )


TRANSITIONS: Mapping[Transport | None, Mapping[Transport, Effect]] = _read(_TABLE)

# What a status says about where the document is: whoever reports on its own step has it. 13 is the sender's, and 15 and
# 16 are about a conversation, whose own state says whether the document was taken.
_STEPS = frozenset({"01", "02", "03", "04", "05", "06"})
_ANSWERED = frozenset({"02", "03", "04", "05", "06"})
_FINISHED = frozenset({"02", "06"})
_TALKED = frozenset({"15", "16"})


@dataclass(frozen=True, slots=True)
class Fate:
    """How one delivery stands. `since`: when it came to be so; `business` is a status code, unknown ones too.

    `arrived_at`, `accepted_at` and `finished_at`: when the axis heard that its system had it, that it was taken in or
    refused, that it was handled or refused. `pauses`: time that its recipient is not charged with.
    """

    recipient: str
    transport: Transport
    business: str | None
    since: dt.datetime
    waiting_for: Awaited | None
    arrived_at: dt.datetime | None = None
    accepted_at: dt.datetime | None = None
    finished_at: dt.datetime | None = None
    pauses: tuple[Pause, ...] = ()

    @property
    def ended(self) -> bool:
        """Whether nothing more is to come."""
        return self.waiting_for is None


def is_final(state: Transport | None) -> bool:
    """Say whether nothing can bring the delivery anywhere else."""
    return Effect.ADVANCED not in TRANSITIONS[state].values()


def fates(tracked: Tracked) -> tuple[Fate, ...]:
    """Say how each delivery of an envelope stands, in their order."""
    statuses: defaultdict[str, list[TrackedStatus]] = defaultdict(list)
    for status in tracked.statuses:
        for recipient in status.recipients:
            statuses[recipient].append(status)
    talks: defaultdict[str, list[Conversation]] = defaultdict(list)
    for talk in tracked.conversations:
        for recipient in {talk.recipient, talk.original or talk.recipient}:
            talks[recipient].append(talk)
    return tuple(fate_of(tracked, each, statuses[each.recipient], talks[each.recipient]) for each in tracked.deliveries)


def fate_of(
    tracked: Tracked, delivery: TrackedDelivery, statuses: Sequence[TrackedStatus], talks: Sequence[Conversation]
) -> Fate:
    """Say how one delivery stands; `statuses` and `talks` are those with its recipient."""
    envelope = tracked.envelope
    about = [each for each in talks if each.about == envelope.id and each.original == delivery.recipient]
    asked = [each for each in talks if each.request == envelope.id and each.about != envelope.id]
    heard = _STEPS | _TALKED if envelope.action != Action.NEW else _STEPS
    arrived = _first(statuses, heard, delivery.fetched_at)
    transport, moved_at = _transport(tracked, delivery, about, arrived)
    answered = _first(statuses, _ANSWERED | (heard & _TALKED))
    business_at = delivery.last_status_at if delivery.last_status is not None else None
    reported = [each.received_at for each in statuses if each.code == delivery.last_status]
    if business_at is not None and reported:
        business_at = min(reported)  # when the axis heard of it: what the reporter says is its own clock's
    fate = Fate(
        recipient=delivery.recipient,
        transport=transport,
        business=delivery.last_status,
        since=moved_at if business_at is None else max(moved_at, business_at),
        waiting_for=None,
        arrived_at=arrived,
        accepted_at=answered,
        finished_at=_first(statuses, _FINISHED),
        pauses=_pauses(delivery, about),
    )
    return replace(fate, waiting_for=_awaited(fate, envelope.action, about, asked))


def _transport(
    tracked: Tracked, delivery: TrackedDelivery, about: Sequence[Conversation], arrived: dt.datetime | None
) -> tuple[Transport, dt.datetime]:
    accepted_at = tracked.envelope.accepted_at
    if delivery.state is DeliveryState.REFUSED:
        return Transport.UNDELIVERABLE, accepted_at
    gone = [each for each in about if each.kind.destroys and each.state is Talk.WITHDRAWN]
    if gone or delivery.state is DeliveryState.WITHDRAWN:
        at = min((each.destroyed_at or each.requested_at for each in gone), default=accepted_at)
        return Transport.WITHDRAWN, at
    if arrived is not None:
        return Transport.TAKEN, arrived
    if delivery.state is DeliveryState.HELD:
        return Transport.HELD, delivery.held_since or accepted_at
    if delivery.state is DeliveryState.DELIVERED:
        return Transport.ROUTED, delivery.delivered_at or accepted_at
    return Transport.ACCEPTED, accepted_at


def _awaited(fate: Fate, action: str, about: Sequence[Conversation], asked: Sequence[Conversation]) -> Awaited | None:
    if fate.transport in {Transport.WITHDRAWN, Transport.UNDELIVERABLE} or _is_given_up(about):
        return None
    recalls = {each.state for each in about if each.kind.destroys}
    if Talk.AGREED in recalls:
        return Awaited.DESTRUCTION
    if Talk.REQUESTED in recalls:
        return Awaited.ANSWER
    return _next_step(fate) if action == Action.NEW else _next_answer(fate, asked)


def _is_given_up(about: Sequence[Conversation]) -> bool:
    """Say whether a document is not worked on any more: its copy is destroyed, or another has taken its place."""
    return any(
        each.state is Talk.DESTROYED or (each.kind is Kind.REPLACE and each.state is Talk.AGREED) for each in about
    )


_ON_THE_WAY = MappingProxyType(
    {
        Transport.ACCEPTED: Awaited.CONFIRMATION,
        Transport.HELD: Awaited.RELEASE,
        Transport.ROUTED: Awaited.TAKING,
    }
)


def _next_step(fate: Fate) -> Awaited | None:
    if fate.business in _FINISHED:
        return None
    if fate.business in _ANSWERED:
        return Awaited.FINISHING
    return _ON_THE_WAY.get(fate.transport, Awaited.ACCEPTANCE)


def _next_answer(fate: Fate, asked: Sequence[Conversation]) -> Awaited | None:
    """Of what acts on another document the answer is awaited; it may be handled like a document as well."""
    if fate.business in _FINISHED or any(_is_over(each) for each in asked):
        return None
    if any(each.state is Talk.AGREED for each in asked):
        return Awaited.DESTRUCTION
    return _ON_THE_WAY.get(fate.transport, Awaited.ANSWER)


def _is_over(talk: Conversation) -> bool:
    return talk.state in {Talk.DECLINED, Talk.WITHDRAWN, Talk.DESTROYED} or (
        talk.state is Talk.AGREED and not talk.kind.destroys
    )


def _pauses(delivery: TrackedDelivery, about: Sequence[Conversation]) -> tuple[Pause, ...]:
    held = [] if delivery.held_since is None else [Pause(delivery.held_since, delivery.released_at)]
    asked = [
        Pause(each.requested_at, None if each.state is Talk.REQUESTED else each.answered_at or each.destroyed_at)
        for each in about
        if each.kind.destroys
    ]
    return tuple(sorted([*held, *asked], key=lambda each: each.since))


def _first(
    statuses: Iterable[TrackedStatus], codes: frozenset[str], also: dt.datetime | None = None
) -> dt.datetime | None:
    found = [each.received_at for each in statuses if each.code in codes]
    return min([*found, *([] if also is None else [also])], default=None)


def diagram() -> str:
    """Draw the table as a Mermaid state diagram; what leaves the state as it is is not drawn.

    A delivery is recorded as accepted, held or undeliverable: the other ways from nothing are left out.
    """
    begins = (Transport.ACCEPTED, Transport.HELD, Transport.UNDELIVERABLE)
    lines = ["stateDiagram-v2", *(f"    [*] --> {state}" for state in begins)]
    for before, row in TRANSITIONS.items():
        if before is not None:
            lines += [f"    {before} --> {seen}" for seen, effect in row.items() if effect is Effect.ADVANCED]
    lines += [f"    {state} --> [*]" for state in Transport if is_final(state)]
    return "\n".join(lines) + "\n"
