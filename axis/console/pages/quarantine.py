"""Messages that were set aside: grouped by cause, shown safely, handed to the routers again or dropped."""

import datetime as dt
from collections.abc import AsyncIterator
from typing import TypedDict

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from axis.console.asking import number_asked, words_asked
from axis.console.desk import Desk, desk_of
from axis.console.downloads import Row, download, form_asked
from axis.console.forms import form_of
from axis.console.language import meaning, text
from axis.console.page import OPERATORS, Page
from axis.console.pages.documents import ENVELOPE
from axis.console.reader import Reader
from axis.console.rendering import query
from axis.core.tracked import Quarantined
from axis.errors import NotFound, Refused
from axis.evidence.quarantined import AT_ONCE, Examiner, Outcome, drop, one, requeue
from axis.store import Store

PAGE = 50
_SHOWN = 4_096  # bytes of a message on its page
_LINE = 16
_COLUMNS = ("seen", "reason", "account", "source", "size", "times", "first", "message id", "id")


async def quarantine(request: Request, reader: Reader) -> Response:
    """List what is in quarantine, last seen first, beside the counts by cause."""
    desk, form = desk_of(request), form_asked(request)
    reason = words_asked(request, "reason")
    if form is not None:
        columns = [text(f"quarantine.{name}", reader.language) for name in _COLUMNS]
        return await download(columns, _rows(desk.store, reason, reader), text("quarantine", reader.language), form)
    found = await desk.store.quarantined(PAGE + 1, reason=reason, **_place(request))
    shown = found[:PAGE]
    return desk.rendering.page(
        request,
        "quarantine.html",
        reader=reader,
        found=shown,
        piles=sorted((await desk.store.backlog.look()).quarantine.items(), key=lambda each: -each[1].count),
        reason=reason,
        before=f"{shown[-1].last_seen_at.isoformat()},{shown[-1].id}" if len(found) > PAGE else None,
        may=reader.role in OPERATORS,
        at_once=AT_ONCE,
        done=number_asked(request, "done"),
        stayed=number_asked(request, "stayed"),
        going=desk.groups.under_way,
        how=request.query_params.get("how"),
    )


async def message(request: Request, reader: Reader) -> Response:
    """Show one message, as text and as hexadecimal, and what would happen to it now."""
    desk = desk_of(request)
    kept = await _kept(desk, request)
    shown = kept.body[:_SHOWN]
    return desk.rendering.page(
        request,
        "message.html",
        reader=reader,
        kept=kept,
        as_text=shown.decode("utf-8", errors="replace"),
        as_hex=hexadecimal(shown),
        shown=len(shown),
        outcome=await _check(desk, kept),
        departures=await desk.store.quarantines.departures(kept.id),
        may=reader.role in OPERATORS,
    )


async def act(request: Request, reader: Reader) -> Response:
    """Requeue or drop: one message by its id, or the newest of a group.

    A group is handed over five a second: nobody's browser waits for that, a page shows how far it is.
    """
    desk, form = desk_of(request), form_of(request)
    ids, why, reason = form.every("id"), form.one("why", "", most=500), form.one("reason", "", most=200)
    if not all(map(ENVELOPE.fullmatch, ids)) or len(ids) > PAGE:
        raise Refused("console/form", "id: no id of a message.")
    how = form.one("act")
    if how == "requeue" and len(ids) > 1:
        group = desk.groups.add(ids, at=desk.now(), by=reader.login, why=why, reason=reason)
        return RedirectResponse(f"/quarantine/requeues/{group.id}", 303)
    if how == "requeue":
        done = await requeue(desk.store, ids, desk.now(), by=reader.login, why=why)
        if done.stayed:
            raise done.stayed[0][1]
    elif how == "drop":
        done = await drop(desk.store, ids, by=reader.login, why=why)
    else:
        raise Refused("console/form", "act: requeue or drop.")
    return RedirectResponse(
        "/quarantine" + query({}, reason=reason, how=how, done=done.done, stayed=len(done.stayed) or None), 303
    )


async def going(request: Request, reader: Reader) -> Response:
    """Show how far a group is; to htmx, which asks again and again, only that."""
    desk = desk_of(request)
    part = "hx-request" in request.headers
    return desk.rendering.page(
        request,
        "quarantine-group.html" if part else "quarantine-going.html",
        reader=reader,
        group=desk.groups.one(request.path_params["group"]),
    )


async def _check(desk: Desk, kept: Quarantined) -> Outcome:
    settings = desk.settings
    examiner = await Examiner.of(
        desk.store,
        desk.now(),
        past=dt.timedelta(days=settings.id_past_days),
        future=dt.timedelta(minutes=settings.id_future_minutes),
        hybrid=settings.hybrid_required,
    )
    return await examiner.check(kept)


async def _kept(desk: Desk, request: Request) -> Quarantined:
    identifier = request.path_params["id"]
    if not ENVELOPE.fullmatch(identifier):
        raise NotFound(f"There is no {identifier[:60]} in quarantine.", code="quarantine/unknown")
    return await one(desk.store, identifier)


def hexadecimal(content: bytes) -> str:
    """Write bytes as addresses, hexadecimal and what of ASCII can be seen."""
    lines = []
    for start in range(0, len(content), _LINE):
        part = content[start : start + _LINE]
        seen = "".join(chr(each) if 32 <= each < 127 else "." for each in part)  # noqa: PLR2004 - printable ASCII
        lines.append(f"{start:06x}  {part.hex(' '):<{_LINE * 3}} {seen}")
    return "\n".join(lines)


async def _rows(store: Store, reason: str | None, reader: Reader) -> AsyncIterator[Row]:
    place: _Place = {}
    while found := await store.quarantined(500, reason=reason, **place):
        for each in found:
            yield (
                each.last_seen_at,
                f"{each.reason}: {meaning(each.reason, reader.language)}",
                each.account,
                each.source,
                each.size,
                each.count,
                each.received_at,
                each.message_id,
                each.id,
            )
        place = {"before": found[-1].last_seen_at, "behind": found[-1].id}


class _Place(TypedDict, total=False):
    """Where a list goes on from."""

    before: dt.datetime
    behind: str


def _place(request: Request) -> _Place:
    asked = words_asked(request, "before")
    if asked is None:
        return {}
    moment, _, identifier = asked.partition(",")
    try:
        before = dt.datetime.fromisoformat(moment).astimezone(dt.UTC)
    except (ValueError, OverflowError) as error:
        raise Refused("console/form", "before: no time.") from error
    if not ENVELOPE.fullmatch(identifier):
        raise Refused("console/form", "before: no id.")
    return {"before": before, "behind": identifier}


PAGES = (
    Page("/quarantine", quarantine, menu="menu.quarantine"),
    Page("/quarantine/act", act, methods=("POST",), roles=OPERATORS),
    Page("/quarantine/requeues/{group}", going),
    Page("/quarantine/{id}", message),
)
