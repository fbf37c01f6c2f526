"""Makers of the store's rows, so that a test only says what is special about its own."""

import datetime as dt
import hashlib
from collections.abc import Sequence
from typing import Any

from axis.core.enrolment import Enrolment
from axis.core.ids import new_id
from axis.core.records import (
    Accepted,
    AttachmentRow,
    DeliveryRow,
    DeliveryState,
    EnvelopeRow,
    NoticeRow,
    QuarantineRow,
    StatusRow,
)
from tests.builders import NOW

THUMBPRINT = "T" * 43


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def envelope_row(**changes: Any) -> EnvelopeRow:
    identifier = changes.get("id") or new_id(NOW)
    body = changes.get("body", f'{{"id":"{identifier}"}}'.encode())
    base: dict[str, Any] = {
        "id": identifier,
        "sender": "G22",
        "account": "G22",
        "thumbprint": THUMBPRINT,
        "lane": "normal",
        "action": "new",
        "concerns": None,
        "document_id": "G22,2026/11/24,1/VPCP-TTĐT",
        "subject": "V/v kết nối, liên thông",
        "sent_at": NOW,
        "accepted_at": NOW,
        "body": body,
        "signature": "header..signature",
        "sha256": sha256(body),
    }
    return EnvelopeRow(**{**base, **changes})


def delivery_row(envelope_id: str, recipient: str, **changes: Any) -> DeliveryRow:
    base: dict[str, Any] = {
        "envelope_id": envelope_id,
        "recipient": recipient,
        "resolved": recipient,
        "mailbox": recipient,
        "state": DeliveryState.ROUTED,
    }
    return DeliveryRow(**{**base, **changes})


def notice_row(**changes: Any) -> NoticeRow:
    base: dict[str, Any] = {
        "id": new_id(NOW),
        "mailbox": "G22",
        "kind": "receipt",
        "about": None,
        "body": b"{}",
        "signature": "header..signature",
    }
    return NoticeRow(**{**base, **changes})


def accepted(
    recipients: Sequence[str] = ("H37",),
    *,
    deliveries: Sequence[DeliveryRow] | None = None,
    attachments: Sequence[str] = (),
    **envelope: Any,
) -> Accepted:
    """Build an accepted envelope; `attachments` are digests."""
    row = envelope_row(**envelope)
    return Accepted(
        envelope=row,
        deliveries=tuple(deliveries or [delivery_row(row.id, recipient) for recipient in recipients]),
        attachments=tuple(AttachmentRow(row.id, digest, "tệp.pdf", 5) for digest in attachments),
        receipt=notice_row(mailbox=row.account, about=row.id),
    )


def held(envelope_id: str, recipient: str, **changes: Any) -> DeliveryRow:
    return delivery_row(
        envelope_id, recipient, state=DeliveryState.HELD, reason="mailbox/not-ready", detail="not there yet", **changes
    )


def status_row(envelope_id: str, **changes: Any) -> StatusRow:
    identifier = changes.get("id") or new_id(NOW)
    body = changes.get("body", f'{{"id":"{identifier}"}}'.encode())
    base: dict[str, Any] = {
        "id": identifier,
        "envelope_id": envelope_id,
        "reporter": "H37",
        "recipients": ("H37",),
        "code": "01",
        "effect": "advanced",
        "at": NOW,
        "received_at": NOW + dt.timedelta(seconds=1),
        "reason": None,
        "account": "H37",
        "thumbprint": THUMBPRINT,
        "body": body,
        "signature": "header..signature",
        "sha256": sha256(body),
    }
    return StatusRow(**{**base, **changes})


def quarantine_row(**changes: Any) -> QuarantineRow:
    body = changes.get("body", b"\x00\xff not json")
    base: dict[str, Any] = {
        "id": new_id(NOW),
        "received_at": NOW,
        "source": "axis.route.normal",
        "reason": "message/not-json",
        "detail": "byte 0",
        "account": "G22",
        "message_id": "not an id",
        "body": body,
        "sha256": sha256(body),
        "headers": {"axis-signature": "none"},
    }
    return QuarantineRow(**{**base, **changes})


def certificate(organisation: str = "H37", **changes: Any) -> Enrolment:
    base: dict[str, Any] = {
        "thumbprint": THUMBPRINT,
        "organisation": organisation,
        "subject": f"CN={organisation}",
        "not_before": NOW - dt.timedelta(days=1),
        "not_after": NOW + dt.timedelta(days=365),
        "der": b"\x30\x82",
    }
    return Enrolment(**{**base, **changes})
