"""Every page as it is seen: reached by links, in both languages, on a desk and on a phone, and a picture of it kept."""

from collections import Counter
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser
from starlette.routing import compile_path

from axis.console.pages import PAGES
from axis.core.operators import Role
from tests.e2e.conftest import PASSWORD, Running
from tests.e2e.looking import picture, shortcomings, sideways, unseen_focus
from tests.e2e.visitor import PHONE, Visitor

Visit = Callable[..., Visitor]
# No pages but streams and files, and one that is there while a group is requeued (test_seeing.py).
OTHERS = frozenset({"/overview/live", "/documents/{id}/proof", "/quarantine/requeues/{group}"})
ROUTES = tuple(page.path for page in PAGES if "GET" in page.methods and page.path not in OTHERS)
_EXAMPLES = 3  # pages of one kind that are opened to find links: the first may have none


@pytest.fixture(scope="module")
def reached(axis: Running, browser: Browser, hostile: str) -> dict[str, str]:
    """Go wherever links lead an administrator, once for each page that there is; return route -> an address of it."""
    visitor = Visitor.arrive(browser, axis.url, width=1280)
    visitor.log_in(Role.ADMINISTRATOR, PASSWORD)
    found: dict[str, str] = {}
    opened: Counter[str] = Counter()
    ahead = ["/"]
    while ahead and len(found) < len(ROUTES):
        address = ahead.pop(0)
        if (route := _route_of(address)) is None or opened[route] == _EXAMPLES:
            continue
        opened[route] += 1
        found.setdefault(route, address)
        visitor.go(address)
        links = visitor.page.eval_on_selector_all(
            "a[href^='/']", "found => found.map((a) => a.getAttribute('href').split('#')[0])"
        )
        ahead += [each for each in dict.fromkeys(links) if _route_of(each) not in found and each not in ahead]
    visitor.page.context.close()
    return found


def _route_of(address: str) -> str | None:
    path = address.partition("?")[0]
    return next((route for route in ROUTES if compile_path(route)[0].fullmatch(path)), None)


def test_links_lead_to_every_page(reached: dict[str, str]) -> None:
    assert set(ROUTES) - reached.keys() == set()


@pytest.mark.parametrize("route", ROUTES)
def test_a_page_in_both_languages_on_a_desk_and_on_a_phone(route: str, reached: dict[str, str], visit: Visit) -> None:
    address = reached[route]
    name = "overview" if route == "/" else route
    texts: set[str] = set()
    for language in ("vi", "en"):
        for width in (1280, PHONE):
            visitor = visit(Role.ADMINISTRATOR, width=width, language=language)
            answered = visitor.go(address)
            assert answered.ok, f"{address}: {answered.status}"
            assert visitor.page.locator("html").get_attribute("lang") == language
            assert shortcomings(visitor) == []
            picture(visitor, f"{name}-{language}-{width}")
            assert sideways(visitor) == []
            texts.add(visitor.page.locator("h1").inner_text() + visitor.page.title())
    assert len(texts) > 1, "the two languages say the same"


@pytest.mark.parametrize("route", ROUTES)
def test_the_keyboard_shows_where_one_is(route: str, reached: dict[str, str], visit: Visit) -> None:
    visitor = visit(Role.ADMINISTRATOR)
    visitor.go(reached[route])
    assert unseen_focus(visitor) == []


def test_what_is_not_there_says_so(visit: Visit) -> None:
    visitor = visit(Role.VIEWER)
    visitor.allowed = r"status of 404"
    answered = visitor.go("/khong-co")
    assert answered.status == 404
    assert shortcomings(visitor) == []
    picture(visitor, "not-found-vi-1280")
