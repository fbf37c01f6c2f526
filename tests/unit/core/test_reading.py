import pytest

from axis.core.reading import read_envelope, read_status, signature_of
from axis.errors import Refused
from schemas import REASONS, Priority
from tests.builders import as_bytes, document_submission, envelope_dict, status_dict, status_submission


def refusal(body: object, **changes: object) -> Refused:
    with pytest.raises(Refused) as caught:
        read_envelope(document_submission(body, **changes))  # type: ignore[arg-type]  # hostile input on purpose
    assert caught.value.code in REASONS
    return caught.value


def test_a_valid_envelope_is_read() -> None:
    body = envelope_dict(document={"priority": "express", "subject": "Hỏa tốc: phòng chống bão số 12"})
    envelope = read_envelope(document_submission(body))
    assert envelope.document.priority is Priority.EXPRESS
    assert envelope.document.subject == "Hỏa tốc: phòng chống bão số 12"
    assert envelope.recipients == ["H37"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "message/not-json"),
        (b"not json", "message/not-json"),
        (b"[1, 2", "message/not-json"),
        (b'{"a": NaN}', "message/not-json"),
        (b"\xef\xbb\xbf{}", "message/not-json"),
        (b"[" * 100_000, "message/not-json"),
        (b'"\\ud800"', "message/not-json"),
        (b"[]", "message/schema"),
        (b"{}", "envelope/no-recipients"),
        (b"\xff\xfe{}", "message/bad-utf8"),
        (b" " * (256 * 1024 + 1), "message/too-large"),
        (b'{"id": "1", "id": "2"}', "message/duplicate-key"),
        (b'{"document": {"subject": "a", "subject": "b"}}', "message/duplicate-key"),
        (as_bytes(envelope_dict(recipients=[])), "envelope/no-recipients"),
        (as_bytes(envelope_dict(recipients=[f"H37.{n}" for n in range(10_000)])), "envelope/too-many-recipients"),
        (as_bytes(envelope_dict(recipients=["H37", "H37"])), "message/schema"),
        (as_bytes(envelope_dict(recipients=["000.00.00.H37"])), "message/schema"),
        (as_bytes(envelope_dict(surprise=1)), "message/schema"),
        (as_bytes(envelope_dict(id="not-an-id")), "message/schema"),
        (as_bytes(envelope_dict(id="01995F1C-7A3E-7C21-9F5E-3B7D9C0A4E11")), "message/schema"),
        (as_bytes(envelope_dict(sent_at="2026-11-24T08:00:00")), "message/schema"),
        (as_bytes(envelope_dict(sent_at=1_700_000_000)), "message/schema"),
        (as_bytes(envelope_dict(action="recall")), "message/schema"),
        (as_bytes(envelope_dict(document={"subject": "a\u0000b"})), "message/schema"),
        (as_bytes(envelope_dict(document={"pages": "2"})), "message/schema"),
    ],
)
def test_bad_bodies_have_their_own_code(body: bytes, code: str) -> None:
    assert refusal(body, message_id="x").code == code


@pytest.mark.parametrize("name", ["../../x", "a/b", "a\\b", "..", ".hidden", "C:x", "a\u0000", "a\n", "trailing.", ""])
def test_attachment_names_are_never_paths(name: str) -> None:
    attachment = {"name": name, "media_type": "application/pdf", "size": 1, "sha256": "0" * 64}
    assert refusal(envelope_dict(attachments=[attachment])).code == "envelope/attachment-name"


def test_the_properties_must_fit_the_body() -> None:
    assert refusal(envelope_dict(), type="status").code == "message/type"
    assert refusal(envelope_dict(), type=None).code == "message/type"
    assert refusal(envelope_dict(), content_type="application/json").code == "message/properties"
    assert refusal(envelope_dict(), message_id="other").code == "message/id-mismatch"


def test_a_refusal_never_repeats_control_characters() -> None:
    error = refusal(b'{"evil\\u001b[2J\\n": 1, "evil\\u001b[2J\\n": 2}', message_id="x")
    assert error.detail.isprintable()


def test_a_status_needs_its_reason() -> None:
    assert read_status(status_submission(status_dict(code="02", reason="Sai thẩm quyền"))).reason == "Sai thẩm quyền"
    for code in ("02", "13", "16"):
        with pytest.raises(Refused) as caught:
            read_status(status_submission(status_dict(code=code, reason=" ")))
        assert caught.value.code == "message/schema"
    with pytest.raises(Refused) as caught:
        read_status(status_submission(b" " * 20_000))
    assert caught.value.code == "message/too-large"


def test_a_signature_header_must_be_text() -> None:
    assert signature_of(document_submission(headers={"axis-signature": "a..b"})) == "a..b"
    for headers in ({}, {"axis-signature": ""}, {"axis-signature": 7}, {"axis-signature": b"a..b"}):
        with pytest.raises(Refused) as caught:
            signature_of(document_submission(headers=headers))
        assert caught.value.code == "signature/missing"
