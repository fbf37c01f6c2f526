"""`axis report`, on a fake store."""

import asyncio
import csv
import datetime as dt
import io
import json
import re
import sys
import zipfile
from pathlib import Path

import pytest
from openpyxl import load_workbook

from axis.cli.report_tables import show_report
from axis.console.language import text
from axis.console.reader import Language
from axis.console.reports.making import make_report
from axis.console.reports.tables import SECTIONS, duration_text, section
from axis.core.periods import read_period
from axis.core.reporting import SIDES, TIMES
from axis.store import FakeStore
from tests.builders import organisation
from tests.unit.cli.conftest import Run
from tests.unit.store.lives import play

PERIOD = "2026-09-29..2026-10-03"


@pytest.fixture
def lively(store: FakeStore) -> FakeStore:
    async def fill() -> None:
        await store.directory.put_organisations(
            [organisation("H37", name="=UBND tỉnh Lạng Sơn"), organisation("G22", name="Văn phòng Chính phủ")]
        )
        await play(store, seed=28, documents=15)

    asyncio.run(fill())
    return store


def test_a_report_is_the_same_in_every_form(run: Run, lively: FakeStore, tmp_path: Path) -> None:
    told = run("report", "--period", PERIOD, "--json").json
    assert told["period"] == {"name": PERIOD, "first": "2026-09-29", "last": "2026-10-03"}
    assert told["before"]["name"] == "2026-09-24..2026-09-28"
    assert told["total"]["now"]["sent"]["documents"] == 15
    assert [line["code"] for line in told["lines"]] == sorted(line["code"] for line in told["lines"])

    files = {form: tmp_path / f"bao-cao.{form}" for form in ("csv", "xlsx", "html", "json", "text")}
    for form, path in files.items():
        ran = run("report", "--period", PERIOD, "--as", form, "--out", str(path))
        assert ran.code == 0, ran.err
        assert str(path) in ran.out
    assert json.loads(files["json"].read_text("utf-8"))["lines"] == told["lines"]

    content = files["csv"].read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    heading, *rows = csv.reader(io.StringIO(content.decode("utf-8-sig")))
    place = heading.index("Văn bản gửi đi: Văn bản")
    named = {row[0]: row for row in rows if row[0]}
    assert named["H37"][1] == "'=UBND tỉnh Lạng Sơn"  # no formula
    assert rows[-2][1:3] == ["Tổng cộng", "cả đơn vị trực thuộc"]
    assert (rows[-2][place], rows[-1][place]) == ("15", "0")

    book = load_workbook(files["xlsx"])
    assert book.sheetnames == ["axis", "Không gửi được, theo lý do", "Nguồn"]
    cells = list(book["axis"].iter_rows(min_row=2))
    assert all(cell.data_type == "n" for row in cells for cell in row[3:])
    assert all(cell.data_type == "s" for row in cells for cell in row[:3] if cell.value is not None)
    written = [[None if cell.value is None else float(str(cell.value)) for cell in row[3:]] for row in cells]
    assert written == [[float(cell) if cell else None for cell in row[3:]] for row in rows]
    took = told["total"]["took"]["received"]["arrived"]
    place = heading.index("Văn bản nhận: Đến nơi nhận (giờ đồng hồ)")
    assert took["deliveries"] > 0
    assert float(rows[-2][place]) == pytest.approx(took["seconds"] / 3600, abs=0.0001)
    assert rows[-1][place] == ""  # of nothing there is no average
    about = {str(name): str(said) for name, said in book["Nguồn"].iter_rows(values_only=True)}
    assert "29/09/2026" in about["Kỳ báo cáo"]
    assert "Quyết định số 28/2018/QĐ-TTg" in about["Căn cứ"]
    assert about["Lập lúc"]
    assert zipfile.ZipFile(files["xlsx"]).testzip() is None

    page = files["html"].read_text("utf-8")
    for words in ("Kỳ báo cáo", "Đơn vị báo cáo", "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "THỦ TRƯỞNG ĐƠN VỊ", "ngày ……"):
        assert words in page
    assert "<a " not in page
    assert "<script" not in page
    assert "Tổng cộng" in files["text"].read_text("utf-8")
    assert "Văn phòng Chính phủ" in run("report", "--period", PERIOD).out


def test_levels_go_by_code(run: Run, lively: FakeStore) -> None:
    lines = run("report", "--period", PERIOD, "--below", "000.00.00.H37", "--json").json["lines"]
    assert [(line["code"], line["whole"]) for line in lines] == [("H37", False), ("H37.05", True)]
    ran = run("report", "--period", PERIOD, "--below", "H37", "--language", "en")
    assert "Reporting unit: =UBND tỉnh Lạng Sơn (H37)" in ran.out
    assert "itself alone" in ran.out


def test_a_check_counts_again(run: Run, lively: FakeStore) -> None:
    assert run("report", "--period", PERIOD, "--check").code == 0
    assert run("report", "--period", PERIOD, "--check", "--json").json["equal"] is True
    tallies = lively.register._tallies  # type: ignore[attr-defined]
    tallies[next(key for key in tallies if not key.transport)][2] += 7
    ran = run("report", "--period", PERIOD, "--check")
    assert ran.code == 1
    assert "axis register rebuild" in ran.out
    assert "documents" in ran.out
    (found,) = run("report", "--period", PERIOD, "--check", "--json").json["differences"]
    assert found["told"][2] == found["rows"][2] + 7


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (("--period", "2199"), "report/future"),
        (("--period", "1926-01-01..2026-01-01"), "report/period"),
        (("--period", "2026-10-03..2026-09-29"), "report/period"),
        (("--below", "H99"), "report/code"),
        (("--below", "tỉnh"), "code/malformed"),
    ],
)
def test_what_cannot_be_reported_is_refused(run: Run, store: FakeStore, asked: tuple[str, str], code: str) -> None:
    ran = run("report", *asked, "--json")
    assert ran.code == 65
    assert ran.json["error"]["code"] == code
    assert ran.json["error"]["remedy_vi"]


def test_a_file_that_cannot_be_written_is_named(run: Run, lively: FakeStore, tmp_path: Path) -> None:
    ran = run("report", "--period", PERIOD, "--as", "csv", "--out", str(tmp_path / "no" / "x.csv"))
    assert ran.code == 73
    assert "no/x.csv" in ran.err


_STYLE = re.compile("\x1b\\[[0-9;]*m")


@pytest.mark.parametrize("columns", [40, 80, 120])
@pytest.mark.parametrize("language", Language)
def test_a_report_is_read_in_a_terminal(
    lively: FakeStore,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    columns: int,
    language: Language,
) -> None:
    period = read_period(PERIOD, dt.date(2026, 10, 4))
    made = asyncio.run(make_report(lively, period, None, dt.datetime(2026, 10, 4, tzinfo=dt.UTC)))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", str(columns))
    show_report(made, language)
    lines = [line.rstrip() for line in _STYLE.sub("", capsys.readouterr().out).splitlines()]
    tables = [place for place, line in enumerate(lines) if re.fullmatch(r" +\(\d+\)( +\(\d+\))*", line)]
    assert all(len(lines[place]) <= columns for place in tables)
    assert (len(tables) == len(SIDES) * (len(SECTIONS) + 1)) is (
        columns > 40
    )  # a heading is one line, and none is cut off

    places = iter(tables)
    for side in SIDES:
        for name in (*SECTIONS, "times"):
            counted = TIMES if name == "times" else section(name, side)
            cells: dict[str, list[str]] = {}
            while len(cells.get("Σ", [])) < len(counted):
                place = next(places)
                width = lines[place].count("(")
                rows = lines[place + 1 : place + 5 + len(made.report.lines)]
                for head, line in zip([*(each.code for each in made.report.lines), "Σ"], rows, strict=False):
                    assert len(line) <= columns
                    cells.setdefault(head or "", []).extend(line.split()[-width:])
            legend, prefix = " ".join(lines), "took" if name == "times" else "measure"
            assert all(f"({n}) {text(f'{prefix}.{each}', language)}" in legend for n, each in enumerate(counted, 1))
            for each, head in ((made.report.total, "Σ"), *((line, line.code or "") for line in made.report.lines)):
                assert cells[head] == (
                    [duration_text(each.took[side][measure].average) for measure in TIMES]
                    if name == "times"
                    else [str(each.now[side][measure]) for measure in counted]
                )
    assert next(places, None) is None
    assert any("=UBND tỉnh Lạng Sơn" in line for line in lines)  # beside its code, or below all tables
