"""Statistics of a period, and the rows behind each of their numbers."""

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from axis.console.asking import code_asked, day_asked, words_asked
from axis.console.desk import Desk, desk_of
from axis.console.document_rows import number_of
from axis.console.downloads import Row, download, form_asked
from axis.console.language import TEXTS, text
from axis.console.page import EVERYBODY, Page
from axis.console.pages.documents import ENVELOPE
from axis.console.parts import own_deliveries
from axis.console.reader import Language, Reader
from axis.console.refusing import error_status
from axis.console.rendering import query
from axis.console.reports.making import Made, make_report, period_asked
from axis.console.reports.tables import columns, meaning, period_text, rows, sheets
from axis.console.reports.view import MOST_LINES, values_of
from axis.core.codes import is_within
from axis.core.operators import Role
from axis.core.periods import Length, Period, period_of
from axis.core.reporting import DOCUMENTS, DOCUMENTS_LATE, MEASURES, SIDES, Counted, Line
from axis.core.workdays import vietnam_day
from axis.errors import AxisError, Refused
from axis.store import Entry, EntryDelivery

_PAGE = 50
_FILE_PAGE = 500
_COLUMNS = ("accepted", "number", "subject", "sender", "recipient", "transport", "business", "reason", "envelope")
_NO_REASON = "none"
_DOCUMENT_COLUMNS = ("accepted", "number", "subject", "sender", "envelope")


async def reports(request: Request, reader: Reader) -> Response:
    """Show the report of a period; an agency user's is of its own code."""
    desk, form = desk_of(request), form_asked(request)
    made: Made | None = None
    problem: AxisError | None = None
    try:
        period, below = _asked(request, desk, reader)
        made = await make_report(desk.store, period, below, desk.now())
    except Refused as error:
        if form is not None:
            raise
        problem = error
    if made is not None and form is not None:
        name = _file_name(made.report.period, made.report.below, reader.language)
        more = sheets(made, reader.language)
        return await download(columns(reader.language), rows(made, reader.language), name, form, more=more)
    today = vietnam_day(desk.now())
    quarter = period_of(Length.QUARTER, today)
    shown = {"view": None} if made is None else values_of(made, reader.language, partial(_link, made), MOST_LINES)
    return desk.rendering.page(
        request,
        "reports.html",
        reader=reader,
        status=200 if problem is None else error_status(problem),
        problem=None if problem is None else problem.reason,
        detail="" if problem is None else problem.detail,
        chosen="" if made is None or made.report.period.length is Length.DAYS else str(made.report.period),
        shortcuts=(
            ("this month", period_of(Length.MONTH, today)),
            ("this quarter", quarter),
            ("last quarter", quarter.before),
            ("this year", period_of(Length.YEAR, today)),
        ),
        **shown,
    )


async def report_rows(request: Request, reader: Reader) -> Response:
    """List what a number of a report counts; `?report=`: the period of that report, where the number is of another."""
    desk, form = desk_of(request), form_asked(request)
    wanted = _wanted(request, desk, reader)
    names = _DOCUMENT_COLUMNS if wanted.documents else _COLUMNS
    headings = [text(f"report.{each}", reader.language) for each in names]
    if form is not None:
        name = _file_name(wanted.period, wanted.counted.code, reader.language)
        return await download(headings, _all(desk, wanted, reader), name, form)
    found = await _page(desk, wanted, _PAGE + 1, _before(request))
    shown = found[:_PAGE]
    return desk.rendering.page(
        request,
        "report-rows.html",
        reader=reader,
        columns=headings,
        rows=[_row(each, reader.language) for each in _own(reader, shown)],
        before=_key(shown[-1]) if len(found) > _PAGE else None,
        period=period_text(wanted.period, reader.language),
        unit=wanted.counted.code or text("report.unit.national", reader.language),
        scope=text("report.scope.whole" if wanted.counted.whole else "report.scope.alone", reader.language),
        side=wanted.counted.side,
        measure=wanted.name,
        reason=wanted.counted.reason,
        meaning=partial(meaning, language=reader.language),
        back="/reports"
        + query({}, period=words_asked(request, "report") or wanted.period, below=words_asked(request, "below")),
    )


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A number of a report."""

    period: Period
    name: str
    counted: Counted

    @property
    def documents(self) -> bool:
        return self.name in {DOCUMENTS, DOCUMENTS_LATE}


def _asked(request: Request, desk: Desk, reader: Reader) -> tuple[Period, str | None]:
    since, until = day_asked(request, "since"), day_asked(request, "until")
    said = words_asked(request, "period")
    if since is not None or until is not None:
        said = f"{since or until}..{until or since}"
    period = period_asked(said, desk.now())
    if reader.role is Role.AGENCY:
        return period, reader.code
    return period, code_asked(request, "below")


def _wanted(request: Request, desk: Desk, reader: Reader) -> _Wanted:
    """Read which number is meant; raise Refused console/form, and console/role for another agency's."""
    period = period_asked(words_asked(request, "period"), desk.now())
    code, name = words_asked(request, "code"), words_asked(request, "measure") or "deliveries"
    side = next((each for each in SIDES if each == (words_asked(request, "side") or "sent")), None)
    if side is None:
        raise Refused("console/form", f"side: one of {', '.join(SIDES)}.")
    if name not in MEASURES and (side != "sent" or name not in {DOCUMENTS, DOCUMENTS_LATE}):
        raise Refused("console/form", "measure: no report counts this.")
    if reader.role is Role.AGENCY and (code is None or reader.code is None or not is_within(code, reader.code)):
        raise Refused("console/role")
    counted = Counted(
        first=period.first,
        last=period.last,
        side=side,
        code=code,
        whole=words_asked(request, "whole") != "no",
        measure=MEASURES.get(name, MEASURES["deliveries"]),
        reason=_reason_asked(request),
    )
    return _Wanted(period, name, reader.sought(counted))


def _reason_asked(request: Request) -> str | None:
    """Return the reason asked for; "none" is that there is none."""
    reason = words_asked(request, "reason")
    return "" if reason == _NO_REASON else reason


def _link(
    made: Made, line: Line, side: str, name: str, reason: str | None = None, *, before: bool = False
) -> str | None:
    """Return where the rows of a number are, or of the one of the period before; None: there are none."""
    told = line.before if before else line.now
    if reason is None and not told["sent" if side == "sent" else "received"][name]:
        return None
    return "/reports/rows" + query(
        {},
        period=made.report.before if before else made.report.period,
        report=made.report.period if before else None,
        below=made.report.below,
        code=line.code,
        whole=None if line.whole else "no",
        side=side,
        measure=name,
        reason=_NO_REASON if reason == "" else reason,
    )


async def _page(desk: Desk, wanted: _Wanted, limit: int, before: str | None) -> tuple[Entry | EntryDelivery, ...]:
    register = desk.store.register
    identifier, _, recipient = (before or "").partition(",")
    if wanted.documents:
        late = wanted.name == DOCUMENTS_LATE
        return await register.counted_documents(wanted.counted, late=late, limit=limit, before=identifier or None)
    place = (identifier, recipient) if before is not None else None
    return await register.counted(wanted.counted, limit=limit, before=place)


async def _all(desk: Desk, wanted: _Wanted, reader: Reader) -> AsyncIterator[Row]:
    before: str | None = None
    while found := await _page(desk, wanted, _FILE_PAGE, before):
        for each in _own(reader, found):
            yield _row(each, reader.language)
        before = _key(found[-1])


def _own(reader: Reader, rows: Iterable[Entry | EntryDelivery]) -> list[Entry | EntryDelivery]:
    """Leave away what its recipient never had; documents alone are counted for their sender."""
    return [each for each in rows if isinstance(each, Entry) or own_deliveries(reader, [each])]


def _key(row: Entry | EntryDelivery) -> str:
    return row.id if isinstance(row, Entry) else f"{row.envelope_id},{row.recipient}"


def _row(row: Entry | EntryDelivery, language: Language) -> Row:
    entry = row if isinstance(row, Entry) else row.entry
    document = (entry.accepted_at, number_of(entry) or entry.document_id, entry.subject, entry.sender)
    if isinstance(row, Entry):
        return (*document, entry.id)
    business = f"measure.business {row.business or 'none'}"
    return (
        *document,
        row.recipient,
        text(f"measure.transport {row.transport.value}", language),
        text(business, language) if business in TEXTS else row.business,
        None if row.reason is None else meaning(row.reason, language),
        row.envelope_id,
    )


def _before(request: Request) -> str | None:
    """Read where to go on from; raise Refused console/form."""
    asked = words_asked(request, "before")
    if asked is not None and not ENVELOPE.fullmatch(asked.partition(",")[0]):
        raise Refused("console/form", "before: no id.")
    return asked


def _file_name(period: Period, code: str | None, language: Language) -> str:
    name = text("report.file", language, period=str(period).replace("..", "_"))
    return name if code is None else f"{name}-{code}"


PAGES = (
    Page("/reports", reports, roles=EVERYBODY, menu="menu.reports"),
    Page("/reports/rows", report_rows, roles=EVERYBODY),
)
