"""The console's texts in both languages, by key; which of them a reader has chosen.

Modules of pages may bring texts of their own: `TEXTS` is put together from `texts/*.py`, each a mapping of
key -> (Vietnamese, English). A key in a template that is not there fails the tests, and the page.
"""

from collections.abc import Mapping
from types import MappingProxyType

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from axis.console.paths import ours
from axis.console.reader import Language
from axis.console.texts import accounts, agencies, directory, documents, layout, overview, quarantine, reports, webhooks
from axis.web.problems import HttpRefused
from schemas.reasons import REASONS, Reason

COOKIE = "axis-language"  # chosen, and kept for a year: no secret, and no business of the session's

Texts = Mapping[str, tuple[str, str]]


def _together(*parts: Texts) -> Texts:
    found: dict[str, tuple[str, str]] = {}
    for part in parts:
        if twice := found.keys() & part.keys():
            raise ValueError(f"texts that are there twice: {', '.join(sorted(twice))}")
        found |= part
    return MappingProxyType(found)


TEXTS = _together(
    layout.TEXTS,
    accounts.TEXTS,
    agencies.TEXTS,
    directory.TEXTS,
    documents.TEXTS,
    overview.TEXTS,
    quarantine.TEXTS,
    reports.TEXTS,
    webhooks.TEXTS,
)


def text(key: str, language: Language, **values: object) -> str:
    """Return a text, `{name}` in it replaced by a value; raise KeyError for one that is not there."""
    vietnamese, english = TEXTS[key]
    found = vietnamese if language is Language.VIETNAMESE else english
    return found.format(**values) if values else found


def language_of(request: Request) -> Language:
    """Return the language somebody chose, else Vietnamese."""
    chosen = request.cookies.get(COOKIE)
    return Language.ENGLISH if chosen == Language.ENGLISH else Language.VIETNAMESE


def both(reason: Reason, language: Language) -> tuple[str, str]:
    """Return title and remedy of a reason of the catalogue."""
    if language is Language.VIETNAMESE:
        return reason.title_vi, reason.remedy_vi
    return reason.title, reason.remedy


def meaning(code: str, language: Language) -> str:
    """Return what a code of the catalogue of reasons says; one that is not there says itself."""
    reason = REASONS.get(code)
    return code if reason is None else both(reason, language)[0]


async def choose_language(request: Request) -> Response:
    """Remember a language, and go back to the page that the choice was on."""
    chosen = request.path_params["language"]
    if chosen not in set(Language):
        raise HttpRefused("http/address")
    response = RedirectResponse(ours(request.query_params.get("to")), 303)
    secure = request.app.state.origins.secure
    response.set_cookie(COOKIE, chosen, max_age=31_536_000, path="/", secure=secure, httponly=True, samesite="lax")
    return response
