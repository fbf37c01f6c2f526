"""`axis report`: statistics of a period, and whether they are what the rows add up to."""

import asyncio
import contextlib
import io
import sys
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from axis.cli.console import JsonOption, print_json, print_table, say
from axis.cli.moments import now
from axis.cli.report_tables import show_report
from axis.cli.writing import write_bytes
from axis.console.downloads import csv_of, workbook
from axis.console.reader import Language
from axis.console.reports.making import Made, check_report, code_of, make_report, period_asked
from axis.console.reports.tables import (
    columns,
    notes,
    period_text,
    rows,
    sheets,
    unit_text,
)
from axis.console.reports.view import alone
from axis.core.periods import Period
from axis.core.registered import COUNTS, Side, Tally
from axis.core.reporting import SIDES, Difference, Line, Times
from axis.settings import Settings
from axis.store import Store

_SHOWN = 50


class As(StrEnum):
    """What a report is written as."""

    TEXT = "text"
    CSV = "csv"
    XLSX = "xlsx"
    JSON = "json"
    HTML = "html"


def report(
    *,
    period: Annotated[
        str | None,
        typer.Option(
            metavar="PERIOD",
            help="2026-11, 2026-Q4, 2026 or 2026-11-01..2026-11-15, in Vietnam's time. Default: this quarter.",
            show_default=False,
        ),
    ] = None,
    below: Annotated[
        str | None,
        typer.Option(metavar="CODE", help="A ministry, province or unit, and its units.", show_default=False),
    ] = None,
    form: Annotated[As, typer.Option("--as", help="What to write.")] = As.TEXT,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", dir_okay=False, help="Where to write it.", show_default=False)
    ] = None,
    language: Annotated[Language, typer.Option(help="Of the report.")] = Language.VIETNAMESE,
    check: Annotated[bool, typer.Option("--check", help="Count again from the rows and say what differs.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Make the statistics of a period (Decision 28/2018 articles 11 and 15): sent, received, states, on time, late.

    For example:

      axis report --period 2026-Q4

      axis report --period 2026-11 --below H37 --as xlsx --out bao-cao.xlsx

      axis report --period 2026-10-01..2026-10-15 --as html --out bao-cao.html

      axis report --period 2026-Q4 --check

    Exit code 1: --check found numbers that are not what the rows add up to; 65: no such period; 69: the database is
    away.
    """
    wanted, code = period_asked(period, now()), code_of(below)
    settings = Settings.load()
    if check:
        _tell_check(wanted, asyncio.run(_check(settings, wanted, code)), as_json=as_json)
        return
    form = As.JSON if as_json else form
    if form is As.XLSX and out is None and sys.stdout.isatty():
        raise typer.BadParameter("a workbook is no text: name a file with --out")
    made = asyncio.run(_make(settings, wanted, code))
    if form is As.TEXT and out is None:
        show_report(made, language)
        return
    content = asyncio.run(_written(made, form, language))
    if out is None:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    else:
        write_bytes(out, content)
        say(f"{out}: {period_text(made.report.period, language)}, {unit_text(made, language)}")
    for note in notes(made, language):
        typer.echo(note, err=True)


async def _make(settings: Settings, period: Period, below: str | None) -> Made:
    async with Store.connect(settings.operator_database, name="axis report", connections=1) as store:
        return await make_report(store, period, below, now())


async def _check(settings: Settings, period: Period, below: str | None) -> tuple[Difference, ...]:
    async with Store.connect(settings.operator_database, name="axis report", connections=1) as store:
        return await check_report(store, period, below)


async def _written(made: Made, form: As, language: Language) -> bytes:
    match form:
        case As.CSV:
            return "".join([part async for part in csv_of(columns(language), rows(made, language))]).encode()
        case As.XLSX:
            with await workbook(columns(language), rows(made, language), sheets(made, language)) as file:
                return file.read()
        case As.HTML:
            return alone(made, language).encode()
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        if form is As.JSON:
            print_json(_plain(made))
        else:
            show_report(made, language)
    return told.getvalue().encode()


def _plain(made: Made) -> dict[str, object]:
    """Lay a report out for machines."""
    report = made.report

    def told(line: Line) -> dict[str, object]:
        known = made.names.get(line.code or "")
        return {
            "code": line.code,
            "name": known,
            "whole": line.whole,
            "now": line.now,
            "before": line.before,
            "took": _took(line.took),
            "took_before": _took(line.took_before),
        }

    return {
        "period": _days(report.period),
        "before": _days(report.before),
        "below": report.below,
        "running": made.running,
        "made_at": made.made_at,
        "waiting": {"changes": made.behind[0], "since": made.behind[1]},
        "lines": [told(line) for line in report.lines],
        "total": told(report.total),
        "refused": {
            side: [{"reason": code or None, "count": count} for code, count in report.refused[side]] for side in SIDES
        },
    }


def _took(told: Mapping[Side, Times]) -> dict[str, object]:
    """Say how long deliveries took on average, in seconds on the clock, and how many that is the average of."""
    return {
        side: {name: {"deliveries": took.deliveries, "seconds": took.average} for name, took in of.items()}
        for side, of in told.items()
    }


def _days(period: Period) -> dict[str, str]:
    return {"name": str(period), "first": period.first.isoformat(), "last": period.last.isoformat()}


def _tell_check(period: Period, found: tuple[Difference, ...], *, as_json: bool) -> None:
    if as_json:
        print_json({"period": str(period), "equal": not found, "differences": found})
    elif not found:
        say(f"{period_text(period, Language.ENGLISH)}: every number is what the rows add up to")
    else:
        print_table(
            ("side", "code", "lane", "state", "the tallies say", "the rows say"),
            [(each.side, each.kind.code, each.kind.lane, _state(each.kind), *_counts(each)) for each in found[:_SHOWN]],
        )
        say(f"{len(found)} numbers are not what the rows add up to; `axis register rebuild` counts everything anew")
    if found:
        raise typer.Exit(1)


def _state(kind: Tally) -> str:
    if kind.transport is None:
        return "documents"
    parts = (kind.transport.value, kind.business, kind.reason)
    kept = (f"{name} {how}" for name, how in _kept(kind) if how != "none")
    return ", ".join([*(each for each in parts if each), *kept])


def _kept(kind: Tally) -> tuple[tuple[str, str], ...]:
    return ("arrival", kind.arrival), ("acceptance", kind.acceptance), ("finishing", kind.finishing)


def _counts(found: Difference) -> tuple[str, str]:
    """Write of both sides what differs."""
    differing = [place for place, (told, rows) in enumerate(zip(found.told, found.rows, strict=True)) if told != rows]

    def written(counts: tuple[int, ...]) -> str:
        return ", ".join(f"{counts[place]} {COUNTS[place].replace('_', ' ')}" for place in differing)

    return written(found.told), written(found.rows)
