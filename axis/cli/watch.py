"""`axis watch`: everything at a glance, live in the terminal."""

import asyncio
import datetime as dt
import sys
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.cells import cell_len, set_cell_size
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from axis.cli.console import ZONE, JsonOption, print_json, printable, speaks_vietnamese
from axis.cli.moments import now
from axis.cli.overview import FLOW_MINUTES, Overview, overlook
from axis.core.workdays import VIETNAM_TIME
from axis.settings import Settings
from axis.store import Store

_NAME = 12  # columns; less of a name says nothing
_NARROW = 90  # columns; with less, what can be done without is left out

_VI = {
    "flow, per minute": "lưu lượng mỗi phút",
    "documents": "văn bản",
    "deliveries": "lượt chuyển",
    "statuses": "trạng thái",
    "queue": "hàng đợi",
    "queues": "số hàng đợi",
    "ready": "chờ",
    "in hand": "đang nhận",
    "consumers": "bên nhận",
    "oldest": "cũ nhất",
    "agency": "cơ quan",
    "agencies that do not answer": "cơ quan không phản hồi",
    "name": "tên",
    "overdue": "đến trễ",
    "unaccepted": "tiếp nhận trễ",
    "waiting": "đang chờ",
    "no consumer since": "không ai nhận từ",
    "refused": "bị từ chối",
    "where": "ở đâu",
    "who": "của ai",
    "reason": "lý do",
    "about": "về",
    "no agency keeps others waiting": "không cơ quan nào để chậm",
    "nothing was refused": "không có gì bị từ chối",
    "not known": "chưa rõ",
    "findings of the auditor": "phát hiện của bộ giám sát",
    "register": "sổ đăng ký",
    "up to date": "kịp thời",
    "changes wait": "thay đổi đang chờ",
    "attention": "chú ý",
    "nothing yet": "chưa có",
}


def watch(
    *,
    every: Annotated[float, typer.Option(min=1, max=3600, metavar="SECONDS", help="Look so often.")] = 2.0,
    once: Annotated[bool, typer.Option("--once", help="Print one look, and end.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Watch the axis: flow, queues by lane, who keeps others waiting, what was refused, what is behind.

    Ends with Ctrl-C. Without a terminal, with --once and with --json it takes one look. Queues are as the auditor saw
    them last, everything else is counted from the register; when one of them is behind or away, that is said.

    For example:

      axis watch

      axis watch --every 10

      axis watch --once --json

    Exit code 0; 69: the database is away; 130: ended with Ctrl-C.
    """
    settings = Settings.load()
    if as_json or once or not sys.stdout.isatty():
        seen = asyncio.run(_once(settings))
        if as_json:
            print_json(seen)
        else:
            console = Console(highlight=False, width=None if sys.stdout.isatty() else 200)
            console.print(render(seen, console.width))
        return
    asyncio.run(_live(settings, every))


async def _once(settings: Settings) -> Overview:
    async with Store.connect(settings.operator_database, name="axis watch", connections=2) as store:
        return await overlook(store, settings, now())


async def _live(settings: Settings, every: float) -> None:
    console = Console(highlight=False)
    async with Store.connect(settings.operator_database, name="axis watch", connections=2) as store:
        with Live(console=console, screen=True, auto_refresh=False, vertical_overflow="ellipsis") as live:
            while True:
                seen = await overlook(store, settings, now())
                live.update(render(seen, console.width), refresh=True)
                await asyncio.sleep(every)


def render(seen: Overview, width: int) -> RenderableType:
    """Lay a look out for a terminal of so many columns."""
    narrow = width < _NARROW
    parts: list[RenderableType] = [
        Text(f"axis  {_time(seen.at, seen.at, date=True)} {ZONE}", style="bold"),
        _state(seen),
    ]
    if seen.trouble:
        parts += [Text(f"! {_t('attention')}: {printable(each)}", style="bold yellow") for each in seen.trouble]
    parts += [Text(), _flow(seen), Text(), _lanes(seen, narrow=narrow), Text(), _agencies(seen, width), Text()]
    parts += [_refusals(seen, narrow=narrow)]
    return Group(*parts)


def _t(text: str) -> str:
    return _VI[text] if speaks_vietnamese() else text


def _table(names: Sequence[str], rows: Sequence[Sequence[object]], right: frozenset[str]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in names:
        table.add_column(_t(name), justify="right" if name in right else "left", overflow="ellipsis", no_wrap=True)
    for row in rows:
        table.add_row(*(each if isinstance(each, Text) else Text(_cell(each)) for each in row))
    return table


def _cell(value: object) -> str:
    return "–" if value is None else printable(str(value)).replace("\n", " ")


def _flow(seen: Overview) -> RenderableType:
    if seen.flow is None:
        return Text(f"{_t('flow, per minute')}: {_t('not known')}")
    parts = [
        f"{_t(name)} {sum(getattr(each, name) for each in seen.flow) / FLOW_MINUTES:.1f}"
        for name in ("documents", "deliveries", "statuses")
    ]
    return Text(f"{_t('flow, per minute')}: " + ", ".join(parts))


def _lanes(seen: Overview, *, narrow: bool) -> RenderableType:
    if seen.lanes is None:
        return Text(f"{_t('queues')}: {_t('not known')}")
    names = ["queue", "ready", "in hand", "consumers", "oldest"] + ([] if narrow else ["queues"])
    rows: list[list[object]] = []
    for each in seen.lanes:
        idle = each.ready > 0 and not each.consumers
        consumers = Text(f"{each.consumers} !" if idle else str(each.consumers), style="bold red" if idle else "")
        row: list[object] = [each.name, each.ready, each.unacked, consumers, _time(each.oldest_at, seen.at)]
        rows.append(row + ([] if narrow else [each.queues]))
    return _table(names, rows, frozenset({"ready", "in hand", "consumers", "queues"}))


def _agencies(seen: Overview, width: int) -> RenderableType:
    if not seen.agencies:
        return Text(
            _t("no agency keeps others waiting") if seen.agencies == () else f"{_t('agency')}: {_t('not known')}"
        )
    names = ["agency", "name", "overdue", "unaccepted", "waiting", "no consumer since"]
    names += ["oldest"] if width >= _NARROW else []
    rows: list[list[object]] = [
        [
            each.mailbox,
            each.name,
            *(Text(str(count), style="bold red" if count else "") for count in (each.overdue, each.unaccepted)),
            each.waiting,
            _time(each.no_consumer_since, seen.at),
            *([_time(each.oldest, seen.at)] if width >= _NARROW else []),
        ]
        for each in seen.agencies
    ]
    room = width - sum(
        2 + max(cell_len(_t(name)), *(cell_len(_cell(row[place])) for row in rows))
        for place, name in enumerate(names)
        if name != "name"
    )
    for row in rows:
        row[1] = None if row[1] is None else set_cell_size(_cell(row[1]), min(room, cell_len(_cell(row[1])))).rstrip()
    if room < _NAME:
        names, rows = [each for each in names if each != "name"], [[row[0], *row[2:]] for row in rows]
    title = Text(_t("agencies that do not answer"), style="italic")
    return Group(title, _table(names, rows, frozenset({"overdue", "unaccepted", "waiting"})))


def _refusals(seen: Overview, *, narrow: bool) -> RenderableType:
    if not seen.refusals:
        return Text(_t("nothing was refused") if seen.refusals == () else f"{_t('refused')}: {_t('not known')}")
    names = ["refused", "where", "who", "reason"] + ([] if narrow else ["about"])
    rows = [
        [_time(each.at, seen.at), each.where, each.who, each.reason, *([] if narrow else [each.about])]
        for each in seen.refusals
    ]
    return _table(names, rows, frozenset())


def _state(seen: Overview) -> RenderableType:
    findings = _t("not known") if seen.findings is None else str(seen.findings)
    lag = _t("not known") if seen.lag is None else f"{seen.lag} {_t('changes wait')}" if seen.lag else _t("up to date")
    looked = _t("nothing yet") if seen.looked_at is None else _time(seen.looked_at, seen.at)
    style = "bold red" if seen.findings else ""
    told = f"{_t('findings of the auditor')}: {findings} ({looked}); {_t('register')}: {lag}"
    return Text(f"{told}; axis findings" if seen.findings else told, style=style)


def _time(moment: dt.datetime | None, today: dt.datetime, *, date: bool = False) -> str:
    """Write a time in Vietnam; of today only the hour."""
    if moment is None:
        return "–"
    local = moment.astimezone(VIETNAM_TIME)
    if not date and local.date() == today.astimezone(VIETNAM_TIME).date():
        return f"{local:%H:%M:%S}"
    return f"{local:%H:%M:%S %d/%m/%Y}" if date else f"{local:%H:%M %d/%m}"
