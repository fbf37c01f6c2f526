"""The documents of the demo: an edXML package with a PDF in it, and a small answer."""

import datetime as dt
from collections.abc import Iterable, Sequence

from axis.core.codes import to_qcvn102
from axis.edxml import (
    Business,
    Day,
    DocumentId,
    DocumentType,
    EdxmlDocument,
    Instant,
    Organisation,
    OtherInfo,
    Signer,
    Trace,
    attach,
    build_document,
)
from schemas import Action

NOTATION = "VPCP-KSTT"
SUBJECT = "V/v bảo đảm kết nối, liên thông văn bản điện tử trong thời gian ứng phó bão số 12"


def package(number: str, sender: tuple[str, str], recipients: Sequence[tuple[str, str]], at: dt.datetime) -> bytes:
    """Build the urgent edXML package of the story: `(code, name)` pairs in, bytes in the SDK's order out."""
    code = to_qcvn102(sender[0]) or sender[0]
    today = at.date()
    document = EdxmlDocument(
        sender=_organisation(*sender),
        recipients=tuple(_organisation(*recipient) for recipient in recipients),
        document_id=_key(number, sender[0], at),
        number=number,
        notation=NOTATION,
        place="Hà Nội",
        issued_on=Day.of(today),
        kind=DocumentType(type=1, detail=0, name="Công điện"),
        subject=SUBJECT,
        content=SUBJECT,
        signer=Signer(name="Nguyễn Văn An", position="Phó Chủ nhiệm", competence="KT. BỘ TRƯỞNG, CHỦ NHIỆM"),
        other=OtherInfo(priority=3, sphere="Liên thông văn bản quốc gia", copies=1, pages=1, direction=True),
        steering=2,
        to_places=("Các bộ, cơ quan ngang bộ", "UBND các tỉnh, thành phố trực thuộc trung ương"),
        trace=(Trace(code, Instant.of(at)),),
        business=Business(kind=Action.NEW, type="0", reason="Văn bản điện tử mới", paper=0),
        attachments=(
            attach(f"{number}_{NOTATION}.pdf", pdf(["CONG DIEN", f"So {number}/{NOTATION}", f"Ngay {today}"])),
        ),
    )
    return build_document(document)


def document_id(number: str, sender: str, at: dt.datetime) -> str:
    """Return the identifier that the package has."""
    return _key(number, sender, at).text


def pdf(lines: Iterable[str]) -> bytes:
    """Write a one-page PDF (ISO 32000-1) with lines of ASCII text."""
    shown = " ".join(f"({line}) Tj 0 -24 Td" for line in lines)
    stream = f"BT /F1 16 Tf 72 760 Td {shown} ET".encode("ascii")
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources 5 0 R >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >>",
    )
    written = bytearray(b"%PDF-1.4\n")
    offsets = []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(written))
        written += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(written)
    written += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    written += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    written += b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(written)


def _key(number: str, sender: str, at: dt.datetime) -> DocumentId:
    return DocumentId.of(to_qcvn102(sender) or sender, at.date(), f"{number}/{NOTATION}")


def _organisation(code: str, name: str) -> Organisation:
    return Organisation(organ_id=to_qcvn102(code) or code, name=name, in_charge=name)
