"""The directory as of a date, in pages."""

import bisect
import datetime as dt
import hashlib

import orjson
from starlette.requests import Request
from starlette.responses import Response

from axis.core.codes import is_within
from axis.core.directory import Directory
from axis.gateway.api.agency import AgencyApi, present
from axis.gateway.api.asking import Query

MOST = 1_000
_LOOKED_AT = 20_000  # codes for one page: what is rare takes several


class Agencies:
    """Answer from the directory in memory. Who is who is no secret among agencies."""

    def __init__(self, api: AgencyApi) -> None:
        self._api = api
        self._codes: tuple[Directory, list[str]] | None = None

    async def page(self, request: Request) -> Response:
        """Answer with a page of who was in force at a moment; with If-None-Match of the same page, 304."""
        async with self._api.asked(request, "agencies"):
            query = Query(request, ("at", "below", "after", "limit"))
            at, below = query.moment("at") or self._api.now(), query.code("below")
            after, limit = query.code("after"), query.number("limit", 200, MOST, 1)
            body = orjson.dumps(self._page(at, below, after, limit))
        tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        headers = {"etag": tag, "cache-control": "private, no-cache"}
        if tag in [each.strip() for each in request.headers.get("if-none-match", "").split(",")]:
            return Response(None, 304, headers)
        return Response(body, 200, headers, "application/json")

    def _page(self, at: dt.datetime, below: str | None, after: str | None, limit: int) -> dict[str, object]:
        directory = self._api.enrolled.directory
        codes = self._sorted(directory)
        start = 0 if after is None else bisect.bisect_right(codes, after)
        if below is not None:
            start = max(start, bisect.bisect_left(codes, below))
        found: list[dict[str, object]] = []
        last = min(start + _LOOKED_AT, len(codes))
        for place in range(start, last):
            code = codes[place]
            if below is not None and not code.startswith(below):
                return {"agencies": found, "next": None}
            each = directory.organisation(code, at)
            if each is None or (below is not None and not is_within(code, below)):
                continue
            if len(found) == limit:
                return {"agencies": found, "next": codes[place - 1]}
            found.append(
                present(
                    {
                        "code": code,
                        "name": each.name,
                        "code102": each.code102,
                        "valid_from": each.valid_from,
                        "valid_to": each.valid_to,
                        "successor": each.successor,
                        "mailbox": directory.mailbox_of(code, at),
                    }
                )
            )
        return {"agencies": found, "next": codes[last - 1] if last < len(codes) else None}

    def _sorted(self, directory: Directory) -> list[str]:
        if self._codes is None or self._codes[0] is not directory:
            self._codes = directory, list(dict.fromkeys(each.code for each in directory.organisations()))
        return self._codes[1]
