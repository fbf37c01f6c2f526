"""What a status does to the deliveries it is about."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

from axis.core.codes import is_within
from axis.core.conversation import Conversation, Kind, Talk
from axis.core.lifecycle import Effect, apply
from axis.core.messages import Signer, Submission
from axis.core.records import StatusRow
from axis.errors import Refused
from schemas import Status, StatusCode

# What is said about a recall, an update or a replacement.
TALKING = frozenset({StatusCode.TAKE_BACK, StatusCode.AGREED, StatusCode.DECLINED})
_ANSWERS = TALKING - {StatusCode.TAKE_BACK}

Talks = dict[tuple[str, str], Conversation]


@dataclass(frozen=True, slots=True)
class DeliveryFact:
    """What the store knows of one delivery of an envelope."""

    recipient: str
    resolved: str | None
    mailbox: str | None
    last_status: str | None


@dataclass(frozen=True, slots=True)
class EnvelopeFacts:
    """What the store knows of the envelope a status is about."""

    sender: str
    account: str
    deliveries: Sequence[DeliveryFact]

    def after(self, verdict: "Verdict") -> Self:
        """Say what is known once the verdict is recorded."""
        return replace(
            self,
            deliveries=[
                replace(delivery, last_status=code.value)
                if (code := verdict.advances.get(delivery.recipient))
                else delivery
                for delivery in self.deliveries
            ],
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to record: which deliveries it is about, what the lifecycle made of it, and who is told.

    `advances` maps a recipient as addressed to its new status; the others keep theirs.
    """

    recipients: tuple[str, ...]
    effect: Effect
    advances: dict[str, StatusCode]
    notify: str


def judge(status: Status, facts: EnvelopeFacts | None, *, sha256: str, known_as: str | None = None) -> Verdict:
    """Decide what a verified status does; raise Refused status/* when it may not say so.

    `sha256` is of its bytes, `known_as` of the bytes recorded before under the same id.
    """
    if known_as is not None and known_as != sha256:
        raise Refused("status/id-reused", f"{status.id} was used before for other bytes")
    if facts is None:
        raise Refused("status/unknown-envelope", f"no envelope {status.envelope} is known")
    if status.code is StatusCode.TAKE_BACK:
        return _take_back(status, facts)
    meant = [delivery for delivery in facts.deliveries if _reports_for(status, delivery)]
    if not meant:
        raise Refused("status/not-recipient", f"{status.reporter} is not a recipient of {status.envelope}")
    advances: dict[str, StatusCode] = {}
    effects: list[Effect] = []
    for delivery in meant:
        current = None if delivery.last_status is None else StatusCode(delivery.last_status)
        step = apply(current, status.code)
        effects.append(step.effect)
        if step.effect is Effect.ADVANCED and step.current is not None:
            advances[delivery.recipient] = step.current
    effect = Effect.ADVANCED if advances else effects[0]
    return Verdict(tuple(delivery.recipient for delivery in meant), effect, advances, notify=facts.account)


def talk(status: Status, verdict: Verdict, talks: Mapping[tuple[str, str], Conversation], at: dt.datetime) -> Talks:
    """Return the conversations that a judged status begins or moves, by request and recipient.

    `talks`: those about what the status is about, so far.
    """
    moved: Talks = {}
    for recipient in verdict.recipients:
        known = talks.get((status.envelope, recipient))
        if status.code is StatusCode.TAKE_BACK and known is None:
            moved[status.envelope, recipient] = Conversation(
                request=status.envelope,
                about=status.envelope,
                recipient=recipient,
                original=recipient,
                kind=Kind.TAKE_BACK,
                state=Talk.REQUESTED,
                requested_at=at,
                requested_by=status.reporter,
                reason=status.reason,
            )
        elif status.code in _ANSWERS and known is not None and (now := known.hear(status, at)) != known:
            moved[now.key] = now
    return moved


def _reports_for(status: Status, delivery: DeliveryFact) -> bool:
    """Say whether the reporter may speak for a delivery, and means it.

    A recipient speaks for itself (under the code addressed, or the successor it led to); the organisation whose
    mailbox took the document speaks for the units behind it.
    """
    if delivery.mailbox is None:
        return False
    own = {delivery.recipient, delivery.resolved}
    if status.recipient is not None and status.recipient not in own:
        return False
    if status.reporter in own:
        return True
    addressed = delivery.resolved or delivery.recipient
    return (
        status.recipient is not None
        and is_within(addressed, status.reporter)
        and is_within(status.reporter, delivery.mailbox)
    )


def _take_back(status: Status, facts: EnvelopeFacts) -> Verdict:
    if status.reporter != facts.sender:
        raise Refused("status/not-sender", f"{status.envelope} was sent by {facts.sender}, not by {status.reporter}")
    meant = [d for d in facts.deliveries if d.mailbox is not None and status.recipient in {d.recipient, d.resolved}]
    if not meant:
        raise Refused("status/not-recipient", f"{status.envelope} was not delivered to {status.recipient}")
    recipients = tuple(delivery.recipient for delivery in meant)
    return Verdict(recipients, Effect.NOTED, {}, notify=meant[0].mailbox or facts.account)


def status_row(
    status: Status,
    verdict: Verdict,
    *,
    submission: Submission,
    signer: Signer,
    signature: str,
    sha256: str,
    received_at: dt.datetime,
) -> StatusRow:
    """Write a judged status as it is recorded, with its original bytes."""
    return StatusRow(
        id=status.id,
        envelope_id=status.envelope,
        reporter=status.reporter,
        recipients=verdict.recipients,
        code=status.code.value,
        effect=verdict.effect.value,
        at=status.at,
        received_at=received_at,
        reason=status.reason,
        account=submission.account or "",
        thumbprint=signer.thumbprint,
        body=submission.body,
        signature=signature,
        sha256=sha256,
        evidence=signer.evidence,
    )
