"""Logging in and out, and what comes with a session."""

import pytest

from axis.console.access.sessions import digest
from axis.core.operators import Operator, Role
from tests.unit.console.browser import CHEAP, PASSWORD, URL, Bench

COOKIE = "__Host-axis"


@pytest.fixture
async def bench() -> Bench:
    made = Bench()
    await made.people()
    return made


async def test_who_is_not_logged_in_is_sent_to_log_in_and_back(bench: Bench) -> None:
    async with bench.browser() as browser:
        asked = await browser.get("/?q=1")
        assert (asked.status_code, asked.headers["location"]) == (303, "/login?to=%2F%3Fq%3D1")
        entered = await browser.log_in("viewer", to="/?q=1")
        assert (entered.status_code, entered.headers["location"]) == (303, "/?q=1")
        cookie = entered.headers["set-cookie"]
        assert cookie.startswith(f"{COOKIE}=")
        assert {"HttpOnly", "Secure", "SameSite=lax", "Path=/"} <= set(cookie.split("; "))
        page = await browser.get("/")
        assert (page.status_code, "Người viewer" in page.text, 'lang="vi"' in page.text) == (200, True, True)
        assert [audit[:2] for audit in bench.store.audits[-1:]] == [("viewer", "console.login")]


@pytest.mark.parametrize(("login", "password"), [("viewer", "falsch falsch"), ("nobody", PASSWORD), ("viewer", " ")])
async def test_a_wrong_login_is_told_nothing(bench: Bench, login: str, password: str) -> None:
    async with bench.browser() as browser:
        refused = await browser.log_in(login, password)
        assert (refused.status_code, refused.headers["axis-code"]) == (401, "console/login")
        assert "set-cookie" not in refused.headers


async def test_a_session_of_before_is_not_taken_over(bench: Bench) -> None:
    async with bench.browser() as browser:
        fixed = "A" * 43
        browser.client.cookies.set(COOKIE, fixed, domain="console.example.gov.vn")
        assert (await browser.log_in("viewer")).status_code == 303
        assert browser.client.cookies[COOKIE] != fixed
        first = browser.client.cookies[COOKIE]
        await browser.log_in("operator")
        assert await bench.store.operators.session(digest(first), bench.clock.now()) is None


async def test_a_cookie_opens_nothing_after_logging_out(bench: Bench) -> None:
    async with bench.browser("viewer") as browser:
        stolen = browser.client.cookies[COOKIE]
        assert (await browser.send("/logout")).headers["location"] == "/login"
        browser.client.cookies.set(COOKIE, stolen, domain="console.example.gov.vn")
        assert (await browser.get("/")).status_code == 303


@pytest.mark.parametrize(("idle", "fine"), [({"minutes": 29}, True), ({"minutes": 30}, False)])
async def test_an_idle_session_ends(bench: Bench, idle: dict[str, float], fine: bool) -> None:
    async with bench.browser("viewer") as browser:
        bench.clock.pass_by(**idle)
        assert ((await browser.get("/")).status_code == 200) is fine


async def test_no_session_lasts_longer_than_twelve_hours(bench: Bench) -> None:
    async with bench.browser("viewer") as browser:
        for _ in range(24):
            bench.clock.pass_by(minutes=29)
            assert (await browser.get("/")).status_code == 200
        bench.clock.pass_by(minutes=29)
        assert (await browser.get("/")).status_code == 303


async def test_guesses_wait_longer_and_longer_whether_the_account_exists_or_not(bench: Bench) -> None:
    async with bench.browser() as browser:
        for login in ("viewer", "nobody"):
            for _ in range(5):
                assert (await browser.log_in(login, "not the password")).status_code == 401
            locked = await browser.log_in(login)
            assert (locked.status_code, locked.headers["axis-code"]) == (429, "console/locked")
            assert locked.headers["retry-after"] == "1"
        bench.clock.pass_by(seconds=1)
        assert (await browser.log_in("viewer", "wrong again and again")).status_code == 401
        assert (await browser.log_in("viewer")).headers["retry-after"] == "2"
        told = [
            (subject, detail["failures"]) for _, action, subject, detail in bench.store.audits if "locked" in action
        ]
        assert told == [("viewer", 5), ("unknown", 5), ("viewer", 6)]
        bench.clock.pass_by(seconds=2)
        assert (await browser.log_in("viewer")).status_code == 303
        assert (await browser.log_in("viewer", "not the password")).status_code == 401


async def test_a_new_password_ends_every_session(bench: Bench) -> None:
    async with bench.browser("viewer") as here, bench.browser("viewer") as there:
        refused = await here.send(
            "/password", present="not this one", new="ein neues Passwort", again="ein neues Passwort"
        )
        assert (refused.status_code, refused.headers["axis-code"]) == (403, "console/login")
        for new, again in (("kurz", "kurz"), ("a" * 20, "a" * 20), ("ein neues Passwort", "ein anderes")):
            refused = await here.send("/password", present=PASSWORD, new=new, again=again)
            assert (refused.status_code, refused.headers["axis-code"]) == (400, "console/password")
        changed = await here.send("/password", present=PASSWORD, new="ein neues Passwort", again="ein neues Passwort")
        assert changed.headers["location"] == "/login?changed"
        assert [(await each.get("/")).status_code for each in (here, there)] == [303, 303]
        assert (await there.log_in("viewer")).status_code == 401
        assert (await there.log_in("viewer", "ein neues Passwort")).status_code == 303


async def test_a_password_for_once_leads_to_a_new_one(bench: Bench) -> None:
    await bench.store.operators.set_password("viewer", bench.desk.passwords.hash(PASSWORD), temporary=True, by="test")
    async with bench.browser() as browser:
        assert (await browser.log_in("viewer", to="/")).headers["location"] == "/password"
        assert (await browser.get("/")).headers["location"] == "/password"
        await browser.send("/password", present=PASSWORD, new="ein neues Passwort", again="ein neues Passwort")
        assert (await browser.log_in("viewer", "ein neues Passwort")).headers["location"] == "/"


async def test_a_closed_account_is_out_at_once(bench: Bench) -> None:
    async with bench.browser("viewer") as browser:
        closed = Operator("viewer", "Người viewer", Role.VIEWER, closed_at=bench.clock.now())
        await bench.store.operators.change(closed, by="test")
        assert (await browser.get("/")).status_code == 303
        assert (await browser.log_in("viewer")).status_code == 401


@pytest.mark.parametrize(
    "to",
    ["//evil.example/", "/\\evil.example", "https://evil.example", "/\t/evil.example", "javascript:alert(1)", "/" * 3],
)
async def test_nobody_is_led_away_after_logging_in(bench: Bench, to: str) -> None:
    async with bench.browser() as browser:
        assert (await browser.log_in("viewer", to=to)).headers["location"] == "/"
        assert (await browser.client.get("/language/en", params={"to": to})).headers["location"] == "/"
        assert (await browser.client.get("/login", params={"to": to})).headers["location"] == "/"


async def test_a_language_is_remembered(bench: Bench) -> None:
    async with bench.browser("viewer") as browser:
        assert (await browser.get("/language/en?to=/")).status_code == 303
        assert 'lang="en"' in (await browser.get("/")).text
        await browser.get("/language/vi?to=/")
        assert 'lang="vi"' in (await browser.get("/")).text
        assert (await browser.get("/language/xx?to=/")).headers["axis-code"] == "http/address"


async def _guess(bench: Bench, login: str) -> None:
    """Guess as one who tries the moment each wait is over, and has just done so."""
    async with bench.browser() as stranger:
        for _ in range(20):
            while (guessed := await stranger.log_in(login, "not the password")).status_code == 429:
                bench.clock.pass_by(seconds=int(guessed.headers["retry-after"]))


async def test_nobody_is_kept_out_for_ever_by_strangers_who_guess(bench: Bench) -> None:
    async with bench.browser("administrator") as browser, bench.browser() as elsewhere:
        await browser.send("/logout")
        await _guess(bench, "administrator")
        assert (await elsewhere.log_in("administrator")).headers["axis-code"] == "console/locked"
        assert (await browser.log_in("administrator")).status_code == 303
        # Nor from choosing another password, after which this browser is known as before.
        await _guess(bench, "administrator")
        await browser.log_in("administrator")
        changed = await browser.send(
            "/password", present=PASSWORD, new="ein neues Passwort", again="ein neues Passwort"
        )
        assert changed.headers["location"] == "/login?changed"
        await _guess(bench, "administrator")
        assert (await browser.log_in("administrator", "ein neues Passwort")).status_code == 303
        assert (await elsewhere.log_in("administrator", "ein neues Passwort")).status_code == 429


async def test_a_known_browser_guesses_no_more_often_than_a_stranger(bench: Bench) -> None:
    async with bench.browser("viewer") as browser:
        await browser.send("/logout")
        for _ in range(5):
            assert (await browser.log_in("viewer", "not the password")).status_code == 401
        assert (await browser.log_in("viewer")).headers["axis-code"] == "console/locked"
        assert (await browser.log_in("operator")).status_code == 303  # it is a stranger to others, and counts there
        subjects = [subject for _, action, subject, _ in bench.store.audits if "locked" in action]
        assert subjects == ["viewer"]
        async with bench.browser() as elsewhere:
            assert (await elsewhere.log_in("viewer")).status_code == 303


@pytest.mark.parametrize("forged", ["", "x", ".", "x.", "é.é", "a" * 5000, "of another account", "of before"])
async def test_no_browser_is_known_by_what_it_makes_up(bench: Bench, forged: str) -> None:
    async with bench.browser("viewer") as browser:
        (name,) = [each for each in browser.client.cookies if "known" in each]
        value = browser.client.cookies[name]
        await browser.log_in("operator")
        (other,) = [each for each in browser.client.cookies if "known" in each and each != name]
    if forged == "of before":
        await bench.store.operators.set_password("viewer", CHEAP.hash(PASSWORD), temporary=False, by="test")
    else:
        value = browser.client.cookies[other] if forged == "of another account" else forged
    await _guess(bench, "viewer")
    async with bench.browser() as browser:
        headers = [(b"origin", URL.encode()), (b"cookie", f"{name}={value}".encode("latin-1"))]
        fields = {"login": "viewer", "password": PASSWORD}
        sent = await browser.client.post("/login", data=fields, headers=headers)
        assert sent.headers["axis-code"] == "console/locked"


async def test_who_finds_a_browser_left_open_guesses_only_so_often(bench: Bench) -> None:
    wrong = {"present": "not this one", "new": "ein neues Passwort", "again": "ein neues Passwort"}
    async with bench.browser("viewer") as browser:
        for _ in range(5):
            assert (await browser.send("/password", **wrong)).headers["axis-code"] == "console/login"
        refused = await browser.send("/password", **wrong | {"present": PASSWORD})
        assert (refused.status_code, refused.headers["axis-code"]) == (429, "console/locked")
