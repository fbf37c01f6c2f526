"""Messages as they are seen in queues, for tests of the audit."""

import datetime as dt
from typing import Any

from axis.core.adopting import Adoption, adopt_envelope
from axis.core.audit import (
    Window,
)
from axis.core.decisions import Desk, digest
from axis.core.directory import Directory
from axis.core.ids import new_id
from axis.core.messages import Signer, Submission
from axis.core.receipts import receipt_bytes
from axis.core.sightings import Known, Sightings
from axis.errors import Refused
from schemas import Outcome, Receipt, RecipientOutcome
from schemas.wire import RECEIPT_MEDIA_TYPE, ROUTES_HEADER, SIGNATURE_HEADER
from tests.builders import (
    NOW,
    document_submission,
    envelope_dict,
    mailbox,
    organisations,
    status_submission,
)

CODES = ["G22", "H37", "H26"]
DIRECTORY = Directory.build(organisations([*CODES, "G22.01", "H37.05"]), [mailbox(code) for code in CODES])
QUEUES = frozenset(
    {f"notices.{code}" for code in CODES}
    | {f"mailbox.{lane}.{code}" for lane in ("urgent", "normal") for code in CODES}
)
NOTHING = Known({}, frozenset())
WINDOW = Window(NOW - dt.timedelta(days=31), NOW)
LATER = NOW + dt.timedelta(hours=1)
DESK = Desk(now=lambda: LATER, sign=lambda _: "new..receipt", has_mailbox=DIRECTORY.has_mailbox)


def verify(body: bytes, signature: str, at: dt.datetime) -> Signer:
    """Believe a signature that names its signer, until NOW plus a day."""
    who, _, rest = signature.partition("..")
    if rest != "signed" or at > NOW + dt.timedelta(days=1):
        raise Refused("signature/invalid", who)
    return Signer(who, "t")


def document(body: dict[str, Any] | None = None, *, signer: str = "G22", routes: str | None = None) -> Submission:
    headers = {SIGNATURE_HEADER: f"{signer}..signed"} | ({ROUTES_HEADER: routes} if routes else {})
    return document_submission(body or envelope_dict(), account=None, exchange="axis.deliver", headers=headers)


def status(body: dict[str, Any]) -> Submission:
    signer = f"{body['reporter']}..signed"
    return status_submission(body, account=None, exchange="axis.deliver", headers={SIGNATURE_HEADER: signer})


def receipt(envelope: Submission, *recipients: dict[str, Any], **changes: Any) -> Submission:
    base: dict[str, Any] = {
        "schema": "axis.receipt/1",
        "id": new_id(NOW),
        "message_type": "document",
        "message_id": envelope.message_id,
        "message_sha256": digest(envelope.body),
        "account": "G22",
        "outcome": Outcome.ACCEPTED,
        "recipients": list(recipients) or [told("H37")],
        "at": NOW,
    }
    made = Receipt(**{**base, **changes})
    return Submission(
        body=receipt_bytes(made),
        exchange="axis.deliver",
        routing_key="",
        account=None,
        type="receipt",
        content_type=RECEIPT_MEDIA_TYPE,
        message_id=made.id,
        headers={SIGNATURE_HEADER: "W00..signed"},
    )


def told(recipient: str, mailbox: str | None = None, outcome: str = "routed", **more: Any) -> dict[str, Any]:
    box = mailbox or recipient
    return {
        "recipient": recipient,
        "outcome": RecipientOutcome(outcome),
        "resolved": recipient,
        "mailbox": box,
        "via": [],
        **more,
    }


def seen_in(*places: tuple[str, Submission], known: Known = NOTHING, queues: frozenset[str] = QUEUES) -> Sightings:
    sightings = Sightings(queues=queues)
    for queue, message in places:
        sightings.note(queue, [message], known)
    return sightings


def adopted(sightings: Sightings, **changes: Any) -> Adoption:
    (stray,) = sightings.envelopes.values()
    base: dict[str, Any] = {
        "receipt": next(iter(sightings.receipts_about.values()), None),
        "account": next(iter(sightings.submitted.values()), None),
        "directory": DIRECTORY,
        "ready": sightings.has_queues,
        "verify": verify,
        "desk": DESK,
    }
    return adopt_envelope(stray, **{**base, **changes})


def places(adoption: Adoption) -> list[tuple[str, str | None, str]]:
    return [(row.recipient, row.mailbox, row.state.value) for row in adoption.accepted.deliveries]
