"""Rows to directory records: cleaned, checked, and every refusal with its reason.

Real directories are dirty: malformed codes, one code under two names, zero-width spaces inside names.
"""

import datetime as dt
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from pydantic import ValidationError

from axis.catalogue.rows import Row
from axis.core.codes import canonical, cleaned_code, from_qcvn102, to_qcvn102
from axis.core.workdays import VIETNAM_TIME
from axis.errors import Malformed
from schemas.directory import Organisation, UnknownBelow

_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\ufeff"))
_YES = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that was not taken: `code` is a stable reason code, `reason` says what exactly."""

    row_number: int
    raw: str
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class RepeatedRow:
    """A row that says what row `first` said already."""

    row_number: int
    first: int
    raw: str


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What an import would do. `cleaned` counts accepted rows whose text was changed on the way."""

    accepted: tuple[Organisation, ...] = ()
    refused: tuple[RefusedRow, ...] = ()
    repeated: tuple[RepeatedRow, ...] = ()
    cleaned: int = 0


def clean(rows: Iterable[Row], *, valid_from: dt.datetime) -> ImportPlan:
    """Turn rows into records; the same rows always make the same plan.

    `valid_from` (aware) holds for rows without a date of their own. One code may come in several rows when their
    periods do not overlap (a history of names); otherwise the first row wins and the others are refused as
    `code/duplicate`, or counted as repeated when they say the same.
    """
    accepted: dict[str, list[tuple[Row, Organisation]]] = {}
    refused: list[RefusedRow] = []
    repeated: list[RepeatedRow] = []
    cleaned = 0
    for row in rows:
        try:
            record = _record(row, valid_from)
        except Malformed as error:
            refused.append(RefusedRow(row.number, _raw(row), error.code, error.detail))
            continue
        earlier = accepted.setdefault(record.code, [])
        clash = next(((other, known) for other, known in earlier if _overlap(known, record)), None)
        if clash is None:
            earlier.append((row, record))
            cleaned += any(tidy(cell) != cell for cell in row.cells.values())
        elif clash[1] == record:
            repeated.append(RepeatedRow(row.number, clash[0].number, _raw(row)))
        else:
            reason = f"{record.code} is {clash[1].name!r} in row {clash[0].number}"
            refused.append(RefusedRow(row.number, _raw(row), "code/duplicate", reason))
    records = [record for entries in accepted.values() for _, record in entries]
    records.sort(key=lambda record: (record.code, record.valid_from))
    return ImportPlan(tuple(records), tuple(refused), tuple(repeated), cleaned)


def tidy(text: str) -> str:
    """Return text in NFC, without zero-width characters, with single spaces."""
    return " ".join(unicodedata.normalize("NFC", text.translate(_INVISIBLE)).split())


def _record(row: Row, valid_from: dt.datetime) -> Organisation:
    cells = {name: tidy(cell) for name, cell in row.cells.items()}
    code, code102 = _codes(cells.get("code", ""), cells.get("code102", ""))
    name = cells.get("name", "")
    if not name:
        raise Malformed("there is no name", code="name/missing")
    successor = cells.get("successor") or None
    policy = cells.get("unknown_below") or UnknownBelow.REGISTERED.value
    if policy not in set(UnknownBelow):
        raise Malformed(f"unknown_below is {policy!r}, neither registered nor open", code="import/value")
    forwarding = _YES.get((cells.get("forwarding") or "yes").lower())
    if forwarding is None:
        raise Malformed(f"forwarding is {cells['forwarding']!r}, neither yes nor no", code="import/value")
    try:
        return Organisation(
            code=code,
            name=name,
            valid_from=_day(cells.get("valid_from")) or valid_from,
            valid_to=_day(cells.get("valid_to")),
            successor=canonical(successor) if successor else None,
            forwarding=forwarding,
            unknown_below=UnknownBelow(policy),
            code102=code102,
        )
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Malformed(f"{where}: {first['msg']}".lstrip(": "), code="import/value") from error


def _codes(code_text: str, code102_text: str) -> tuple[str, str | None]:
    """Return both forms. Where a row gives both, the pair is the mapping and nothing is computed."""
    text = code_text or code102_text
    if not text:
        raise Malformed("there is no code", code="code/missing")
    # Strict on purpose: traffic in odd spellings is understood, but nothing new is registered under one.
    code = canonical(text)
    code102 = cleaned_code(code102_text if code_text and code102_text else text)
    if code102[:1].isdigit():
        from_qcvn102(code102)
        return code, code102
    return code, to_qcvn102(code)


def _day(text: str | None) -> dt.datetime | None:
    if not text:
        return None
    for form in ("%Y-%m-%d", "%Y/%m/%d", "%d/%m/%Y"):
        try:
            return dt.datetime.strptime(text, form).replace(tzinfo=VIETNAM_TIME).astimezone(dt.UTC)
        except ValueError:
            continue
    raise Malformed(f"{text!r} is no date", code="import/date")


def _overlap(one: Organisation, other: Organisation) -> bool:
    starts_before_end = other.valid_to is None or one.valid_from < other.valid_to
    return starts_before_end and (one.valid_to is None or other.valid_from < one.valid_to)


def _raw(row: Row) -> str:
    return ",".join(row.cells.values())
