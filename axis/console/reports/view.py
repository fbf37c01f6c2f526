"""A report as the template `report-body.html` shows it: on a page of the console, or as a file by itself."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import resources
from typing import Any

from markupsafe import Markup

from axis.console.language import text
from axis.console.reader import Language
from axis.console.rendering import Rendering
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
    unit_text,
)
from axis.core.registered import Side
from axis.core.reporting import SIDES, TIMES, Line

MOST_LINES = 500  # of a page; files have all

Link = Callable[..., str | None]


@dataclass(frozen=True, slots=True)
class View:
    """What is said of a report, in one language."""

    unit: str
    period: str
    before: str
    made_at: str
    notes: tuple[str, ...]
    lines: tuple[Line, ...]
    cut: bool
    sides: tuple[Side, ...]
    sections: dict[Side, tuple[tuple[str, tuple[str, ...]], ...]]


def values_of(made: Made, language: Language, link: Link, most: int | None = None) -> dict[str, Any]:
    """Return what the template needs; `most`: show no more agencies."""
    report = made.report
    view = View(
        unit=unit_text(made, language),
        period=period_text(report.period, language),
        before=period_text(report.before, language),
        made_at=moment_text(made.made_at, language),
        notes=notes(made, language),
        lines=report.lines[:most],
        cut=most is not None and len(report.lines) > most,
        sides=SIDES,
        sections={side: tuple((name, section(name, side)) for name in SECTIONS) for side in SIDES},
    )
    return {
        "view": view,
        "total": report.total,
        "refused": report.refused,
        "names": made.names,
        "link": link,
        "change": change_text,
        "times": TIMES,
        "duration": duration_text,
        "meaning": partial(meaning, language=language),
    }


def alone(made: Made, language: Language) -> str:
    """Write a report as one HTML file that needs nothing else."""
    static = resources.files("axis.console") / "static"
    style = "".join((static / name).read_text(encoding="utf-8") for name in ("console.css", "report.css"))
    body = Rendering().alone("report-body.html", language=language, **values_of(made, language, _nowhere))
    page = Markup(
        '<!doctype html>\n<html lang="{}">\n<head>\n<meta charset="utf-8">\n<title>{} – {}</title>\n'
        "<style>{}</style>\n</head>\n<body><main>\n{}</main></body>\n</html>\n"
    )
    title = text("report.title", language)
    # The style is a file of ours, and holds nothing that would end it.
    return str(page.format(language, title, period_text(made.report.period, language), Markup(style), body))  # noqa: S704


def _nowhere(*_: object, **__: object) -> None:
    """A file by itself knows no address of a console."""
