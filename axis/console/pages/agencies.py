"""The board of agencies, and the health card of one: who answers, who does not, and is it us or them?"""

import datetime as dt
from collections import Counter
from collections.abc import Iterator

from starlette.requests import Request
from starlette.responses import Response

from axis.console.answering import Answers, Line, Seen, Stage, Traffic, board
from axis.console.asking import choice_asked, number_asked, words_asked
from axis.console.desk import Desk, desk_of
from axis.console.directories import whole_directory
from axis.console.downloads import Row, download, form_asked
from axis.console.health import SOON, Facts, days_left, judge
from axis.console.language import text
from axis.console.page import EVERYBODY, Page
from axis.console.parts import own_deliveries
from axis.console.reader import Language, Reader
from axis.core.codes import canonical, lineage
from axis.core.deadlines import Clock
from axis.core.fate import Transport
from axis.core.folding import fold
from axis.core.glance import is_stale
from axis.core.periods import Length, Period
from axis.core.watching import MailboxWatch
from axis.core.workdays import vietnam_day
from axis.errors import Malformed, NotFound
from axis.store import Sought
from schemas import Quota

PAGE = 100
DAYS = 30  # what was sent and answered is looked at for so long
_COUNTED = 1_000
_RECENT = 50
_CLOCKS = (Clock.ARRIVAL, Clock.ACCEPTANCE, Clock.FINISHING)
_COLUMNS = (
    "documents.sender",
    "agencies.name",
    "agencies.stage",
    "agencies.answers",
    "agencies.waiting",
    "queue.consumers",
    "queue.no consumer since",
    "queue.oldest",
    *(f"overview.overdue.{clock}" for clock in _CLOCKS),
    "agencies.sent",
    "agencies.received",
)


async def agencies(request: Request, reader: Reader) -> Response:
    """Show the board, the worst first."""
    desk, form = desk_of(request), form_asked(request)
    words, answers, stage = (
        words_asked(request, "words"),
        choice_asked(request, "answers", Answers),
        choice_asked(request, "stage", Stage),
    )
    lines = [
        each
        for each in await _board(desk)
        if (answers is None or each.answers is answers)
        and (stage is None or each.stage is stage)
        and (words is None or fold(words) in fold(f"{each.code} {each.name}"))
    ]
    if form is not None:
        columns = [text(each, reader.language) for each in _COLUMNS]
        return await download(columns, _rows(lines, reader.language), text("agencies", reader.language), form)
    today = vietnam_day(desk.now())
    first = min(number_asked(request, "from") or 0, max(0, len(lines) - 1))
    return desk.rendering.page(
        request,
        "agencies.html",
        reader=reader,
        lines=lines[first : first + PAGE],
        count=len(lines),
        first=first,
        following=first + PAGE if first + PAGE < len(lines) else None,
        clocks=_CLOCKS,
        stages=tuple(Stage),
        answers=tuple(Answers),
        days=DAYS,
        period=Period(Length.DAYS, today - dt.timedelta(days=DAYS - 1), today),
    )


async def _board(desk: Desk) -> list[Line]:
    register, now = desk.store.register, desk.now()
    known = await whole_directory(desk)
    today = vietnam_day(now)
    since = today - dt.timedelta(days=DAYS - 1)
    seen = Seen(
        certificates=known.certificates,
        watches=await desk.store.watches.watches(),
        overdue={clock: await register.overdue(clock, now) for clock in _CLOCKS},
        traffic=Traffic.of(
            known.directory,
            now,
            await register.tallies(since, today, side="sent"),
            await register.tallies(since, today, side="received"),
        ),
    )
    return board(known.directory, seen, now)


def _rows(lines: list[Line], language: Language) -> Iterator[Row]:
    for each in lines:
        yield (
            each.code,
            each.name,
            text(f"stage.{each.stage}", language),
            text(f"answers.{each.answers}", language),
            each.waiting,
            each.consumers,
            each.no_consumer_since,
            each.oldest_at,
            *(each.overdue.get(clock, 0) for clock in _CLOCKS),
            each.sent,
            each.received,
        )


async def agency(request: Request, reader: Reader) -> Response:
    """Show how one agency is. An agency user sees the own one; the others are not there for it."""
    desk, now = desk_of(request), desk_of(request).now()
    code = _code(request.path_params["code"])
    organisations, mailboxes, certificates = await desk.store.directory.shown(set(lineage(code)))
    history = sorted((each for each in organisations if each.code == code), key=lambda each: each.valid_from)
    held_by = {each.code: each for each in mailboxes if _in_force(each, now)}
    if not reader.may_see(code) or not (history or code in held_by):
        raise NotFound(f"There is no agency {code} in the directory.")
    register, mailbox = desk.store.register, held_by.get(code)
    watches = await desk.store.watches.watches({code}) if mailbox is not None else ()
    held = await register.deliveries(reader.sought(Sought(recipient=code, transport=Transport.HELD)), limit=_COUNTED)
    overdue = {
        clock: await register.count_deliveries(reader.sought(Sought(recipient=code, late=clock)), _COUNTED + 1)
        for clock in _CLOCKS
    }
    recent = own_deliveries(reader, await register.deliveries(reader.sought(Sought(recipient=code)), limit=_RECENT))
    reasons = Counter(each.reason or "" for each in held)
    own = [each for each in certificates if each.organisation == code]
    facts = Facts(
        mailbox=mailbox is not None,
        watches=watches,
        fresh=_fresh(watches, desk, now),
        held=reasons,
        overdue=overdue[Clock.ARRIVAL] + overdue[Clock.ACCEPTANCE],
        certificates=own,
    )
    named = next((each for each in reversed(history) if _in_force(each, now)), history[-1] if history else None)
    return desk.rendering.page(
        request,
        "agency.html",
        reader=reader,
        code=code,
        named=named,
        mailbox=mailbox,
        receives_by=next((each for each in lineage(code)[1:] if each in held_by), None),
        judgement=judge(facts, now),
        watches=watches,
        oldest=min((each.oldest_at for each in watches if each.oldest_at and each.lane != "notices"), default=None),
        held=reasons,
        overdue=overdue,
        most=_COUNTED,
        late_sent=await register.count(reader.sought(Sought(sender=code, late=Clock.SENDING)), _COUNTED + 1),
        certificates=[(each, each.state(now), days_left(each, now)) for each in own],
        soon=SOON,
        last_sent=next(iter(await register.search(reader.sought(Sought(sender=code)), limit=1)), None),
        last_received=next(iter(recent), None),
        last_status=max((each for each in recent if each.business), key=lambda each: each.since, default=None),
        recent=_RECENT,
        quotas=_quotas(mailbox.quota, desk.settings.quota) if mailbox is not None else [],
    )


def _quotas(own: Quota, usual: Quota) -> list[tuple[str, int | None, bool]]:
    """Say of each limit what holds, and whether it is the agency's own."""
    said, holds = own.model_dump(), own.or_else(usual).model_dump()
    return [(name, holds[name], said[name] is not None) for name in Quota.model_fields]


def _code(asked: str) -> str:
    try:
        return canonical(asked[:64], tolerant=True)
    except Malformed as error:
        raise NotFound(f"There is no agency {asked[:64]}.") from error


def _fresh(watches: tuple[MailboxWatch, ...], desk: Desk, now: dt.datetime) -> bool:
    return not is_stale(max((each.seen_at for each in watches), default=None), now, desk.settings.watch_seconds)


def _in_force(record: object, at: dt.datetime) -> bool:
    since, until = record.valid_from, record.valid_to  # type: ignore[attr-defined]
    return since <= at and (until is None or at < until)


PAGES = (
    Page("/agencies", agencies, menu="menu.agencies"),
    Page("/agencies/{code}", agency, roles=EVERYBODY),
)
