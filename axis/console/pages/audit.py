"""What was done by hand: who, what, to what, when, with what was before and after."""

import json
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import Response

from axis.console.asking import beginning, day_asked, end, number_asked, words_asked
from axis.console.desk import desk_of
from axis.console.downloads import Row, download, form_asked
from axis.console.language import text
from axis.console.page import STAFF, Page
from axis.console.reader import Reader
from axis.core.acts import Act
from axis.store import OperatorStore, SoughtActs

PAGE = 50
_FILE_PAGE = 500
_COLUMNS = ("at", "actor", "action", "subject", "detail")


async def audit(request: Request, reader: Reader) -> Response:
    """Search the audit log."""
    desk = desk_of(request)
    sought = SoughtActs(
        actor=words_asked(request, "actor"),
        action=words_asked(request, "action"),
        subject=words_asked(request, "subject"),
        since=beginning(day_asked(request, "since")),
        until=end(day_asked(request, "until")),
    )
    form = form_asked(request)
    if form is not None:
        columns = [text(f"audit.{name}", reader.language) for name in _COLUMNS]
        return await download(columns, _rows(desk.store.operators, sought), text("audit", reader.language), form)
    acts = await desk.store.operators.acts(sought, limit=PAGE + 1, before=number_asked(request, "before"))
    shown = acts[:PAGE]
    return desk.rendering.page(
        request,
        "audit.html",
        reader=reader,
        acts=[(act, tuple(_facts(act))) for act in shown],
        before=shown[-1].id if len(acts) > PAGE else None,
    )


async def _rows(operators: OperatorStore, sought: SoughtActs) -> AsyncIterator[Row]:
    before: int | None = None
    while acts := await operators.acts(sought, limit=_FILE_PAGE, before=before):
        for act in acts:
            yield act.at, act.actor, act.action, act.subject, act.detail
        before = acts[-1].id


def _facts(act: Act) -> list[tuple[str, str]]:
    """Split what was noted into name and value, as deep as it has names."""
    return list(_flat("", json.loads(act.detail)))


def _flat(before: str, value: object) -> list[tuple[str, str]]:
    if isinstance(value, dict) and value:
        return [fact for name, each in value.items() for fact in _flat(f"{before}.{name}".strip("."), each)]
    told = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return [(before, told)] if before else []


PAGES = (Page("/audit", audit, roles=STAFF, menu="menu.audit"),)
