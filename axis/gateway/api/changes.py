"""What changed for an agency, in order, behind a cursor: everything, or the statuses alone."""

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from axis.core.registered import FeedItem, News
from axis.errors import Refused
from axis.gateway.api.agency import AgencyApi, present, told
from axis.gateway.api.asking import Query
from axis.store import Said

MOST = 200
LONGEST_WAIT_SECONDS = 30
_PAGES = 10  # of the feed, looked through for statuses


class Changes:
    """Answer from the feed. Who asks again with `next` misses nothing, and is told nothing twice."""

    def __init__(self, api: AgencyApi) -> None:
        self._api = api

    async def changes(self, request: Request) -> Response:
        """Answer with what changed behind `after`; where there is nothing, wait for it up to `wait` seconds."""
        account = self._api.who(request, "changes")
        query = Query(request, ("after", "wait", "limit"))
        limit = query.number("limit", 100, MOST, 1)
        after = await self._cursor(query)
        until = asyncio.get_running_loop().time() + query.number("wait", 0, LONGEST_WAIT_SECONDS)
        async with self._api.waiting.take(account):
            found, end = await self._read(account, after, limit)
            while not found and await self._api.end.beyond(end, until, request.is_disconnected):
                found, end = await self._read(account, end, limit)
        return told({"changes": [_change(each) for each in found], **_on(found, end, full=len(found) == limit)})

    async def statuses(self, request: Request) -> Response:
        """Answer with the statuses behind `after`, with what was said."""
        async with self._api.asked(request, "statuses") as account:
            query = Query(request, ("after", "limit"))
            limit = query.number("limit", 50, MOST, 1)
            end = await self._cursor(query)
            found: list[FeedItem] = []
            full = True
            for _ in range(_PAGES):
                page, end = await self._read(account, end, MOST)
                full = len(page) == MOST
                found += [each for each in page if each.kind is News.STATUS]
                if len(found) > limit:
                    found, full = found[:limit], True
                    end = found[-1].seq
                    break
                if not full:
                    break
            said = await self._api.store.seen.said(found)
            return told({"statuses": [_status(each, said.get(each.seq)) for each in found], **_on((), end, full=full)})

    async def _cursor(self, query: Query) -> int:
        """Return behind which number to read; raise Refused api/cursor-pruned."""
        first, last = await self._api.store.register.feed_span()
        if query.text("after") is None:
            return first - 1
        if query.text("after") == "latest":
            return last
        after = query.number("after", 0)
        if after < first - 1:
            raise Refused("api/cursor-pruned", f"what is kept begins with {first}; you have read up to {after}")
        # Of a number that was never given out (the feed of another axis, or of a copy made earlier) nothing is known.
        if after > last:
            raise Refused("api/cursor-pruned", f"the feed ends with {last}; {after} is not of this feed")
        return after

    async def _read(self, account: str, after: int, limit: int) -> tuple[tuple[FeedItem, ...], int]:
        """Return what is behind a number, and up to which number that is all of it."""
        # First the end: what is up to it is there to be read.
        _, end = await self._api.store.register.feed_span()
        found = await self._api.store.register.feed(account, after, limit)
        if len(found) == limit:
            return found, found[-1].seq
        return found, max(end, found[-1].seq if found else after)


def _on(found: tuple[FeedItem, ...], end: int, *, full: bool) -> dict[str, Any]:
    return {"next": max(end, found[-1].seq) if found else end, "more": full}


def _change(item: FeedItem) -> dict[str, Any]:
    return present(
        {
            "seq": item.seq,
            "kind": item.kind.value,
            "envelope": item.envelope_id,
            "recipient": item.recipient,
            "code": item.code,
            "at": item.at,
        }
    )


def _status(item: FeedItem, said: Said | None) -> dict[str, Any]:
    members = {
        "seq": item.seq,
        "envelope": item.envelope_id,
        "recipient": item.recipient,
        "code": item.code,
        "received_at": item.at,
    }
    if said is not None:
        members |= {"id": said.id, "reporter": said.reporter, "at": said.at, "reason": said.reason}
    return present(members)
