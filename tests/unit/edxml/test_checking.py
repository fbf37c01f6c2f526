"""The report on a package: everything that is wrong at once, where, and in both languages."""

import json
import re
import time
from pathlib import Path

import pytest

from axis.edxml import (
    DEVIATIONS,
    Limits,
    Profile,
    Report,
    Severity,
    build_document,
    build_status,
    check,
    from_envelope,
    from_status,
)
from schemas.reasons import REASONS
from tests.unit.edxml.test_outgoing import CONTENTS, ID, STATUS, envelope, naming, reported

VECTORS = Path(__file__).parents[2] / "vectors" / "edxml"
REAL = Path(__file__).parents[4] / "shared" / "data" / "edxml"
DOCUMENT = build_document(from_envelope(envelope(), CONTENTS, naming=naming)).decode()
ANSWER = build_status(
    from_status(
        reported(
            {
                "schema": "axis.status/1",
                "id": STATUS,
                "reporter": "H37",
                "envelope": ID,
                "code": "03",
                "at": "2026-11-24T03:00:00Z",
            }
        ),
        envelope(),
        naming=naming,
    )
).decode()
HEADER = "edXML/edXMLEnvelope/edXMLHeader/"
MESSAGE = HEADER + "MessageHeader/"


def changed(text: str, old: str, new: str) -> bytes:
    """Change one place; `old` is a regular expression."""
    after, count = re.subn(old, lambda _: new, text, count=1, flags=re.DOTALL)
    assert count == 1, old
    return after.encode()


def errors(report: Report) -> list[tuple[str, str | None]]:
    return [(each.code, each.path) for each in report.findings if each.severity is Severity.ERROR]


def element(name: str, text: str = "") -> str:
    return f"<edXML:{name}>{text}</edXML:{name}>"


@pytest.mark.parametrize("profile", Profile)
@pytest.mark.parametrize(("text", "kind"), [(DOCUMENT, "document"), (ANSWER, "status")])
def test_what_we_write_passes(text: str, kind: str, profile: Profile) -> None:
    report = check(text.encode(), profile)
    assert (report.ok, report.package, report.findings, report.left_out) == (True, kind, (), 0)


@pytest.mark.parametrize(
    ("old", "new", "code", "path"),
    [
        (r"<edXML:From>.*?</edXML:From>", "", "edxml/missing-field", MESSAGE + "From/OrganId"),
        (r"<edXML:OrganId>000.00.00.G22", "<edXML:OrganId>", "edxml/missing-field", MESSAGE + "From/OrganId"),
        (r"000.00.05.H37", "Sở Tài chính", "edxml/code", MESSAGE + "To[2]/OrganId"),
        (r"<edXML:DocumentId>.*?<", "<edXML:DocumentId><", "edxml/missing-field", MESSAGE + "DocumentId"),
        (
            r"<edXML:ContentTransferEncoded.*?</edXML:ContentTransferEncoded>",
            "",
            "edxml/missing-field",
            "edXML/AttachmentEncoded/Attachment[1]/ContentTransferEncoded",
        ),
        (
            r"(?<=/QCVN_102_2016\">)JVBER",
            "*VBER",
            "edxml/bad-base64",
            "edXML/AttachmentEncoded/Attachment/ContentTransferEncoded",
        ),
        (r"</edXML:OtherInfo>", element("DoMat", "Tối mật") + "</edXML:OtherInfo>", "secrecy/marked", None),
        (r"V/v kết nối", "MẬT: V/v kết nối", "secrecy/marked", None),
        (r"<edXML:Place>Hà Nội", "<edXML:Place>" + "x" * 201, "edxml/conversion", None),
    ],
)
@pytest.mark.parametrize("profile", Profile)
def test_what_cannot_be_routed_is_an_error_for_everybody(
    old: str, new: str, code: str, path: str | None, profile: Profile
) -> None:
    report = check(changed(DOCUMENT, old, new), profile)
    assert not report.ok
    assert (code, path) in errors(report)
    if profile is Profile.LENIENT:
        assert errors(report) == [(code, path)]


STRICT = [
    (r"<edXML:OrganName>UBND.*?</edXML:OrganName>", "", "field-missing", MESSAGE + "To[1]/OrganName"),
    (r"<edXML:FullName>.*?</edXML:FullName>", "", "field-missing", MESSAGE + "SignerInfo/FullName"),
    (
        r"<edXML:TraceHeader>.*?</edXML:TraceHeader>",
        "",
        "field-missing",
        HEADER + "TraceHeaderList/TraceHeader/OrganId",
    ),
    (r"<ContentId>.*?</ContentId>", "", "field-missing", "edXML/AttachmentEncoded/Attachment[1]/ContentId"),
    (r"<edXML:CodeNumber>7816", "<edXML:CodeNumber>" + "9" * 12, "text-too-long", MESSAGE + "Code/CodeNumber"),
    (r"V/v kết nối", "Ộ" * 500, "text-too-long", MESSAGE + "Subject"),
    (r"Lưu: VT", "x" * 151, "text-too-long", MESSAGE + "ToPlaces/Place[2]"),
    (r"<edXML:PageAmount>3<", "<edXML:PageAmount>1000<", "number-range", MESSAGE + "OtherInfo/PageAmount"),
    (r"<edXML:Paper>1<", "<edXML:Paper>-1<", "number-range", HEADER + "TraceHeaderList/Bussiness/Paper"),
    (r"<edXML:PageAmount>3<", "<edXML:PageAmount>ba<", "value-unreadable", MESSAGE + "OtherInfo/PageAmount"),
    (r"000.00.05.H37", "28.22.H17", "code-irregular", MESSAGE + "To[2]/OrganId"),
    (
        r"(?<=<edXML:ResponseFor>\r\n          <edXML:OrganId>)000.00.05.H37",
        "Sở",
        "code-irregular",
        MESSAGE + "ResponseFor/OrganId",
    ),
    (r"2026/12/01", "01/12/2026", "date-format", MESSAGE + "DueDate"),
    (r"2026/12/01", "2026/02/30", "date-impossible", MESSAGE + "DueDate"),
    (r"2026/12/01", "cuối tháng", "date-unreadable", MESSAGE + "DueDate"),
    (r"G22,2026/11/24,7816/VPCP-TTĐT", "7816", "document-id-form", MESSAGE + "DocumentId"),
    (r"000.00.05.H37", "000.00.00.H37", "recipient-repeated", MESSAGE.rstrip("/")),
    (r"<edXML:Priority>3", "<edXML:Priority>5", "priority-unknown", MESSAGE + "OtherInfo"),
    (
        r"<edXML:BussinessDocType>0",
        "<edXML:BussinessDocType>7",
        "business-type-unknown",
        HEADER + "TraceHeaderList/Bussiness",
    ),
    (
        r"<edXML:Reference>.*?</edXML:Reference>",
        "",
        "attachment-unlisted",
        "edXML/AttachmentEncoded/Attachment[1]",
    ),
    (r"<Attachment>.*?</Attachment>", "", "attachment-absent", None),
    (
        r"<AttachmentName>7816.pdf",
        "<AttachmentName>khac.pdf",
        "manifest-differs",
        "edXML/AttachmentEncoded/Attachment[1]",
    ),
]


@pytest.mark.parametrize(("old", "new", "code", "path"), STRICT)
def test_what_a_strict_reader_refuses(old: str, new: str, code: str, path: str | None) -> None:
    data = changed(DOCUMENT, old, new)
    assert (code, path) in errors(check(data, Profile.STRICT))
    assert check(data).ok


def test_names_missing_everywhere() -> None:
    text = re.sub(r"<(edXML:)?AttachmentName>.*?</(edXML:)?AttachmentName>", "", DOCUMENT)
    assert {code for code, _ in errors(check(text.encode(), Profile.STRICT))} == {"attachment-name-missing"}


def test_other_names_and_roots() -> None:
    for name in ("tolerated-old-root", "tolerated-no-namespace"):
        data = (VECTORS / f"{name}.edxml").read_bytes()
        assert check(data).ok
        assert {"root-name", "namespace"} & {code for code, _ in errors(check(data, Profile.STRICT))}


def test_all_of_the_places_together() -> None:
    places = "</edXML:Place><edXML:Place>".join(["x" * 150] * 7)
    report = check(changed(DOCUMENT, r"Lưu: VT", places), Profile.STRICT)
    assert errors(report) == [("text-too-long", MESSAGE + "ToPlaces")]


def test_decomposed_letters_are_counted_as_one() -> None:
    fits = changed(DOCUMENT, r"Trần Văn Thử", "o\u0302\u0323" * 50)
    assert check(fits, Profile.STRICT).ok
    over = changed(DOCUMENT, r"Trần Văn Thử", "o\u0302\u0323" * 51)
    assert errors(check(over, Profile.STRICT)) == [("text-too-long", MESSAGE + "SignerInfo/FullName")]


@pytest.mark.parametrize(
    ("old", "new", "code", "path", "lenient"),
    [
        (r"<edXML:Code>7816/VPCP-TTĐT</edXML:Code>", "", "field-missing", MESSAGE + "ResponseFor/Code", True),
        (r"StatusCode>03", "StatusCode>103", "status-unknown", MESSAGE.rstrip("/"), True),
        (r"StatusCode>03", "StatusCode>", "edxml/missing-field", MESSAGE + "StatusCode", False),
        (r"000.00.00.G22", "G", "edxml/code", MESSAGE + "ResponseFor/OrganId", False),
        (
            r"<edXML:DocumentId>.*?</edXML:DocumentId>",
            "",
            "edxml/missing-field",
            MESSAGE + "ResponseFor/DocumentId",
            False,
        ),
    ],
)
def test_statuses(old: str, new: str, code: str, path: str, lenient: bool) -> None:
    data = changed(ANSWER, old, new)
    assert errors(check(data, Profile.STRICT)) == [(code, path)]
    assert check(data).ok is lenient


def test_everything_is_listed_at_once_in_the_order_of_the_lines() -> None:
    text = DOCUMENT.replace("000.00.05.H37", "x").replace("2026/12/01", "1/12/2026").replace("Trần Văn Thử", "")
    report = check(text.encode(), Profile.STRICT)
    assert [code for code, _ in errors(report)] == [
        "edxml/code",
        "field-missing",
        "date-format",
        "code-irregular",
    ]
    lines = [each.line for each in report.findings]
    assert lines == sorted(lines, key=lambda line: line or 0)
    assert text.split("\r\n")[(lines[0] or 0) - 1].strip() == "<edXML:OrganId>x</edXML:OrganId>"


def test_broken_xml_is_found_with_its_line() -> None:
    report = check(DOCUMENT.replace("</edXML:Subject>", "</edXML:Subjet>").encode())
    (finding,) = report.findings
    assert (finding.code, report.package, report.ok) == ("edxml/not-well-formed", None, False)
    assert finding.path == MESSAGE + "Subject"
    assert DOCUMENT.split("\r\n")[(finding.line or 0) - 1].strip().startswith("<edXML:Subject>")
    assert (finding.message, finding.message_vi) == (
        REASONS[finding.code].title,
        REASONS[finding.code].title_vi,
    )


def test_every_attack_ends_in_a_report() -> None:
    for path in VECTORS.glob("attack-*"):
        report = check(path.read_bytes(), Profile.STRICT, limits=Limits(max_content=2_000_000, zip_free=100_000))
        assert not report.ok, path.name
        assert {code for code, _ in errors(report)} <= {*DEVIATIONS, *REASONS}


def test_no_more_than_500_findings_are_listed() -> None:
    many = element("To", element("OrganId", "x")) * 2_000
    report = check(changed(DOCUMENT, r"<edXML:To>", many + "<edXML:To>"), Profile.STRICT)
    assert len(report.findings) == 500
    assert report.left_out > 3_000
    assert not report.ok


def test_many_breaches_beside_each_other_do_not_take_their_square() -> None:
    many = element("To", element("OrganId", "x")) * 6_000
    began = time.thread_time()
    report = check(changed(DOCUMENT, r"<edXML:To>", many + "<edXML:To>"), Profile.STRICT)
    assert time.thread_time() - began < 15  # about a tenth of that; one after another are counted once
    assert report.left_out > 10_000
    assert MESSAGE + "To[100]/OrganId" in {path for _, path in errors(report)}


def test_the_report_as_json() -> None:
    report = check(changed(DOCUMENT, r"2026/12/01", "01/12/2026"), Profile.STRICT)
    said = json.loads(json.dumps(report.as_json()))
    (finding,) = said.pop("findings")
    assert said == {"ok": False, "profile": "strict", "package": "document", "left_out": 0}
    assert finding == {
        "code": "date-format",
        "path": MESSAGE + "DueDate",
        "line": finding["line"],
        "column": finding["column"],
        "severity": "error",
        "message": {
            "en": "a date or time in another form than the official one",
            "vi": "ngày hoặc giờ không viết theo dạng quy định",
        },
        "detail": "'01/12/2026' is not written yyyy/MM/dd",
    }


def test_every_strict_code_is_reached_here() -> None:
    strict = {code for code, kind in DEVIATIONS.items() if kind.strict}
    # Those of signatures: tests/unit/signatures/test_xml.py.
    strict = {code for code in strict if not code.startswith("signature-")}
    elsewhere = {"attachment-name-missing", "root-name", "namespace", "status-unknown"}
    assert {code for _, _, code, _ in STRICT} | elsewhere == strict


def test_the_catalogue_is_in_both_languages() -> None:
    accented = set("ăâđêôơưàáạảãằắặẳẵầấậẩẫèéẹẻẽềếệểễìíịỉĩòóọỏõồốộổỗờớợởỡùúụủũừứựửữỳýỵỷỹ")
    for code, kind in DEVIATIONS.items():
        assert kind.title, code
        assert set(kind.title_vi.lower()) & accented, code
        assert not {*kind.title_vi, *kind.title} & {"\n", "\u200b"}, code


@pytest.mark.skipif(not REAL.is_dir(), reason="the real packages (../shared/data/edxml) are not here")
def test_real_packages_are_taken_by_the_lenient_profile() -> None:
    for path in REAL.glob("*.edxml"):
        if path.stem == "not_well_formed":
            continue
        report = check(path.read_bytes())
        assert report.ok, (path.name, report.findings)
        assert {each.code for each in report.findings} <= {
            "document-id-date",
            "date-impossible",
            "signature-placeholder",
        }
