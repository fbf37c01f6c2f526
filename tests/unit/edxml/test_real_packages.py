"""Real packages, read field by field. They are not part of the repository."""

import datetime as dt
from pathlib import Path

import pytest

from axis.edxml import EdxmlDocument, EdxmlError, EdxmlStatus, SignatureState, read
from axis.edxml.model import (
    Attachment,
    Business,
    DocumentType,
    Organisation,
    OtherInfo,
    Replacement,
    Response,
    Signer,
    Staff,
    Trace,
)
from axis.edxml.values import VIETNAM_TIME, Day, DocumentId, IdForm, Instant
from schemas.envelope import Action
from schemas.status import StatusCode

PACKAGES = Path(__file__).parents[4] / "shared" / "data" / "edxml"
pytestmark = pytest.mark.skipif(not PACKAGES.is_dir(), reason="the real packages (../shared/data/edxml) are not here")

OFFICE = Organisation(
    "000.00.00.G22",
    "Văn phòng Chính phủ",
    "Văn phòng Chính phủ",
    "Số 1 Hoàng Hoa Thám, Quận Ba Đình, Hà Nội",
    "vpcp@gov.vn",
    "8043100",
    "048989898789",
    "vpcp.vn",
)
NGHE_AN = Organisation(
    "000.00.00.H41",
    "UBND Tỉnh Nghệ An",
    "UBND Tỉnh Nghệ An",
    "Số 03, đường Trường Thi, Thành phố Vinh, Tỉnh Nghệ An, Việt Nam",
    "nghean@gov.vn",
    "0383 840418",
    "0383 843049",
    "www.nghean.vn",
)
DOCUMENT_ID = DocumentId.of("000.00.00.G22", dt.date(2015, 9, 30), "7816/VPCP-TTĐT")
CLERK = Staff("Văn thư văn phòng", "Nguyễn Thị Ngọc Trâm", "84912000001", "vanthuvanphong@gov.vn")
SUBJECT = "V/v kết nối, liên thông phần mềm quản lý văn bản"
SHA256 = "8385739ec4a4ed36d71eabcaead629641ffc5ffff3d487ff5c34d2f821c9f36e"


def load(name: str) -> EdxmlDocument | EdxmlStatus:
    with (PACKAGES / name).open("rb") as source:
        return read(source)


def test_what_both_documents_have_in_common() -> None:
    for name in ("edoc_new.edxml", "edoc_replacement.edxml"):
        package = load(name)
        assert isinstance(package, EdxmlDocument)
        assert package.document_id == DOCUMENT_ID
        assert package.notation == "VPCP-TTĐT"
        assert package.place == "Hà Nội"
        assert package.kind == DocumentType(1, 0, "Công văn")
        assert package.subject == package.content == SUBJECT
        position = "Cuc truong cuc ung dung cong nghe thong tin"
        assert package.signer == Signer("Nguyen Thanh Phuc", position, "TL. BO TRUONG")
        assert package.due_on == Day.of(dt.date(2018, 9, 28))
        assert package.other == OtherInfo(
            priority=0,
            sphere="Liên thông văn bản quốc gia",
            typist="TVC",
            copies=2,
            pages=22,
            direction=False,
            appendices=("Công văn về việc kết nối, liên thông phần mềm quản lý văn bản",),
        )
        assert package.replies == ()
        assert package.steering == 1
        assert package.to_places == ("Cac bo va co quan ngang bo", "Uy ban nhan dan cac tinh, TP")
        midnight = Instant("2018/09/28 00:00:00", dt.datetime(2018, 9, 28, tzinfo=VIETNAM_TIME))
        assert package.trace == (Trace("000.00.00.G22", midnight),)
        assert package.signature is SignatureState.PLACEHOLDER
        assert package.attachments == (
            Attachment(
                content_id="209",
                name="1896_QD-TTg_m_294779.doc",
                content_type="application/zip",
                size=388_347,
                sha256=SHA256,
                description="1896_QD-TTg_m_294779.doc",
            ),
        )
        assert sum(map(len, package.attachments[0].content.chunks())) == 388_347
        assert package.extras == ()


def test_new_document() -> None:
    package = load("edoc_new.edxml")
    assert isinstance(package, EdxmlDocument)
    assert package.sender == Organisation(
        "000.00.00.A80",
        "UBND xã Hòa Tiến - UBND huyện Hòa Vang - Thành phố Đà Nẵng",
        "UBND xã Hòa Tiến - UBND huyện Hòa Vang - Thành phố Đà Nẵng",
        "Số 1 Hoàng Hoa Thám, Quận Ba Đình, Hà Nội",
        "vpcp@gov.vn",
        "8043100",
        "048989898789",
        "vpcp.vn",
    )
    assert package.recipients == (
        Organisation(
            "28.22.H17",
            "UBND xã Hòa Sơn - UBND huyện Hòa Vang - Thành phố Đà Nẵng",
            "UBND xã Hòa Sơn - UBND huyện Hòa Vang - Thành phố Đà Nẵng",
            "số 62 - Võ Thị Sáu - Ngô Quyền - Hải Phòng",
            "bxd@moc.gov.vn",
            "(84-4) 3821 5137",
            "(023)37366617",
            "www.haiphong.gov.vn",
        ),
    )
    assert package.number == "74fass22"
    assert package.issued_on == Day.of(dt.date(2019, 1, 16))
    impossible = "000.00.00.G22,2014/02/30,7806/VPCP-TTĐT"
    assert package.business == Business(
        kind=Action.NEW,
        type="0",
        reason="Văn bản điện tử mới",
        paper=0,
        document_id=DocumentId(impossible, IdForm.TRIPLE, "000.00.00.G22", Day("2014/02/30", None), "7806/VPCP-TTĐT"),
        staff=(CLERK,),
    )
    assert package.attachments[0].entry == "32da2890-1a55-4ccd-9ac9-cd0d98559e67.edxml"
    assert [(warning.code, warning.line) for warning in package.warnings] == [
        ("document-id-date", 5),
        ("date-impossible", 72),
        ("signature-placeholder", 84),
    ]


def test_replacement() -> None:
    package = load("edoc_replacement.edxml")
    assert isinstance(package, EdxmlDocument)
    assert package.sender == OFFICE
    assert package.recipients == (
        NGHE_AN,
        Organisation(
            "000.00.00.H14",
            "UBND Tỉnh Cao Bằng",
            "UBND Tỉnh Cao Bằng",
            "Số 011 - Đường Hoàng Đình Giong - Thành Phố Cao Bằng, Tỉnh Cao Bằng",
            "caobang@gov.vn",
            "02063852139",
            "0202183239",
            "www.caobang.gov.vn",
        ),
        Organisation(
            "000.00.00.G17",
            "Sở Thông tin truyền thông Hải Phòng",
            "Sở Thông tin truyền thông Hải Phòng",
            "số 62 - Võ Thị Sáu - Ngô Quyền - Hải Phòng",
            "bxd@moc.gov.vn",
            "(84-4) 3821 5137",
            "(023)37366617",
            "www.haiphong.gov.vn",
        ),
    )
    assert package.number == "7816"
    assert package.issued_on == Day.of(dt.date(2018, 9, 28))
    replaced = Replacement(
        DocumentId.of("000.00.00.G22", dt.date(2014, 1, 30), "7806/VPCP-TTĐT"), ("000.00.00.H41", "000.00.00.H14")
    )
    assert package.action is Action.REPLACE
    assert package.business == Business(
        kind=Action.REPLACE,
        type="3",
        reason="Văn bản thay thế",
        paper=0,
        replacements=(replaced, replaced),
        staff=(CLERK,),
    )
    assert package.attachments[0].entry == "30d190ec-60e3-41b6-bda7-50b17d98b35d.edxml"
    assert [warning.code for warning in package.warnings] == ["document-id-date", "signature-placeholder"]


ARCHIVE = "Văn thư - Phòng Văn thư - Lưu trữ: "
STATUSES = [
    ("inbox_01", "01", f"{ARCHIVE}Đã đến - Phần mềm QLVB đã nhận nhưng văn thư chưa xử lý"),
    ("rejection_02", "02", f"{ARCHIVE}Từ chối không tiếp nhận văn bản điện tử"),
    (
        "acceptance_03",
        "03",
        "Văn thư cơ - Phòng Văn thư - Lưu trữ: Tiếp nhận văn bản điện tử, vào sổ văn bản đến của đơn vị",
    ),
    ("assignment_04", "04", "Lãnh đạo: Phân công xử lý"),
    ("processing_05", "05", "Đang xử lý văn bản đến"),
    ("finish_06", "06", "Văn thư: Ban hành văn bản đến, hoàn thành xử lý"),
    ("cancellation_13", "13", "Văn thư yêu cầu lấy lại văn bản điện tử kèm lý do"),
    ("change-acceptance_15", "15", "Văn thư đồng ý yêu cầu cập nhật, lấy lại"),
    ("change-rejection_16", "16", "Văn thư từ chối yêu cầu cập nhật, lấy lại"),
]


@pytest.mark.parametrize(("name", "code", "description"), STATUSES)
def test_status(name: str, code: str, description: str) -> None:
    taken_back = code == "13"
    package = load(f"status_{name}.edxml")
    office = Organisation(
        OFFICE.organ_id, OFFICE.name, OFFICE.in_charge, OFFICE.address, OFFICE.email, OFFICE.telephone, "04", "vpcp.vn"
    )
    assert package == EdxmlStatus(
        sender=office if taken_back else NGHE_AN,
        response=Response(
            "000.00.00.H41" if taken_back else "000.00.00.G22",
            "7816/VPCP-TTĐT",
            Day.of(dt.date(2015, 9, 30)),
            DOCUMENT_ID,
        ),
        code=code,
        description=description,
        at=Instant("2015/09/20 11:08:36", dt.datetime(2015, 9, 20, 11, 8, 36, tzinfo=VIETNAM_TIME)),
        staff=Staff("Phong hanh chinh", "Nguyen thi ngoc tram", "84912000001", "ngoctram@nghean.vn"),
    )
    assert package.warnings == ()
    assert isinstance(package, EdxmlStatus)
    assert package.meaning is StatusCode(code)


def test_not_well_formed() -> None:
    with pytest.raises(EdxmlError) as caught:
        load("not_well_formed.edxml")
    assert (caught.value.code, caught.value.line, caught.value.column) == ("edxml/not-well-formed", 74, 9)


def test_no_real_package_is_left_out() -> None:
    names = {"edoc_new", "edoc_replacement", "not_well_formed", *(f"status_{name}" for name, _, _ in STATUSES)}
    assert {path.stem for path in PACKAGES.glob("*.edxml")} == names
