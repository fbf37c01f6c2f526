"""Documents that are looked for: a line for each, or a line for each of their recipients."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from axis.console.asking import beginning, choice_asked, code_asked, day_asked, end, words_asked
from axis.console.desk import Desk, desk_of
from axis.console.document_rows import DELIVERY_COLUMNS, DOCUMENT_COLUMNS, delivery_rows, document_rows, number_of
from axis.console.downloads import download, form_asked
from axis.console.language import text
from axis.console.naming import names_of
from axis.console.page import EVERYBODY, Page
from axis.console.parts import own_deliveries, own_entries
from axis.console.reader import Reader
from axis.console.standing import Standing, standings
from axis.core.deadlines import Clock
from axis.core.fate import Transport
from axis.errors import Refused
from axis.store import Entry, EntryDelivery, Sought

PAGE = 50
_MOST_COUNTED = 1_000
_CODES = ("01", "02", "03", "04", "05", "06")
_FILTERS = (
    "words",
    "number",
    "sender",
    "recipient",
    "mailbox",
    "since",
    "until",
    "transport",
    "business",
    "late",
    "lane",
    "open",
    "reason",
)
ENVELOPE = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Lane(StrEnum):
    """A lane, as a choice."""

    URGENT = "urgent"
    NORMAL = "normal"


class Open(StrEnum):
    """Whether anything is still to come, as a choice."""

    YES = "yes"
    NO = "no"


@dataclass(frozen=True, slots=True)
class _Found:
    """What a form asked for, or why it could not be."""

    sought: Sought
    problem: Refused | None = None


async def documents(request: Request, reader: Reader) -> Response:
    """List documents, the newest first."""
    desk, form = desk_of(request), form_asked(request)
    found = _asked(request, reader)
    if form is not None:
        if found.problem is not None:
            raise found.problem
        columns = [text(each, reader.language) for each in DOCUMENT_COLUMNS]
        return await download(
            columns, document_rows(desk, found.sought, reader), text("documents", reader.language), form
        )
    before = words_asked(request, "before")
    entries: tuple[Entry, ...] = ()
    if found.problem is None:
        entries = await desk.store.register.search(found.sought, limit=PAGE + 1, before=_id(before))
    count = await _count(desk, found, entries, before, deliveries=False)
    shown = entries[:PAGE]
    return await _answer(
        request,
        reader,
        "documents.html",
        found,
        entries=await own_entries(desk, reader, shown),
        count=count,
        before=shown[-1].id if len(entries) > PAGE else None,
        names=await names_of(desk, {each.sender for each in shown}),
    )


async def deliveries(request: Request, reader: Reader) -> Response:
    """List deliveries, those of the newest document first."""
    desk, form = desk_of(request), form_asked(request)
    found = _asked(request, reader)
    if form is not None:
        if found.problem is not None:
            raise found.problem
        columns = [text(each, reader.language) for each in DELIVERY_COLUMNS]
        rows = delivery_rows(desk, found.sought, reader)
        return await download(columns, rows, text("deliveries", reader.language), form)
    before = words_asked(request, "before")
    rows_found: tuple[EntryDelivery, ...] = ()
    if found.problem is None:
        rows_found = await desk.store.register.deliveries(found.sought, limit=PAGE + 1, before=_pair(before))
    count = await _count(desk, found, rows_found, before, deliveries=True)
    shown = rows_found[:PAGE]
    last = shown[-1] if len(rows_found) > PAGE else None
    mine = own_deliveries(reader, shown)
    codes = {each.sender for each in mine} | {each.recipient for each in mine}
    return await _answer(
        request,
        reader,
        "deliveries.html",
        found,
        rows=[(each, _standings(each, desk)) for each in mine],
        count=count,
        before=None if last is None else f"{last.envelope_id},{last.recipient}",
        names=await names_of(desk, codes),
    )


async def _answer(
    request: Request, reader: Reader, template: str, found: _Found, *, before: str | None, **values: Any
) -> Response:
    desk, problem = desk_of(request), found.problem
    waiting, since = await desk.store.register.lag()
    return desk.rendering.page(
        request,
        template,
        reader=reader,
        status=200 if problem is None else 400,
        problem=None if problem is None else problem.reason,
        detail="" if problem is None else problem.detail,
        filters={name: request.query_params.get(name, "") for name in _FILTERS},
        transports=tuple(Transport),
        codes=_CODES,
        clocks=tuple(Clock),
        number_of=number_of,
        most=_MOST_COUNTED,
        behind=(waiting, since),
        before=before,
        bounded=before is None and problem is None and found.sought.is_wide,
        **values,
    )


def sought_by(request: Request) -> Sought:
    """Read what is looked for; raise Refused console/form."""
    opened = choice_asked(request, "open", Open)
    lane = choice_asked(request, "lane", Lane)
    return Sought(
        words=words_asked(request, "words"),
        number=words_asked(request, "number"),
        sender=code_asked(request, "sender"),
        recipient=code_asked(request, "recipient"),
        mailbox=code_asked(request, "mailbox"),
        since=beginning(day_asked(request, "since")),
        until=end(day_asked(request, "until")),
        transport=choice_asked(request, "transport", Transport),
        business=words_asked(request, "business"),
        late=choice_asked(request, "late", Clock),
        lane=None if lane is None else "urgent" if lane is Lane.URGENT else "normal",
        open=None if opened is None else opened is Open.YES,
        reason=words_asked(request, "reason"),
    )


def _asked(request: Request, reader: Reader) -> _Found:
    try:
        return _Found(reader.sought(sought_by(request)))
    except Refused as error:
        return _Found(reader.sought(Sought()), error)


async def _count(
    desk: Desk, found: _Found, shown: tuple[object, ...], before: str | None, *, deliveries: bool
) -> int | None:
    """Count what is found, as far as anybody counts; None further down, where nobody asks again."""
    if found.problem is not None or before is not None:
        return None
    if len(shown) <= PAGE:
        return len(shown)
    register = desk.store.register
    counted = register.count_deliveries if deliveries else register.count
    return await counted(found.sought, _MOST_COUNTED + 1)


def _standings(delivery: EntryDelivery, desk: Desk) -> tuple[Standing, ...]:
    return standings(delivery.entry.accepted_at, delivery, desk.now())


def _id(text: str | None) -> str | None:
    if text is None or ENVELOPE.fullmatch(text):
        return text
    raise Refused("console/form", "before: no id.")


def _pair(text: str | None) -> tuple[str, str] | None:
    if text is None:
        return None
    identifier, _, recipient = text.partition(",")
    if not ENVELOPE.fullmatch(identifier):
        raise Refused("console/form", "before: no id.")
    return identifier, recipient


PAGES = (
    Page("/documents", documents, roles=EVERYBODY, menu="menu.documents"),
    Page("/deliveries", deliveries, roles=EVERYBODY),
)
