"""What the fake store remembers."""

import datetime as dt
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from axis.core.concerning import Waiting
from axis.core.evidence import Proof
from axis.core.lanes import mailbox_queue
from axis.core.messages import Lane
from axis.core.records import AttachmentRow, DeliveryRow, DeliveryState, EnvelopeRow, NoticeRow, StatusRow
from axis.core.tracked import (
    Quarantined,
    Tracked,
    TrackedDelivery,
    TrackedEnvelope,
    TrackedNotice,
    TrackedStatus,
)
from axis.core.tracking import Talks


@dataclass(frozen=True, slots=True)
class StoredEnvelope:
    """An envelope, the key of its receipt, and its marks."""

    row: EnvelopeRow
    receipt: str
    attempted_at: dt.datetime
    published_at: dt.datetime | None = None
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class StoredDelivery:
    """A delivery and what became of it; `placed` orders what is held."""

    row: DeliveryRow
    placed: int
    published_at: dt.datetime | None = None
    last_status: str | None = None
    last_status_at: dt.datetime | None = None
    tried: bool = False  # it may have been on its way
    placed_at: dt.datetime | None = None  # stored, or held since


@dataclass(frozen=True, slots=True)
class StoredNotice:
    """A notice and its marks."""

    row: NoticeRow
    attempted_at: dt.datetime
    published_at: dt.datetime | None = None
    attempts: int = 0


@dataclass(slots=True)
class Memory:
    """Every table; the values never change in place, so a copy of the containers is a copy of everything."""

    envelopes: dict[str, StoredEnvelope] = field(default_factory=dict)
    deliveries: dict[str, tuple[StoredDelivery, ...]] = field(default_factory=dict)
    attachments: list[AttachmentRow] = field(default_factory=list)
    notices: dict[tuple[str, str], StoredNotice] = field(default_factory=dict)
    statuses: dict[str, StatusRow] = field(default_factory=dict)
    conversations: Talks = field(default_factory=dict)
    waiting: dict[str, Waiting] = field(default_factory=dict)
    quarantine: dict[tuple[str, str | None, str], Quarantined] = field(default_factory=dict)
    blobs: dict[str, int] = field(default_factory=dict)
    uploads: dict[tuple[str, str], dt.datetime] = field(default_factory=dict)  # digest and account
    unwanted: dict[tuple[str, str], dt.datetime] = field(default_factory=dict)
    places: Iterator[int] = field(default_factory=itertools.count)

    def copy(self) -> "Memory":
        """Copy everything, to come back to when a transaction fails."""
        return Memory(
            envelopes=dict(self.envelopes),
            deliveries=dict(self.deliveries),
            attachments=list(self.attachments),
            notices=dict(self.notices),
            statuses=dict(self.statuses),
            conversations=dict(self.conversations),
            waiting=dict(self.waiting),
            quarantine=dict(self.quarantine),
            blobs=dict(self.blobs),
            uploads=dict(self.uploads),
            unwanted=dict(self.unwanted),
            places=self.places,
        )

    def change(self, envelope_id: str, change: Callable[[StoredDelivery], StoredDelivery]) -> None:
        """Change the deliveries of an envelope, if there is one."""
        if envelope_id in self.deliveries:
            self.deliveries[envelope_id] = tuple(map(change, self.deliveries[envelope_id]))

    def held(self) -> list[tuple[str, StoredDelivery]]:
        """List what is held, with its queue, the first first."""
        held = [
            (queue_of(self.envelopes[identifier].row.lane, each.row), each)
            for identifier, deliveries in self.deliveries.items()
            for each in deliveries
            if each.row.state is DeliveryState.HELD and each.row.mailbox is not None
        ]
        return sorted(held, key=lambda item: item[1].placed)


def queue_of(lane: Lane, row: DeliveryRow) -> str:
    """Name the queue that a delivery waits for, if it has to."""
    return row.held_for or mailbox_queue(lane, row.mailbox or "")


ProofOf = Callable[[int | None], Proof | None]
FetchedAt = Callable[[str, str | None], dt.datetime | None]  # an envelope, by the system of a mailbox


def tracked(memory: Memory, envelope: StoredEnvelope, proof_of: ProofOf, fetched: FetchedAt) -> Tracked:
    """Tell everything about one envelope."""
    identifier = envelope.row.id
    statuses = [status for status in memory.statuses.values() if status.envelope_id == identifier]
    notices = [notice for notice in memory.notices.values() if notice.row.about == identifier]
    talks = [each for each in memory.conversations.values() if identifier in {each.about, each.request}]
    return Tracked(
        envelope=tracked_envelope(envelope, proof_of),
        deliveries=tuple(
            _delivery(each, envelope.published_at, fetched(identifier, each.row.mailbox))
            for each in memory.deliveries[identifier]
        ),
        statuses=tuple(
            _status(each, proof_of) for each in sorted(statuses, key=lambda status: (status.received_at, status.id))
        ),
        notices=tuple(_notice(each) for each in sorted(notices, key=lambda notice: notice.row.id)),
        conversations=tuple(sorted(talks, key=lambda each: (each.requested_at, *each.key))),
    )


def tracked_envelope(stored: StoredEnvelope, proof_of: ProofOf) -> TrackedEnvelope:
    """Tell about an envelope without its bytes."""
    row = stored.row
    return TrackedEnvelope(
        id=row.id,
        sender=row.sender,
        account=row.account,
        thumbprint=row.thumbprint,
        lane=row.lane,
        action=row.action,
        concerns=row.concerns,
        document_id=row.document_id,
        subject=row.subject,
        sent_at=row.sent_at,
        accepted_at=row.accepted_at,
        published_at=stored.published_at,
        sha256=row.sha256,
        proof=proof_of(row.evidence),
    )


def _delivery(
    stored: StoredDelivery, envelope_published_at: dt.datetime | None, fetched_at: dt.datetime | None
) -> TrackedDelivery:
    row = stored.row
    # What was put into a mailbox again has a mark of its own as well, and was never held; what is held again has one of
    # its last release.
    released_at = stored.published_at if stored.tried and row.state is not DeliveryState.HELD else None
    held = row.state in {DeliveryState.HELD, DeliveryState.WITHDRAWN} or released_at is not None
    delivered_at = stored.published_at or envelope_published_at if row.state is DeliveryState.ROUTED else None
    return TrackedDelivery(
        recipient=row.recipient,
        resolved=row.resolved,
        mailbox=row.mailbox,
        state=row.state if delivered_at is None else DeliveryState.DELIVERED,
        delivered_at=delivered_at,
        reason=row.reason,
        detail=row.detail,
        via=row.via,
        last_status=stored.last_status,
        last_status_at=stored.last_status_at,
        held_since=stored.placed_at if held else None,
        released_at=released_at,
        fetched_at=fetched_at,
    )


def _status(row: StatusRow, proof_of: ProofOf) -> TrackedStatus:
    return TrackedStatus(
        id=row.id,
        reporter=row.reporter,
        recipients=row.recipients,
        code=row.code,
        effect=row.effect,
        at=row.at,
        received_at=row.received_at,
        reason=row.reason,
        proof=proof_of(row.evidence),
    )


def _notice(stored: StoredNotice) -> TrackedNotice:
    row = stored.row
    return TrackedNotice(id=row.id, kind=row.kind, mailbox=row.mailbox, published_at=stored.published_at)


def marked(stored: StoredDelivery, code: str, at: dt.datetime) -> StoredDelivery:
    """Give a delivery a new last status."""
    return replace(stored, last_status=code, last_status_at=at)
