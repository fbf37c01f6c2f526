"""What the store tells about envelopes and quarantine: values for people and for `--json`. Times are UTC."""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from axis.core.concerning import Waiting
from axis.core.conversation import Conversation
from axis.core.evidence import Proof
from axis.core.records import DeliveryState


@dataclass(frozen=True, slots=True)
class TrackedEnvelope:
    """One envelope, without its bytes; `proof`: by what its signer's certificate was taken not to be revoked."""

    id: str
    sender: str
    account: str
    thumbprint: str
    lane: str
    action: str
    concerns: str | None
    document_id: str
    subject: str
    sent_at: dt.datetime
    accepted_at: dt.datetime
    published_at: dt.datetime | None
    sha256: str
    proof: Proof | None = None


@dataclass(frozen=True, slots=True)
class TrackedDelivery:
    """One recipient: where it went, and how far it is; axis.core.fate says what that means."""

    recipient: str
    resolved: str | None
    mailbox: str | None
    state: DeliveryState
    delivered_at: dt.datetime | None
    reason: str | None
    detail: str | None
    via: tuple[str, ...]
    last_status: str | None
    last_status_at: dt.datetime | None
    held_since: dt.datetime | None = None  # of the last time that it was held at the axis
    released_at: dt.datetime | None = None
    fetched_at: dt.datetime | None = None  # by an existing document system, from the gateway


@dataclass(frozen=True, slots=True)
class TrackedStatus:
    """One status as reported; `effect` says what the lifecycle made of it, `proof` as of `TrackedEnvelope`."""

    id: str
    reporter: str
    recipients: tuple[str, ...]
    code: str
    effect: str
    at: dt.datetime
    received_at: dt.datetime
    reason: str | None
    proof: Proof | None = None


@dataclass(frozen=True, slots=True)
class TrackedNotice:
    """One message about the envelope to somebody's notices queue."""

    id: str
    kind: str
    mailbox: str
    published_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Tracked:
    """Everything about one envelope; deliveries in the order of its recipients, the rest in the order of time."""

    envelope: TrackedEnvelope
    deliveries: tuple[TrackedDelivery, ...]
    statuses: tuple[TrackedStatus, ...]
    notices: tuple[TrackedNotice, ...]
    conversations: tuple[Conversation, ...] = ()  # that it is about, or that it began


@dataclass(frozen=True, slots=True)
class TrackedWaiting:
    """An envelope that came before the one it acts on; it is not refused before `until`."""

    id: str
    concerns: str
    action: str
    account: str
    queue: str
    received_at: dt.datetime
    until: dt.datetime

    @classmethod
    def of(cls, waiting: Waiting) -> "TrackedWaiting":
        """Tell of one without its bytes, which were read and verified when it came."""
        said = json.loads(waiting.body).get("action", "new")
        return cls(
            waiting.id, waiting.concerns, said, waiting.account, waiting.queue, waiting.received_at, waiting.until
        )


@dataclass(frozen=True, slots=True)
class Quarantined:
    """One message in quarantine; `size` is of the whole message, `body` may be only its beginning."""

    id: str
    received_at: dt.datetime
    last_seen_at: dt.datetime
    count: int
    size: int
    source: str
    reason: str
    detail: str
    account: str | None
    message_id: str | None
    sha256: str
    headers: Mapping[str, str]
    body: bytes
    properties: Mapping[str, str] = field(default_factory=dict)  # that it came with; none before they were kept
    left_at: dt.datetime | None = None  # when somebody took it out last

    @property
    def is_in(self) -> bool:
        """Whether it is in quarantine: it never left, or came again since."""
        return self.left_at is None or self.left_at < self.last_seen_at
