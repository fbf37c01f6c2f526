"""Which mailboxes get an envelope: one delivery row for each recipient, each with a state and a reason."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping

from axis.core.directory import Directory
from axis.core.records import AttachmentRow, DeliveryRow, DeliveryState
from axis.core.resolving import Resolution, resolve
from axis.errors import Refused
from schemas import Envelope


def resolve_recipients(envelope: Envelope, directory: Directory, at: dt.datetime) -> tuple[Resolution, ...]:
    """Resolve every recipient as of `at`, in the order they are named."""
    return tuple(resolve(directory, recipient, at) for recipient in envelope.recipients)


def deliveries_of(
    envelope_id: str, resolutions: Iterable[Resolution], ready: Callable[[str], bool]
) -> tuple[DeliveryRow, ...]:
    """Turn resolutions into deliveries; a mailbox that is not `ready` (its queues were not seen) is held.

    The broker skips a BCC key without a queue in silence, so a mailbox is only relied on after a look at its queues.
    """
    return tuple(_delivery(envelope_id, resolution, ready) for resolution in resolutions)


def _delivery(envelope_id: str, resolution: Resolution, ready: Callable[[str], bool]) -> DeliveryRow:
    state, reason, detail = DeliveryState.ROUTED, None, None
    if resolution.mailbox is None:
        state, reason, detail = DeliveryState.REFUSED, resolution.reason, resolution.detail
    elif not ready(resolution.mailbox):
        state, reason = DeliveryState.HELD, "mailbox/not-ready"
        detail = f"the queues of {resolution.mailbox} are not there yet; released as soon as they are"
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


def check_blobs(envelope: Envelope, known: Mapping[str, int]) -> tuple[AttachmentRow, ...]:
    """Check that every attachment is in the blob store for this account, with its size; raise Refused blob/*.

    `known`: SHA-256 to size in bytes, only of blobs the submitting account may use.
    """
    for attachment in envelope.attachments:
        size = known.get(attachment.sha256)
        if size is None:
            raise Refused("blob/missing", f"“{attachment.name}” ({attachment.sha256}) was not uploaded by the sender")
        if size != attachment.size:
            raise Refused("blob/size", f"“{attachment.name}” has {size} bytes, the envelope says {attachment.size}")
    return tuple(
        AttachmentRow(envelope_id=envelope.id, sha256=attachment.sha256, name=attachment.name, size=attachment.size)
        for attachment in envelope.attachments
    )
