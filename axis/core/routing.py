"""Which mailboxes get an envelope: one delivery row for each recipient, each with a state and a reason.

A delivery that cannot go now is held, and everything later for the same queue is held behind it. So a mailbox sees the
documents of a sender in the order of their receipts, and one mailbox that takes nothing stops nobody else.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from axis.core.lanes import mailbox_queue
from axis.core.messages import Lane
from axis.core.records import AttachmentRow, DeliveryRow, DeliveryState
from axis.core.resolving import Resolution, Resolver
from axis.core.sealing import KEYS_NAME, sealed_for
from axis.errors import Refused
from schemas import Envelope


def resolve_recipients(envelope: Envelope, resolver: Resolver) -> tuple[Resolution, ...]:
    """Resolve every recipient, in the order they are named; a sealed document goes where it was sealed for."""
    resolutions = map(resolver, envelope.recipients)
    if envelope.sealed is None:
        return tuple(resolutions)
    mailboxes = frozenset(envelope.sealed.mailboxes)
    return tuple(sealed_for(mailboxes, resolution) for resolution in resolutions)


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a delivery cannot go now: a reason of schemas.reasons, and a sentence."""

    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Sight:
    """What was seen of mailboxes: `depths` how many documents wait in each queue, `behind` the queues with held ones.

    A queue that is not in `depths` was not there, or another queue of its mailbox was not. `limit`: with so many
    documents waiting in a queue, further ones are held.
    """

    depths: Mapping[str, int]
    behind: frozenset[str]
    limit: int

    def obstacle(self, mailbox: str, lane: Lane) -> Obstacle | None:
        """Say why a document of a lane cannot go to a mailbox now; None: it can."""
        queue = mailbox_queue(lane, mailbox)
        depth = self.depths.get(queue)
        # The broker skips a BCC key without a queue in silence, so a mailbox is only relied on after a look.
        if depth is None:
            return Obstacle(
                "mailbox/not-ready", f"the queues of {mailbox} are not there yet; released as soon as they are"
            )
        if queue in self.behind:
            return Obstacle("mailbox/behind", f"earlier documents for {mailbox} are held; released in order")
        if depth >= self.limit:
            return Obstacle("mailbox/full", f"{depth} documents wait in {queue}; released as it takes them")
        return None


def deliveries_of(
    envelope_id: str, resolutions: Iterable[Resolution], obstacle: Callable[[str], Obstacle | None]
) -> tuple[DeliveryRow, ...]:
    """Turn resolutions into deliveries; one to a mailbox with an obstacle is held for that reason."""
    return tuple(_delivery(envelope_id, resolution, obstacle) for resolution in resolutions)


def _delivery(envelope_id: str, resolution: Resolution, obstacle: Callable[[str], Obstacle | None]) -> DeliveryRow:
    state, reason, detail = DeliveryState.ROUTED, None, None
    if resolution.mailbox is None:
        state, reason, detail = DeliveryState.REFUSED, resolution.reason, resolution.detail
    elif (found := obstacle(resolution.mailbox)) is not None:
        state, reason, detail = DeliveryState.HELD, found.reason, found.detail
    return DeliveryRow(
        envelope_id=envelope_id,
        recipient=resolution.recipient,
        resolved=resolution.resolved,
        mailbox=resolution.mailbox,
        state=state,
        reason=reason,
        detail=detail,
        via=resolution.via,
    )


def blobs_of(envelope: Envelope) -> tuple[AttachmentRow, ...]:
    """Name every blob that the envelope's readers need: its attachments and, of sealed ones, the wrapped keys."""
    rows = [AttachmentRow(envelope.id, each.sha256, each.name, each.size) for each in envelope.attachments]
    if envelope.sealed is not None:
        keys = envelope.sealed.keys
        rows.append(AttachmentRow(envelope.id, keys.sha256, KEYS_NAME, keys.size))
    return tuple(rows)


def check_blobs(envelope: Envelope, known: Mapping[str, int]) -> tuple[AttachmentRow, ...]:
    """Check that every blob is in the blob store for this account, with its size; raise Refused blob/*.

    `known`: SHA-256 to size in bytes, only of blobs the submitting account may use.
    """
    rows = blobs_of(envelope)
    for row in rows:
        size = known.get(row.sha256)
        if size is None:
            raise Refused("blob/missing", f"“{row.name}” ({row.sha256}) was not uploaded by the sender")
        if size != row.size:
            raise Refused("blob/size", f"“{row.name}” has {size} bytes, the envelope says {row.size}")
    return rows
