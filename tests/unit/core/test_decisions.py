import datetime as dt
import hashlib
from typing import Any

import pytest

from axis.core.decisions import Candidate, Desk, Refuse, poison
from axis.core.messages import Signer, Submission
from axis.core.reading import parse_envelope
from axis.core.records import AttachmentRow, DeliveryRow, DeliveryState
from axis.errors import Refused
from schemas import Receipt
from schemas.reasons import REASONS
from schemas.wire import SIGNATURE_HEADER
from tests.builders import NOW, as_bytes, document_submission, envelope_dict

DESK = Desk(now=lambda: NOW, sign=lambda body: f"signed {len(body)}", has_mailbox=lambda code, _: code == "G22")
# Of docs/decisions/0001-who-gets-a-receipt.md, and 0016 for secrecy
EVIDENCE = {"message", "signature", "certificate", "abuse", "secrecy"}


def refuse(code: str, **changes: Any) -> Refuse:
    return DESK.refuse(document_submission(**changes), Refused(code, "why"), source="axis.route.normal")


@pytest.mark.parametrize("code", sorted(REASONS))
def test_who_is_answered_and_what_is_kept(code: str) -> None:
    answered, unknown, nobody = (refuse(code, account=account) for account in ("G22", "H37", None))
    assert answered.notice is not None
    assert (answered.notice.mailbox, answered.notice.kind, answered.notice.about) == ("G22", "receipt", None)
    assert (answered.quarantine is not None) == (code.partition("/")[0] in EVIDENCE)
    for without_answer in (unknown, nobody):
        assert without_answer.notice is None
        assert without_answer.quarantine is not None


def test_the_answer_goes_to_the_account_and_never_to_the_sender_claimed() -> None:
    forged = document_submission({"sender": "H37", "id": "x"}, account="G22")
    refused = DESK.refuse(forged, Refused("abuse/account"), source="q")
    assert refused.notice is not None
    receipt = Receipt.model_validate_json(refused.notice.body)
    assert (refused.notice.mailbox, receipt.account, receipt.message_id) == ("G22", "G22", "x")
    assert receipt.message_sha256 == hashlib.sha256(forged.body).hexdigest()
    assert receipt.signature_sha256 is None
    assert refused.notice.signature == f"signed {len(refused.notice.body)}"
    assert refused.notice.id == receipt.id


@pytest.mark.parametrize("signature", ["header..signature", "x\udc80", ""])
def test_a_refusal_names_the_signature_it_came_with(signature: str) -> None:
    notice = refuse("signature/malformed", account="G22", headers={SIGNATURE_HEADER: signature}).notice
    assert notice is not None
    told = hashlib.sha256(signature.encode(errors="replace")).hexdigest()
    assert Receipt.model_validate_json(notice.body).signature_sha256 == told


def test_what_is_kept_says_where_it_came_from_and_holds_the_exact_bytes() -> None:
    submission = document_submission(b"\xff\0", account="H37", message_id="m", headers={"a": 1, "b": "x" * 9_000})
    kept = DESK.refuse(submission, Refused("message/bad-utf8", "byte 0"), source="axis.track").quarantine
    assert kept is not None
    assert (kept.source, kept.reason, kept.detail) == ("axis.track", "message/bad-utf8", "byte 0")
    assert (kept.body, kept.sha256) == (b"\xff\0", hashlib.sha256(b"\xff\0").hexdigest())
    assert (kept.account, kept.message_id, kept.received_at) == ("H37", "m", NOW)
    assert kept.headers == {"a": "1", "b": "x" * 4_000}


@pytest.mark.parametrize("detail", ["\x1b[2J\0", "a\r\nb", "\u202egnp", "\ud800", "x" * 5_000, "\x07" * 5_000])
def test_no_detail_makes_the_refusal_fail(detail: str) -> None:
    refused = DESK.refuse(document_submission(), Refused("abuse/routing-key", detail), source="q")
    assert refused.detail.isprintable()
    assert refused.notice is not None
    receipt = Receipt.model_validate_json(refused.notice.body)
    assert receipt.detail == refused.detail[:2_000]


@pytest.mark.parametrize("message_id", ["\0", "a\nb", "x" * 201, "\ud800", None])
def test_a_claimed_id_that_could_do_harm_is_not_repeated(message_id: str | None) -> None:
    refused = refuse("message/id-mismatch", message_id=message_id)
    assert refused.notice is not None
    assert refused.quarantine is not None
    assert Receipt.model_validate_json(refused.notice.body).message_id is None
    assert refused.quarantine.message_id is None


def test_an_accepted_envelope_brings_everything_the_store_needs() -> None:
    submission = document_submission(account="G22")
    envelope = parse_envelope(submission.body)
    candidate = Candidate(submission, envelope, Signer("G22", "t" * 43), "a..b", "0" * 64)
    deliveries = [DeliveryRow(envelope.id, "H37", "H37", "H37", DeliveryState.ROUTED)]
    attachments = (AttachmentRow(envelope.id, "a" * 64, "a.pdf", 7),)
    accept = DESK.accept(candidate, deliveries, attachments)
    row = accept.accepted.envelope
    assert (row.id, row.sender, row.account, row.lane) == (envelope.id, "G22", "G22", "normal")
    assert (row.body, row.signature, row.sha256) == (submission.body, "a..b", "0" * 64)
    assert (row.accepted_at, row.sent_at, row.thumbprint) == (NOW, envelope.sent_at, "t" * 43)
    assert accept.accepted.deliveries == tuple(deliveries)
    assert accept.accepted.attachments == attachments
    assert (accept.accepted.receipt.about, accept.accepted.receipt.mailbox) == (envelope.id, "G22")
    assert accept.recipients == ("H37",)


def test_poison_says_what_failed_and_nothing_of_what_was_in_it() -> None:
    told = poison(ValueError("postgresql://axis:secret@host"))
    assert (told.code, told.detail) == ("message/poison", "ValueError while the message was processed")


def test_ids_are_made_at_the_axis_s_own_time() -> None:
    later = NOW + dt.timedelta(days=1)
    desk = Desk(now=lambda: later, sign=lambda _: "s", has_mailbox=lambda *_: True)
    submission: Submission = document_submission()
    refused = desk.refuse(submission, Refused("message/schema"), source="q")
    assert refused.notice is not None
    assert refused.quarantine is not None
    assert Receipt.model_validate_json(refused.notice.body).at == refused.quarantine.received_at == later


CANARY = "chim-hoàng-yến-7391"


@pytest.mark.parametrize(
    "submission",
    [
        document_submission(envelope_dict(document={"subject": f"MẬT: {CANARY}"}), headers={"x": CANARY}),
        document_submission(envelope_dict(document={"subject": f"MẬT: {CANARY}", CANARY: 1})),
        document_submission(as_bytes({"subject": f"MẬT: {CANARY}"})[:-5], message_id=CANARY, type=CANARY),
        document_submission(envelope_dict(document={"subject": f"MẬT: {CANARY}"}), account=None, routing_key=CANARY),
    ],
)
@pytest.mark.parametrize(
    "error",
    [Refused("secrecy/marked"), Refused("message/schema", CANARY), Refused("abuse/signer"), poison(ValueError(CANARY))],
)
def test_of_a_state_secret_only_the_fact_and_the_identifiers_are_kept(submission: Submission, error: Refused) -> None:
    refused = DESK.refuse(submission, error, source="axis.route.normal")
    assert refused.reason == "secrecy/marked"
    assert refused.quarantine is not None
    kept = refused.quarantine
    assert (kept.body, kept.size, kept.account) == (b"", len(submission.body), submission.account)
    assert kept.sha256 == hashlib.sha256(submission.body).hexdigest()
    assert (refused.notice is None) == (submission.account is None)
    if refused.notice is not None:
        receipt = Receipt.model_validate_json(refused.notice.body)
        assert (receipt.code, receipt.message_sha256) == ("secrecy/marked", kept.sha256)
        if submission.message_id != CANARY:
            assert receipt.message_id == submission.message_id
            assert kept.headers == {"routing-key": "normal.G22"}
    assert CANARY not in repr(refused)
    assert CANARY.encode() not in (b"" if refused.notice is None else refused.notice.body)


def test_the_files_of_a_state_secret_are_named_to_be_forgotten() -> None:
    attachments = [
        {"name": f"{n}.pdf", "media_type": "application/pdf", "size": 1, "sha256": f"{n}" * 64} for n in (1, 2)
    ]
    body = envelope_dict(document={"subject": "Tối mật"}, attachments=attachments)
    kept = DESK.refuse(document_submission(body), Refused("secrecy/marked"), source="q").quarantine
    assert kept is not None
    assert kept.unwanted == ("1" * 64, "2" * 64)
    other = DESK.refuse(document_submission(b"{" + b"1" * 64), Refused("message/not-json"), source="q").quarantine
    assert other is not None
    assert other.unwanted == ()
