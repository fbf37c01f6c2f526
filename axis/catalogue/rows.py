"""Rows of a list of organisations, from CSV or a spreadsheet, under the names that we know their columns by."""

import csv
import datetime as dt
import io
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from python_calamine import CalamineError, CalamineWorkbook

from axis.errors import Malformed, NotFound

MAX_BYTES = 64 * 1024 * 1024
_SPREADSHEETS = {".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"}
_DELIMITERS = ",;\t|"  # Excel writes `;` where the comma is the decimal sign, as in Vietnam

# Column headings, folded: lower case, without diacritics, letters and digits only.
_COLUMNS = {
    "code": "code",
    "ma": "code",
    "madinhdanh": "code",
    "madinhdanhdientu": "code",
    "macoquan": "code",
    "madonvi": "code",
    "organid": "code",
    "codeqd20": "code",
    "code102": "code102",
    "codeqcvn102": "code102",
    "oldcode": "code102",
    "macu": "code102",
    "maqcvn102": "code102",
    "name": "name",
    "ten": "name",
    "tencoquan": "name",
    "tendonvi": "name",
    "tencoquandonvi": "name",
    "organname": "name",
    "incharge": "in_charge",
    "organizationincharge": "in_charge",
    "coquanchuquan": "in_charge",
    "coquanquanly": "in_charge",
    "validfrom": "valid_from",
    "hieuluctu": "valid_from",
    "validto": "valid_to",
    "hieulucden": "valid_to",
    "successor": "successor",
    "makethua": "successor",
    "forwarding": "forwarding",
    "unknownbelow": "unknown_below",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One row as read: its number in the file (the heading is row 1) and its cells by column name."""

    number: int
    cells: Mapping[str, str]


def read_rows(path: Path) -> Iterator[Row]:
    """Read a CSV (UTF-8) or a spreadsheet's first sheet; the file name says which. Blank rows are passed over.

    Raises:
        NotFound: there is no such file.
        Malformed: `import/…` when it cannot be read, with the line where known.
    """
    if not path.is_file():
        raise NotFound(f"no such file: {path}")
    if path.stat().st_size > MAX_BYTES:
        raise Malformed(f"{path.name} is over {MAX_BYTES // 1024**2} MiB", code="import/too-large")
    if path.suffix.lower() in _SPREADSHEETS:
        return _rows_of_spreadsheet(path)
    return rows_of_csv(_text(path))


def rows_of_csv(text: str) -> Iterator[Row]:
    """Read CSV text; the delimiter is the one that the heading uses most."""
    heading = text.partition("\n")[0]
    delimiter = max(_DELIMITERS, key=heading.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        yield from _rows(reader)
    except csv.Error as error:
        raise Malformed(f"not CSV: {error}", code="import/not-csv", line=reader.line_num) from error


def _text(path: Path) -> str:
    data = path.read_bytes()
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Malformed(f"{path.name} is not UTF-8", code="import/encoding", line=line) from error


def _rows_of_spreadsheet(path: Path) -> Iterator[Row]:
    try:
        workbook = CalamineWorkbook.from_path(path)
        sheet = workbook.get_sheet_by_index(0).to_python(skip_empty_area=False)
    except CalamineError as error:
        raise Malformed(f"{path.name} is not a spreadsheet: {error}", code="import/not-spreadsheet") from error
    return _rows([_cell(cell) for cell in line] for line in sheet)


def _cell(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, dt.datetime):
        return value.date().isoformat()
    return str(value)


def _rows(lines: Iterable[Sequence[str]]) -> Iterator[Row]:
    columns: list[str | None] | None = None
    for number, line in enumerate(lines, start=1):
        if not any(cell.strip() for cell in line):
            continue
        if columns is None:
            columns = _columns(line, number)
            continue
        # A cell beyond the heading is kept under no name: nobody can tell what it means.
        yield Row(number, {name: cell for name, cell in zip(columns, line, strict=False) if name is not None})


def _columns(heading: Sequence[str], number: int) -> list[str | None]:
    columns = [_COLUMNS.get(_fold(cell)) for cell in heading]
    named = [column for column in columns if column is not None]
    if "name" not in named or not {"code", "code102"} & set(named):
        raise Malformed(
            f"the heading names no code and name columns: {', '.join(heading)[:200]}",
            code="import/heading",
            line=number,
        )
    if len(set(named)) != len(named):
        raise Malformed("two columns mean the same", code="import/heading", line=number)
    return columns


def _fold(heading: str) -> str:
    plain = unicodedata.normalize("NFD", heading.casefold().replace("đ", "d"))
    return re.sub(r"[^a-z0-9]", "", plain)
