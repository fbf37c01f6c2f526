"""How every command speaks: JSON for machines on standard output, sentences for people, errors with what to do next."""

import dataclasses
import datetime as dt
import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import BaseModel
from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from axis.core.workdays import VIETNAM_TIME
from axis.errors import AxisError
from schemas.reasons import REASONS, Reason

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object for machines.")]
TlsOption = Annotated[
    bool, typer.Option("--tls", help="TLS and client certificates everywhere, of this clone's own authority.")
]

_FILE_WIDTH = 4_000  # characters; a table takes what it needs of it
_GAP = 2  # between two columns
_LINES = 4  # of a cell, about; of more nobody reads along a row
ZONE = "+07"  # Vietnam has one, without summer time

out = Console(highlight=False, soft_wrap=True)
err = Console(highlight=False, soft_wrap=True, stderr=True)


def printable(text: str) -> str:
    """Replace control characters: text from outside must not move the cursor or forge lines."""
    return "".join(
        character if character.isprintable() or character == "\n" else "\N{REPLACEMENT CHARACTER}" for character in text
    )


def say(text: str) -> None:
    """Print a sentence for people; rich markup in `text` is not interpreted."""
    out.print(escape(printable(text)))


def progress(text: str) -> None:
    """Tell on standard error what is being done, so that standard output stays the answer."""
    err.print(f"[dim]{escape(printable(text))}[/dim]")


def print_json(value: object) -> None:
    """Print a value as JSON: dataclasses, models, times and enumerations included."""
    sys.stdout.write(json.dumps(_plain(value), ensure_ascii=False, indent=2) + "\n")


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]], *, title: str | None = None) -> None:
    """Print rows under headings; None is shown as a dash. Nothing is cut off, and in a file a row is one line.

    The heading of a column of times says their zone, once.

    In a terminal too narrow for the longest words each row is a paragraph of its own: an identifier broken in two
    cannot be copied. So it is where a cell would be a narrow column of many lines.
    """
    console = Console(highlight=False, width=None if sys.stdout.isatty() else _FILE_WIDTH)
    names = [_heading(place, name, rows) for place, name in enumerate(columns)]
    needed, wanted = _widths(names, rows), [_widest(name, rows, place) for place, name in enumerate(names)]
    widths = _widened(needed, wanted, console.width - _GAP * (len(columns) - 1))
    if widths is None or any(want > _LINES * width for want, width in zip(wanted, widths, strict=True)):
        _print_paragraphs(console, columns, rows, title)
        return
    table = Table(title=title, title_justify="left", header_style="bold", box=None, pad_edge=False)
    for name, width in zip(names, widths, strict=True):
        table.add_column(name, overflow="fold", width=width)
    for row in rows:
        table.add_row(*(_cell(value) for value in row))
    console.print(table)


def _heading(place: int, name: str, rows: Sequence[Sequence[object]]) -> str:
    return f"{name} ({ZONE})" if any(isinstance(row[place], dt.datetime) for row in rows) else name


def _widths(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> list[int]:
    """Return how wide each column has to be for no word and no time to be broken."""

    def longest(value: object) -> int:
        if isinstance(value, dt.datetime):
            return cell_len(clock_time(value))
        return max((cell_len(word) for word in _shown(value).split()), default=1)

    return [max([longest(name), *(longest(row[place]) for row in rows)]) for place, name in enumerate(columns)]


def _widest(name: str, rows: Sequence[Sequence[object]], place: int) -> int:
    values = (name, *(row[place] for row in rows))
    return max(cell_len(line) for value in values for line in _shown(value).split("\n"))


def _widened(needed: Sequence[int], wanted: Sequence[int], width: int) -> list[int] | None:
    """Share what is to spare of a width among the columns that want more than they need; None: it is too narrow.

    rich would take from the widest first, also what it cannot do without, and then cut off the end of every line.
    """
    widths, spare = list(needed), width - sum(needed)
    if spare < 0:
        return None
    # Who wants least first: a long sentence is what can be broken best.
    for place in sorted(range(len(needed)), key=lambda each: wanted[each] - needed[each]):
        more = min(wanted[place] - needed[place], spare)
        widths[place] += more
        spare -= more
    return widths


def _print_paragraphs(
    console: Console, columns: Sequence[str], rows: Sequence[Sequence[object]], title: str | None
) -> None:
    if title is not None:
        console.print(f"[italic]{escape(title)}[/italic]")
    for first, *others in rows:
        console.print(f"[bold]{_cell(first)}[/bold]")
        line = ""
        for name, value in zip(columns[1:], others, strict=True):
            if value is None or value == "":
                continue
            told = local_time(value) if isinstance(value, dt.datetime) else _shown(value)
            part = f"{name}: {told}"
            if line and cell_len(f"  {line}; {part}") > console.width:
                console.print(Padding(Text(f"{line};"), (0, 0, 0, 2)), soft_wrap=False)
                line = ""
            line = f"{line}; {part}" if line else part
        if line:
            console.print(Padding(Text(line), (0, 0, 0, 2)), soft_wrap=False)


def speaks_vietnamese(environ: Mapping[str, str] = os.environ) -> bool:
    """Say whether people here read Vietnamese, by the locale for messages (POSIX: the first of three that is set)."""
    locale = next((found for name in ("LC_ALL", "LC_MESSAGES", "LANG") if (found := environ.get(name))), "")
    return locale.lower().split("_")[0].split(".")[0] == "vi"


def in_words(reason: Reason) -> tuple[str, str]:
    """Return what happened and what to do, in the language of the people here."""
    return (reason.title_vi, reason.remedy_vi) if speaks_vietnamese() else (reason.title, reason.remedy)


def say_reasons(codes: Iterable[str | None]) -> None:
    """Say what each code means and what to do about it, once each; a code that this version does not know is left."""
    for code in dict.fromkeys(codes):
        if code is not None and (reason := REASONS.get(code)) is not None:
            title, remedy = in_words(reason)
            say(f"  {code}: {title} {remedy}")


def report(error: AxisError, *, as_json: bool) -> int:
    """Say on standard error what went wrong and what to do (as JSON on standard output too); return the exit code."""
    reason = error.reason
    # Where in a file: only Malformed and its kin know.
    place = {name: found for name in ("line", "column") if (found := getattr(error, name, None)) is not None}
    if as_json:
        told = {
            "code": error.code,
            "title": reason.title,
            "title_vi": reason.title_vi,
            "detail": error.detail,
            "fault": reason.fault,
            "remedy": reason.remedy,
            "remedy_vi": reason.remedy_vi,
        }
        print_json({"error": {**told, **place}})
    title, remedy = in_words(reason)
    where = "".join(f", {name} {number}" for name, number in place.items())
    if error.detail == reason.title:
        sentence = title
    else:  # the detail says more than the title, but in English only
        sentence = f"{title} {error.detail}" if speaks_vietnamese() else error.detail
    err.print(f"[bold red]axis:[/bold red] {escape(printable(sentence + where))} [dim]({error.code})[/dim]")
    err.print(escape(remedy))
    return error.exit_code


def local_time(moment: dt.datetime | None) -> str:
    """Write a time for people: Vietnam's, whatever zone this machine is in, and says so. `--since` reads it again."""
    return "–" if moment is None else f"{clock_time(moment)} {ZONE}"


def clock_time(moment: dt.datetime) -> str:
    """Write a time in Vietnam, for where the zone is said already."""
    return f"{moment.astimezone(VIETNAM_TIME):%Y-%m-%d %H:%M:%S}"


def utc_time(moment: dt.datetime) -> str:
    """Write a time for machines: ISO 8601, in UTC with Z."""
    return moment.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")


def _shown(value: object) -> str:
    if value is None or value == "":
        return "–"
    return clock_time(value) if isinstance(value, dt.datetime) else printable(str(value))


def _cell(value: object) -> str:
    return "[dim]–[/dim]" if value is None or value == "" else escape(_shown(value))


def _plain(value: Any) -> Any:  # noqa: PLR0911 - one line for each kind of value
    match value:
        case BaseModel():
            return value.model_dump(mode="json", by_alias=True, exclude_none=True)
        case dt.datetime():
            return utc_time(value)
        case dt.date():
            return value.isoformat()
        case Enum():
            return value.value
        case Path():
            return str(value)
        case bytes():
            return value.hex()
        case Mapping():
            return {str(key): _plain(item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_plain(item) for item in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    return value
