"""Between rows of the database and the records of the core."""

import json
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from axis.core.evidence import Proof
from axis.core.records import DeliveryRow, DeliveryState, EnvelopeRow, NoticeRow
from axis.core.tracked import Quarantined, TrackedDelivery, TrackedEnvelope, TrackedNotice, TrackedStatus


def columns(rows: Iterable[Sequence[Any]], width: int) -> list[list[Any]]:
    """Turn rows into columns, as `unnest` takes them; as many empty ones when there are no rows."""
    turned = [list(column) for column in zip(*rows, strict=True)]
    return turned or [[] for _ in range(width)]


def span(ids: Collection[str]) -> tuple[str | None, str | None]:
    """Return the least and greatest id; canonical UUID text sorts as PostgreSQL sorts UUIDs."""
    return (min(ids), max(ids)) if ids else (None, None)


def envelope(record: Any) -> EnvelopeRow:
    """Read an envelope with its bytes."""
    return EnvelopeRow(
        id=str(record["id"]),
        sender=record["sender"],
        account=record["account"],
        thumbprint=record["thumbprint"],
        lane=record["lane"],
        action=record["action"],
        concerns=identifier(record["concerns"]),
        document_id=record["document_id"],
        subject=record["subject"],
        sent_at=record["sent_at"],
        accepted_at=record["accepted_at"],
        body=record["body"],
        signature=record["signature"],
        sha256=record["sha256"].hex(),
        evidence=record["evidence"],
    )


def delivery(record: Any) -> DeliveryRow:
    """Read a delivery as the workers see it."""
    return DeliveryRow(
        envelope_id=str(record["envelope_id"]),
        recipient=record["recipient"],
        resolved=record["resolved"],
        mailbox=record["mailbox"],
        state=DeliveryState(record["state"]),
        reason=record["reason"],
        detail=record["detail"],
        via=tuple(record["via"]),
    )


def grouped(deliveries: Iterable[DeliveryRow]) -> dict[str, list[DeliveryRow]]:
    """Gather deliveries by envelope, keeping their order."""
    gathered: dict[str, list[DeliveryRow]] = {}
    for each in deliveries:
        gathered.setdefault(each.envelope_id, []).append(each)
    return gathered


def notice(record: Any) -> NoticeRow:
    """Read a notice."""
    return NoticeRow(
        id=str(record["id"]),
        mailbox=record["mailbox"],
        kind=record["kind"],
        about=identifier(record["about"]),
        body=record["body"],
        signature=record["signature"],
    )


def receipt(record: Any) -> NoticeRow:
    """Read the receipt that was joined to an envelope."""
    return NoticeRow(
        id=str(record["receipt"]),
        mailbox=record["receipt_mailbox"],
        kind="receipt",
        about=identifier(record["receipt_about"]),
        body=record["receipt_body"],
        signature=record["receipt_signature"],
    )


def tracked_envelope(record: Any) -> TrackedEnvelope:
    """Read an envelope without its bytes."""
    return TrackedEnvelope(
        id=str(record["id"]),
        sender=record["sender"],
        account=record["account"],
        thumbprint=record["thumbprint"],
        lane=record["lane"],
        action=record["action"],
        concerns=identifier(record["concerns"]),
        document_id=record["document_id"],
        subject=record["subject"],
        sent_at=record["sent_at"],
        accepted_at=record["accepted_at"],
        published_at=record["published_at"],
        sha256=record["sha256"].hex(),
        proof=proof(record),
    )


def proof(record: Any) -> Proof | None:
    """Read the evidence that was joined to something."""
    if record["evidence"] is None:
        return None
    return Proof(record["evidence"], record["as_of"], record["good_until"])


def tracked_delivery(record: Any) -> TrackedDelivery:
    """Read a delivery with the state people are shown."""
    return TrackedDelivery(
        recipient=record["recipient"],
        resolved=record["resolved"],
        mailbox=record["mailbox"],
        state=DeliveryState(record["state"]),
        delivered_at=record["delivered_at"],
        reason=record["reason"],
        detail=record["detail"],
        via=tuple(record["via"]),
        last_status=record["last_status"],
        last_status_at=record["last_status_at"],
        held_since=record["held_since"],
        released_at=record["released_at"],
        fetched_at=record["fetched_at"],
    )


def tracked_status(record: Any) -> TrackedStatus:
    """Read a status without its bytes."""
    return TrackedStatus(
        id=str(record["id"]),
        reporter=record["reporter"],
        recipients=tuple(record["recipients"]),
        code=record["code"],
        effect=record["effect"],
        at=record["at"],
        received_at=record["received_at"],
        reason=record["reason"],
        proof=proof(record),
    )


def tracked_notice(record: Any) -> TrackedNotice:
    """Read a notice without its bytes."""
    return TrackedNotice(
        id=str(record["id"]), kind=record["kind"], mailbox=record["mailbox"], published_at=record["published_at"]
    )


def quarantined(record: Any) -> Quarantined:
    """Read a message in quarantine."""
    return Quarantined(
        **{
            **record,
            "id": str(record["id"]),
            "sha256": record["sha256"].hex(),
            "headers": json.loads(record["headers"]),
            "properties": json.loads(record["properties"]),
        }
    )


def identifier(value: Any) -> str | None:
    """Write a UUID as text; None stays None."""
    return None if value is None else str(value)
