"""Envelopes and statuses that did not come as edXML, written for a system that reads nothing else."""

import hashlib
import io
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import pytest

from axis.core.codes import canonical
from axis.core.reading import parse_envelope, parse_status
from axis.edxml import (
    CodeForm,
    EdxmlDocument,
    EdxmlError,
    EdxmlStatus,
    attach,
    build_document,
    build_status,
    from_envelope,
    from_status,
    naming_from,
    read,
    to_envelope,
    to_status,
    write_document,
)
from schemas import Action, Attachment, Envelope, Status
from tests.builders import NOW

ID, OLD, STATUS = (f"01995f1c-7a3e-7c21-9f5e-3b7d9c0a4e1{digit}" for digit in "123")
PDF, SHEET = b"%PDF-1.7 c\xc3\xb4ng v\xc4\x83n", b"not a real sheet" * 10
NAMES = {"G22": "Văn phòng Chính phủ", "H37": "UBND tỉnh Lạng Sơn", "H37.05": "Sở Tài chính"}
naming = naming_from(NAMES)
qd20 = naming_from(NAMES, form=CodeForm.QD20)
to_canonical = partial(canonical, tolerant=True)


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


CONTENTS: dict[str, Any] = {digest(PDF): PDF, digest(SHEET): SHEET}


def envelope(**members: Any) -> Envelope:
    said = {
        "schema": "axis.envelope/1",
        "id": ID,
        "sender": "G22",
        "recipients": ["H37", "H37.05"],
        "sent_at": NOW,
        "document": {
            "document_id": "G22,2026/11/24,7816/VPCP-TTĐT",
            "number": "7816",
            "notation": "VPCP-TTĐT",
            "issued_on": "2026-11-24",
            "place": "Hà Nội",
            "kind": "Công văn",
            "subject": "V/v kết nối, liên thông <đợt 2> & phần mềm",
            "abstract": "Nội dung tóm tắt",
            "signer": {"name": "Trần Văn Thử", "position": "Chánh Văn phòng", "competence": "TL."},
            "priority": "express",
            "due_on": "2026-12-01",
            "pages": 3,
            "copies": 10,
            "paper_follows": True,
            "steering": "steering",
            "sphere": "Hành chính",
            "appendices": ["Phụ lục I", "Phụ lục II"],
            "places": ["Như trên", "Lưu: VT"],
            "replies_to": [
                {
                    "organisation": "H37.05",
                    "document_id": "H37.05,2026/11/02,12/STC",
                    "notation": "12/STC",
                    "issued_on": "2026-11-02",
                }
            ],
        },
        "attachments": [
            {
                "name": "7816.pdf",
                "media_type": "application/pdf",
                "size": len(PDF),
                "sha256": digest(PDF),
                "role": "main",
                "description": "Công văn",
            },
            {
                "name": "Số liệu.xlsx",
                "media_type": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
                "size": len(SHEET),
                "sha256": digest(SHEET),
                "role": "related",
                "description": "Phụ lục",
            },
        ],
        "trace": [{"organisation": "G22", "at": "2026-11-24T01:30:00Z"}],
    }
    said["document"].update(members.pop("document", {}))  # type: ignore[attr-defined] # a dict of ours
    return parse_envelope(orjson.dumps(said | members))


def reported(members: dict[str, Any]) -> Status:
    return parse_status(orjson.dumps(members))


def written(document: EdxmlDocument) -> EdxmlDocument:
    package = read(build_document(document))
    assert isinstance(package, EdxmlDocument)
    assert package == document
    assert package.warnings == ()
    return package


def back(document: EdxmlDocument, **more: Any) -> Envelope:
    return to_envelope(document, id=ID, sent_at=NOW, to_canonical=to_canonical, **more)


@pytest.mark.parametrize("form", [naming, qd20])
def test_everything_an_envelope_says_comes_back(form: Any) -> None:
    package = written(from_envelope(envelope(), CONTENTS, naming=form))
    assert back(package) == envelope()
    assert [attachment.content.read() for attachment in package.attachments] == [PDF, SHEET]


def test_codes_are_written_in_the_form_the_partner_reads() -> None:
    old, new = (from_envelope(envelope(), CONTENTS, naming=form) for form in (naming, qd20))
    assert [to.organ_id for to in old.recipients] == ["000.00.00.H37", "000.00.05.H37"]
    assert [to.organ_id for to in new.recipients] == ["H37", "H37.05"]
    assert [to.name for to in old.recipients] == ["UBND tỉnh Lạng Sơn", "Sở Tài chính"]
    assert (old.trace[0].organ_id, old.replies[0].organ_id) == ("000.00.00.G22", "000.00.05.H37")
    mapped = naming_from({}, legacy={"H37.05": "000.00.77.H37"})
    assert (mapped("H37.05").organ_id, mapped("H37.DN.001").organ_id) == ("000.00.77.H37", "H37.DN.001")
    assert mapped("H37.DN.001").name == "H37.DN.001"


def test_what_is_not_said_is_taken_from_what_is() -> None:
    bare = envelope(
        document={"number": None, "notation": None, "issued_on": None, "abstract": None, "signer": None},
        attachments=[],
        trace=[],
    )
    document = written(from_envelope(bare, {}, naming=naming))
    assert (document.number, document.notation, document.issued_on) == ("7816", "VPCP-TTĐT", document.document_id.day)
    assert document.content == document.subject == bare.document.subject
    assert [(hop.organ_id, hop.at and hop.at.value) for hop in document.trace] == [
        ("000.00.00.G22", NOW.replace(microsecond=0))
    ]
    other = envelope(document={"document_id": "a key of its own", "number": None, "notation": None, "issued_on": None})
    assert from_envelope(other, CONTENTS, naming=naming).number is None


@pytest.mark.parametrize(
    ("action", "header", "inside", "replaced"),
    [
        (Action.RECALL, "G22,2026/11/20,1/VPCP", None, []),
        (Action.UPDATE, "G22,2026/11/24,7816/VPCP-TTĐT", "G22,2026/11/20,1/VPCP", []),
        (Action.REPLACE, "G22,2026/11/24,7816/VPCP-TTĐT", None, ["G22,2026/11/20,1/VPCP"]),
    ],
)
def test_the_document_acted_on_is_named_where_each_kind_names_it(
    action: Action, header: str, inside: str | None, replaced: list[str]
) -> None:
    acting = envelope(action=action, concerns=OLD, reason="sai số liệu")
    concerned = envelope(id=OLD, document={"document_id": "G22,2026/11/20,1/VPCP"})
    document = from_envelope(acting, CONTENTS, naming=naming, concerned=concerned)
    assert document.business is not None
    assert (document.action, document.business.reason, document.business.paper) == (action, "sai số liệu", 1)
    assert document.document_id.text == header
    assert (document.business.document_id.text if document.business.document_id else None) == inside
    assert [each.document_id and each.document_id.text for each in document.business.replacements] == replaced
    again = read(build_document(document))
    assert isinstance(again, EdxmlDocument)
    assert again.business == document.business
    assert back(again, concerns=OLD).action is action
    alone = from_envelope(acting, CONTENTS, naming=naming)
    assert alone.document_id.text == "G22,2026/11/24,7816/VPCP-TTĐT"


def test_the_package_itself_is_left_out_and_a_missing_content_is_said() -> None:
    whole = {"name": "a.edxml", "media_type": "application/xml", "size": 1, "sha256": "0" * 64, "role": "package"}
    full = envelope()
    with_package = full.model_copy(
        update={"attachments": [*full.attachments, Attachment.model_validate_json(orjson.dumps(whole))]}
    )
    assert len(from_envelope(with_package, CONTENTS, naming=naming).attachments) == 2
    with pytest.raises(EdxmlError, match=r"content of 'Số liệu\.xlsx' is not given") as caught:
        from_envelope(full, {digest(PDF): PDF}, naming=naming)
    assert caught.value.code == "edxml/conversion"


def test_a_sealed_envelope_is_opened_first() -> None:
    sealed = {"scheme": "axis.seal/1", "keys": {"sha256": "0" * 64, "size": 1}, "mailboxes": ["H37"]}
    with pytest.raises(EdxmlError, match="open it first"):
        from_envelope(envelope(sealed=sealed), CONTENTS, naming=naming)


@pytest.mark.parametrize("code", ["01", "02", "03", "04", "05", "06", "15", "16"])
def test_a_status_comes_back(code: str) -> None:
    status = reported(
        {
            "schema": "axis.status/1",
            "id": STATUS,
            "reporter": "H37",
            "recipient": "H37.05",
            "envelope": ID,
            "code": code,
            "at": "2026-11-24T03:00:00Z",
            "reason": "Không đúng thẩm quyền" if code in {"02", "16"} else None,
            "staff": {"department": "Văn thư", "name": "Nguyễn Thị Thử", "mobile": "09", "email": "a@b.vn"},
        }
    )
    package = from_status(status, envelope(), naming=naming)
    assert read(build_status(package)) == package
    assert package.sender.organ_id == "000.00.05.H37"
    assert (package.response.organ_id, package.response.code) == ("000.00.00.G22", "7816/VPCP-TTĐT")
    assert package.description is not None
    again = to_status(package, id=STATUS, envelope=ID, to_canonical=to_canonical)
    assert (again.reporter, again.code, again.at, again.staff) == ("H37.05", status.code, status.at, status.staff)
    assert status.reason in {None, again.reason}


def test_a_take_back_goes_to_whom_it_is_taken_from() -> None:
    status = reported(
        {
            "schema": "axis.status/1",
            "id": STATUS,
            "reporter": "G22",
            "recipient": "H37",
            "envelope": ID,
            "code": "13",
            "at": NOW,
            "reason": "gửi nhầm",
        }
    )
    package = read(build_status(from_status(status, envelope(), naming=naming)))
    assert isinstance(package, EdxmlStatus)
    assert (package.sender.organ_id, package.response.organ_id) == ("000.00.00.G22", "000.00.00.H37")
    again = to_status(package, id=STATUS, envelope=ID, to_canonical=to_canonical)
    assert (again.recipient, again.reporter, again.reason) == ("H37", "G22", "gửi nhầm")


# Writing


def test_contents_may_lie_in_files_and_are_checked(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(PDF)
    (tmp_path / "b").write_bytes(SHEET)
    paths = {digest(PDF): tmp_path / "a", digest(SHEET): tmp_path / "b"}
    document = from_envelope(envelope(), paths, naming=naming)
    target = io.BytesIO()
    write_document(document, target)
    assert target.getvalue() == build_document(from_envelope(envelope(), CONTENTS, naming=naming))
    for changed in (SHEET[:-1], SHEET + b"!", SHEET[:-1] + b"!"):
        (tmp_path / "b").write_bytes(changed)
        with pytest.raises(EdxmlError, match="not the ones it names") as caught:
            write_document(document, io.BytesIO())
        assert caught.value.code == "edxml/conversion"
    (tmp_path / "b").unlink()
    with pytest.raises(FileNotFoundError):
        write_document(document, io.BytesIO())


@pytest.mark.parametrize("size", [0, 1, 2, 3, 65_535, 65_536, 65_537, 200_000])
@pytest.mark.parametrize("name", ["a.pdf", "a.txt"])
def test_pieces_of_any_length_make_one_base64(size: int, name: str) -> None:
    data = bytes(range(256)) * (size // 256 + 1)
    document = from_envelope(envelope(attachments=[]), {}, naming=naming)
    document = EdxmlDocument(
        document.sender, document.recipients, document.document_id, attachments=(attach(name, data[:size]),)
    )
    package = read(build_document(document))
    assert isinstance(package, EdxmlDocument)
    assert package.attachments[0].content.read() == data[:size]
