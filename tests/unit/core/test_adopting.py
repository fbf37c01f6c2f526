"""Proving again what the broker has and the store does not, and what is recorded of it."""

import datetime as dt
from dataclasses import replace

import pytest

from axis.core.adopting import adopt_receipt, adopt_status
from axis.core.ids import new_id
from axis.core.messages import Submission
from axis.errors import Refused
from schemas import Outcome, RecipientOutcome
from schemas.wire import SIGNATURE_HEADER
from tests.builders import (
    NOW,
    envelope_dict,
    mailbox,
    organisation,
    status_dict,
)
from tests.unit.core.sighted import (
    DIRECTORY,
    QUEUES,
    adopted,
    document,
    places,
    receipt,
    seen_in,
    status,
    told,
    verify,
)

# Adopting envelopes


def test_an_envelope_is_adopted_with_what_its_receipt_says() -> None:
    message = document(envelope_dict(recipients=["H37", "H26", "H37.05"]))
    refused = {
        "recipient": "H37.05",
        "outcome": RecipientOutcome.REFUSED,
        "code": "recipient/no-mailbox",
        "detail": "none",
    }
    answer = receipt(message, told("H37"), told("H26"), refused, outcome=Outcome.PARTIAL)
    adoption = adopted(seen_in(("mailbox.normal.H37", message), ("notices.G22", answer)))
    assert places(adoption) == [("H37", "H37", "routed"), ("H26", "H26", "routed"), ("H37.05", None, "refused")]
    assert [row.mailbox for row in adoption.again] == ["H26"]
    assert (adoption.accepted.receipt.id, adoption.accepted.receipt.body) == (answer.message_id, answer.body)
    assert (adoption.accepted.envelope.accepted_at, adoption.new_receipt) == (NOW, False)
    assert "1 other mailboxes" in adoption.reason


def test_without_a_receipt_recipients_are_resolved_and_a_new_receipt_is_made() -> None:
    message = document(envelope_dict(sender="G22.01", recipients=["H37.05", "H26", "Z99"]), routes='{"H37":[0]}')
    adoption = adopted(seen_in(("mailbox.normal.H37", message)))
    assert places(adoption) == [("H37.05", "H37", "routed"), ("H26", "H26", "routed"), ("Z99", None, "refused")]
    assert (adoption.accepted.envelope.account, adoption.new_receipt) == ("G22", True)
    assert adoption.accepted.receipt.signature == "new..receipt"
    assert [row.recipient for row in adoption.again] == ["H26"]


def test_the_account_of_a_submission_that_still_waits_goes_before_any_other_witness() -> None:
    directory = DIRECTORY.updated([organisation("G22.01")], [mailbox("G22.01")])
    message = document(envelope_dict(sender="G22.01"))
    again = replace(message, account="G22")
    seen = seen_in(("mailbox.normal.H37", message), ("axis.route.normal", again))
    assert adopted(seen, directory=directory).accepted.envelope.account == "G22"
    assert adopted(seen, directory=directory, account=None).accepted.envelope.account == "G22.01"


def test_what_is_seen_outweighs_what_would_be_decided_today() -> None:
    message = document(envelope_dict(recipients=["H37", "X11"]), routes='{"H26":[1]}')
    adoption = adopted(seen_in(("mailbox.normal.H26", message)))
    assert places(adoption) == [("H37", "H37", "routed"), ("X11", "H26", "routed")]
    assert adoption.accepted.deliveries[1].reason is None


def test_what_was_held_and_is_seen_was_released() -> None:
    message = document(envelope_dict(recipients=["H37", "H26"]))
    answer = receipt(message, *(told(code, outcome="held", code="mailbox/full") for code in ("H37", "H26")))
    adoption = adopted(seen_in(("mailbox.normal.H37", message), ("notices.G22", answer)))
    assert places(adoption) == [("H37", "H37", "routed"), ("H26", "H26", "held")]
    assert adoption.again == ()


@pytest.mark.parametrize("answered", [True, False])
def test_a_mailbox_without_queues_is_held(answered: bool) -> None:
    message = document(envelope_dict(recipients=["H37", "H26"]))
    notices = [("notices.G22", receipt(message, told("H37"), told("H26")))] if answered else []
    seen = seen_in(("mailbox.normal.H37", message), *notices, queues=QUEUES - {"mailbox.urgent.H26"})
    adoption = adopted(seen)
    assert places(adoption) == [("H37", "H37", "routed"), ("H26", "H26", "held")]
    assert adoption.accepted.deliveries[1].reason == "mailbox/not-ready"


def test_certificates_are_asked_as_of_the_receipt_or_the_id() -> None:
    old = envelope_dict(id=new_id(NOW + dt.timedelta(days=2)))
    with pytest.raises(Refused) as caught:
        adopted(seen_in(("mailbox.normal.H37", document(old))))
    assert caught.value.code == "signature/invalid"
    adopted(seen_in(("mailbox.normal.H37", document(old)), ("notices.G22", receipt(document(old)))))


@pytest.mark.parametrize(
    ("queue", "message", "code"),
    [
        ("mailbox.normal.H37", document(signer="H37"), "abuse/signer"),
        ("mailbox.normal.H37", replace(document(), headers={}), "signature/missing"),
        ("mailbox.urgent.H37", document(), "lane/mismatch"),
        ("mailbox.normal.H37", document(envelope_dict(sender="X11"), signer="X11"), "abuse/account"),
        ("mailbox.normal.H37", replace(document(), message_id=new_id(NOW)), "message/id-mismatch"),
        ("mailbox.normal.H37", replace(document(), content_type="text/plain"), "message/properties"),
        ("mailbox.normal.H37", document(routes="[]"), "message/properties"),
        ("mailbox.normal.H37", document(routes='{"H37":[7]}'), "message/properties"),
    ],
)
def test_what_cannot_be_proved_again_is_not_adopted(queue: str, message: Submission, code: str) -> None:
    with pytest.raises(Refused) as caught:
        adopted(seen_in((queue, message)))
    assert caught.value.code == code


def test_a_receipt_about_other_bytes_or_other_recipients_proves_nothing() -> None:
    message = document()
    for answer in (receipt(message, message_sha256="0" * 64), receipt(message, told("H26"))):
        with pytest.raises(Refused):
            adopted(seen_in(("mailbox.normal.H37", message), ("notices.G22", answer)))


# Adopting notices


def test_a_status_is_adopted_under_the_account_of_its_reporter() -> None:
    body = status_dict(reporter="H37.05")
    seen = seen_in(("notices.G22", status(body)))
    adoption = adopt_status(seen.statuses[body["id"]], directory=DIRECTORY, verify=verify)
    assert (adoption.submission.account, adoption.signer.organisation, adoption.mailbox) == ("H37", "H37.05", "G22")
    assert (adoption.notice.kind, adoption.notice.about) == ("status", body["envelope"])


def test_a_status_of_somebody_unknown_or_signed_by_another_is_not_adopted() -> None:
    stranger = status(status_dict(reporter="X11"))
    forged = replace(status(status_dict()), headers={SIGNATURE_HEADER: "H26..signed"})
    for message in (stranger, forged):
        (stray,) = seen_in(("notices.G22", message)).statuses.values()
        with pytest.raises(Refused):
            adopt_status(stray, directory=DIRECTORY, verify=verify)


def test_a_receipt_is_adopted_in_the_mailbox_it_is_for() -> None:
    message = document()
    (stray,) = seen_in(("notices.G22", receipt(message))).receipts
    row = adopt_receipt(stray, verify=verify)
    assert (row.mailbox, row.kind, row.about) == ("G22", "receipt", message.message_id)
    (elsewhere,) = seen_in(("notices.H37", receipt(message))).receipts
    with pytest.raises(Refused):
        adopt_receipt(elsewhere, verify=verify)
