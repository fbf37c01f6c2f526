"""The directory: codes as of a date, the history of one with those before and after it, and who receives for it."""

import datetime as dt
from collections.abc import Iterator

from starlette.requests import Request
from starlette.responses import Response

from axis.console.asking import day_asked, end, number_asked, words_asked
from axis.console.desk import desk_of
from axis.console.directories import whole_directory
from axis.console.downloads import Row, download, form_asked
from axis.console.language import text
from axis.console.page import Page
from axis.console.reader import Language, Reader
from axis.console.rendering import day_in
from axis.core.codes import canonical
from axis.core.directory import Directory
from axis.core.folding import fold
from axis.core.resolving import Step, resolve
from axis.errors import Malformed, NotFound
from schemas import Organisation

PAGE = 100
_COLUMNS = ("directory.code", "directory.name", "directory.from", "directory.to", "directory.mailbox")


async def directory(request: Request, reader: Reader) -> Response:
    """List the codes in force as of a day, by code."""
    desk, form, at = desk_of(request), form_asked(request), _asked_at(request)
    known = (await whole_directory(desk)).directory
    words = words_asked(request, "words")
    found = sorted(_found(known, at, words), key=lambda each: each.code)
    if form is not None:
        columns = [text(each, reader.language) for each in _COLUMNS]
        return await download(columns, _rows(known, found, at), text("directory", reader.language), form)
    first = min(number_asked(request, "from") or 0, max(0, len(found) - 1))
    shown = found[first : first + PAGE]
    return desk.rendering.page(
        request,
        "directory.html",
        reader=reader,
        found=[(each, known.mailbox_of(each.code, at)) for each in shown],
        count=len(found),
        first=first,
        following=first + PAGE if first + PAGE < len(found) else None,
        at=at,
    )


async def code(request: Request, reader: Reader) -> Response:
    """Show the history of one code, and where a document for it goes."""
    desk, at = desk_of(request), _asked_at(request)
    known = (await whole_directory(desk)).directory
    asked = _code(known, request.path_params["code"])
    history = known.history(asked)
    if not history:
        raise NotFound(f"There is no {asked} in the directory.")
    resolution = resolve(known, asked, at)
    return desk.rendering.page(
        request,
        "code.html",
        reader=reader,
        code=asked,
        history=tuple(reversed(history)),
        named=known.organisation(asked, at) or history[-1],
        in_force=known.organisation(asked, at) is not None,
        mailbox=known.has_mailbox(asked, at),
        merged=sorted(_merged(known, asked), key=lambda each: each.code),
        resolution=resolution,
        steps=[_said(step, reader.language) for step in resolution.steps],
        at=at,
    )


def _said(step: Step, language: Language) -> tuple[str, str]:
    """Say a step: its rule, and its sentence."""
    told = {name: day_in(value, language) if isinstance(value, dt.date) else value for name, value in step.told.items()}
    return text(f"rule.{step.rule}", language), text(f"step.{step.how}", language, **told)


def _found(known: Directory, at: dt.datetime, words: str | None) -> Iterator[Organisation]:
    wanted = None if words is None else fold(words)
    for each in known.organisations():
        in_force = each.valid_from <= at and (each.valid_to is None or at < each.valid_to)
        if in_force and (wanted is None or wanted in fold(f"{each.code} {each.name} {each.code102 or ''}")):
            yield each


def _merged(known: Directory, asked: str) -> Iterator[Organisation]:
    return (each for each in known.organisations() if each.successor == asked)


def _rows(known: Directory, found: list[Organisation], at: dt.datetime) -> Iterator[Row]:
    for each in found:
        yield each.code, each.name, each.valid_from, each.valid_to, known.mailbox_of(each.code, at)


def _code(known: Directory, asked: str) -> str:
    try:
        return known.code_of_102(asked[:64]) or canonical(asked[:64], tolerant=True)
    except Malformed as error:
        raise NotFound(f"There is no {asked[:64]} in the directory.") from error


def _asked_at(request: Request) -> dt.datetime:
    """Return the end of the day that is asked for, and of none the present."""
    day = end(day_asked(request, "at"))
    return desk_of(request).now() if day is None else day - dt.timedelta(seconds=1)


PAGES = (
    Page("/directory", directory, menu="menu.directory"),
    Page("/directory/{code}", code),
)
