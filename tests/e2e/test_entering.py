"""Logging in and out: what somebody types, and what a guesser meets."""

import os
import re
from collections.abc import Callable

from playwright.sync_api import expect

from axis.core.operators import FREE
from tests.e2e.conftest import PASSWORD, Running
from tests.e2e.looking import picture, shortcomings, unseen_focus
from tests.e2e.visitor import PHONE, Visitor

Visit = Callable[..., Visitor]
REFUSED = r"status of (401|429)"  # what Chromium says of an answer that is none of 2xx
_MOST_TRIED = 15


def test_the_login_is_a_page_for_everybody(visit: Visit) -> None:
    for language, words in (("vi", "Đăng nhập"), ("en", "Log in")):
        for width in (1280, PHONE):
            visitor = visit(width=width, language=language)
            visitor.go("/audit?actor=x")  # a stranger is led to the login, and from there to where they wanted
            expect(visitor.page.locator("h1")).to_have_text(words)
            assert shortcomings(visitor) == []
            assert unseen_focus(visitor) == []
            picture(visitor, f"login-{language}-{width}")


def test_a_wrong_password_is_refused_and_the_right_one_leads_where_one_wanted(visit: Visit) -> None:
    visitor = visit()
    visitor.allowed = REFUSED
    visitor.go("/audit?actor=viewer")
    visitor.type_in("viewer", "falsch")
    expect(visitor.page.get_by_role("alert")).to_contain_text("console/login")
    assert visitor.page.locator("#login").input_value() == "viewer"
    assert visitor.page.locator("#password").input_value() == ""
    assert shortcomings(visitor) == []
    picture(visitor, "login-wrong-vi-1280")
    visitor.type_in("viewer", PASSWORD)
    expect(visitor.page.locator("form[action='/logout']")).to_be_visible()
    assert visitor.path == "/audit?actor=viewer"


def test_who_guesses_has_to_wait_and_is_told_how_long(visit: Visit) -> None:
    visitor = visit()
    visitor.allowed = REFUSED
    visitor.go("/login")
    alert, tried = visitor.page.get_by_role("alert"), 0
    while "console/locked" not in (alert.inner_text() if tried else ""):
        visitor.type_in(f"nobody-{os.getpid()}", "falsch")
        tried += 1
        assert tried < _MOST_TRIED  # on a slow machine the first waits are over before the next try
    assert tried > FREE["account"]
    expect(visitor.main()).to_contain_text(re.compile(r"\d+ giây"))
    picture(visitor, "login-locked-vi-1280")


def test_the_first_password_is_for_once(axis: Running, visit: Visit) -> None:
    login = f"moi-{os.getpid()}"
    told = axis.json("operator", "add", login, "--role", "viewer", "--name", "Trần Thị Mới")
    visitor = visit()
    visitor.go("/login")
    visitor.type_in(login, told["password"])
    expect(visitor.page.locator("#new")).to_be_visible()
    visitor.go("/audit")
    assert visitor.path == "/password"
    assert shortcomings(visitor) == []
    picture(visitor, "password-vi-1280")
    visitor.page.locator("#present").fill(told["password"])
    for field in ("#new", "#again"):
        visitor.page.locator(field).fill("một câu dài khó đoán")
    visitor.page.locator("#again").press("Enter")
    expect(visitor.page.get_by_role("status")).to_be_visible()
    visitor.type_in(login, "một câu dài khó đoán")
    expect(visitor.page.locator("form[action='/logout']")).to_be_visible()


def test_logging_out_ends_it_here_and_for_the_way_back(axis: Running, visit: Visit) -> None:
    visitor = visit("viewer")
    visitor.go("/audit")
    (kept,) = [each for each in visitor.page.context.cookies() if each["name"] == "axis"]
    visitor.page.locator("form[action='/logout'] button").click()
    expect(visitor.page.locator("#login")).to_be_visible()
    visitor.page.go_back()
    expect(visitor.page.locator("#login")).to_be_visible()
    visitor.page.context.add_cookies(
        [{"name": kept["name"], "value": kept["value"], "url": axis.url}]
    )  # a cookie that was stolen before
    visitor.go("/audit")
    expect(visitor.page.locator("#login")).to_be_visible()


def test_the_language_changes_at_a_click_and_stays(visit: Visit) -> None:
    visitor = visit("viewer")
    visitor.go("/audit?actor=viewer")
    visitor.page.get_by_role("link", name="English").click()
    expect(visitor.page.locator("html")).to_have_attribute("lang", "en")
    assert visitor.path == "/audit?actor=viewer"
    visitor.go("/")
    expect(visitor.page.locator("html")).to_have_attribute("lang", "en")
