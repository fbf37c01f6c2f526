"""A console in this process on a store in memory, and a browser that keeps cookies and sends what browsers send."""

import datetime as dt
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
from pydantic import SecretStr

from axis.console import Desk, Page, create_app
from axis.console.access.passwords import Passwords
from axis.console.access.provider import OpenIdProvider
from axis.console.guarding import Origins
from axis.console.live import Streams
from axis.console.pages import PAGES
from axis.core.operators import Operator, Role
from axis.settings import Settings
from axis.store import FakeStore

URL = "https://console.example.gov.vn"
PASSWORD = "mật khẩu đủ dài 1"
CHEAP = Passwords(memory_kib=8, passes=1, lanes=1)  # what is tested is not how slow it is
NOON = dt.datetime(2026, 11, 27, 5, 0, tzinfo=dt.UTC)
SETTINGS = Settings(
    amqp_url=SecretStr("amqp://a:b@127.0.0.1/"),
    rabbitmq_api_url=SecretStr("http://a:b@127.0.0.1:1"),
    database_url=SecretStr("postgresql://a:b@127.0.0.1/x"),
    console_url=URL,
)


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

    moment: dt.datetime = NOON

    def now(self) -> dt.datetime:
        return self.moment

    def pass_by(self, **time: float) -> None:
        self.moment += dt.timedelta(**time)


@dataclass
class Bench:
    """A console and what it works with."""

    clock: Clock = field(default_factory=Clock)
    settings: Settings = SETTINGS
    pages: Sequence[Page] = PAGES
    provider: OpenIdProvider | None = None

    def __post_init__(self) -> None:
        self.store = FakeStore(self.clock.now)
        self.streams = Streams(heartbeat_seconds=0.05)
        self.desk = Desk(
            self.store,
            self.settings,
            self.clock.now,
            provider=self.provider,
            passwords=CHEAP,
            streams=self.streams,
        )
        self.app = create_app(self.desk, Origins.of(self.settings.console_url, "127.0.0.1", 1, tls=False), self.pages)

    async def people(self) -> None:
        """Make an account for each role, named as the role."""
        for role in Role:
            code = "H37" if role is Role.AGENCY else None
            person = Operator(role.value, f"Người {role.value}", role, code)
            assert await self.store.operators.add(person, CHEAP.hash(PASSWORD), by="test")

    @asynccontextmanager
    async def browser(self, login: str | None = None) -> AsyncIterator["Browser"]:
        """Open a browser, logged in as somebody."""
        transport = httpx.ASGITransport(self.app, client=("192.0.2.7", 40_000))
        async with httpx.AsyncClient(transport=transport, base_url=self.settings.console_url or URL) as client:
            browser = Browser(client)
            if login is not None:
                assert (await browser.log_in(login)).status_code == 303
            yield browser


@dataclass
class Browser:
    """What somebody does in a browser."""

    client: httpx.AsyncClient

    async def get(self, path: str, **headers: str) -> httpx.Response:
        return await self.client.get(path, headers={"sec-fetch-site": "same-origin", **_hyphened(headers)})

    async def post(
        self, path: str, fields: Mapping[str, str | Sequence[str]] | None = None, **headers: str
    ) -> httpx.Response:
        """Send a form as from one of the console's own pages, with the field that proves it where one is known."""
        sent = {"origin": str(self.client.base_url).rstrip("/"), "sec-fetch-site": "same-origin", **_hyphened(headers)}
        return await self.client.post(path, data=fields or {}, headers={k: v for k, v in sent.items() if v})

    async def log_in(self, login: str, password: str = PASSWORD, to: str = "/") -> httpx.Response:
        return await self.post("/login", {"login": login, "password": password, "to": to})

    async def csrf(self) -> str:
        """Read what the forms of this session carry."""
        found = re.search(r'name="csrf" value="([0-9a-f]{64})"', (await self.get("/password")).text)
        assert found is not None
        return found[1]

    async def send(self, path: str, **fields: str) -> httpx.Response:
        """Fill in and send a form of this session."""
        return await self.post(path, {"csrf": await self.csrf(), **fields})


def _hyphened(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}
