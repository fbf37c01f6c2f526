"""Every tolerated deviation: what is understood all the same, and under which code it is reported."""

import datetime as dt
from pathlib import Path

import pytest

from axis.edxml import DEVIATIONS, EdxmlDocument, EdxmlStatus, IdForm, SignatureState, read
from axis.edxml.model import Business, Extra, ReceiverChange, Signer, Trace
from axis.edxml.values import VIETNAM_TIME, Instant
from schemas.envelope import Action
from schemas.status import StatusCode

VECTORS = Path(__file__).parents[2] / "vectors" / "edxml"


def read_document(name: str) -> EdxmlDocument:
    package = read((VECTORS / f"{name}.edxml").read_bytes())
    assert isinstance(package, EdxmlDocument)
    return package


def codes(package: EdxmlDocument | EdxmlStatus) -> set[str]:
    return {warning.code for warning in package.warnings}


@pytest.mark.parametrize(
    ("name", "reported"),
    [
        ("bom-crlf", {"bom"}),
        ("no-declaration", set()),
        ("no-namespace", {"namespace"}),
        ("old-root", {"root-name", "name-case", "namespace"}),
        ("comments", set()),
        ("invisible-text", {"text-normalised"}),
    ],
)
def test_says_the_same_as_the_plain_package(name: str, reported: set[str]) -> None:
    package = read_document(f"tolerated-{name}")
    assert package == read_document("plain")
    assert codes(package) == reported


def test_plain_package() -> None:
    package = read_document("plain")
    assert package.sender.organ_id == "000.00.00.H37"
    assert [to.name for to in package.recipients] == ["Bộ Tài chính"]
    assert package.document_id.form is IdForm.TRIPLE
    assert package.document_id.notation == "12/UBND-TH"
    assert package.action is Action.NEW
    assert package.signature is SignatureState.ABSENT
    assert package.attachments[0].content.read() == b"%PDF-1.7 thu nghiem"
    assert package.attachments[0].content_id == "1"
    assert package.warnings == ()


def test_correct_english_spellings() -> None:
    package = read_document("tolerated-spellings")
    assert codes(package) == {"business-spelling", "organ-in-charge", "manifest-name", "date-format"}
    assert package.recipients[0].in_charge == "Chính phủ"
    assert package.business == Business(
        kind=Action.UPDATE,
        type="2",
        reason="Bổ sung nơi nhận",
        paper=1,
        information_updated=True,
        receivers_updated=True,
        receiver_changes=(ReceiverChange("000.00.00.H14", added=True), ReceiverChange("000.00.00.G12", added=False)),
    )
    moment = dt.datetime(2026, 11, 20, 8, 30, tzinfo=VIETNAM_TIME)
    assert package.trace == (Trace("00.37.W00", Instant("2026-11-20T08:30:00", moment)),)


def test_the_order_and_ids_of_another_builder() -> None:
    package = read_document("tolerated-dotnet-order")
    assert codes(package) == {"document-id-form", "signature-placeholder", "content-id"}
    assert package.document_id.form is IdForm.UUID
    assert package.signer == Signer("Nguyễn Văn Thử", "Chủ tịch", "TM.")
    assert package.due_on is None
    assert package.to_places == ("Như trên", "Lưu: VT")
    assert (package.other.priority, package.other.pages, package.steering) == (2, 3, 2)
    assert package.signature is SignatureState.PLACEHOLDER
    assert package.attachments[0].content_id == package.document_id.text


def test_dates_of_any_form_are_kept_as_text() -> None:
    package = read_document("tolerated-dates")
    assert package.issued_on is not None
    assert (package.issued_on.text, package.issued_on.value) == ("20/11/2026", dt.date(2026, 11, 20))
    assert package.document_id.day is not None
    assert (package.document_id.day.text, package.document_id.day.value) == ("2026/02/30", None)
    assert package.due_on is not None
    assert (package.due_on.text, package.due_on.value) == ("cuối tháng", None)
    assert codes(package) == {"date-format", "date-impossible", "date-unreadable", "document-id-date"}


def test_empty_elements_are_absent_ones() -> None:
    package = read_document("tolerated-empty-children")
    assert package.attachments == ()
    assert package.replies == ()
    assert package.signer is None
    assert package.other.priority is None
    assert package.other.appendices == ()
    assert package.to_places == ()
    assert package.extras == ()
    assert codes(package) == {"response-empty"}


def test_unknown_elements_are_kept_verbatim() -> None:
    package = read_document("tolerated-unknown")
    below = "edXMLEnvelope/edXMLHeader/MessageHeader"
    assert package.extras == (
        Extra(f"{below}/SecurityLevel", "thường"),
        Extra(f"{below}/Subject", "Trích yếu thứ hai"),
        Extra(f"{below}/OtherInfo/PageAmount", "ba"),
        Extra(f"{below}/OtherInfo/Ghichu/Dong", "một"),
        Extra(f"{below}/OtherInfo/Ghichu/Dong", "hai"),
    )
    assert package.other.priority == 9
    assert codes(package) == {"unknown-element", "value-unreadable", "priority-unknown"}


@pytest.mark.parametrize(
    ("name", "start", "reported"),
    [
        ("zip-one-entry", b"so lieu so lieu", set()),
        ("zip-own-name", b"PK\x03\x04", set()),
        ("zip-several-entries", b"PK\x03\x04", {"attachment-zip-entries"}),
        ("zip-lying-directory", b"PK\x03\x04", {"attachment-zip-entries"}),
        ("zip-not-a-zip", b"\xd0\xcf\x11\xe0", {"attachment-not-zip"}),
        ("zip-broken", b"PK\x03\x04", {"attachment-zip-unreadable"}),
        ("zip-encrypted", b"PK\x03\x04", {"attachment-zip-unreadable"}),
    ],
)
def test_the_zip_rule(name: str, start: bytes, reported: set[str]) -> None:
    package = read_document(name)
    (attachment,) = package.attachments
    data = attachment.content.read()
    assert data.startswith(start)
    assert attachment.size == len(data)
    assert codes(package) == reported
    assert attachment.entry == ("f1c1.xlsx" if name == "zip-one-entry" else None)


def test_base64_in_lines() -> None:
    assert read_document("base64-in-lines").attachments[0].content.read() == b"%PDF-1.7 nhieu dong " * 9


def test_status() -> None:
    package = read((VECTORS / "status-refused.edxml").read_bytes())
    assert isinstance(package, EdxmlStatus)
    assert package.meaning is StatusCode.REFUSED
    assert package.description == "Không thuộc thẩm quyền"
    assert package.response.organ_id == "000.00.00.H37"
    assert package.staff is not None
    assert (package.staff.name, package.staff.department) == ("Trần Thị Văn Thư", "Văn phòng")
    assert package.at is not None
    assert package.at.value == dt.datetime(2026, 11, 20, 8, 4, 5, tzinfo=dt.UTC)


def test_private_status_code_is_kept() -> None:
    package = read((VECTORS / "status-unknown-code.edxml").read_bytes())
    assert isinstance(package, EdxmlStatus)
    assert (package.code, package.meaning) == ("103", None)
    assert codes(package) == {"status-unknown"}


REAL = """      <Signature xmlns="http://www.w3.org/2000/09/xmldsig#"><SignedInfo><Reference URI="">
      <DigestValue>AAAA</DigestValue></Reference></SignedInfo>
      <SignatureValue>AA AA</SignatureValue><KeyInfo><X509Data><X509Certificate>
      MAMCAQE=</X509Certificate></X509Data></KeyInfo></Signature>
"""


@pytest.mark.parametrize(
    ("signature", "state"),
    [
        (REAL, SignatureState.PRESENT),
        (REAL.replace("MAMCAQE=", "MAQCAQE="), SignatureState.PLACEHOLDER),  # a certificate that is cut off
        (REAL.replace("MAMCAQE=", "MIIFqTCCBJG"), SignatureState.PLACEHOLDER),
        (REAL.replace(' xmlns="http://www.w3.org/2000/09/xmldsig#"', ""), SignatureState.PLACEHOLDER),
        (REAL.replace("AA AA", ""), SignatureState.PLACEHOLDER),
        ("<DigitalSignature/>", SignatureState.PLACEHOLDER),
        ("", SignatureState.ABSENT),
    ],
)
def test_signature_is_judged_by_its_shape(signature: str, state: SignatureState) -> None:
    text = (VECTORS / "plain.edxml").read_text(encoding="utf-8")
    package = read(text.replace("    </edXMLHeader>", signature + "    </edXMLHeader>").encode())
    assert isinstance(package, EdxmlDocument)
    assert package.signature is state
    assert package.extras == ()


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("<To>", "<To><OrganId>000.00.00.G12</OrganId></To><To>", "recipient-repeated"),
        ("<OrganName>", "<ORGANNAME>Bộ</ORGANNAME><OrganName>", "name-case"),
        ("<Reference>", "<Reference><ContentId>cid:2</ContentId></Reference><Reference>", "attachment-absent"),
        ("<ContentId>cid:1</ContentId>\n          <ContentType>", "<ContentType>", "attachment-unlisted"),
        ("<AttachmentName>quyet-dinh.pdf</AttachmentName>", "", "attachment-name-missing"),
        (
            "<edXMLHeader>",
            "<edXMLHeader><TraceHeaderList><Bussiness><BussinessDocType>8</BussinessDocType></Bussiness></TraceHeaderList>",
            "business-type-unknown",
        ),
    ],
)
def test_further_deviations(old: str, new: str, code: str) -> None:
    text = (VECTORS / "plain.edxml").read_text(encoding="utf-8")
    assert old in text
    package = read(text.replace(old, new).encode())
    assert isinstance(package, EdxmlDocument)
    assert code in codes(package)
    assert package.action is Action.NEW


def test_deviation_codes_are_listed() -> None:
    reported = set()
    for path in [*VECTORS.glob("tolerated-*"), *VECTORS.glob("zip-*"), *VECTORS.glob("status-*")]:
        reported |= codes(read(path.read_bytes()))
    assert reported <= set(DEVIATIONS)
    # The others have a test of their own above, or are for `check` alone.
    assert set(DEVIATIONS) - reported == {
        "field-missing",
        "text-too-long",
        "number-range",
        "code-irregular",
        "manifest-differs",
        "signature-not-verified",
        "signature-broken",
        "signature-untrusted",
        "signature-weak",
        "signature-partial",
        "signature-unsupported",
        "recipient-repeated",
        "attachment-absent",
        "attachment-unlisted",
        "attachment-name-missing",
        "business-type-unknown",
    }
