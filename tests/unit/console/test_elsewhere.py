"""Logging in at an OpenID provider: a small one of our own, and what a wrong one may say."""

import base64
import hashlib
import html
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey
from pydantic import SecretStr, ValidationError

from axis.console.access.provider import MOST_BYTES, OpenIdProvider
from axis.core.identity import Provider, role_of
from axis.core.operators import Role
from tests.unit.console.browser import NOON, URL, Bench, Browser, Clock

ISSUER = "https://id.example.gov.vn/realms/vpcp"
BACK = f"{URL}/login/provider/return"
LEFT = f"{URL}/login/provider/left"
END = f"{ISSUER}/logout?ui=vi"
SETTINGS = Provider(
    issuer=ISSUER,
    client_id="axis",
    roles={"groups=ops": "operator", "realm.roles=admin": "administrator", "groups=h37": "agency:000.00.00.H37"},
)
SECRET = "s3cret with : and é"
LAN = {"sub": "f3c1/7", "name": "Nguyễn Thị Lan", "groups": ["staff", "ops"]}


def key_named(kid: str) -> ECKey:
    return ECKey.generate_key("P-256", parameters={"kid": kid})


@dataclass
class Realm:
    """A provider. `wrong`: what its answers say otherwise than they should."""

    key: ECKey = field(default_factory=lambda: key_named("1"))
    person: dict[str, Any] = field(default_factory=lambda: dict(LAN))
    claims: dict[str, Any] = field(default_factory=dict)
    discovery: dict[str, Any] = field(default_factory=dict)
    published: ECKey | None = None
    alg: str = "ES256"
    answer: httpx.Response | Exception | None = None
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def enter(self, address: str) -> str:
        """Log a person in, and return where the browser is sent back to."""
        asked = {name: value[0] for name, value in parse_qs(urlsplit(address).query).items()}
        assert (asked["client_id"], asked["redirect_uri"], asked["response_type"]) == ("axis", BACK, "code")
        assert (asked["code_challenge_method"], asked["scope"]) == ("S256", "openid profile")
        code = f"code-{len(self.codes)}"
        self.codes[code] = asked
        return f"{BACK}?code={code}&state={asked['state']}"

    def leave(self, address: str) -> str:
        """Log a person out, and return where the browser is sent back to: what is registered, and nowhere else."""
        assert address.startswith(END)
        asked = {name: value[0] for name, value in parse_qs(urlsplit(address).query).items()}
        # No ID token goes along: none is kept.
        assert asked.keys() == {"ui", "client_id", "post_logout_redirect_uri", "state"}
        assert (asked["ui"], asked["client_id"], asked["post_logout_redirect_uri"]) == ("vi", "axis", LEFT)
        return f"{LEFT}?state={asked['state']}"

    def serve(self, request: httpx.Request) -> httpx.Response:
        path = str(request.url).removeprefix(ISSUER)
        self.asked.append(path)
        if path == "/token":
            if isinstance(self.answer, Exception):
                raise self.answer
            return self.answer or self._token(request)
        if path == "/keys":
            public = (self.published or self.key).as_dict(private=False)
            return httpx.Response(200, json={"keys": [{"kty": "strange", "kid": "x"}, {**public, "use": "sig"}]})
        assert path == "/.well-known/openid-configuration"
        told = {
            "issuer": ISSUER,
            "authorization_endpoint": f"{ISSUER}/auth?theme=vi",
            "token_endpoint": f"{ISSUER}/token",
            "jwks_uri": f"{ISSUER}/keys",
        }
        return httpx.Response(200, json=told | self.discovery)

    def _token(self, request: httpx.Request) -> httpx.Response:
        form = {name: value[0] for name, value in parse_qs(request.content.decode()).items()}
        asked = self.codes.pop(form["code"], None)
        if asked is None:
            return httpx.Response(400, json={"error": "invalid_grant"})
        pair = base64.b64decode(request.headers["authorization"].removeprefix("Basic ")).decode()
        assert [unquote(each) for each in pair.split(":")] == ["axis", SECRET]
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        assert asked["code_challenge"] == base64.urlsafe_b64encode(digest).decode().rstrip("=")
        assert (form["grant_type"], form["redirect_uri"]) == ("authorization_code", BACK)
        now = int(NOON.timestamp())
        told = {"iss": ISSUER, "aud": "axis", "iat": now, "exp": now + 60, "nonce": asked["nonce"]}
        claims = {name: value for name, value in (told | self.person | self.claims).items() if value is not None}
        return httpx.Response(200, json={"id_token": self._signed(claims), "access_token": "unused"})

    def _signed(self, claims: dict[str, Any]) -> str:
        if self.alg == "none":
            head, body = (base64.urlsafe_b64encode(each).decode().rstrip("=") for each in (b'{"alg":"none"}', b"{}"))
            return f"{head}.{body}."
        if self.alg == "HS256":  # signed with the public key as if it were a secret
            secret = OctKey.import_key(self.key.as_pem(private=False))
            return jwt.encode({"alg": "HS256", "kid": "1"}, claims, secret, algorithms=["HS256"])
        return jwt.encode({"alg": self.alg, "kid": self.key.kid}, claims, self.key)


@pytest.fixture
def realm() -> Realm:
    return Realm()


@pytest.fixture
async def bench(realm: Realm) -> AsyncIterator[Bench]:
    clock = Clock()
    async with httpx.AsyncClient(transport=httpx.MockTransport(realm.serve)) as client:
        yield Bench(clock, provider=OpenIdProvider(SETTINGS, SecretStr(SECRET), client, clock.now))


async def enter(browser: Browser, realm: Realm, to: str = "/audit") -> httpx.Response:
    left = await browser.client.get("/login/provider", params={"to": to})
    assert left.status_code == 303, left.text
    return await browser.client.get(realm.enter(left.headers["location"]), headers={"sec-fetch-site": "cross-site"})


def leads_on(answer: httpx.Response) -> str:
    """Return where a page sends the browser by itself."""
    found = re.search(r'<meta http-equiv="refresh" content="0; url=([^"]+)">', answer.text)
    assert found is not None, answer.text
    return html.unescape(found[1])


async def test_somebody_comes_in_with_the_role_the_provider_says(bench: Bench, realm: Realm) -> None:
    async with bench.browser() as browser:
        assert "/login/provider?to=" in (await browser.get("/login")).text
        entered = await enter(browser, realm)
        assert (entered.status_code, entered.headers["location"]) == (303, "/audit")
        assert "Nguyễn Thị Lan" in (await browser.get("/")).text
        realm.person |= {"groups": [], "realm": {"roles": ["admin", "x"]}}
        assert (await enter(browser, realm)).status_code == 303
        assert (await browser.get("/accounts/oidc:f3c1/7")).status_code == 200
        (account,) = await bench.store.operators.all()
        assert (account.login, account.role, account.issuer) == ("oidc:f3c1/7", Role.ADMINISTRATOR, ISSUER)
        actions = [(actor, action) for actor, action, _, _ in bench.store.audits]
        login = ("oidc:f3c1/7", "console.login")
        assert actions == [("console", "operator.add"), login, ("console", "operator.change"), login]
        assert realm.asked.count("/keys") == 1


async def test_a_closed_account_stays_closed_and_who_has_no_role_stays_out(bench: Bench, realm: Realm) -> None:
    async with bench.browser() as browser:
        realm.person["groups"] = "others"
        assert (await enter(browser, realm)).headers["axis-code"] == "console/provider-role"
        realm.person["groups"] = "ops"
        await enter(browser, realm)
        (account,) = await bench.store.operators.all()
        object.__setattr__(account, "closed_at", NOON)
        assert (await enter(browser, realm)).headers["axis-code"] == "console/login"


async def test_whoever_comes_back_is_who_left(bench: Bench, realm: Realm) -> None:
    async with bench.browser() as browser, bench.browser() as victim:
        left = await browser.get("/login/provider")
        back = realm.enter(left.headers["location"])
        # Somebody is led to log in as another (login CSRF), and a code is used by who did not ask for it.
        assert (await victim.client.get(back)).headers["axis-code"] == "console/forged"
        await victim.get("/login/provider")
        assert (await victim.client.get(back)).headers["axis-code"] == "console/forged"
        assert (await browser.client.get(back)).status_code == 303
        assert (await browser.client.get(back)).headers["axis-code"] == "console/forged"
        for query in ("error=access_denied&error_description=<script>", "code=", "code=" + "x" * 5_000):
            left = await browser.get("/login/provider")
            state = parse_qs(urlsplit(left.headers["location"]).query)["state"][0]
            answer = await browser.client.get(f"{BACK}?state={state}&{query}")
            assert (answer.status_code, answer.headers["axis-code"]) == (502, "console/provider")
            assert "<script>" not in answer.text
        assert (await enter(browser, realm, "//evil.example/")).headers["location"] == "/"


@pytest.mark.parametrize(
    "wrong",
    [
        {"claims": {"iss": "https://other.example"}},
        {"claims": {"aud": "another"}},
        {"claims": {"aud": ["axis", "another"]}},
        {"claims": {"aud": None}},
        {"claims": {"azp": "another"}},
        {"claims": {"nonce": "another"}},
        {"claims": {"nonce": None}},
        {"claims": {"exp": int(NOON.timestamp()) - 300}},
        {"claims": {"exp": "tomorrow"}},
        {"claims": {"iat": int(NOON.timestamp()) - 3_600}},
        {"claims": {"iat": int(NOON.timestamp()) + 3_600}},
        {"claims": {"sub": None}},
        {"claims": {"sub": "x" * 300}},
        {"claims": {"sub": 7}},
        {"alg": "none"},
        {"alg": "HS256"},
        {"published": key_named("1")},
        {"published": key_named("2")},
        {"answer": httpx.Response(200, content=b"x" * (MOST_BYTES + 1))},
        {"answer": httpx.Response(200, content=b"[]")},
        {"answer": httpx.Response(200, content=b"\xff")},
        {"answer": httpx.Response(200, json={"id_token": "a.b.c"})},
        {"answer": httpx.Response(200, json={"access_token": "x"})},
        {"answer": httpx.Response(302, headers={"location": "https://evil.example"})},
        {"answer": httpx.ReadTimeout("slow")},
    ],
    ids=lambda wrong: next(iter(wrong)),  # keys and answers have no words that are the same in every process
)
async def test_no_answer_that_is_wrong_lets_anybody_in(bench: Bench, realm: Realm, wrong: dict[str, Any]) -> None:
    for name, value in wrong.items():
        setattr(realm, name, value)
    async with bench.browser() as browser:
        answer = await enter(browser, realm)
        assert (answer.status_code, answer.headers["axis-code"]) == (502, "console/provider")
        assert (await browser.get("/")).status_code == 303
        assert await bench.store.operators.all() == ()


@pytest.mark.parametrize(
    "discovery",
    [
        {"issuer": "https://other.example"},
        {"token_endpoint": "http://id.example.gov.vn/token"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"jwks_uri": None},
        {"jwks_uri": "https://[::1"},
    ],
    ids=str,
)
async def test_a_provider_that_publishes_nonsense_is_left(
    bench: Bench, realm: Realm, discovery: dict[str, Any]
) -> None:
    realm.discovery = discovery
    async with bench.browser() as browser:
        assert (await browser.get("/login/provider")).headers["axis-code"] == "console/provider"


async def test_logging_out_ends_the_session_at_the_provider_too(bench: Bench, realm: Realm) -> None:
    realm.discovery = {"end_session_endpoint": END}
    async with bench.browser() as browser:
        await enter(browser, realm)
        token = browser.client.cookies["__Host-axis"]
        gone = await browser.send("/logout")
        # Browsers hold what a form is redirected to against the policy's `form-action`: a page leads on.
        assert gone.status_code == 200
        assert "form-action 'self'" in gone.headers["content-security-policy"]
        assert gone.headers["clear-site-data"] == '"cache", "storage"'
        address = leads_on(gone)
        assert f'<a class="button" href="{html.escape(address)}">' in gone.text
        # Another language is another page: this one was a form's answer, and is not there to be asked for.
        assert 'href="/language/en?to=/login"' in gone.text
        # Here it has ended already, wherever the browser goes next.
        browser.client.cookies.set("__Host-axis", token, domain="console.example.gov.vn")
        assert (await browser.get("/")).status_code == 303
        assert bench.store.audits[-1][:3] == ("oidc:f3c1/7", "console.logout", "oidc:f3c1/7")
        back = realm.leave(address)
        done = await browser.client.get(back, headers={"sec-fetch-site": "cross-site"})
        assert done.status_code == 200
        assert "Bạn đã đăng xuất ở đây và ở dịch vụ đăng nhập." in done.text
        # It is said once, and only to the browser that left.
        for path in (back, LEFT, f"{LEFT}?state=", f"{LEFT}?state=%FF%00"):
            answer = await browser.client.get(path)
            assert (answer.status_code, answer.headers["location"]) == (303, "/login")


async def test_who_did_not_log_out_is_not_told_so(bench: Bench, realm: Realm) -> None:
    realm.discovery = {"end_session_endpoint": END}
    async with bench.browser() as browser, bench.browser() as victim:
        await enter(victim, realm)
        await enter(browser, realm)
        back = realm.leave(leads_on(await browser.send("/logout")))
        assert (await victim.client.get(back)).headers["location"] == "/login"
        assert (await victim.get("/")).status_code == 200
        # Coming back from a logout is no login, and the other way round.
        left = await browser.client.get("/login/provider")
        state = parse_qs(urlsplit(left.headers["location"]).query)["state"][0]
        assert (await browser.client.get(f"{LEFT}?state={state}")).headers["location"] == "/login"


@pytest.mark.parametrize("fields", [{}, {"csrf": "0" * 64}], ids=["no field", "another's field"])
async def test_nobody_is_logged_out_by_another_site(bench: Bench, realm: Realm, fields: dict[str, str]) -> None:
    realm.discovery = {"end_session_endpoint": END}
    async with bench.browser() as browser:
        await enter(browser, realm)
        for answer in (
            await browser.post("/logout", fields),
            await browser.post("/logout", {"csrf": await browser.csrf()}, sec_fetch_site="cross-site", origin=ISSUER),
            await browser.get("/logout"),
        ):
            assert answer.status_code in {403, 405}
            assert ISSUER not in answer.text
        assert (await browser.get("/")).status_code == 200


@pytest.mark.parametrize(
    ("discovery", "says"),
    [
        ({}, "Phiên ở dịch vụ đó vẫn còn"),
        ({"end_session_endpoint": "javascript:alert(1)"}, "không cho biết địa chỉ đăng xuất"),
        ({"end_session_endpoint": "http://id.example.gov.vn/logout"}, "không cho biết địa chỉ đăng xuất"),
        ({"end_session_endpoint": 7}, "không cho biết địa chỉ đăng xuất"),
        ({"issuer": "https://other.example"}, "không trả lời đúng"),
    ],
    ids=str,
)
async def test_a_session_that_goes_on_at_the_provider_is_told(
    bench: Bench, realm: Realm, discovery: dict[str, Any], says: str
) -> None:
    async with bench.browser() as browser:
        if "issuer" in discovery:
            await enter(browser, realm)
            bench.clock.pass_by(minutes=11)  # what it publishes is asked for again
        realm.discovery = discovery
        if "issuer" not in discovery:
            await enter(browser, realm)
        gone = await browser.send("/logout")
        assert (gone.status_code, says in gone.text, 'http-equiv="refresh"' in gone.text) == (200, True, False)
        assert (await browser.get("/")).status_code == 303
        assert "javascript:" not in gone.text


async def test_a_session_of_another_provider_is_not_ended_at_this_one(bench: Bench, realm: Realm) -> None:
    realm.discovery = {"end_session_endpoint": END}
    async with bench.browser() as browser:
        await enter(browser, realm)
        (account,) = await bench.store.operators.all()
        object.__setattr__(account, "issuer", "https://earlier.example")
        assert "Phiên ở dịch vụ đó vẫn còn" in (await browser.send("/logout")).text


async def test_who_typed_a_password_is_led_nowhere(bench: Bench, realm: Realm) -> None:
    realm.discovery = {"end_session_endpoint": END}
    await bench.people()
    async with bench.browser("viewer") as browser:
        gone = await browser.send("/logout")
        assert (gone.status_code, gone.headers["location"]) == (303, "/login")
        assert realm.asked == []


async def test_new_keys_of_the_provider_are_asked_for(bench: Bench, realm: Realm) -> None:
    async with bench.browser() as browser:
        await enter(browser, realm)
        realm.key = key_named("2")
        assert (await enter(browser, realm)).status_code == 303
        assert realm.asked.count("/keys") == 2


async def test_without_a_provider_there_is_no_such_page() -> None:
    async with Bench().browser() as browser:
        assert "/login/provider" not in (await browser.get("/login")).text
        for path in ("/login/provider", "/login/provider/return?code=x&state=y", "/login/provider/left?state=y"):
            assert (await browser.get(path)).headers["axis-code"] == "http/address"


@pytest.mark.parametrize(
    ("claims", "role"),
    [
        ({"groups": ["ops", "h37"]}, (Role.OPERATOR, None)),
        ({"groups": "h37"}, (Role.AGENCY, "H37")),
        ({"groups": ["ops"], "realm": {"roles": ["admin"]}}, (Role.ADMINISTRATOR, None)),
        ({"realm.roles": ["admin"]}, (Role.ADMINISTRATOR, None)),
        ({"groups": {"ops": True}}, None),
        ({"groups": [["ops"]], "realm": "admin"}, None),
        ({}, None),
    ],
)
def test_claims_give_roles(claims: dict[str, object], role: tuple[Role, str | None] | None) -> None:
    assert role_of(claims, SETTINGS) == role


def test_two_agencies_at_once_are_none() -> None:
    both = SETTINGS.model_copy(update={"roles": {"g=a": "agency:H37", "g=b": "agency:G22"}})
    assert role_of({"g": ["a", "b"]}, both) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"roles": {}},
        {"roles": {"groups": "viewer"}},
        {"roles": {"g=x": "root"}},
        {"roles": {"g=x": "agency"}},
        {"roles": {"g=x": "agency:?"}},
        {"issuer": "ftp://x"},
    ],
)
def test_settings_that_cannot_work_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Provider(**{**SETTINGS.model_dump(), **wrong})
