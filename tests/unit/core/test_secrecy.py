"""What is a mark of state secrecy, and what only talks of it."""

import json
import time
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from axis.core.reading import parse_envelope
from axis.core.secrecy import declared, refuse_declared, refuse_marked, shown_by, stamped
from axis.errors import Refused
from tests.builders import as_bytes, envelope_dict

CANARY = "chim-hoàng-yến-7391"

MARKED = {
    "MẬT": "Mật",
    "Mật": "Mật",
    "(Mật)": "Mật",
    "[MẬT] Báo cáo tình hình biên giới": "Mật",
    "MẬT: Kế hoạch bảo vệ mục tiêu": "Mật",
    "Mật: Kế hoạch bảo vệ mục tiêu": "Mật",
    "Mật - V/v điều động lực lượng": "Mật",
    "MẬT – Phương án tác chiến": "Mật",
    "MẬT. Phương án tác chiến": "Mật",
    "MẬT/ Phương án tác chiến": "Mật",
    "MẬT\nPhương án tác chiến": "Mật",
    "MẬT Phương án tác chiến": "Mật",
    "MẬT PHƯƠNG ÁN TÁC CHIẾN": "Mật",
    "Mật Báo cáo tình hình": "Mật",
    "Mật Về việc điều động": "Mật",
    "Mật V/v điều động": "Mật",
    "MẬT_Phương án": "Mật",
    "  “MẬT” Phương án": "Mật",
    "Độ mật: Mật": "Mật",
    "Độ mật: Tối mật. Phương án": "Tối mật",
    "Mức độ mật - Tuyệt mật": "Tuyệt mật",
    "TỐI MẬT": "Tối mật",
    "Tối mật - Phương án": "Tối mật",
    "Tối mật Phương án": "Tối mật",
    "TUYỆT MẬT Phương án": "Tuyệt mật",
    "tuyệt mật": "Tuyệt mật",
    "TUYET MAT Phuong an": "Tuyệt mật",
    "[toi mat] phuong an": "Tối mật",
    "TuyetMat": "Tuyệt mật",
    "TỐI_MẬT_phương án": "Tối mật",
    "[MAT] phuong an": "Mật",
    "Phương án tác chiến (MẬT)": "Mật",
    "Phương án tác chiến [TỐI MẬT]": "Tối mật",
    "M\u200bẬT: Phương án": "Mật",
    unicodedata.normalize("NFD", "MẬT: Phương án"): "Mật",
}

# Subjects of ordinary documents, as agencies write them.
ORDINARY = (
    "V/v kết nối, liên thông",
    "Luật Bảo vệ bí mật nhà nước số 117/2025/QH15",
    "V/v tăng cường công tác bảo vệ bí mật nhà nước trên không gian mạng",
    "V/v rà soát danh mục bí mật nhà nước độ Tuyệt mật, Tối mật, Mật",
    "Quyết định ban hành Danh mục bí mật nhà nước (độ Mật) thuộc lĩnh vực y tế",
    "Hướng dẫn xác định độ mật của văn bản điện tử",
    "Độ mật của văn bản: tài liệu tập huấn",
    "Độ mật: Thường",
    "Giải mật tài liệu lưu trữ năm 1996",
    "Bảo mật thông tin cá nhân",
    "Mật độ dân số các xã, phường sau sắp xếp",
    "MẬT ĐỘ XÂY DỰNG KHU ĐÔ THỊ MỚI",
    "Mật khẩu tài khoản quản trị: yêu cầu thay đổi định kỳ",
    "Mật mã dân sự: cấp phép kinh doanh",
    "MẬT MÃ DÂN SỰ VÀ AN TOÀN THÔNG TIN",
    "Mật ong bạc hà Mèo Vạc: đăng ký chỉ dẫn địa lý",
    "MẬT ONG BẠC HÀ",
    "Mật-độ-giao-thông.pdf",
    "Mật Sơn: quy hoạch phường",
    "Mật, Tối mật và Tuyệt mật: tài liệu tập huấn",
    "Mat bang quy hoach",
    "mat bang quy hoach",
    "MAT BANG QUY HOACH",
    "toi mat the can cuoc",
    "tối nay họp trực tuyến",
    "Thông báo kết luận (mật độ giao thông)",
    "Bí mật kinh doanh và cạnh tranh không lành mạnh",
    "TỐI MẮT vì nợ xấu",
    "",
    "…",
    "(",
)


@pytest.mark.parametrize("text", MARKED)
def test_a_stamp(text: str) -> None:
    assert stamped(text) == MARKED[text]


@pytest.mark.parametrize("text", ORDINARY)
def test_an_ordinary_document(text: str) -> None:
    assert stamped(text) is None
    refuse_marked(parse_envelope(as_bytes(envelope_dict(document={"subject": text or "x", "abstract": text or None}))))


PLACES: dict[str, dict[str, Any]] = {
    "the subject": {"document": {"subject": f"MẬT: {CANARY}"}},
    "the abstract": {"document": {"abstract": f"Tối mật. {CANARY}"}},
    "the kind of document": {"document": {"kind": "Báo cáo (MẬT)"}},
    "the reason": {"reason": f"[Mật] {CANARY}", "action": "recall", "concerns": "01995f1c-7a3e-7c21-9f5e-3b7d9c0a4e11"},
    "an appendix": {"document": {"appendices": ["Phụ lục I", f"TUYỆT MẬT {CANARY}"]}},
    "an attachment's name": {"attachments": [{"name": f"MẬT {CANARY}.pdf"}]},
    "an attachment's description": {"attachments": [{"name": "1.pdf", "description": f"Mật: {CANARY}"}]},
}


@pytest.mark.parametrize("place", PLACES)
def test_every_place_where_marks_stand(place: str) -> None:
    changes = dict(PLACES[place])
    if "attachments" in changes:
        base = {"media_type": "application/pdf", "size": 1, "sha256": "a" * 64}
        changes["attachments"] = [{**base, **each} for each in changes["attachments"]]
    with pytest.raises(Refused) as caught:
        refuse_marked(parse_envelope(as_bytes(envelope_dict(**changes))))
    assert caught.value.code == "secrecy/marked"
    assert place in caught.value.detail
    assert CANARY not in caught.value.detail


@pytest.mark.parametrize(
    "name", ["MẬT.pdf", "Mật.docx", "Tối mật.pdf", "TUYET-MAT.pdf", "(Mật) 12-BC.pdf", "MẬT-12.pdf"]
)
def test_file_names(name: str) -> None:
    attachment = {"name": name, "media_type": "application/pdf", "size": 1, "sha256": "a" * 64}
    with pytest.raises(Refused):
        refuse_marked(parse_envelope(as_bytes(envelope_dict(attachments=[attachment]))))


@pytest.mark.parametrize(
    ("name", "value", "level"),
    [
        ("do_mat", "mat", "Mật"),
        ("Độ mật", "Tối mật", "Tối mật"),
        ("DoMat", "TuyetMat", "Tuyệt mật"),
        ("SecurityLevel", "2", "Mật"),
        ("security_level", "whatever", "Mật"),
        ("classification", "TOP SECRET", "Tối mật"),
        ("security", "mật", "Mật"),
        ("secret", "true", "Mật"),
        ("do_mat", "binh_thuong", None),
        ("Độ mật", "Thường", None),
        ("Độ mật", "Không", None),
        ("security_level", "0", None),
        ("securityLevel", "", None),
        ("security", "TLS 1.3", None),
        ("classification", "Công văn", None),
        ("subject", "Mật", None),
    ],
)
def test_fields_that_declare_a_level(name: str, value: str, level: str | None) -> None:
    assert declared(name, value) == level


def test_a_declared_field_is_refused_without_its_text() -> None:
    refuse_declared([("DoKhan", "Khẩn"), ("DoMat", "Thường")])
    with pytest.raises(Refused) as caught:
        refuse_declared([("DoKhan", "Khẩn"), ("DoMat", f"Mật {CANARY}")])
    assert (caught.value.code, CANARY in caught.value.detail) == ("secrecy/marked", False)


SUBJECT = f"MẬT: {CANARY}"
MALFORMED = {
    "an unknown member": json.dumps({**envelope_dict(), "do_mat": "mat"}).encode(),
    "an unknown member, nested": as_bytes(envelope_dict(document={"security_level": 2})),
    "accents escaped": json.dumps({"subject": SUBJECT}).encode(),
    "accents apart": unicodedata.normalize("NFD", as_bytes({"subject": SUBJECT}).decode()).encode(),
    "cut off": as_bytes(envelope_dict(document={"subject": SUBJECT}))[:-20],
    "not UTF-8": as_bytes({"subject": SUBJECT}) + b"\xff\xfe",
    "UTF-16": json.dumps({"subject": SUBJECT}, ensure_ascii=False).encode("utf-16-le"),
    "the same key twice": b'{"subject": "x", ' + as_bytes({"subject": SUBJECT})[1:],
    "too large": as_bytes({"subject": SUBJECT, "more": "x" * 300_000}),
    "nested without end": as_bytes({"subject": SUBJECT})[:-1] + b', "x": ' + b"[" * 100_000,
    "edXML": f"<edXML><Subject>{SUBJECT}</Subject></edXML>".encode(),
    "edXML that declares it": f"<edXML><DoMat>Tối mật</DoMat><Subject>{CANARY}</Subject></edXML>".encode(),
    "an attribute": f'<edXML do-mat="mat">{CANARY}</edXML>'.encode(),
    "plain text": f"Kính gửi\nMẬT\n{CANARY}".encode(),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_mark_is_seen_in_bytes_that_cannot_be_read(name: str) -> None:
    found = shown_by(MALFORMED[name])
    assert found is not None
    assert found.code == "secrecy/marked"
    assert CANARY not in found.detail


@pytest.mark.parametrize("text", ORDINARY)
def test_an_ordinary_document_that_cannot_be_read_stays_evidence(text: str) -> None:
    assert shown_by(as_bytes(envelope_dict(document={"subject": text, "unknown": text}))[:-3]) is None


@pytest.mark.parametrize(
    "part",
    [b"mat\n", b"do mat:", b"\xe1\xba\xadt" * 3, b"(", b'"', b"do_mat" + b" " * 50, b'"' + b"(" * 3990 + b'mat"'],
)
def test_bytes_made_to_keep_us_busy(part: bytes) -> None:
    short, long = (_seconds(part * (megabytes * 1024**2 // len(part))) for megabytes in (1, 4))
    # Four times the bytes take four times as long; sixteen times, if every byte were looked at from every other.
    assert long < 8 * short + 0.1


def _seconds(body: bytes) -> float:
    """Measure what it takes of the processor; the quickest of three, for others use it too."""

    def once() -> float:
        started = time.process_time()
        shown_by(body)
        return time.process_time() - started

    return min(once() for _ in range(3))


@given(st.binary(max_size=2_000))
def test_no_bytes_make_it_fail(body: bytes) -> None:
    found = shown_by(body)
    assert found is None or found.code == "secrecy/marked"


@given(st.text(max_size=200), st.sampled_from(["MẬT: ", "[Tối mật] ", "TUYỆT MẬT – "]))
def test_whatever_stands_behind_a_stamp(text: str, stamp: str) -> None:
    assert stamped(stamp + text) is not None
