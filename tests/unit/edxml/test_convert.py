"""Packages to envelopes and statuses."""

import dataclasses
import datetime as dt
from functools import partial
from pathlib import Path

import pytest

from axis.core.codes import canonical
from axis.edxml import EdxmlDocument, EdxmlError, EdxmlStatus, attach, file_names, read, to_envelope, to_status
from axis.edxml.filenames import media_type
from axis.edxml.model import Business, OtherInfo, Response, Trace
from axis.edxml.values import Day, DocumentId, Instant
from schemas.envelope import Action, AttachmentRole, Envelope, Priority, Steering
from schemas.status import Status, StatusCode

VECTORS = Path(__file__).parents[2] / "vectors" / "edxml"
PACKAGES = Path(__file__).parents[4] / "shared" / "data" / "edxml"
ID = "01995f1c-7a3e-7c21-9f5e-3b7d9c0a4e11"
OTHER_ID = "01995f1c-7a3e-7c21-9f5e-3b7d9c0a4e12"
NOW = dt.datetime(2026, 11, 24, 2, tzinfo=dt.UTC)
to_canonical = partial(canonical, tolerant=True)


def document(name: str = "plain", **changes: object) -> EdxmlDocument:
    package = read((VECTORS / f"{name}.edxml").read_bytes())
    assert isinstance(package, EdxmlDocument)
    return dataclasses.replace(package, **changes)  # type: ignore[arg-type] # fields by name


def status(**changes: object) -> EdxmlStatus:
    package = read((VECTORS / "status-refused.edxml").read_bytes())
    assert isinstance(package, EdxmlStatus)
    return dataclasses.replace(package, **changes)  # type: ignore[arg-type] # fields by name


def envelope(package: EdxmlDocument) -> Envelope:
    return to_envelope(package, id=ID, sent_at=NOW, to_canonical=to_canonical)


def test_plain_document() -> None:
    made = envelope(document())
    assert (made.sender, made.recipients, made.action, made.sent_at) == ("H37", ["G12"], Action.NEW, NOW)
    assert made.document.document_id == "000.00.00.H37,2026/11/20,12/UBND-TH"
    assert (made.document.number, made.document.notation) == ("12", "UBND-TH")
    assert made.document.issued_on == dt.date(2026, 11, 20)
    assert made.document.subject == "V/v thử nghiệm liên thông"
    (attachment,) = made.attachments
    assert (attachment.name, attachment.media_type, attachment.size) == ("quyet-dinh.pdf", "application/pdf", 19)
    assert attachment.sha256 == document().attachments[0].sha256
    assert attachment.role is AttachmentRole.MAIN
    assert Envelope.model_validate_json(made.model_dump_json(by_alias=True)) == made


def test_given_codes_take_precedence() -> None:
    made = to_envelope(
        document(), id=ID, sent_at=NOW, to_canonical=to_canonical, sender="H37.05", recipients=["G22", "H14"]
    )
    assert (made.sender, made.recipients) == ("H37.05", ["G22", "H14"])


def test_a_receiver_named_in_both_forms_is_one() -> None:
    package = document()
    twice = (*package.recipients, dataclasses.replace(package.recipients[0], organ_id="G12"))
    assert envelope(dataclasses.replace(package, recipients=twice)).recipients == ["G12"]


@pytest.mark.parametrize(
    ("number", "priority"),
    [
        (None, Priority.NORMAL),
        (0, Priority.NORMAL),
        (1, Priority.URGENT),
        (2, Priority.VERY_URGENT),
        (3, Priority.EXPRESS),
        (4, Priority.EXPRESS_TIMED),
        (5, Priority.NORMAL),
        (-1, Priority.NORMAL),
    ],
)
def test_priority(number: int | None, priority: Priority) -> None:
    assert envelope(document(other=OtherInfo(priority=number))).document.priority is priority


@pytest.mark.parametrize(
    ("number", "steering"),
    [
        (None, Steering.UNSPECIFIED),
        (0, Steering.UNSPECIFIED),
        (1, Steering.NONE),
        (2, Steering.STEERING),
        (3, Steering.REPORT),
        (7, Steering.UNSPECIFIED),
    ],
)
def test_steering(number: int | None, steering: Steering) -> None:
    assert envelope(document(steering=number)).document.steering is steering


def test_replies_and_trace_leave_out_what_is_unreadable() -> None:
    made = envelope(
        document(
            replies=(
                Response("000.00.00.G22", "7816/VPCP", Day("30/02/2026"), DocumentId("x")),
                Response("người nhận cũ", "5/X"),
            ),
            trace=(
                Trace("000.00.00.H37", Instant.of(NOW)),
                Trace("trục tỉnh", Instant.of(NOW)),
                Trace("000.00.00.H37", Instant("hôm qua")),
                Trace(
                    "000.00.00.H37", Instant("x", dt.datetime.min.replace(tzinfo=dt.timezone(dt.timedelta(hours=7))))
                ),
            ),
        )
    )
    assert [(one.organisation, one.document_id, one.notation, one.issued_on) for one in made.document.replies_to] == [
        ("G22", "x", "7816/VPCP", None),
        (None, None, "5/X", None),
    ]
    assert [(step.organisation, step.at) for step in made.trace] == [("H37", NOW)]


def test_a_document_without_subject_is_called_by_what_there_is() -> None:
    assert envelope(document(subject=None, content="Tóm tắt")).document.subject == "Tóm tắt"
    assert envelope(document(subject=None)).document.subject == "000.00.00.H37,2026/11/20,12/UBND-TH"


def test_an_update_needs_the_envelope_it_is_about() -> None:
    package = document(business=Business(kind=Action.UPDATE, reason="Bổ sung", paper=1))
    made = to_envelope(package, id=ID, sent_at=NOW, to_canonical=to_canonical, concerns=OTHER_ID)
    assert (made.action, made.concerns, made.reason) == (Action.UPDATE, OTHER_ID, "Bổ sung")
    assert made.document.paper_follows
    with pytest.raises(EdxmlError) as caught:
        envelope(package)
    assert caught.value.code == "edxml/conversion"
    assert "concerns" in caught.value.detail


def test_a_code_without_canonical_form() -> None:
    package = document()
    stranger = dataclasses.replace(package.recipients[0], organ_id="Bộ Tài chính")
    with pytest.raises(EdxmlError) as caught:
        envelope(dataclasses.replace(package, recipients=(stranger,)))
    assert caught.value.code == "edxml/code"
    assert "To/OrganId" in caught.value.detail


def test_what_an_envelope_cannot_say() -> None:
    with pytest.raises(EdxmlError) as caught:
        envelope(document(place="x" * 201))
    assert caught.value.code == "edxml/conversion"
    assert caught.value.detail.startswith("place: ")


@pytest.mark.parametrize(
    ("names", "plain"),
    [
        (["a.pdf", "A.pdf", "a.PDF"], ["a.pdf", "A (2).pdf", "a (3).PDF"]),
        (["../../etc/passwd"], ["_.._etc_passwd"]),
        (["1896/QĐ-TTg.doc", "C:\\van ban\\1.doc"], ["1896_QĐ-TTg.doc", "C__van ban_1.doc"]),
        ([".bashrc", "..", "...", "kết thúc. "], ["bashrc", "attachment", "attachment (2)", "kết thúc"]),
        (["x" * 300 + ".docx"], ["x" * 195 + ".docx"]),
        (["x" * 300 + ".docx", "x" * 400 + ".docx"], ["x" * 195 + ".docx", "x" * 191 + " (2).docx"]),
        (["y" * 300], ["y" * 200]),
        (["a\u0000b\u001f.pdf"], ["a_b_.pdf"]),
    ],
)
def test_file_names_are_plain_and_distinct(names: list[str], plain: list[str]) -> None:
    package = document(attachments=tuple(attach(name, name.encode()) for name in names))
    assert list(file_names(package)) == plain
    # The envelope takes them: the schema has the last word on what a plain name is.
    described = dataclasses.replace(
        package, attachments=tuple(dataclasses.replace(one, description=None) for one in package.attachments)
    )
    assert [attachment.name for attachment in envelope(described).attachments] == plain


@pytest.mark.parametrize(
    ("name", "said", "unpacked", "expected"),
    [
        ("a.PDF", "application/octet-stream", False, "application/pdf"),
        ("a.doc", "application/doc", False, "application/msword"),
        ("a.xlsx", "application/zip", True, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ("a.dwg", "image/vnd.dwg", False, "image/vnd.dwg"),
        ("a.dwg", "application/zip", True, "application/octet-stream"),
        ("a.dwg", "text/html; charset=x", False, "application/octet-stream"),
        ("a", None, False, "application/octet-stream"),
    ],
)
def test_media_type(name: str, said: str | None, unpacked: bool, expected: str) -> None:
    assert media_type(name, said, unpacked=unpacked) == expected


def test_status() -> None:
    made = to_status(status(), id=ID, envelope=OTHER_ID, to_canonical=to_canonical)
    assert (made.reporter, made.envelope, made.code, made.recipient) == ("G12", OTHER_ID, StatusCode.REFUSED, None)
    assert made.at == dt.datetime(2026, 11, 20, 8, 4, 5, tzinfo=dt.UTC)
    assert made.reason == "Không thuộc thẩm quyền"
    assert made.staff is not None
    assert (made.staff.name, made.staff.department) == ("Trần Thị Văn Thư", "Văn phòng")
    assert Status.model_validate_json(made.model_dump_json(by_alias=True)) == made


def test_a_take_back_names_whom_the_document_is_taken_back_from() -> None:
    made = to_status(status(code="13"), id=ID, envelope=OTHER_ID, to_canonical=to_canonical)
    assert made.recipient == "H37"


def test_a_status_without_time_gets_the_one_given() -> None:
    made = to_status(status(at=Instant("?")), id=ID, envelope=OTHER_ID, to_canonical=to_canonical, at=NOW)
    assert made.at == NOW


@pytest.mark.parametrize("changes", [{"code": "103"}, {"at": None}, {"description": None}, {"description": "x" * 2001}])
def test_what_a_status_cannot_say(changes: dict[str, object]) -> None:
    with pytest.raises(EdxmlError) as caught:
        to_status(status(**changes), id=ID, envelope=OTHER_ID, to_canonical=to_canonical)
    assert caught.value.code == "edxml/conversion"


@pytest.mark.skipif(not PACKAGES.is_dir(), reason="the real packages (../shared/data/edxml) are not here")
def test_every_real_package_can_be_converted() -> None:
    made: dict[str, Envelope | Status] = {}
    for path in sorted(PACKAGES.glob("*.edxml")):
        if path.stem == "not_well_formed":
            continue
        package = read(path.read_bytes())
        if isinstance(package, EdxmlDocument):
            made[path.stem] = to_envelope(package, id=ID, sent_at=NOW, to_canonical=to_canonical, concerns=OTHER_ID)
        else:
            made[path.stem] = to_status(package, id=ID, envelope=OTHER_ID, to_canonical=to_canonical)
    assert len(made) == 11
    new, replacement = made["edoc_new"], made["edoc_replacement"]
    assert isinstance(new, Envelope)
    assert (new.sender, new.recipients) == ("A80", ["H17.22.28"])
    assert new.attachments[0].media_type == "application/msword"
    assert isinstance(replacement, Envelope)
    assert (replacement.action, replacement.recipients) == (Action.REPLACE, ["H41", "H14", "G17"])
    assert replacement.trace[0].at == dt.datetime(2018, 9, 27, 17, tzinfo=dt.UTC)
    taken_back = made["status_cancellation_13"]
    assert isinstance(taken_back, Status)
    assert (taken_back.reporter, taken_back.recipient) == ("G22", "H41")
