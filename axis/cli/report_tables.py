"""A report in a terminal: columns are numbered as forms of the administration number them, and named below.

What does not fit beside each other follows as a further table with the same lines: nothing is cut off or broken, and a
heading is one line. In a file, where lines may be long, columns have their names.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from axis.cli.console import print_table, printable, say
from axis.console.language import text
from axis.console.reader import Language
from axis.console.reports.making import Made
from axis.console.reports.tables import (
    SECTIONS,
    change_text,
    duration_text,
    meaning,
    moment_text,
    notes,
    period_text,
    section,
    share_text,
    unit_text,
)
from axis.core.registered import Side
from axis.core.reporting import SIDES, TIMES, Line, Numbers, Times

_GAP = 2  # between two columns
_TIMES = "times"
_TABLES = (*SECTIONS, _TIMES)


@dataclass(frozen=True, slots=True)
class _Row:
    """A line: its code or what it is, the name of the agency, and a cell for each measure."""

    head: str
    name: str
    cells: tuple[str, ...]


def show_report(made: Made, language: Language) -> None:
    """Print a report for people: tables for each side and each thing that is counted."""
    say(text("report.title", language))
    say(f"{text('report.period', language)}: {period_text(made.report.period, language)}")
    say(f"{text('report.unit', language)}: {unit_text(made, language)}")
    if sys.stdout.isatty():
        _into_terminal(made, language)
    else:
        _into_file(made, language)
    said = f"{moment_text(made.made_at, language)} ({text('report.zone', language)})"
    say(f"\n{text('report.made', language)}: {said}")
    for note in notes(made, language):
        say(f"{text('report.note', language)}: {note}")


def _into_file(made: Made, language: Language) -> None:
    for side in SIDES:
        for name in _TABLES:
            heads = (text("report.code", language), text("report.name", language))
            lines = [(each.head, each.name, *each.cells) for each in _lines(made, side, name, language)]
            last = [("", each.head, *each.cells) for each in _sums(made, side, name, language, spare=True)]
            say("")
            say(_title(side, name, language))
            print_table((*heads, *_columns(side, name, language)), [*lines, *last])
        _refused(made, side, language)
    say(f"\n{text('report.times', language)}: {text('report.times.how', language)}")


def _into_terminal(made: Made, language: Language) -> None:
    console = Console(highlight=False)
    tables = [
        (side, name, _lines(made, side, name, language), _sums(made, side, name, language, spare=False))
        for side in SIDES
        for name in _TABLES
    ]
    named = all(_fits([*lines, *sums], console.width) for _, _, lines, sums in tables)
    for side, name, lines, sums in tables:
        say("")
        console.print(f"[bold]{escape(_title(side, name, language))}[/bold]")
        for first, last in _parts([*lines, *sums], console.width, named=named):
            console.print(_table(lines, sums, first, last, named=named))
        _print_packed(console, [f"({n}) {each}" for n, each in enumerate(_columns(side, name, language), 1)])
        if name == _TABLES[-1]:
            _refused(made, side, language)
    said = f"{text('report.times', language)}: {text('report.times.how', language)}"
    console.print(Text(f"\n{said}", style="dim"), soft_wrap=False)
    if not named and made.report.lines:
        say("")
        console.print(f"[bold]{escape(text('report.name', language))}[/bold]")
        for line in made.report.lines:
            console.print(Padding(Text(printable(f"{line.code}: {_named(made, line, language)}")), (0, 0, 0, 2)))


def _table(lines: Sequence[_Row], sums: Sequence[_Row], first: int, last: int, *, named: bool) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("", no_wrap=True)
    if named:
        table.add_column("", no_wrap=True)
    for number in range(first, last):
        table.add_column(f"({number + 1})", justify="right", no_wrap=True)
    for row in (*lines, *sums):
        heads = (row.head, row.name) if named else (row.head,)
        cells = (escape(printable(each)) for each in (*heads, *row.cells[first:last]))
        table.add_row(*cells, style="bold" if row is sums[0] else "")
    return table


def _fits(rows: Sequence[_Row], width: int) -> bool:
    """Say whether a table has room for the names of agencies too."""
    return _head(rows, named=True) + sum(_widths(rows)) <= width


def _parts(rows: Sequence[_Row], width: int, *, named: bool) -> Iterator[tuple[int, int]]:
    """Yield which columns are printed beside each other: as many as there is room for, and always one."""
    widths, head = _widths(rows), _head(rows, named=named)
    first = 0
    while first < len(widths):
        last = first + 1
        while last < len(widths) and head + sum(widths[first : last + 1]) <= width:
            last += 1
        yield first, last
        first = last


def _head(rows: Sequence[_Row], *, named: bool) -> int:
    return max(cell_len(each.head) for each in rows) + (
        _GAP + max(cell_len(each.name) for each in rows) if named else 0
    )


def _widths(rows: Sequence[_Row]) -> list[int]:
    """Return how wide each column of numbers is, with the gap before it."""
    return [
        _GAP + max(len(f"({place + 1})"), *(cell_len(each.cells[place]) for each in rows))
        for place in range(len(rows[0].cells))
    ]


def _print_packed(console: Console, parts: Sequence[str]) -> None:
    """Print what belongs together on as few lines as hold it."""
    line = ""
    for part in parts:
        if line and cell_len(f"{line}  {part}") > console.width:
            console.print(Text(line, style="dim"))
            line = ""
        line = f"{line}  {part}" if line else part
    console.print(Text(line, style="dim"))


def _columns(side: Side, name: str, language: Language) -> list[str]:
    if name == _TIMES:
        return [text(f"took.{each}", language) for each in TIMES]
    return [text(f"measure.{each}", language) for each in section(name, side)]


def _lines(made: Made, side: Side, name: str, language: Language) -> list[_Row]:
    return [
        _Row(line.code or "", _named(made, line, language), _cells(line.now, line.took, side, name))
        for line in made.report.lines
    ]


def _cells(told: Mapping[Side, Numbers], took: Mapping[Side, Times], side: Side, name: str) -> tuple[str, ...]:
    if name == _TIMES:
        return tuple(duration_text(took[side][each].average) for each in TIMES)
    return tuple(str(told[side][each]) for each in section(name, side))


def _sums(made: Made, side: Side, name: str, language: Language, *, spare: bool) -> list[_Row]:
    """Return the last lines: the total, that of the period before, the difference, and its share in percent.

    `spare`: there is room for both in one cell. Of averages the first two only.
    """
    total = made.report.total
    sums = [
        _Row(text("report.total", language), "", _cells(total.now, total.took, side, name)),
        _Row(text("report.before", language), "", _cells(total.before, total.took_before, side, name)),
    ]
    if name == _TIMES:
        return sums
    change = text("report.change", language)
    both = [(total.now[side][each], total.before[side][each]) for each in section(name, side)]
    if spare:
        return [*sums, _Row(change, "", tuple(change_text(new, old) for new, old in both))]
    return [
        *sums,
        _Row(change, "", tuple(f"{new - old:+d}" if new != old else "0" for new, old in both)),
        _Row(f"{change} (%)", "", tuple(share_text(new, old) for new, old in both)),
    ]


def _refused(made: Made, side: Side, language: Language) -> None:
    for code, count in made.report.refused[side]:
        say(f"  {text('report.refused', language)}: {count} × {meaning(code, language)} ({code or '–'})")


def _title(side: Side, name: str, language: Language) -> str:
    unit = f" ({text('report.hms', language)})" if name == _TIMES else ""
    return f"{text(f'report.{side}', language)} – {text(f'report.{name}', language)}{unit}"


def _named(made: Made, line: Line, language: Language) -> str:
    name = made.names.get(line.code or "", "")
    return name if line.whole else f"{name} ({text('report.scope.alone', language)})".strip()
