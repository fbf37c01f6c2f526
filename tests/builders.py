"""Small makers of valid things, so that a test only says what is special about its own."""

import datetime as dt
import json
from collections.abc import Iterable
from typing import Any

from axis.core.ids import new_id
from axis.core.messages import Submission
from schemas import Mailbox, Organisation
from schemas.wire import ENVELOPE_MEDIA_TYPE, STATUS_MEDIA_TYPE

NOW = dt.datetime(2026, 11, 24, 8, 0, tzinfo=dt.UTC)
LONG_AGO = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
PASSWORD_HASH = "AAAAAEexampleexampleexampleexampleexampleexampl="


def envelope_dict(**changes: Any) -> dict[str, Any]:
    """Build the JSON object of a valid envelope; `document` is merged, the rest replaced; None removes."""
    document = {"document_id": "G22,2026/11/24,1/VPCP-TTĐT", "subject": "V/v kết nối, liên thông"}
    document.update(changes.pop("document", {}))
    base: dict[str, Any] = {
        "schema": "axis.envelope/1",
        "id": new_id(NOW),
        "sender": "G22",
        "recipients": ["H37"],
        "sent_at": NOW.isoformat(),
        "document": document,
    }
    return {key: value for key, value in {**base, **changes}.items() if value is not None}


def status_dict(**changes: Any) -> dict[str, Any]:
    """Build the JSON object of a valid status."""
    base: dict[str, Any] = {
        "schema": "axis.status/1",
        "id": new_id(NOW),
        "reporter": "H37",
        "envelope": new_id(NOW),
        "code": "01",
        "at": NOW.isoformat(),
    }
    return {key: value for key, value in {**base, **changes}.items() if value is not None}


def as_bytes(value: Any) -> bytes:
    """Write JSON as an agency would."""
    return json.dumps(value, ensure_ascii=False).encode()


def document_submission(body: dict[str, Any] | bytes | None = None, **changes: Any) -> Submission:
    """Build a submitted envelope as the broker hands it over, without a signature."""
    content = envelope_dict() if body is None else body
    raw = content if isinstance(content, bytes) else as_bytes(content)
    identifier = content.get("id") if isinstance(content, dict) else None
    sender = content.get("sender", "G22") if isinstance(content, dict) else "G22"
    base: dict[str, Any] = {
        "body": raw,
        "exchange": "axis.submit",
        "routing_key": f"normal.{sender}",
        "account": sender,
        "type": "document",
        "content_type": ENVELOPE_MEDIA_TYPE,
        "message_id": identifier,
        "headers": {},
    }
    return Submission(**{**base, **changes})


def status_submission(body: dict[str, Any] | bytes | None = None, **changes: Any) -> Submission:
    """Build a submitted status as the broker hands it over, without a signature."""
    content = status_dict() if body is None else body
    raw = content if isinstance(content, bytes) else as_bytes(content)
    identifier = content.get("id") if isinstance(content, dict) else None
    reporter = content.get("reporter", "H37") if isinstance(content, dict) else "H37"
    base: dict[str, Any] = {
        "body": raw,
        "exchange": "axis.status",
        "routing_key": reporter,
        "account": reporter,
        "type": "status",
        "content_type": STATUS_MEDIA_TYPE,
        "message_id": identifier,
        "headers": {},
    }
    return Submission(**{**base, **changes})


def organisation(code: str, **changes: Any) -> Organisation:
    """Build an organisation in force since 2020."""
    return Organisation(**{"code": code, "name": f"Cơ quan {code}", "valid_from": LONG_AGO, **changes})


def mailbox(code: str, **changes: Any) -> Mailbox:
    """Build a mailbox open since 2020."""
    return Mailbox(**{"code": code, "valid_from": LONG_AGO, "password_hash": PASSWORD_HASH, **changes})


def organisations(codes: Iterable[str]) -> list[Organisation]:
    """Build several organisations in force since 2020."""
    return [organisation(code) for code in codes]
