"""A report as tables: the same columns in a file, on a page and in a terminal."""

import datetime as dt
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from axis.console.downloads import Row, Sheet
from axis.console.language import both, text
from axis.console.reader import Language
from axis.console.reports.making import Made
from axis.core.periods import Length, Period
from axis.core.registered import Side
from axis.core.reporting import (
    DEADLINES,
    DOCUMENTS,
    DOCUMENTS_LATE,
    HANDLING,
    SIDES,
    TIMES,
    WHERE,
    Line,
    Numbers,
    Times,
    names_of,
)
from axis.core.workdays import VIETNAM_TIME
from schemas.reasons import REASONS

# Heading -> what is counted under it; documents are counted of who sent them alone.
SECTIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "where": (DOCUMENTS, DOCUMENTS_LATE, *(each.name for each in WHERE)),
        "handling": tuple(each.name for each in HANDLING),
        "deadlines": tuple(each.name for each in DEADLINES),
    }
)
_DAY = {Language.VIETNAMESE: "%d/%m/%Y", Language.ENGLISH: "%Y-%m-%d"}


def section(name: str, side: Side) -> tuple[str, ...]:
    """Name what a section counts of a side."""
    return tuple(each for each in SECTIONS[name] if each in names_of(side))


def columns(language: Language) -> list[str]:
    """Name the columns of the file."""
    counted = [
        f"{text(f'report.{side}', language)}: {text(f'measure.{name}', language)}"
        for side in SIDES
        for name in names_of(side)
    ]
    taken = [
        f"{text(f'report.{side}', language)}: {text(f'took.{name}', language)} ({text('report.hours', language)})"
        for side in SIDES
        for name in TIMES
    ]
    return [*(text(f"report.{name}", language) for name in ("code", "name", "scope")), *counted, *taken]


def rows(made: Made, language: Language) -> Iterator[Row]:
    """Yield a row for each agency, then the total and that of the period before."""
    for line in made.report.lines:
        yield [
            line.code,
            made.names.get(line.code or ""),
            scope_of(line, language),
            *_numbers(line.now),
            *_hours(line.took),
        ]
    total = made.report.total
    yield [
        total.code,
        text("report.total", language),
        scope_of(total, language),
        *_numbers(total.now),
        *_hours(total.took),
    ]
    before = (*_numbers(total.before), *_hours(total.took_before))
    yield [total.code, text("report.before", language), scope_of(total, language), *before]


def scope_of(line: Line, language: Language) -> str:
    """Say whether a line is of a code alone or of all below it too."""
    return text("report.scope.whole" if line.whole else "report.scope.alone", language)


def sheets(made: Made, language: Language) -> tuple[Sheet, ...]:
    """Return what a workbook says besides: what was undeliverable and why, where the numbers are from, and of when."""
    heading = [text(f"report.{name}", language) for name in ("reason", "code", "count")]
    refused: list[Row] = [
        [f"{text(f'report.{side}', language)}: {meaning(code, language)}", code, count]
        for side in SIDES
        for code, count in made.report.refused[side]
    ]
    about = list(sources(made, language))
    return (
        Sheet(text("report.refused", language), heading, refused),
        Sheet(text("report.sources", language), about[0], about[1:]),
    )


def sources(made: Made, language: Language) -> Iterator[tuple[str, str]]:
    """Say what a report is of, where its numbers are from, when it was made, and what they lack."""
    yield text("report.period", language), period_text(made.report.period, language)
    yield text("report.before", language), period_text(made.report.before, language)
    yield text("report.unit", language), unit_text(made, language)
    yield text("report.basis", language), text("report.law", language)
    yield text("report.source", language), text("report.source.register", language)
    yield text("report.times", language), text("report.times.how", language)
    yield text("report.made", language), moment_text(made.made_at, language)
    for note in notes(made, language):
        yield text("report.note", language), note


def notes(made: Made, language: Language) -> tuple[str, ...]:
    """Say what has to be known to read the numbers."""
    said = [text("report.running", language)] if made.running else []
    if made.behind[0]:
        said.append(text("report.behind", language, count=made.behind[0]))
    return tuple(said)


def unit_text(made: Made, language: Language) -> str:
    """Name who reports."""
    code = made.report.below
    if code is None:
        return text("report.unit.national", language)
    return f"{made.names[code]} ({code})" if code in made.names else code


def period_text(period: Period, language: Language) -> str:
    """Write a period as reports do, with its days."""
    first, last = (day_text(each, language) for each in (period.first, period.last))
    if period.length is Length.DAYS:
        return text("report.days", language, first=first, last=last)
    values: dict[str, Any] = {"year": period.first.year}
    if period.length is not Length.YEAR:
        values["number"] = period.number
    named = text(f"report.{period.length}", language, **values)
    return f"{named} ({text('report.span', language, first=first, last=last)})"


def day_text(day: dt.date, language: Language) -> str:
    """Write a day as people read it."""
    return day.strftime(_DAY[language])


def moment_text(moment: dt.datetime, language: Language) -> str:
    """Write a time in Vietnam's."""
    local = moment.astimezone(VIETNAM_TIME)
    return f"{day_text(local.date(), language)} {local:%H:%M:%S}"


def meaning(code: str, language: Language) -> str:
    """Say what a reason of the axis means; one that this version does not know is its own name."""
    if not code:
        return text("report.reason.none", language)
    reason = REASONS.get(code)
    return code if reason is None else both(reason, language)[0]


def change_text(now: int, before: int) -> str:
    """Write how a number differs from the period before, with its share of that where there was any."""
    difference = f"{now - before:+d}" if now != before else "0"
    return difference if not before or now == before else f"{difference} ({(now - before) / before:+.1%})"


def share_text(now: int, before: int) -> str:
    """Write the difference alone as a share of the period before, in whole percent; a dash where there was nothing."""
    return "–" if not before else f"{100 * (now - before) / before:+.0f}" if now != before else "0"


def duration_text(seconds: int | None) -> str:
    """Write a time as hours, minutes and seconds; hours are not made days."""
    if seconds is None:
        return "–"
    minutes, rest = divmod(seconds, 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


def _hours(told: Mapping[Side, Times]) -> list[float | None]:
    """Return averages in hours, as spreadsheets can calculate with them; four digits are less than a second."""
    averages = [told[side][name].average for side in SIDES for name in TIMES]
    return [None if each is None else round(each / 3600, 4) for each in averages]


def _numbers(told: Mapping[Side, Numbers]) -> list[int]:
    return [told[side][name] for side in SIDES for name in names_of(side)]
