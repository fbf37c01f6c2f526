"""What the auditor found: what is stuck, missing or doubled, and what to do about each."""

from collections.abc import Iterable, Iterator

from starlette.requests import Request
from starlette.responses import Response

from axis.console.asking import choice_asked
from axis.console.desk import desk_of
from axis.console.downloads import Row, download, form_asked
from axis.console.language import text
from axis.console.naming import names_of
from axis.console.page import Page
from axis.console.pages.documents import ENVELOPE
from axis.console.reader import Language, Reader
from axis.core.findings import Finding, Kind

_MOST = 1_000
_COLUMNS = ("kind", "what", "remedy", "since", "healed by", "about")


async def findings(request: Request, reader: Reader) -> Response:
    """List what is open, or with `?healed` what was and is not any more."""
    desk, form = desk_of(request), form_asked(request)
    healed, kind = "healed" in request.query_params, choice_asked(request, "kind", Kind)
    found = [
        each
        for each in await desk.store.watches.findings(open=not healed, limit=_MOST)
        if kind is None or each.kind is kind
    ]
    if form is not None:
        columns = [text(f"finding.{name}", reader.language) for name in _COLUMNS]
        return await download(columns, _rows(found, reader.language), text("findings", reader.language), form)
    watches = await desk.store.watches.watches()
    return desk.rendering.page(
        request,
        "findings.html",
        reader=reader,
        found=found,
        healed=healed,
        kinds=tuple(Kind),
        kind=kind,
        looked_at=max((each.seen_at for each in watches), default=None),
        is_envelope=ENVELOPE.fullmatch,
        names=await names_of(desk, {each.mailbox for each in found if each.mailbox is not None}),
    )


def _rows(found: Iterable[Finding], language: Language) -> Iterator[Row]:
    vietnamese = language is Language.VIETNAMESE
    for each in found:
        yield (
            text(f"finding.{each.kind}", language),
            each.detail_vi if vietnamese else each.detail,
            each.remedy_vi if vietnamese else each.remedy,
            each.since,
            each.healed_at,
            each.about,
        )


PAGES = (Page("/findings", findings, menu="menu.findings"),)
