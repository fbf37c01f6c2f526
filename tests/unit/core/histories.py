"""One delivery and what happened to it, in minutes after NOW."""

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from axis.core.conversation import Conversation, Kind, Talk
from axis.core.fate import Fate, fates
from axis.core.records import DeliveryState
from axis.core.tracked import Tracked, TrackedDelivery, TrackedEnvelope, TrackedNotice, TrackedStatus
from tests.builders import NOW

ENVELOPE = "01995f1c-7a3e-7c21-9f5e-3b7d9c0a4e11"
ORIGINAL = "01995f1c-7a3e-7c21-9f5e-3b7d9c0a4e22"


def minute(number: float) -> dt.datetime:
    return NOW + dt.timedelta(minutes=number)


def envelope(**changes: Any) -> TrackedEnvelope:
    given: dict[str, Any] = {
        "id": ENVELOPE,
        "sender": "G22",
        "account": "G22",
        "thumbprint": "T" * 43,
        "lane": "normal",
        "action": "new",
        "concerns": None,
        "document_id": "G22,2026/11/24,7816/VPCP-TTĐT",
        "subject": "V/v kết nối, liên thông",
        "sent_at": NOW,
        "accepted_at": NOW,
        "published_at": None,
        "sha256": "0" * 64,
    }
    return TrackedEnvelope(**{**given, **changes})


def delivery(state: str, **changes: Any) -> TrackedDelivery:
    given: dict[str, Any] = {
        "recipient": "H37",
        "resolved": "H37",
        "mailbox": "H37",
        "state": DeliveryState(state),
        "delivered_at": minute(1) if state == "delivered" else None,
        "held_since": minute(0) if state == "held" else None,
        "reason": None,
        "detail": None,
        "via": (),
        "last_status": None,
        "last_status_at": None,
    }
    return TrackedDelivery(**{**given, **changes})


def status(code: str, received: float, *, effect: str = "advanced", recipient: str = "H37") -> TrackedStatus:
    # What the reporter's clock says is wrong on purpose: nothing is to be judged by it.
    return TrackedStatus(
        id=f"01995f1c-7a3e-7c21-9f5e-{int(received * 10):012d}",
        reporter=recipient,
        recipients=(recipient,),
        code=code,
        effect=effect,
        at=minute(received - 600),
        received_at=minute(received),
        reason=None,
    )


def talk(kind: Kind, state: Talk, **changes: Any) -> Conversation:
    given: dict[str, Any] = {
        "request": ORIGINAL,
        "about": ENVELOPE,
        "recipient": "H37",
        "original": "H37",
        "kind": kind,
        "state": state,
        "requested_at": minute(20),
        "requested_by": "G22",
        "answered_at": None if state in {Talk.REQUESTED, Talk.WITHDRAWN} else minute(30),
        "destroyed_at": minute(40) if state in {Talk.DESTROYED, Talk.WITHDRAWN} else None,
    }
    return Conversation(**{**given, **changes})


@dataclass
class History:
    """Everything about the one delivery."""

    delivery: TrackedDelivery
    statuses: tuple[TrackedStatus, ...] = ()
    talks: tuple[Conversation, ...] = ()
    envelope: TrackedEnvelope = field(default_factory=envelope)

    def tracked(self) -> Tracked:
        notices = (TrackedNotice("01995f1c-7a3e-7c21-9f5e-3b7d9c0a4e33", "receipt", "G22", minute(2)),)
        return Tracked(self.envelope, (self.delivery,), self.statuses, notices, self.talks)

    def fate(self) -> Fate:
        (fate,) = fates(self.tracked())
        return fate


def reported(*codes: str, state: str = "delivered") -> History:
    """Make the history of a delivery whose recipient reported some codes, five minutes from one to the next."""
    statuses = tuple(status(code, 5 * number) for number, code in enumerate(codes, 1))
    return History(delivery(state, last_status=codes[-1], last_status_at=statuses[-1].at), statuses)
