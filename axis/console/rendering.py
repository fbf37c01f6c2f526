"""Templates: everything escaped, every name known, times in Vietnam's."""

import datetime as dt
from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from axis.console.hostile import brief, whole
from axis.console.language import both, language_of, meaning, text
from axis.console.reader import Language, Reader
from axis.console.static import STATIC
from axis.core.operators import Role

VIETNAM = dt.timezone(dt.timedelta(hours=7), "+07")
_TIME = {Language.VIETNAMESE: "%d/%m/%Y %H:%M:%S", Language.ENGLISH: "%Y-%m-%d %H:%M:%S"}
_DAY = {Language.VIETNAMESE: "%d/%m/%Y", Language.ENGLISH: "%Y-%m-%d"}


class Rendering:
    """The templates of axis/console/templates."""

    def __init__(self) -> None:
        self._environment = Environment(
            loader=PackageLoader("axis.console"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.globals |= {"static": STATIC.address, "query": query, "Role": Role}
        self._environment.filters |= {"time": _time, "day": _day, "brief": brief, "whole": whole}

    def page(
        self,
        request: Request,
        template: str,
        *,
        reader: Reader | None,
        language: Language | None = None,
        status: int = 200,
        **values: object,
    ) -> Response:
        """Answer with a whole page, or with a part of one for htmx."""
        content = self.part(request, template, reader=reader, language=language, **values)
        return HTMLResponse(content, status, {"vary": "Cookie, HX-Request"})

    def part(
        self,
        request: Request,
        template: str,
        *,
        reader: Reader | None,
        language: Language | None = None,
        **values: object,
    ) -> str:
        """Render a template.

        Every template knows: `t(key, **values)`, `said(reason)`, `meaning(code)` of a reason, `language`, `reader`
        (None: nobody is logged in), `here` (the path), `asked` (its query), `menu` (path and key of each entry this
        reader may open), `static(name)`, `query(asked, **changes)`, and the filters `time`, `day`, `brief` and `whole`
        (what agencies wrote is shown by one of these two).
        """
        chosen = language or (reader.language if reader is not None else language_of(request))
        known: dict[str, Any] = {
            "t": partial(_text, language=chosen),
            "said": partial(both, language=chosen),
            "meaning": partial(meaning, language=chosen),
            "language": chosen,
            "languages": tuple(Language),
            "reader": reader,
            "here": request.url.path,
            "asked": dict(request.query_params),
            "menu": getattr(request.app.state, "menu", partial(_nothing))(reader),
        }
        return self._environment.get_template(template).render(known | values)

    def alone(self, template: str, *, language: Language, **values: object) -> Markup:
        """Render a template that is no page of a console: part of a file to keep. It knows `t` and `language` alone."""
        known: dict[str, Any] = {"t": partial(_text, language=language), "language": language}
        return Markup(self._environment.get_template(template).render(known | values))  # noqa: S704 - escaped by it


def query(asked: Mapping[str, str], **changes: object) -> str:
    """Write a query with some of its parameters changed; None leaves one out."""
    kept = {name: value for name, value in {**asked, **changes}.items() if value not in {None, ""}}
    return "?" + urlencode({name: str(value) for name, value in kept.items()})


def day_in(day: dt.date, language: Language) -> str:
    """Write a day as people do who read a language."""
    return day.strftime(_DAY[language])


def _text(key: str, *, language: Language, **values: object) -> str:
    return text(key, language, **values)


def _nothing(_: Reader | None) -> tuple[tuple[str, str], ...]:
    return ()


@pass_context
def _time(context: Context, moment: dt.datetime | None) -> Markup:
    """Write a time in Vietnam's, as people there do, and for machines what it is in UTC."""
    if moment is None:
        return Markup("–")
    shown = moment.astimezone(VIETNAM).strftime(_TIME[context["language"]])
    exact = moment.astimezone(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return Markup('<time datetime="{}" title="{}">{}</time>').format(exact, exact, shown)


@pass_context
def _day(context: Context, day: dt.date | None) -> Markup:
    if day is None:
        return Markup("–")
    return Markup('<time datetime="{}">{}</time>').format(day.isoformat(), day_in(day, context["language"]))
