"""The rows of a page as a file: CSV, or a workbook (XLSX). What agencies wrote never becomes a formula.

What begins like a formula in a cell of CSV gets an apostrophe before it (OWASP, CSV injection). So does what follows a
semicolon, a tab or a line end in it: where spreadsheets part fields by those, it begins a cell. In a workbook every
text is a text. At most `MOST_ROWS` rows: who needs more narrows the search, or asks the agency API.
"""

import asyncio
import contextlib
import csv
import datetime as dt
import io
import re
import tempfile
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from typing import IO, Literal
from urllib.parse import quote

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.worksheet._write_only import WriteOnlyWorksheet
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from axis.console.rendering import VIETNAM
from axis.errors import Refused

Form = Literal["csv", "xlsx"]
Cell = str | int | float | bool | dt.datetime | dt.date | None
Row = Sequence[Cell]

MOST_ROWS = 100_000
_AT_ONCE = 500
_CHUNK = 64 * 1024
_MOST_CHARACTERS = 32_767  # of a cell of a workbook
# Spreadsheets look past spaces for it, and some take the wide forms of Chinese and Japanese keyboards for the same.
_FORMULA = re.compile(
    r"^(?=[\t\r])|(^|[;\t\r\n])(?=(?:[^\S\t\r\n]|[\u200b-\u200f\u2060\ufeff])*[=+\-@\uff1d\uff0b\uff0d\uff20])"
)
# What XML 1.0 cannot hold; openpyxl would refuse the whole workbook for it.
_UNFIT = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_TYPES: dict[Form, str] = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def form_asked(request: Request) -> Form | None:
    """Return as which file a page was asked for (`?as=csv`), None: as a page; raise Refused console/form."""
    asked = request.query_params.get("as")
    if asked is None:
        return None
    if asked not in _TYPES:
        raise Refused("console/form", "as: csv or xlsx.")
    return asked


@dataclass(frozen=True, slots=True)
class Sheet:
    """One more sheet of a workbook: its name (at most 31 characters), headings and rows."""

    name: str
    columns: Sequence[str]
    rows: Sequence[Row]


async def download(
    columns: Sequence[str],
    rows: Iterable[Row] | AsyncIterable[Row],
    name: str,
    form: Form,
    *,
    more: Sequence[Sheet] = (),
) -> Response:
    """Answer with rows as a file called `name`; times are Vietnam's. Rows are taken as they are sent, some at a time.

    A workbook is made whole before the first byte, in a temporary file, with `more` behind the rows; CSV begins at
    once, and has the rows alone.
    """
    headers = {"content-disposition": f"attachment; filename*=UTF-8''{quote(f'{name}.{form}', safe='')}"}
    content = csv_of(columns, rows) if form == "csv" else _sent(await workbook(columns, rows, more))
    return StreamingResponse(content, headers=headers, media_type=_TYPES[form])


async def csv_of(columns: Sequence[str], rows: Iterable[Row] | AsyncIterable[Row]) -> AsyncIterator[str]:
    """Write rows as CSV, some at a time."""
    told = io.StringIO()
    writer = csv.writer(told, lineterminator="\r\n")
    told.write("\ufeff")  # without it Excel takes UTF-8 for something older
    writer.writerow([_harmless(column) for column in columns])
    async with contextlib.aclosing(_pages(rows)) as pages:
        async for page in pages:
            writer.writerows([_harmless(cell) for cell in row] for row in page)
            yield told.getvalue()
            told.seek(0)
            told.truncate()
    yield told.getvalue()


async def workbook(
    columns: Sequence[str], rows: Iterable[Row] | AsyncIterable[Row], more: Sequence[Sheet] = ()
) -> IO[bytes]:
    """Write rows as a workbook into a temporary file, which is the caller's to close."""
    book = Workbook(write_only=True)
    file = tempfile.TemporaryFile()  # noqa: SIM115 - whoever sends it closes it
    try:
        sheet = book.create_sheet("axis")
        sheet.freeze_panes = "A2"
        sheet.append([_text(sheet, column) for column in columns])
        async with contextlib.aclosing(_pages(rows)) as pages:
            async for page in pages:
                # This is work, not waiting: beside it others are answered.
                await asyncio.to_thread(_append, sheet, page)
        for each in more:
            await asyncio.to_thread(_append, book.create_sheet(each.name), (each.columns, *each.rows))
        await asyncio.to_thread(book.save, file)
        file.seek(0)
    except BaseException:
        file.close()
        _drop(book)
        raise
    return file


def _append(sheet: WriteOnlyWorksheet, rows: Iterable[Row]) -> None:
    for row in rows:
        sheet.append([_cell(sheet, cell) for cell in row])


def _drop(book: Workbook) -> None:
    """Leave nothing of a workbook that nobody gets: openpyxl has a file for each sheet until the process ends."""
    for sheet in book.worksheets:
        writer = getattr(sheet, "_writer", None)  # there is no other way to them
        if writer is not None:
            # A thread may be at it still; it then writes into a file without a name.
            with contextlib.suppress(Exception):
                sheet.close()
            with contextlib.suppress(OSError, ValueError):
                writer.cleanup()


async def _sent(file: IO[bytes]) -> AsyncIterator[bytes]:
    with file:
        while chunk := await asyncio.to_thread(file.read, _CHUNK):
            yield chunk


async def _pages(rows: Iterable[Row] | AsyncIterable[Row]) -> AsyncGenerator[list[Row]]:
    """Yield rows some at a time, at most `MOST_ROWS` of them."""
    page: list[Row] = []
    count = 0
    async with contextlib.aclosing(_each(rows)) as each:
        async for row in each:
            page.append(row)
            count += 1
            if len(page) == _AT_ONCE or count == MOST_ROWS:
                yield page
                page = []
            if count == MOST_ROWS:
                return
    if page:
        yield page


async def _each(rows: Iterable[Row] | AsyncIterable[Row]) -> AsyncGenerator[Row]:
    if isinstance(rows, AsyncIterable):
        async for row in rows:
            yield row
    else:
        for row in rows:
            yield row


def _harmless(cell: Cell) -> str:
    """Write a cell of CSV."""
    if cell is None:
        return ""
    if not isinstance(cell, str):
        return _shown(cell)
    return _FORMULA.sub(r"\1'", _UNFIT.sub("\N{REPLACEMENT CHARACTER}", cell))


def _cell(sheet: WriteOnlyWorksheet, cell: Cell) -> object:
    if cell is None or isinstance(cell, bool | int | float):
        return cell
    return _text(sheet, cell if isinstance(cell, str) else _shown(cell))


def _text(sheet: WriteOnlyWorksheet, text: str) -> object:
    """Make a cell that is a text whatever it begins with."""
    made = WriteOnlyCell(sheet, _UNFIT.sub("\N{REPLACEMENT CHARACTER}", text)[:_MOST_CHARACTERS])
    made.data_type = "s"
    return made


def _shown(value: float | bool | dt.datetime | dt.date) -> str:
    if isinstance(value, dt.datetime):
        return value.astimezone(VIETNAM).strftime("%Y-%m-%d %H:%M:%S")
    return value.isoformat() if isinstance(value, dt.date) else str(value)
