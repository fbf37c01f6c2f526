"""`axis edxml write` and `axis edxml check`."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from axis.cli.edxml import app
from axis.edxml import EdxmlDocument, read
from axis.errors import AxisError
from tests.authority import TestAuthority
from tests.unit.edxml.test_checking import DOCUMENT
from tests.xml_signing import sign_package

run = CliRunner().invoke


def made(folder: Path, *options: str) -> EdxmlDocument:
    (folder / "7816.pdf").write_bytes(b"%PDF-1.7")
    (folder / "số liệu.xlsx").write_bytes(b"no real sheet")
    out = folder / "7816.edxml"
    files = [str(folder / "7816.pdf"), str(folder / "số liệu.xlsx")]
    result = run(app, ["write", *files, "--out", str(out), "--from", "G22", "--to", "000.00.05.H37", *options])
    assert result.exit_code == 0, result.output
    package = read(out.read_bytes())
    assert isinstance(package, EdxmlDocument)
    return package


def test_a_package_out_of_files_and_options(tmp_path: Path) -> None:
    package = made(
        tmp_path,
        *("--number", "7816", "--notation", "VPCP-TTĐT", "--subject", "V/v kết nối", "--issued-on", "2026-11-24"),
        *("--kind", "Công văn", "--place", "Hà Nội", "--signer", "Trần Văn Thử", "--priority", "urgent"),
        *("--name", "G22=Văn phòng Chính phủ", "--name", "H37.05=Sở Tài chính"),
    )
    assert package.document_id.text == "G22,2026/11/24,7816/VPCP-TTĐT"
    assert (package.sender.organ_id, package.recipients[0].name) == ("000.00.00.G22", "Sở Tài chính")
    assert [file.content.read() for file in package.attachments] == [b"%PDF-1.7", b"no real sheet"]
    assert package.other.priority == 1
    result = run(app, ["check", str(tmp_path / "7816.edxml"), "--strict"])
    assert result.exit_code == 0, result.output
    assert "taken (strict)" in result.output


def test_what_is_said_may_come_from_a_file(tmp_path: Path) -> None:
    said = {"document_id": "G22,2026/11/24,1/VPCP", "subject": "Từ tệp", "pages": 3}
    (tmp_path / "said.json").write_text(json.dumps(said, ensure_ascii=False), encoding="utf-8")
    package = made(tmp_path, "--document", str(tmp_path / "said.json"), "--subject", "Từ tùy chọn", "--form", "qd20")
    assert (package.subject, package.other.pages, package.recipients[0].organ_id) == ("Từ tùy chọn", 3, "H37.05")


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["--out", "{folder}/there.edxml"], "file/exists"),
        (["--out", "{folder}/none/a.edxml"], "file/not-created"),
        (["--out", "{folder}/a.edxml", "--to", "x"], "code/malformed"),
        (["--out", "{folder}/a.edxml", "--issued-on", "24/11/2026"], "message/schema"),
        (["--out", "{folder}/a.edxml", "--document", "{folder}/none.json"], "file/not-found"),
        (["--out", "{folder}/a.edxml", "--document", "{folder}/there.edxml"], "file/unreadable"),
        (["{folder}/none.pdf", "--out", "{folder}/a.edxml"], "file/not-found"),
    ],
)
def test_what_cannot_be_written(options: list[str], code: str, tmp_path: Path) -> None:
    (tmp_path / "there.edxml").write_text("[]")
    given = [each.replace("{folder}", str(tmp_path)) for each in options]
    result = run(app, ["write", "--from", "G22", "--to", "H37", *given])
    assert isinstance(result.exception, AxisError)
    assert result.exception.code == code
    assert (tmp_path / "there.edxml").read_text() == "[]"
    assert [path.name for path in tmp_path.iterdir()] == ["there.edxml"]


def test_the_report_in_both_languages_and_as_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.edxml"
    path.write_text(DOCUMENT.replace("2026/12/01", "01/12/2026"), encoding="utf-8")
    assert run(app, ["check", str(path)]).exit_code == 0
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    told = run(app, ["check", str(path), "--strict"])
    assert told.exit_code == 65
    assert "date-format" in told.output
    assert "a date or time in another form" in told.output
    assert "refused, 1 errors (strict)" in told.output
    monkeypatch.setenv("LC_ALL", "vi_VN.UTF-8")
    assert "không viết theo dạng" in run(app, ["check", str(path), "--strict"]).output
    report = json.loads(run(app, ["check", str(path), "--strict", "--json"]).stdout)
    assert (report["ok"], report["findings"][0]["code"]) == (False, "date-format")
    missing = run(app, ["check", str(tmp_path / "none")])
    assert isinstance(missing.exception, AxisError)
    assert missing.exception.exit_code == 66


def test_the_signature_is_verified_for_whom_is_trusted(tmp_path: Path) -> None:
    import datetime as dt

    authority = TestAuthority(at=dt.datetime.now(dt.UTC))
    path = tmp_path / "a.edxml"
    path.write_bytes(sign_package(DOCUMENT.encode(), authority.issue("p256")))
    authority.put_into(tmp_path / "trust")
    assert run(app, ["check", str(path), "--strict", "--trust", str(tmp_path / "trust")]).exit_code == 0
    told = run(app, ["check", str(path), "--strict", "--trust", str(tmp_path / "nobody")])
    assert told.exit_code == 65
    assert "signature-untrusted" in told.output
