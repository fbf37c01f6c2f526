"""Receipts: what the axis tells the account that submitted a message."""

import datetime as dt
from collections.abc import Sequence
from typing import Any, Literal

import orjson

from axis.core.messages import Submission
from axis.core.records import DeliveryRow, DeliveryState
from axis.errors import Refused
from schemas import Envelope, Outcome, Receipt, RecipientOutcome

_OUTCOMES = {
    DeliveryState.ROUTED: RecipientOutcome.ROUTED,
    DeliveryState.DELIVERED: RecipientOutcome.ROUTED,
    DeliveryState.HELD: RecipientOutcome.HELD,
    DeliveryState.REFUSED: RecipientOutcome.REFUSED,
    # Nothing was left to deliver, and older readers know no other word for that it went well; the code says more.
    DeliveryState.WITHDRAWN: RecipientOutcome.ROUTED,
}


def acceptance(
    envelope: Envelope,
    deliveries: Sequence[DeliveryRow],
    *,
    receipt_id: str,
    account: str,
    sha256: str,
    signature_sha256: str,
    at: dt.datetime,
) -> bytes:
    """Say what became of a valid envelope, recipient by recipient, in the exact bytes that are signed and sent.

    Written without the model: one is made for every envelope, and all that goes into it was checked before.
    """
    refused = sum(delivery.state is DeliveryState.REFUSED for delivery in deliveries)
    outcome = Outcome.ACCEPTED if not refused else Outcome.REFUSED if refused == len(deliveries) else Outcome.PARTIAL
    members = {
        "schema": "axis.receipt/1",
        "id": receipt_id,
        "message_type": "document",
        "message_id": envelope.id,
        "message_sha256": sha256,
        "signature_sha256": signature_sha256,
        "account": account,
        "outcome": outcome,
        "recipients": [_recipient(delivery) for delivery in deliveries],
        "at": at,
    }
    return orjson.dumps(members, option=orjson.OPT_UTC_Z)


def refusal(
    submission: Submission,
    error: Refused,
    *,
    receipt_id: str,
    account: str,
    sha256: str,
    signature_sha256: str | None,
    at: dt.datetime,
) -> Receipt:
    """Say why a message was refused; the claimed id is repeated only so that the sender finds its message again."""
    return Receipt(
        schema="axis.receipt/1",
        id=receipt_id,
        message_type=_message_type(submission.type),
        message_id=claimed_id(submission),
        message_sha256=sha256,
        signature_sha256=signature_sha256,
        account=account,
        outcome=Outcome.REFUSED,
        code=error.code,
        detail=error.detail[:2000],
        retry_after=error.retry_after,
        at=at,
    )


def receipt_bytes(receipt: Receipt) -> bytes:
    """Write a receipt as the exact bytes that are signed and sent."""
    return receipt.model_dump_json(by_alias=True, exclude_none=True).encode()


def claimed_id(submission: Submission) -> str | None:
    """Return the message_id property if it is short and printable; it proves nothing."""
    claimed = submission.message_id
    return claimed if claimed is not None and len(claimed) <= 200 and claimed.isprintable() else None  # noqa: PLR2004 - the schema's limit


def _recipient(delivery: DeliveryRow) -> dict[str, Any]:
    members = {
        "recipient": delivery.recipient,
        "outcome": _OUTCOMES[delivery.state],
        "resolved": delivery.resolved,
        "mailbox": delivery.mailbox,
        "via": delivery.via,
        "code": delivery.reason,
        "detail": delivery.detail,
    }
    return {name: value for name, value in members.items() if value is not None}


def _message_type(type_: str | None) -> Literal["document", "status", "unknown"]:
    if type_ == "document":
        return "document"
    return "status" if type_ == "status" else "unknown"
