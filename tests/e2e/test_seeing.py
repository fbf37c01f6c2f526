"""What people come for: is it moving, where is a document, who does not answer; and who may see what."""

import csv
import io
import re
import time
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from playwright.sync_api import Route, expect

from axis.core.operators import Role
from tests.e2e.conftest import ABSENT, AGENCY, Running
from tests.e2e.looking import picture, shortcomings
from tests.e2e.visitor import HOSTILE, PHONE, Visitor
from tests.unit.workers.harness import set_aside

Visit = Callable[..., Visitor]
NUMBER = "7816/VPCP-TTĐT"


def test_a_document_is_seen_coming_without_the_page_being_loaded_anew(axis: Running, visit: Visit) -> None:
    visitor = visit(Role.VIEWER)
    visitor.go("/")
    visitor.page.evaluate("window.sameAsBefore = true")
    figure = visitor.page.locator(".figures a.figure[href^='/documents?since']").first
    before = int(figure.inner_text())
    axis.send("V/v kiểm tra trực tuyến", "G12", number="1/TT-SEEN")
    expect(figure).not_to_have_text(str(before))
    assert int(figure.inner_text()) > before
    assert visitor.page.evaluate("window.sameAsBefore") is True
    # The number leads to the rows behind it.
    figure.click()
    visitor.sees("V/v kiểm tra trực tuyến")


@pytest.mark.parametrize("width", [1280, PHONE])
def test_the_fate_of_one_document_is_found_from_the_first_page(hostile: str, visit: Visit, width: int) -> None:
    visitor = visit(Role.VIEWER, width=width)
    visitor.go("/")
    visitor.page.locator(".menu").get_by_role("link", name="Văn bản", exact=True).click()
    visitor.page.locator("input[name='number']").fill(NUMBER)
    visitor.page.locator("input[name='number']").press("Enter")
    visitor.page.locator(f"a[href='/documents/{hostile}']").first.click()
    card = visitor.page.locator("article.recipient").filter(has=visitor.page.locator("h3", has_text=ABSENT))
    expect(card).to_contain_text(re.compile(rf"{ABSENT}.*(từ|lúc)", re.DOTALL))
    # Why it waits is known as soon as the auditor has looked at the mailbox.
    for _ in range(20):
        if "không có" in card.inner_text():
            break
        visitor.page.wait_for_timeout(1_000)
        visitor.page.reload()
    expect(card).to_contain_text("không có")
    assert shortcomings(visitor) == []
    picture(visitor, f"fate-vi-{width}")


def test_a_subject_that_attacks_is_words(hostile: str, visit: Visit) -> None:
    visitor = visit(Role.VIEWER)
    for address in ("/documents?number=7816", "/deliveries?number=7816", f"/documents/{hostile}"):
        visitor.go(address)
        visitor.sees("<script>document.title='x'</script>")
        visitor.sees("U+202E")
        visitor.sees("{{7*7}}")
        assert "\u202e" not in visitor.main().inner_text()
        assert visitor.page.title() != "x"
        assert visitor.page.locator("main script, main img").count() == 0


def test_who_does_not_answer_is_on_the_first_page_and_the_board(hostile: str, visit: Visit) -> None:
    visitor = visit(Role.VIEWER)
    visitor.go("/")
    silent = visitor.page.locator("section.card").filter(has=visitor.page.locator(f"a[href='/agencies/{ABSENT}']"))
    expect(silent.first).to_be_visible()
    silent.first.locator(f"a[href='/agencies/{ABSENT}']").first.click()
    expect(visitor.page.locator("h1")).to_contain_text(ABSENT)
    picture(visitor, "silent-agency-vi-1280")
    visitor.go("/agencies?answers=silent")
    expect(visitor.page.locator(f"main a[href='/agencies/{ABSENT}']")).to_be_visible()


def test_what_is_seen_is_downloaded(hostile: str, visit: Visit, tmp_path: Path) -> None:
    visitor = visit(Role.VIEWER)
    visitor.go("/documents?number=7816")
    files: dict[str, Path] = {}
    for name in ("CSV", "XLSX"):
        with visitor.page.expect_download() as download:
            visitor.page.get_by_role("link", name=name).click()
        files[name] = tmp_path / download.value.suggested_filename
        download.value.save_as(files[name])
    rows = list(csv.reader(io.StringIO(files["CSV"].read_text(encoding="utf-8-sig"))))
    assert any(NUMBER in row for row in rows)
    sheet = openpyxl.load_workbook(files["XLSX"], read_only=True).active
    assert sheet is not None
    cells = [[str(cell) for cell in row if cell is not None] for row in sheet.iter_rows(values_only=True)]
    assert any(NUMBER in row for row in cells)
    assert any("<script>" in cell for row in cells for cell in row)


def test_a_viewer_finds_nothing_to_do(hostile: str, visit: Visit) -> None:
    visitor = visit(Role.VIEWER)
    for address in (
        "/",
        "/documents",
        f"/documents/{hostile}",
        "/agencies",
        f"/agencies/{ABSENT}",
        "/findings",
        "/audit",
        "/webhooks",
    ):
        assert visitor.go(address).ok, address
        forms = visitor.page.eval_on_selector_all(
            "form[method=post]", "found => found.map((f) => f.getAttribute('action'))"
        )
        assert forms == ["/logout"], address
    visitor.allowed = r"status of 403"
    assert visitor.go("/accounts").status == 403


def test_an_agency_user_sees_its_own_and_nothing_else(axis: Running, hostile: str, visit: Visit) -> None:
    own = axis.send("V/v phối hợp với Lạng Sơn", AGENCY, "G12", number="2/LS-G22")
    visitor = visit(Role.AGENCY)
    visitor.go("/")
    assert visitor.path == f"/agencies/{AGENCY}"
    for _ in range(30):  # until the registrar has it
        visitor.go("/documents")
        if visitor.page.locator(f"a[href='/documents/{own}']").count():
            break
        visitor.page.wait_for_timeout(500)
    expect(visitor.main()).not_to_contain_text(NUMBER)
    picture(visitor, "documents-agency-vi-1280")
    assert visitor.go(f"/documents/{own}").ok
    expect(visitor.page.locator("article.recipient")).to_have_count(1)  # G12's part is G12's business
    assert visitor.page.locator(".menu").get_by_role("link").count() < 5
    visitor.allowed = r"status of 40[34]"
    assert visitor.go(f"/documents/{hostile}").status == 404
    assert visitor.go(f"/agencies/{ABSENT}").status in {403, 404}
    for address in ("/audit", "/accounts", "/findings", "/queues"):
        assert visitor.go(address).status == 403, address


def test_hostile_words_that_are_typed_are_shown_as_words(visit: Visit) -> None:
    visitor = visit(Role.VIEWER)
    visitor.go("/documents")
    visitor.page.locator("input[name='words']").fill(HOSTILE)
    visitor.page.locator("input[name='words']").press("Enter")
    expect(visitor.page.locator("h1")).to_be_visible()
    assert visitor.page.locator("main script, main img").count() == 0
    assert visitor.page.title() != "x"


def test_what_is_in_quarantine_goes_back_at_a_click_and_is_decided_anew(axis: Running, visit: Visit) -> None:
    # The demo's forgery: it stays one, so it comes back with the same reason, and who sent it there is in the audit.
    group = "/quarantine?reason=abuse/account"
    onlooker = visit(Role.VIEWER)
    onlooker.go(group)
    onlooker.sees("G09")
    assert onlooker.page.locator("button[name=act]").count() == 0
    visitor = visit(Role.OPERATOR)
    visitor.agrees = True
    visitor.go(group)
    assert shortcomings(visitor) == []
    picture(visitor, "quarantine-group-vi-1280")
    visitor.page.locator("main tbody th a").first.click()
    visitor.sees("abuse/account")
    assert shortcomings(visitor) == []
    picture(visitor, "quarantine-message-vi-1280")
    visitor.go(group)
    why = f"thử lại {time.time_ns()}"
    visitor.page.locator("input[name=why]").fill(why)
    visitor.page.locator("button[name=act][value=requeue]").click()
    expect(visitor.page.get_by_role("status")).to_be_visible()
    for _ in range(60):  # until a router has decided
        if axis.json("quarantine", "list")["quarantined"]:
            break
        visitor.page.wait_for_timeout(500)
    visitor.go(group)
    visitor.sees("G09")
    visitor.go("/audit?actor=operator")
    visitor.sees(why)


@pytest.mark.parametrize("width", [1280, PHONE])
def test_a_group_is_seen_going_back_without_the_page_being_loaded_anew(axis: Running, visit: Visit, width: int) -> None:
    axis.set_aside([set_aside() for _ in range(8)])
    visitor = visit(Role.OPERATOR, width=width)
    visitor.agrees = True
    visitor.go("/quarantine?reason=message/poison")
    visitor.page.locator("input[name=why]").fill("đã sửa lỗi")
    refused = _refuse_once(visitor)
    visitor.page.locator("button[name=act][value=requeue]").click()
    visitor.page.wait_for_url("**/quarantine/requeues/*")
    visitor.page.evaluate("window.sameAsBefore = true")
    visitor.sees(re.compile(r"[0-7] / 8 gói tin"))
    assert shortcomings(visitor) == []
    picture(visitor, f"quarantine-going-vi-{width}")
    onlooker = visit(Role.VIEWER)
    onlooker.go(visitor.path)
    visitor.sees("8 / 8 gói tin")
    visitor.sees("Đã đưa 8 gói tin vào xử lý lại.")
    onlooker.sees("Đã đưa 8 gói tin vào xử lý lại.")
    assert refused == [503]  # and it was asked for again
    assert visitor.page.evaluate("window.sameAsBefore") is True
    assert visitor.page.locator("[hx-get]").count() == 0
    assert shortcomings(visitor) == []
    picture(visitor, f"quarantine-gone-vi-{width}")


def _refuse_once(visitor: Visitor) -> list[int]:
    """Have the first thing that a page asks for by itself refused; return what it was answered."""
    refused: list[int] = []

    def answer(route: Route) -> None:
        if "hx-request" not in route.request.headers or refused:
            route.fallback()
            return
        refused.append(503)
        route.fulfill(status=503, content_type="text/html", body="<p>axis/unavailable</p>")

    visitor.page.route("**/quarantine/requeues/*", answer)
    visitor.allowed = r"503"
    return refused


def test_no_condition_is_out_of_reach_when_a_phone_is_turned(axis: Running, visit: Visit) -> None:
    visitor = visit(Role.VIEWER, width=PHONE)
    visitor.go("/documents")
    sender = visitor.page.locator("input[name=sender]")
    expect(sender).to_be_hidden()
    visitor.page.set_viewport_size({"width": 844, "height": PHONE})
    expect(sender).to_be_visible()
    visitor.page.set_viewport_size({"width": PHONE, "height": 844})
    expect(sender).to_be_hidden()
    visitor.page.locator("details.more > summary").click()
    sender.fill("G22")
    visitor.page.set_viewport_size({"width": 844, "height": PHONE})
    visitor.page.set_viewport_size({"width": PHONE, "height": 844})
    expect(sender).to_be_visible()
