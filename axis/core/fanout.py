"""One publish for all mailboxes: routing keys in the BCC header, split only where headers would not fit a frame."""

import json
from collections.abc import Iterable, Mapping, Sequence

from axis.core.hybrid import headers_of
from axis.core.lanes import mailbox_queue, notices_queue
from axis.core.messages import Lane, Outgoing
from axis.core.records import DeliveryRow, DeliveryState, EnvelopeRow, NoticeRow
from schemas.wire import (
    DELIVER_EXCHANGE,
    ENVELOPE_MEDIA_TYPE,
    RECEIPT_MEDIA_TYPE,
    ROUTES_HEADER,
    STATUS_MEDIA_TYPE,
    TYPE_DOCUMENT,
    TYPE_RECEIPT,
    TYPE_STATUS,
)

# All headers of a message travel in one frame, 128 KiB by default; half of it leaves room for the signature and for
# brokers set up with smaller frames than ours. One mailbox serving all 5,000 possible recipients needs 25 KiB.
MAX_HEADER_BYTES = 60 * 1024
_KEY_OVERHEAD = 8  # a BCC entry: type byte, length and a margin
_JSON_OVERHEAD = 5  # quotes, comma, colon, brackets


def fan_out(
    envelope: EnvelopeRow, recipients: Sequence[str], deliveries: Iterable[DeliveryRow]
) -> tuple[Outgoing, ...]:
    """Build the publishes that put the envelope into each mailbox exactly once.

    `recipients` is the envelope's own list: the routes header names, for each mailbox that serves others than
    itself, their positions in it (from 0). Only deliveries in state `routed` take part. A mailbox is never split over
    two publishes, because recipients drop the second as a repeat.
    """
    position = {recipient: index for index, recipient in enumerate(recipients)}
    mailboxes: dict[str, list[int]] = {}
    for delivery in deliveries:
        if delivery.state is DeliveryState.ROUTED and delivery.mailbox is not None:
            served = mailboxes.setdefault(delivery.mailbox, [])
            if delivery.recipient != delivery.mailbox:
                served.append(position[delivery.recipient])
    return tuple(_publish(envelope, part) for part in _parts(mailboxes, envelope.lane))


def recipients_of(mailbox: str, recipients: Sequence[str], routes: str | None) -> tuple[str, ...]:
    """Say for which of the envelope's recipients a mailbox got it, from the routes header; the inverse of `fan_out`.

    Raises ValueError when the header is not what `fan_out` writes.
    """
    served = json.loads(routes).get(mailbox, []) if routes else []
    if not all(type(index) is int and 0 <= index < len(recipients) for index in served):
        raise ValueError("the routes header names positions that the envelope does not have")
    named = {recipients[index] for index in served}
    return tuple(recipient for recipient in recipients if recipient == mailbox or recipient in named)


def notice_message(notice: NoticeRow) -> Outgoing:
    """Build the publish that puts a notice into its mailbox's notices queue."""
    receipt = notice.kind == "receipt"
    return Outgoing(
        exchange=DELIVER_EXCHANGE,
        routing_key=notices_queue(notice.mailbox),
        body=notice.body,
        type=TYPE_RECEIPT if receipt else TYPE_STATUS,
        content_type=RECEIPT_MEDIA_TYPE if receipt else STATUS_MEDIA_TYPE,
        message_id=notice.id,
        headers=headers_of(notice.signature),
    )


def _publish(envelope: EnvelopeRow, part: Mapping[str, Sequence[int]]) -> Outgoing:
    first, *others = (mailbox_queue(envelope.lane, mailbox) for mailbox in part)
    routes = {mailbox: served for mailbox, served in part.items() if served}
    headers = headers_of(envelope.signature)
    if routes:
        headers[ROUTES_HEADER] = json.dumps(routes, separators=(",", ":"))
    return Outgoing(
        exchange=DELIVER_EXCHANGE,
        routing_key=first,
        body=envelope.body,
        type=TYPE_DOCUMENT,
        content_type=ENVELOPE_MEDIA_TYPE,
        message_id=envelope.id,
        headers=headers,
        bcc=tuple(others),
    )


def _parts(mailboxes: Mapping[str, list[int]], lane: Lane) -> list[dict[str, list[int]]]:
    parts: list[dict[str, list[int]]] = []
    room = 0
    for mailbox, served in mailboxes.items():
        size = len(mailbox_queue(lane, mailbox)) + _KEY_OVERHEAD + _routes_size(mailbox, served)
        if size > room:
            parts.append({})
            room = MAX_HEADER_BYTES
        parts[-1][mailbox] = served
        room -= size
    return parts


def _routes_size(mailbox: str, served: Sequence[int]) -> int:
    if not served:
        return 0
    return len(mailbox) + _JSON_OVERHEAD + sum(len(str(index)) + 1 for index in served)
