"""The directory as partners see it, streamed: it holds a hundred thousand organisations and more."""

import datetime as dt
import json
from collections.abc import Callable, Iterator

from starlette.responses import Response, StreamingResponse

from axis.core.codes import level, parent
from axis.core.partners import Partner
from axis.errors import Refused
from axis.gateway.desk.asking import written
from axis.gateway.desk.codes import Codes
from schemas import Organisation

_AT_ONCE = 500
_LEVELS = 10
_HEAD = b'{"status":"OK","ErrorCode":"0","ErrorDesc":"","data":['


class Listing:
    """List the organisations in force."""

    def __init__(self, codes: Codes, now: Callable[[], dt.datetime]) -> None:
        self._codes = codes
        self._now = now

    def answer(self, operation: str, partner: Partner, wanted: str | None) -> Response:
        """Answer one of the three operations; `wanted`: only codes of so many levels, for getAgenciesListQD20."""
        only = None
        if operation == "getAgenciesListQD20" and wanted:
            if not (wanted.isascii() and wanted.isdecimal() and len(wanted) <= 2 and 1 <= int(wanted) <= _LEVELS):  # noqa: PLR2004 - digits
                raise Refused("partner/parameter", f"level is 1 to {_LEVELS}, not {wanted[:20]!r}")
            only = int(wanted)
        rows = self._rows(operation, partner, only)
        return StreamingResponse(_pieces(rows), 200, {"cache-control": "no-store"}, "application/json")

    def _rows(self, operation: str, partner: Partner, only: int | None) -> Iterator[dict[str, object]]:
        now, directory = self._now(), self._codes.directory
        changes = operation == "getSynchronizeUnit"
        last = ""
        for each in directory.organisations():
            if each.code == last:
                continue  # several periods of one code
            last = each.code
            found = directory.organisation(each.code, now)
            if (found is None and not changes) or (only is not None and level(each.code) != only):
                continue
            yield self._row(operation, partner, found or directory.latest(each.code) or each, closed=found is None)

    def _row(self, operation: str, partner: Partner, organisation: Organisation, *, closed: bool) -> dict[str, object]:
        code, old = organisation.code, self._codes.legacy(organisation.code)
        row: dict[str, object] = {"id": code, "pid": parent(code) or "", "name": organisation.name, "mail": ""}
        if operation == "getAgenciesListQD20":
            return {**row, "code": code, "code102": old}
        row |= {"code": self._codes.written(code, partner.code_form)}
        if operation == "getAgenciesList":
            return {**row, "oldCode": old}
        # A closing that is known beforehand has changed nothing yet.
        ended = organisation.valid_to if closed else None
        since = organisation.valid_from if ended is None else max(organisation.valid_from, ended)
        return {
            **row,
            "centerCode": self._codes.directory.mailbox_of(code, self._now()) or "",
            "version": str(int(since.timestamp())),
            "deleted": closed,
            "modifyDate": written(since),
            # Whether it is the asking system's own: what is not goes over the axis.
            "isAgency": partner.agency_of(code) is not None,
        }


def _pieces(rows: Iterator[dict[str, object]]) -> Iterator[bytes]:
    yield _HEAD
    batch: list[str] = []
    first = True
    for row in rows:
        batch.append(json.dumps(row, ensure_ascii=False))
        if len(batch) == _AT_ONCE:
            yield (("" if first else ",") + ",".join(batch)).encode()
            batch, first = [], False
    if batch:
        yield (("" if first else ",") + ",".join(batch)).encode()
    yield b"]}"
