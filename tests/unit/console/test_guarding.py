"""What every request has to be, and what every answer says."""

import asyncio
import re

import pytest
from starlette.requests import Request
from starlette.responses import Response

from axis.console import Page, Reader
from axis.console.guarding import Origins
from axis.console.page import OPERATORS
from axis.console.pages import PAGES
from axis.console.static import STATIC
from axis.core.operators import Role
from tests.unit.console.browser import URL, Bench


@pytest.fixture
async def bench() -> Bench:
    made = Bench()
    await made.people()
    return made


async def test_every_answer_says_what_it_may_do(bench: Bench) -> None:
    async with bench.browser("viewer") as browser:
        answers = [await browser.get(path) for path in ("/", "/login", "/nothing", STATIC.address("console.css"))]
        answers.append(await browser.get("/", host="evil.example"))
        for answer in answers:
            policy = answer.headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "frame-ancestors 'none'" in policy
            assert "unsafe" not in policy
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["referrer-policy"] == "same-origin"
            assert answer.headers["strict-transport-security"].startswith("max-age=")
        assert [each.headers["cache-control"] for each in answers[:3]] == ["no-store"] * 3
        assert "immutable" in answers[3].headers["cache-control"]
        assert answers[4].status_code == 421


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 303),
        ({"sec_fetch_site": ""}, 303),
        ({"origin": ""}, 303),
        ({"origin": "", "sec_fetch_site": ""}, 403),
        ({"origin": "https://evil.example", "sec_fetch_site": ""}, 403),
        ({"origin": "null"}, 403),
        ({"origin": f"{URL}.evil.example"}, 403),
        ({"origin": URL.replace("https", "http")}, 403),
        ({"sec_fetch_site": "same-site"}, 403),
        ({"sec_fetch_site": "cross-site"}, 403),
        ({"sec_fetch_site": "none"}, 403),
    ],
)
async def test_a_form_comes_from_a_page_of_ours(bench: Bench, headers: dict[str, str], status: int) -> None:
    async with bench.browser("viewer") as browser:
        fields = {"csrf": await browser.csrf()}
        answer = await browser.post("/logout", fields, **headers)
        assert answer.status_code == status
        if status == 403:
            assert answer.headers["axis-code"] == "console/forged"
            assert (await browser.get("/")).status_code == 200


async def test_a_part_of_a_page_is_refused_in_a_part(bench: Bench) -> None:
    async with bench.browser("viewer") as browser:
        part = await browser.post("/logout", hx_request="true")
        assert (part.status_code, "<html" in part.text, "console/forged" in part.text) == (403, False, True)
        page = (await browser.get("/")).text
        csrf = await browser.csrf()
        assert f"""<body hx-headers:inherited='{{"x-csrf-token": "{csrf}"}}'>""" in page


async def test_a_form_is_of_this_session(bench: Bench) -> None:
    async with bench.browser("viewer") as browser, bench.browser("viewer") as other:
        for csrf in ("", "x" * 64, "0", await other.csrf(), "\N{SNOWMAN}"):
            answer = await browser.post("/logout", {"csrf": csrf})
            assert (answer.status_code, answer.headers["axis-code"]) == (403, "console/forged")
        assert (await browser.post("/logout", {}, x_csrf_token=await browser.csrf())).status_code == 303


async def test_what_is_no_form_is_refused(bench: Bench) -> None:
    async with bench.browser("viewer") as browser:
        own = {"origin": URL, "x-csrf-token": await browser.csrf()}
        plain = {**own, "content-type": "application/x-www-form-urlencoded"}
        big = await browser.client.post("/logout", content=b"a=" + b"x" * 70_000, headers=plain)
        assert (big.status_code, big.headers["axis-code"]) == (413, "console/size")
        many = await browser.client.post("/logout", content=b"a=1&" * 2_000, headers=plain)
        assert many.headers["axis-code"] == "console/form"
        for content in (b"\xff\xfe", b"a=%ff"):
            broken = await browser.client.post("/logout", content=content, headers=plain)
            assert broken.headers["axis-code"] == "console/form"
        other = await browser.client.post("/logout", json={"a": 1}, headers=own)
        assert other.headers["axis-code"] == "console/form"


async def test_strange_fields_are_refused_and_never_a_failure(bench: Bench) -> None:
    async with bench.browser() as browser:
        for content in (
            b"",
            b"login=a&login=b&password=c",
            b"login=%00&password=c",
            b"login=" + b"a" * 300 + b"&password=c",
        ):
            headers = {"origin": URL, "content-type": "application/x-www-form-urlencoded"}
            answer = await browser.client.post("/login", content=content, headers=headers)
            assert answer.headers["axis-code"] == "console/form"
        for login in ("' OR 1=1 --", "<script>alert(1)</script>", "../../etc/passwd", "\ud7ff\uffff", "{{7*7}}"):
            answer = await browser.log_in(login)
            assert answer.headers["axis-code"] == "console/login"
            assert "<script>alert" not in answer.text
            assert "49" not in answer.text.partition('name="login"')[2].partition(">")[0]


async def test_no_path_leads_out_of_the_static_files(bench: Bench) -> None:
    async with bench.browser() as browser:
        for name in ("../console.css", "..%2fapp.py", "%2e%2e/app.py", "vendor/", "/etc/passwd", "vendor/VENDORED.md"):
            assert (await browser.get(f"/static/{name}")).headers["axis-code"] == "http/address"
        styled = await browser.get(STATIC.address("console.css"))
        again = await browser.get(STATIC.address("console.css"), if_none_match=styled.headers["etag"])
        assert (again.status_code, again.content) == (304, b"")
        assert (await browser.get("/static/console.css?v=old")).headers["cache-control"] == "no-cache"


async def test_what_is_not_there_and_what_fails_are_pages_with_a_code(bench: Bench) -> None:
    async with bench.browser("viewer") as browser:
        assert (await browser.get("/nothing")).headers["axis-code"] == "http/address"
        assert (await browser.post("/login/")).headers["axis-code"] == "http/address"
        assert (await browser.client.delete("/login")).headers["axis-code"] == "http/method"
        bench.store.available = False
        away = await browser.get("/")
        assert (away.status_code, away.headers["axis-code"]) == (503, "axis/unavailable")
        assert "the store is away" not in away.text


async def test_a_part_of_a_page_sends_the_whole_page_to_log_in(bench: Bench) -> None:
    async with bench.browser() as browser:
        answer = await browser.get("/", hx_request="true")
        assert (answer.status_code, answer.headers["hx-redirect"]) == (401, "/login")
        changing = await browser.post("/logout")
        assert (changing.status_code, changing.headers["axis-code"]) == (401, "console/session")


async def test_health_is_told_under_any_name_and_says_no_more(bench: Bench) -> None:
    async with bench.browser() as browser:
        assert (await browser.get("/health", host="10.0.0.7:9")).json() == {
            "status": "ready",
            "checks": {"store": "ok"},
        }
    bench = Bench()
    bench.store.available = False
    async with bench.browser() as browser:
        assert (await browser.get("/health")).status_code == 503


async def test_too_many_headers_are_refused(bench: Bench) -> None:
    async with bench.browser() as browser:
        assert (await browser.get("/login", x_much="x" * 20_000)).status_code == 431


def test_loopback_has_its_names_and_a_given_address_only_its_own() -> None:
    assert Origins.of(None, "127.0.0.1", 8443, tls=True).names == {
        "https://127.0.0.1:8443",
        "https://localhost:8443",
    }
    assert Origins.of(None, "10.0.0.5", 80, tls=False).hosts == {"10.0.0.5"}
    assert not Origins.of(None, "127.0.0.1", 8080, tls=False).secure
    given = Origins.of("https://Console.gov.vn/", "127.0.0.1", 8080, tls=False)
    assert given.secure
    assert set(given.hosts) == {"console.gov.vn"}


async def test_passwords_are_checked_beside_each_other(bench: Bench) -> None:
    async with bench.browser() as browser:
        answers = await asyncio.gather(*(browser.log_in("viewer", "not the password") for _ in range(20)))
        assert sorted({each.status_code for each in answers}) == [401, 429]
        assert sum(each.status_code == 401 for each in answers) == 5


async def test_a_page_is_for_its_roles(bench: Bench) -> None:
    async def answer(request: Request, reader: Reader) -> Response:
        return Response(f"{request.method} by {reader.login}")

    own = Bench(pages=(*PAGES, Page("/only", answer, ("GET", "POST"), OPERATORS, "menu.audit")))
    await own.people()
    for login, may in (("agency", False), ("viewer", False), ("operator", True), ("administrator", True)):
        async with own.browser(login) as browser:
            for answered in (await browser.get("/only"), await browser.send("/only")):
                assert (answered.status_code, answered.headers.get("axis-code")) == (
                    (200, None) if may else (403, "console/role")
                )
            assert ('href="/only"' in (await browser.get("/")).text) is may


async def test_every_page_is_asked_for_its_headers_alone(bench: Bench) -> None:
    async with bench.browser("administrator") as browser:
        for page in PAGES:
            if "GET" in page.methods:
                path = re.sub(r"{\w+(:path)?}", "viewer", page.path)
                answer = await browser.client.head(path)
                assert answer.status_code < 500, path


async def test_no_form_of_any_page_is_sent_by_who_may_not(bench: Bench) -> None:
    for login in (Role.VIEWER, Role.AGENCY):
        async with bench.browser(login.value) as browser, bench.browser("administrator") as other:
            csrf, stolen = await browser.csrf(), await other.csrf()
            audited = len(bench.store.audits)
            for page in (each for each in PAGES if "POST" in each.methods):
                path = re.sub(r"{\w+(:path)?}", "viewer", page.path)
                fields = {"login": "evil", "name": "x", "role": "administrator", "id": "x", "act": "drop", "why": "x"}
                # Nothing that another session's form carries is good in this one.
                answers = [await browser.post(path, fields), await browser.post(path, fields | {"csrf": stolen})]
                assert [each.headers["axis-code"] for each in answers] == ["console/forged"] * 2, path
                if login not in page.roles:
                    answer = await browser.post(path, fields | {"csrf": csrf})
                    assert (answer.status_code, answer.headers["axis-code"]) == (403, "console/role"), path
            assert len(bench.store.audits) == audited
