"""The pages of accounts and of the audit."""

import csv
import html
import io
import re

import pytest

from axis.core.operators import Operator, Role
from tests.unit.console.browser import CHEAP, PASSWORD, Bench

HOSTILE = "<img src=x onerror=alert(1)>\"'&{{7*7}}"


@pytest.fixture
async def bench() -> Bench:
    made = Bench()
    await made.people()
    return made


async def test_an_administrator_makes_changes_and_closes_an_account(bench: Bench) -> None:
    async with bench.browser("administrator") as browser, bench.browser() as other:
        made = await browser.send("/accounts", login="lan", name="Nguyễn Thị Lan", role="operator", code="")
        found = re.search(r'class="secret">([^<]+)<', made.text)
        assert found is not None
        assert made.headers["cache-control"] == "no-store"
        assert (await other.log_in("lan", found[1])).headers["location"] == "/password"
        assert "lan" in (await browser.get("/accounts")).text
        done = await browser.send("/accounts/lan", act="change", name="Lan", role="agency", code="000.00.00.H37")
        assert done.headers["location"] == "/accounts/lan?done"
        assert (await other.get("/password")).status_code == 303
        told = (await bench.store.operators.find("lan") or (None,))[0]
        assert told is not None
        assert (told.name, told.role, told.code) == ("Lan", "agency", "H37")
        again = await browser.send("/accounts/lan", act="password")
        assert 'class="secret"' in again.text
        for act, closed in (("close", True), ("reopen", False)):
            assert (await browser.send("/accounts/lan", act=act)).status_code == 303
            told = (await bench.store.operators.find("lan") or (None,))[0]
            assert told is not None
            assert (told.closed_at is not None) is closed
        noted = [(actor, action) for actor, action, subject, _ in bench.store.audits if subject == "lan"]
        assert noted == [
            ("administrator", "operator.add"),
            ("lan", "console.login"),
            ("administrator", "operator.change"),
            ("administrator", "operator.password"),
            ("administrator", "operator.change"),
            ("administrator", "operator.change"),
        ]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"login": "viewer"}, "console/account"),
        ({"login": "a b"}, "console/account"),
        ({"login": "../x"}, "console/account"),
        ({"role": "root"}, "console/form"),
        ({"name": ""}, "console/form"),
        ({"role": "agency"}, "console/account"),
        ({"code": "H37"}, "console/account"),
        ({"role": "agency", "code": "nothing such"}, "code/malformed"),
    ],
)
async def test_what_no_account_can_be_is_said_in_the_form(bench: Bench, fields: dict[str, str], code: str) -> None:
    async with bench.browser("administrator") as browser:
        typed = {"login": "lan", "name": HOSTILE, "role": "viewer", "code": "", **fields}
        answer = await browser.send("/accounts", **typed)
        assert (answer.status_code, f"<code>{code}</code>" in answer.text) == (400, True)
        assert "<img src=x" not in answer.text
        if typed["name"]:
            assert html.escape(HOSTILE).replace("&#x27;", "&#39;").replace("&quot;", "&#34;") in answer.text
        assert len(await bench.store.operators.all()) == 4


async def test_nobody_takes_the_own_rights_away(bench: Bench) -> None:
    async with bench.browser("administrator") as browser:
        for act in ("close", "change"):
            answer = await browser.send("/accounts/administrator", act=act, name="x", role="viewer")
            assert (answer.status_code, "console/account" in answer.text) == (400, True)
        assert (await browser.send("/accounts/lan", act="close")).headers["axis-code"] == "axis/not-found"
        assert (await browser.get("/accounts/lan")).headers["axis-code"] == "axis/not-found"
        assert "console/form" in (await browser.send("/accounts/viewer", act="delete")).text
        for strange in ("%00", "..%2f..%2fetc%2fpasswd", "%ff", "x" * 3_000, "'%20OR%201=1"):
            assert (await browser.get(f"/accounts/{strange}")).status_code == 404


@pytest.mark.parametrize("login", ["viewer", "operator", "agency"])
async def test_accounts_are_for_administrators(bench: Bench, login: str) -> None:
    async with bench.browser(login) as browser:
        for answer in (
            await browser.get("/accounts"),
            await browser.get("/accounts/viewer"),
            await browser.send("/accounts", login="x", name="x", role="administrator"),
            await browser.send(f"/accounts/{login}", act="change", name="x", role="administrator"),
        ):
            assert (answer.status_code, answer.headers["axis-code"]) == (403, "console/role")
        assert (await browser.get("/audit")).status_code == (403 if login == "agency" else 200)


async def test_the_audit_is_searched_paged_and_taken_along(bench: Bench) -> None:
    for number in range(120):
        await bench.store.audit("=cmd()", "agency.limit", HOSTILE, {"before": {"a": number}, "after": {"a": None}})
    async with bench.browser("viewer") as browser:
        page = await browser.get("/audit?action=agency.&subject=")
        assert page.text.count("<code>agency.limit</code>") == 50
        assert "<img src=x" not in page.text
        assert tuple(re.findall(r'<span class="quiet">(before\.a)</span> <bdi>(\d+)', page.text)[0]) == (
            "before.a",
            "119",
        )
        seen = 50
        while (older := re.search(r'rel="next" href="([^"]+)"', page.text)) is not None:
            page = await browser.get("/audit" + html.unescape(older[1]))
            seen += page.text.count("<code>agency.limit</code>")
        assert seen == 120
        file = await browser.get("/audit?action=agency.&as=csv")
        rows = list(csv.reader(io.StringIO(file.content.decode("utf-8-sig"), newline="")))
        assert (len(rows), rows[1][1]) == (121, "'=cmd()")
        for wrong in (
            "since=x",
            "since=0001-01-01",
            "until=9999-12-31",
            "before=-1",
            "before=x",
            "as=pdf",
            "actor=%00",
        ):
            assert (await browser.get(f"/audit?{wrong}")).headers["axis-code"] == "console/form"
        day = bench.clock.now().date().isoformat()
        assert "agency.limit" in (await browser.get(f"/audit?since={day}&until={day}")).text
        assert "agency.limit" not in (await browser.get(f"/audit?until={day}&actor=nobody")).text


async def test_a_name_is_shown_as_it_is_everywhere(bench: Bench) -> None:
    async with bench.browser("administrator") as browser:
        await browser.send("/accounts/viewer", act="change", name=HOSTILE, role="viewer", code="")
        async with bench.browser("viewer") as named:
            for page in (await named.get("/"), await browser.get("/accounts"), await browser.get("/audit")):
                assert "<img src=x" not in page.text
                assert "49" not in re.sub(r"[0-9a-f]{16,}|\d{2}:\d{2}:\d{2}|data-at=.\d+", "", page.text)
        assert PASSWORD not in str(bench.store.audits)


async def test_names_and_what_is_noted_of_them_turn_no_page_around(bench: Bench) -> None:
    named = Operator("mai", "Mai \u202enimda <b>", Role.ADMINISTRATOR)
    assert await bench.store.operators.add(named, CHEAP.hash(PASSWORD), by="test")
    async with bench.browser("mai") as browser:
        for path in ("/accounts", "/audit", "/password"):
            page = (await browser.get(path)).text
            assert ("\u202e" in page, "U+202E" in page, "<b>" in page) == (False, True, False), path
