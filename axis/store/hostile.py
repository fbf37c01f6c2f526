"""Text from hostile messages, made fit for the database: it may hold anything, and must never stop its neighbours."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from axis.core.decisions import most_of
from axis.core.records import QuarantineRow

MAX_NAME = 255  # account, message id, queue, reason, a header's name
MAX_TEXT = 4_000  # detail; a header's value, but for signatures
MAX_HEADERS = 64
MAX_BODY = 1024 * 1024  # a broker of 3.10 lets 128 MiB pass; the digest is of the whole message all the same

_UNFIT = re.compile("[\0\ud800-\udfff]")
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def text(value: str, limit: int) -> str:
    """Replace NUL and lone surrogates, which PostgreSQL's text cannot hold, and cut at `limit` characters."""
    return _UNFIT.sub(_REPLACEMENT, value[:limit])


def as_json(value: Mapping[str, object]) -> str:
    """Write JSON that PostgreSQL's jsonb can hold; what JSON does not know becomes text."""
    return json.dumps(_tame(value), ensure_ascii=False, allow_nan=False)


def headers_as_json(headers: Mapping[str, str]) -> str:
    """Write a message's headers as JSON; signatures whole, which `as_json` would cut."""
    return json.dumps(_headers(headers), ensure_ascii=False)


def _headers(headers: Mapping[str, str]) -> dict[str, str]:
    first = list(headers.items())[:MAX_HEADERS]
    return {text(name, MAX_NAME): text(value, most_of(name)) for name, value in first}


def _tame(value: object) -> object:
    if isinstance(value, str):
        return text(value, MAX_TEXT)
    if isinstance(value, Mapping):
        return {text(str(key), MAX_NAME): _tame(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_tame(item) for item in value]
    if value is None or isinstance(value, bool | int):
        return value
    return text(str(value), MAX_TEXT)


@dataclass(frozen=True, slots=True)
class Kept:
    """A quarantine row fit to be stored, with how often it is in the batch and the size of its whole message."""

    row: QuarantineRow
    size: int
    count: int


def kept(rows: list[QuarantineRow]) -> list[Kept]:
    """Make rows fit and fold those with the same bytes, account and reason into the first; in the order of that key."""
    folded: dict[tuple[str, bool, str, str], Kept] = {}
    for original in rows:
        row = _fit(original)
        key = (row.sha256, row.account is not None, row.account or "", row.reason)
        seen = folded.get(key)
        if seen is None:
            size = len(original.body) if original.size is None else original.size
            folded[key] = Kept(row, size, 1)
        else:
            folded[key] = replace(seen, count=seen.count + 1)
    return [folded[key] for key in sorted(folded)]


def _fit(row: QuarantineRow) -> QuarantineRow:
    return replace(
        row,
        source=text(row.source, MAX_NAME),
        reason=text(row.reason, MAX_NAME),
        detail=text(row.detail, MAX_TEXT),
        account=None if row.account is None else text(row.account, MAX_NAME),
        message_id=None if row.message_id is None else text(row.message_id, MAX_NAME),
        body=row.body[:MAX_BODY],
        headers=_headers(row.headers),
        properties={name: text(value, MAX_NAME) for name, value in row.properties.items()},
    )
