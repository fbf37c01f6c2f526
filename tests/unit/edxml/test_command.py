"""`axis edxml read`: what it prints, saves and exits with."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from axis.cli.edxml import app
from axis.edxml import EdxmlDocument, attach, build_document, read

VECTORS = Path(__file__).parents[2] / "vectors" / "edxml"
run = CliRunner().invoke


def vector(name: str) -> str:
    return str(VECTORS / f"{name}.edxml")


def test_a_document_in_words() -> None:
    result = run(app, ["read", vector("plain")])
    assert result.exit_code == 0
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert "Văn bản 000.00.00.H37,2026/11/20,12/UBND-TH" in lines
    assert "Gửi từ 000.00.00.H37 Ủy ban nhân dân tỉnh Lạng Sơn" in lines
    assert "Gửi đến 000.00.00.G12 Bộ Tài chính" in lines
    assert "Trích yếu V/v thử nghiệm liên thông" in lines


def test_a_status_in_words() -> None:
    result = run(app, ["read", vector("status-refused")])
    assert result.exit_code == 0
    assert "02 từ chối tiếp nhận" in result.stdout
    assert "Không thuộc thẩm quyền" in result.stdout


def test_deviations_are_told() -> None:
    result = run(app, ["read", vector("tolerated-dates")])
    assert "tolerated date-impossible: there is no day 2026/02/30 (line 14)" in result.stdout


def test_json_says_everything() -> None:
    result = run(app, ["read", vector("tolerated-spellings"), "--json"])
    said = json.loads(result.stdout)
    assert said["package"] == "document"
    assert said["business"]["kind"] == "update"
    assert said["business"]["receiver_changes"][0] == {"organ_id": "000.00.00.H14", "added": True}
    assert said["issued_on"] == {"text": "2026/11/20", "value": "2026-11-20"}
    assert said["trace"][0]["at"]["value"] == "2026-11-20T08:30:00+07:00"
    assert said["attachments"][0]["size"] == 19
    assert "content" not in said["attachments"][0]
    assert said["warnings"][0] == {
        "code": "organ-in-charge",
        "message": "`OrganInCharge` is taken for `OrganizationInCharge`",
        "line": 12,
        "column": 11,
        "path": "edXML/edXMLEnvelope/edXMLHeader/MessageHeader/To/OrganizationInCharge",
    }


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_malformed_input_exits_65_with_code_line_and_column(options: list[str]) -> None:
    result = run(app, ["read", vector("attack-mismatched-tag"), *options])
    assert result.exit_code == 65
    assert "edxml/not-well-formed: mismatched tag (line 17, column 34)" in result.stderr
    if options:
        error = json.loads(result.stdout)["error"]
        assert error == {"code": "edxml/not-well-formed", "detail": "mismatched tag", "line": 17, "column": 34}
    else:
        assert result.stdout == ""


def test_no_file_exits_66(tmp_path: Path) -> None:
    result = run(app, ["read", str(tmp_path / "none.edxml")])
    assert result.exit_code == 66
    assert "no such file" in result.stderr


def test_attachments_are_saved_under_plain_names_and_never_over_a_file(tmp_path: Path) -> None:
    plain = read((VECTORS / "plain.edxml").read_bytes())
    assert isinstance(plain, EdxmlDocument)
    hostile = EdxmlDocument(
        sender=plain.sender,
        recipients=plain.recipients,
        document_id=plain.document_id,
        attachments=(attach("../../x", b"one"), attach("a/b.pdf", b"two")),
    )
    package = tmp_path / "package.edxml"
    package.write_bytes(build_document(hostile))
    folder = tmp_path / "new" / "folder"
    result = run(app, ["read", str(package), "--save-attachments", str(folder), "--json"])
    assert result.exit_code == 0
    assert json.loads(result.stdout)["saved"] == [str(folder / "_.._x"), str(folder / "a_b.pdf")]
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {"_.._x": b"one", "a_b.pdf": b"two"}

    again = run(app, ["read", str(package), "--save-attachments", str(folder)])
    assert again.exit_code == 73
    assert "File exists" in again.stderr


def test_a_package_cannot_steer_the_terminal(tmp_path: Path) -> None:
    package = tmp_path / "package.edxml"
    text = (VECTORS / "plain.edxml").read_text(encoding="utf-8")
    package.write_text(text.replace("V/v thử", "\x9b31m[red]\u202ethử"), encoding="utf-8")
    result = run(app, ["read", str(package)])
    assert result.exit_code == 0
    assert "\ufffd31m[red]\ufffdthử" in result.stdout


def test_help_has_examples() -> None:
    result = run(app, ["read", "--help"])
    assert "axis edxml read 7816.edxml --save-attachments inbox/" in result.stdout
