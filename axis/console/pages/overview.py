"""The first page: everything at a glance, live. An agency user is shown the own agency instead."""

from collections.abc import AsyncIterator
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from axis.console.asking import code_asked, words_asked
from axis.console.desk import Desk, desk_of
from axis.console.downloads import Row, download, form_asked
from axis.console.following import follow
from axis.console.language import text
from axis.console.live import Topic
from axis.console.naming import names_of
from axis.console.overlooking import Look, group_of, overlook
from axis.console.page import EVERYBODY, STAFF, Page
from axis.console.reader import Reader
from axis.core.lanes import LANES
from axis.core.operators import Role
from axis.core.watching import MailboxWatch
from axis.core.workdays import vietnam_day

SECONDS = 4.0
_TOPIC = "overview"


async def overview(request: Request, reader: Reader) -> Response:
    """Show what there is to be seen."""
    if reader.role is Role.AGENCY and reader.code is not None:
        return RedirectResponse(f"/agencies/{reader.code}", 303)
    desk = desk_of(request)
    look = await overlook(desk)
    return desk.rendering.page(
        request, "overview.html", reader=reader, **_shown(look), names=await _names(desk, look), part=False
    )


async def live(request: Request, reader: Reader) -> Response:
    """Answer with the same again and again."""
    desk = desk_of(request)
    topic: Topic[tuple[Look, dict[str, str]]] = desk.topics.setdefault(_TOPIC, Topic(lambda: _named(desk), SECONDS))

    def render(seen: tuple[Look, dict[str, str]]) -> str:
        look, names = seen
        return desk.rendering.part(request, "overview-part.html", reader=reader, **_shown(look), names=names, part=True)

    return follow(request, reader, topic, render)


async def _named(desk: Desk) -> tuple[Look, dict[str, str]]:
    look = await overlook(desk)
    return look, await _names(desk, look)


async def _names(desk: Desk, look: Look) -> dict[str, str]:
    mailboxes = {each.mailbox for each in look.silent or ()}
    mailboxes |= {each.mailbox for each in (look.findings or ())[:5] if each.mailbox is not None}
    return dict(await names_of(desk, mailboxes))


def _shown(look: Look) -> dict[str, Any]:
    return {"look": look, "today": vietnam_day(look.at)}


async def queues(request: Request, reader: Reader) -> Response:
    """List queues as last seen: of one kind, of an agency's documents, or all; `alone`: those nobody takes from."""
    desk, form = desk_of(request), form_asked(request)
    group = words_asked(request, "group")
    mailbox, alone = code_asked(request, "mailbox"), "alone" in request.query_params
    found = [
        each
        for each in await desk.store.watches.watches()
        if group in {None, group_of(each)} and (mailbox is None or (each.mailbox == mailbox and each.lane in LANES))
        if not alone or (each.ready and not each.consumers)
    ]
    found.sort(key=lambda each: (-each.waiting, each.queue))
    if form is not None:
        columns = [text(f"queue.{name}", reader.language) for name in _COLUMNS]
        return await download(columns, _rows(found), text("queues", reader.language), form)
    return desk.rendering.page(
        request,
        "queues.html",
        reader=reader,
        queues=found[:_MOST],
        more=len(found) - _MOST,
        ready=sum(each.ready for each in found),
        names=await names_of(desk, {each.mailbox for each in found[:_MOST] if each.mailbox is not None}),
    )


_MOST = 500
_COLUMNS = ("queue", "mailbox", "ready", "unacked", "consumers", "no consumer since", "oldest", "seen")


async def _rows(found: list[MailboxWatch]) -> AsyncIterator[Row]:
    for each in found:
        yield (
            each.queue,
            each.mailbox,
            each.ready,
            each.unacked,
            each.consumers,
            each.no_consumer_since,
            each.oldest_at,
            each.seen_at,
        )


PAGES = (
    Page("/", overview, roles=EVERYBODY, menu="menu.overview"),
    Page("/overview/live", live, roles=STAFF),
    Page("/queues", queues, roles=STAFF),
)
