"""Rows of the store, as the workers hand them over and get them back. Ids are UUID text, times are aware (UTC)."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from axis.core.messages import Lane


class DeliveryState(StrEnum):
    """Transport state of one envelope for one recipient; what the recipient did is its last status, kept apart."""

    ROUTED = "routed"  # committed, not yet confirmed by the broker
    DELIVERED = "delivered"  # in the mailbox, confirmed by the broker
    HELD = "held"  # waits at the axis, with a reason; the relay releases it
    REFUSED = "refused"  # the axis could not deliver it, with a reason; final
    WITHDRAWN = "withdrawn"  # recalled before it left, with a reason; never sent, final


@dataclass(frozen=True, slots=True)
class EnvelopeRow:
    """One accepted envelope with its original bytes and signature.

    `evidence` names what showed, when it was accepted, that its signer's certificate was not revoked.
    """

    id: str
    sender: str
    account: str
    thumbprint: str
    lane: Lane
    action: str
    concerns: str | None
    document_id: str
    subject: str
    sent_at: dt.datetime
    accepted_at: dt.datetime
    body: bytes
    signature: str
    sha256: str
    evidence: int | None = None


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """One envelope for one recipient. `reason` is a code of schemas.reasons; `via` the steps of an indirect way.

    `held_for`: the queue it is held for, where that is another than its own lane's.
    """

    envelope_id: str
    recipient: str
    resolved: str | None
    mailbox: str | None
    state: DeliveryState
    reason: str | None = None
    detail: str | None = None
    via: tuple[str, ...] = ()
    held_for: str | None = None


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A held delivery that is never to be sent, and why."""

    envelope_id: str
    recipient: str
    detail: str


@dataclass(frozen=True, slots=True)
class Hold:
    """Routed deliveries of an envelope to one mailbox that are to be held, in the queue they wait for."""

    envelope_id: str
    mailbox: str
    queue: str
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class AttachmentRow:
    """Names a blob in an envelope: who may read the blob is derived from it."""

    envelope_id: str
    sha256: str
    name: str
    size: int


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """A message for `notices.<mailbox>`: a receipt of the axis, or a status forwarded byte for byte."""

    id: str
    mailbox: str
    kind: Literal["receipt", "status"]
    about: str | None  # the envelope it is about, where known
    body: bytes
    signature: str


@dataclass(frozen=True, slots=True)
class QuarantineRow:
    """A message that could not be read or attributed, with its bytes and its reason.

    Of a state secret `body` is empty. `size`: of the whole message; None: that of `body`. `unwanted`: digests of blobs
    that the account may have uploaded for it, which are to be forgotten.
    """

    id: str
    received_at: dt.datetime
    source: str  # the queue it came from
    reason: str
    detail: str
    account: str | None
    message_id: str | None
    body: bytes
    sha256: str
    headers: Mapping[str, str] = field(default_factory=dict)
    size: int | None = None
    unwanted: tuple[str, ...] = ()
    properties: Mapping[str, str] = field(default_factory=dict)  # routing key, type, content type


@dataclass(frozen=True, slots=True)
class Accepted:
    """Everything one accepted envelope adds to the store, in one transaction."""

    envelope: EnvelopeRow
    deliveries: tuple[DeliveryRow, ...]
    attachments: tuple[AttachmentRow, ...]
    receipt: NoticeRow


@dataclass(frozen=True, slots=True)
class Existing:
    """What the store already holds under an id that was submitted again."""

    envelope: EnvelopeRow
    published: bool
    receipt: NoticeRow
    deliveries: tuple[DeliveryRow, ...] = ()  # only while not published: they have to be published again


@dataclass(frozen=True, slots=True)
class StatusRow:
    """One reported status with its original bytes; append-only. `evidence` is as of `EnvelopeRow`."""

    id: str
    envelope_id: str
    reporter: str
    recipients: tuple[str, ...]  # the deliveries it applies to, as addressed
    code: str
    effect: str  # what the lifecycle made of it: advanced, repeated, late, noted
    at: dt.datetime
    received_at: dt.datetime
    reason: str | None
    account: str
    thumbprint: str
    body: bytes
    signature: str
    sha256: str
    evidence: int | None = None
