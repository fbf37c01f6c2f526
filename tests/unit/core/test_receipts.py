import json

import pytest

from axis.core.ids import new_id
from axis.core.reading import parse_envelope, parse_receipt
from axis.core.receipts import acceptance, receipt_bytes, refusal
from axis.core.records import DeliveryRow, DeliveryState
from axis.errors import Refused
from schemas import Receipt
from tests.builders import NOW, as_bytes, document_submission, envelope_dict

ENVELOPE = parse_envelope(as_bytes(envelope_dict(recipients=["H37.05", "H22", "H99"])))
RECEIPT = new_id(NOW)


def row(recipient: str, state: str, mailbox: str | None = "H37", **changes: object) -> DeliveryRow:
    fields = {"resolved": recipient, "reason": None, "detail": None, "via": (), **changes}
    return DeliveryRow(ENVELOPE.id, recipient, mailbox=mailbox, state=DeliveryState(state), **fields)  # type: ignore[arg-type]  # as the caller says


def accepted(*deliveries: DeliveryRow) -> Receipt:
    return Receipt.model_validate_json(written(*deliveries))


def written(*deliveries: DeliveryRow) -> bytes:
    at = NOW.replace(microsecond=120_000)
    return acceptance(
        ENVELOPE, deliveries, receipt_id=RECEIPT, account="G22", sha256="0" * 64, signature_sha256="1" * 64, at=at
    )


@pytest.mark.parametrize(
    ("states", "outcome"),
    [
        (["routed"], "accepted"),
        (["routed", "held"], "accepted"),
        (["held"], "accepted"),
        (["delivered"], "accepted"),
        (["routed", "refused"], "partial"),
        (["held", "refused"], "partial"),
        (["refused"], "refused"),
        (["refused", "refused"], "refused"),
    ],
)
def test_the_outcome_follows_from_the_deliveries(states: list[str], outcome: str) -> None:
    receipt = accepted(*(row(f"H{n:02}", state) for n, state in enumerate(states, start=1)))
    assert receipt.outcome == outcome
    assert receipt.code is None
    told = {"delivered": "routed"}
    assert [each.outcome for each in receipt.recipients] == [told.get(state, state) for state in states]


def test_every_recipient_is_told_how_it_was_resolved() -> None:
    receipt = accepted(
        row("H37.05", "routed", via=("H37.05 has no mailbox: via H37",)),
        row("H22", "held", "H60", resolved="H60", reason="mailbox/not-ready", detail="not there yet"),
        row("H99", "refused", None, resolved=None, reason="recipient/unknown", detail="not in the directory"),
    )
    unit, closed, unknown = receipt.recipients
    assert (unit.resolved, unit.mailbox, unit.via, unit.code) == (
        "H37.05",
        "H37",
        ["H37.05 has no mailbox: via H37"],
        None,
    )
    assert (closed.resolved, closed.mailbox, closed.code) == ("H60", "H60", "mailbox/not-ready")
    assert (unknown.resolved, unknown.mailbox, unknown.detail) == (None, None, "not in the directory")


def test_the_bytes_are_those_that_the_model_writes() -> None:
    routed = row("H37.05", "routed", via=("H37.05: qua H37",))
    held = row("H22", "held", reason="mailbox/full", detail="đang chờ \N{LATIN SMALL LETTER E WITH ACUTE}")
    body = written(routed, held)
    assert receipt_bytes(Receipt.model_validate_json(body)) == body
    assert b"null" not in body
    assert body.startswith(b'{"schema":"axis.receipt/1"')


@pytest.mark.parametrize(
    ("type_", "told"),
    [("document", "document"), ("status", "status"), ("receipt", "unknown"), ("\0", "unknown"), (None, "unknown")],
)
def test_a_refusal_says_what_was_submitted_and_why(type_: str | None, told: str) -> None:
    submission = document_submission(type=type_, message_id="m")
    receipt = refusal(
        submission,
        Refused("message/type", "d" * 3_000),
        receipt_id=RECEIPT,
        account="G22",
        sha256="0" * 64,
        signature_sha256=None,
        at=NOW,
    )
    assert (receipt.message_type, receipt.message_id, receipt.outcome) == (told, "m", "refused")
    assert (receipt.code, receipt.detail, receipt.recipients) == ("message/type", "d" * 2_000, [])


def test_a_receipt_of_a_later_axis_is_still_read() -> None:
    body = written(row("H37.05", "routed"))
    later = json.loads(body) | {"colour": "đỏ", "recipients": [json.loads(body)["recipients"][0] | {"weight": 1}]}
    assert parse_receipt(json.dumps(later).encode()) == Receipt.model_validate_json(body)
    for wrong in (b"[]", b"{}", json.dumps(later | {"schema": "axis.receipt/2"}).encode()):
        with pytest.raises(Refused, match="message/schema"):
            parse_receipt(wrong)
    with pytest.raises(Refused) as caught:
        parse_receipt(b" " * (8 * 1024 * 1024 + 1))
    assert caught.value.code == "message/too-large"
