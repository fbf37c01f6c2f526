"""Rows as files: what agencies wrote is text, whatever it looks like."""

import asyncio
import csv
import datetime as dt
import io
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from openpyxl import load_workbook
from starlette.requests import Request
from starlette.responses import StreamingResponse

from axis.console import downloads
from axis.console.downloads import Form, Row, download, form_asked
from axis.errors import Refused

AT = dt.datetime(2026, 11, 27, 17, 30, tzinfo=dt.UTC)
HOSTILE = ("=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(1)", "\t=1", "\r=1", "  =1", '=HYPERLINK("http://evil")')


async def content(columns: list[str], rows: list[Row] | AsyncIterator[Row], form: Form) -> bytes:
    response = await download(columns, rows, "Văn bản: quý IV/2026", form)
    assert isinstance(response, StreamingResponse)
    assert response.headers["content-disposition"].endswith(f"V%C4%83n%20b%E1%BA%A3n%3A%20qu%C3%BD%20IV%2F2026.{form}")
    parts = [part async for part in response.body_iterator]
    return b"".join(part.encode() if isinstance(part, str) else bytes(part) for part in parts)


async def test_csv_says_what_the_rows_say_and_is_no_formula() -> None:
    rows: list[Row] = [(text, 7, AT, None) for text in HOSTILE] + [("Số 7816/VPCP-TTĐT, “mật”", -7, AT.date(), True)]
    told = (await content(["=tên", "n", "at", "none"], rows, "csv")).decode("utf-8-sig")
    read = list(csv.reader(io.StringIO(told, newline="")))
    assert read[0] == ["'=tên", "n", "at", "none"]
    assert read[1:-1] == [
        [f"'{text}".replace("\t=", "\t'=").replace("\r=", "\r'="), "7", "2026-11-28 00:30:00", ""] for text in HOSTILE
    ]
    assert read[-1] == ["Số 7816/VPCP-TTĐT, “mật”", "-7", "2026-11-27", "True"]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("V/v họp;=1+1", "V/v họp;'=1+1"),  # a semicolon parts fields where a comma is in numbers, as in Vietnam
        ("a; \t+1", "a; \t'+1"),
        ("a\r\n@x", "a\r\n'@x"),
        ("\t=1", "'\t'=1"),
        ("\uff1d1", "'\uff1d1"),
        ("\u200b=1", "'\u200b=1"),
        ("Điều 3; khoản 2-4 = 5", "Điều 3; khoản 2-4 = 5"),
    ],
)
async def test_no_part_of_a_cell_is_a_formula_wherever_fields_are_parted(text: str, written: str) -> None:
    told = (await content(["n"], [(text,)], "csv")).decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(told, newline="")))[1] == [written]


async def test_what_is_looked_at_for_formulas_is_looked_at_once() -> None:
    rows: list[Row] = [(each * 100_000,) for each in (";", "\t\n", "\n ", " ", "'=")]
    async with asyncio.timeout(10):
        await content(["n"], rows, "csv")


async def test_a_workbook_holds_texts_and_numbers() -> None:
    rows: list[Row] = [(text, 7, AT, None) for text in (*HOSTILE[:4], "bell \a", "x" * 40_000)]
    sheet = load_workbook(io.BytesIO(await content(["=tên", "n", "at", "none"], rows, "xlsx"))).active
    assert sheet is not None
    cells = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert cells[0] == ["=tên", "n", "at", "none"]
    assert cells[1:5] == [[text, 7, "2026-11-28 00:30:00", None] for text in HOSTILE[:4]]
    assert cells[5][0] == "bell \N{REPLACEMENT CHARACTER}"
    assert len(str(cells[6][0])) == 32_767
    assert {cell.data_type for row in sheet.iter_rows(max_col=1) for cell in row} == {"s"}


@pytest.mark.parametrize("form", ["csv", "xlsx"])
async def test_a_file_has_an_end(form: Form, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "MOST_ROWS", 1_201)
    asked = 0

    async def endless() -> AsyncIterator[Row]:
        nonlocal asked
        while True:
            asked += 1
            yield (asked,)

    told = await content(["n"], endless(), form)
    assert asked == 1_201
    if form == "csv":
        assert told.decode().splitlines()[-1] == "1201"


def test_a_page_is_asked_for_as_a_file() -> None:
    def asked(query: bytes) -> Form | None:
        return form_asked(Request({"type": "http", "query_string": query, "headers": []}))

    assert [asked(b""), asked(b"as=csv"), asked(b"as=xlsx")] == [None, "csv", "xlsx"]
    with pytest.raises(Refused, match="console/form"):
        asked(b"as=../x")


async def test_of_a_workbook_that_nobody_gets_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    begun: list[str] = []

    def names() -> list[str]:
        return [each.name for each in tmp_path.iterdir()]

    async def endless() -> AsyncIterator[Row]:
        for number in range(600):
            yield (number,)
        begun.extend(names())
        raise TimeoutError

    with pytest.raises(TimeoutError):
        await content(["n"], endless(), "xlsx")
    assert len(begun) == 1
    assert names() == []
