"""The herald before servers that are not who they say: nothing is told, the call waits, is set aside, is seen."""

import asyncio
import datetime as dt
import html
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import structlog

from axis.core.webhooks import Call, CallState
from axis.outside import Destinations
from axis.trust import Authority
from axis.trust.authority import Issued
from schemas.reasons import REASONS
from tests.authority import TestAuthority, pem_of
from tests.handshakes import server_side
from tests.tls_peers import impostor
from tests.unit.console.browser import Bench
from tests.unit.workers.targets import LOOPBACK, answer, target
from tests.unit.workers.test_herald import Desk
from workers.posting import posting

NOW = dt.datetime.now(dt.UTC)
HEADERS = {"axis-id": "1"}


@dataclass(frozen=True, slots=True)
class Servers:
    """Certificates of servers by what is wrong with them, and the authority that is trusted."""

    ca: Path
    issued: dict[str, Issued]

    def tls(self, name: str) -> Any:
        issued = self.issued[name]
        return server_side(issued.certificate, issued.key)


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Servers:
    folder = tmp_path_factory.mktemp("servers")
    trusted = Authority.create(folder / "pki", NOW - dt.timedelta(days=100))
    stranger = Authority.create(folder / "other", NOW)
    here = ("127.0.0.1",)
    issued = {
        "right": trusted.issue("server", "right", hosts=here, now=NOW),
        "named": trusted.issue("server", "named", hosts=("nhan.gov.vn",), now=NOW),
        "expired": trusted.issue("server", "expired", hosts=here, now=NOW - dt.timedelta(days=90), days=30),
        "stranger": stranger.issue("server", "right", hosts=here, now=NOW),
    }
    own = TestAuthority(at=NOW).root
    issued["self-signed"] = replace(issued["right"], key=folder / "own.key", certificate=folder / "own.pem")
    issued["self-signed"].key.write_bytes(pem_of(own.key))
    issued["self-signed"].certificate.write_bytes(own.pem)
    return Servers(trusted.ca, issued)


WRONG = [
    ("self-signed", "tls/server-authority", "cơ quan cấp không được tin cậy"),
    ("stranger", "tls/server-authority", "cơ quan cấp không được tin cậy"),
    ("named", "tls/server-name", "mang tên khác"),
    ("expired", "tls/server-expired", "không có hiệu lực vào lúc này"),
]


@pytest.mark.parametrize(("which", "code", "said"), WRONG, ids=[which for which, *_ in WRONG])
async def test_a_target_with_a_wrong_certificate_is_told_nothing_until_it_is_right(
    servers: Servers, which: str, code: str, said: str
) -> None:
    desk = Desk(structlog.get_logger())
    async with impostor(servers.issued[which]) as port:
        targets = Destinations(LOOPBACK, (port,))
        async with posting(targets, servers.ca) as post:
            desk.herald._post = post
            webhook = await desk.add("G22", f"https://127.0.0.1:{port}/hook")
            desk.feed.happen("status")
            assert await desk.work() == 1
            (waiting,) = (await desk.left(webhook)).latest
            assert (waiting.reason, waiting.state, waiting.attempts) == (code, CallState.WAITING, 1)
            assert waiting.told.startswith(f"{code}: the webhook: ")
            assert waiting.due_at == desk.at + dt.timedelta(minutes=1)
            # It is tried again, for three days; then it is set aside, and is there to be seen.
            while (await desk.left(webhook)).waiting:
                desk.at = (await desk.left(webhook)).latest[0].due_at
                assert await desk.work() == 1
    (dead,) = (await desk.left(webhook)).latest
    assert (dead.reason, dead.state) == (code, CallState.DEAD)
    assert dead.attempts > 15
    page = await shown(desk, dead)
    assert "bị để riêng" in page
    assert said in page
    assert f"{code}: the webhook: " in page
    # The agency has put it right: the same call is made.
    assert await desk.store.requeue(webhook.id, desk.at) == 1
    async with (
        target(answer(b"204 No Content"), tls=servers.tls("right")) as (url, targets, requests),
        posting(targets, servers.ca) as post,
    ):
        desk.herald._post = lambda _, body, headers: post(url, body, headers)
        assert await desk.work() == 1
    assert dead.id.encode() in requests[0]
    assert (await desk.left(webhook)).latest == ()


async def shown(desk: Desk, call: Call) -> str:
    """Return what an operator reads on the page of webhooks."""
    bench = Bench()
    await bench.people()
    (webhook,) = await desk.store.webhooks()
    await bench.store.webhooks.put(webhook, 5)
    await bench.store.webhooks.advance(webhook.id, webhook.cursor, call)
    async with bench.browser("operator") as browser:
        page = (await browser.get("/webhooks")).text
        await browser.get("/language/en")
        assert call.reason is not None
        assert REASONS[call.reason].title in html.unescape((await browser.get("/webhooks")).text)
    return " ".join(html.unescape(re.sub("<[^>]+>", " ", page)).split())


async def test_the_name_of_the_address_is_what_counts_and_not_the_machine_it_leads_to(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with target(answer(b"204 No Content"), tls=servers.tls("named")) as (url, targets, requests):
        port = next(iter(targets.ports))

        async def resolve(*_: object, **__: object) -> list[Any]:
            return [(2, 1, 6, "", ("127.0.0.1", port))]

        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolve)
        async with posting(targets, servers.ca) as post:
            assert await post(f"https://nhan.gov.vn:{port}/hook", b"{}", HEADERS) is None
            for other in (url, f"https://khac.gov.vn:{port}/hook"):
                assert (await post(other, b"{}", HEADERS) or "").startswith("tls/server-name: the webhook: ")
    assert len(requests) == 1
    assert f"\r\nhost: nhan.gov.vn:{port}\r\n".encode() in requests[0].lower()


@pytest.mark.parametrize("status", [b"301 Moved", b"302 Found", b"303 See Other", b"307 Temporary", b"308 Permanent"])
async def test_a_redirect_to_inside_the_network_is_not_followed(servers: Servers, status: bytes) -> None:
    """Neither over TLS nor without, although both places would be allowed if they were asked for themselves."""
    async with (
        target(answer(b"200 OK")) as (plain, _, asked),
        target(answer(b"200 OK"), tls=servers.tls("right")) as (inside, _, asked_too),
    ):
        for place in (plain, inside, "https://10.0.0.5/", "//169.254.169.254/latest/meta-data", "/again"):
            away = answer(status, b"location: " + place.encode())
            async with target(away, tls=servers.tls("right")) as (url, targets, requests):
                everywhere = replace(targets, ports=range(1, 65_536))
                async with posting(everywhere, servers.ca) as post:
                    assert await post(url, b"{}", HEADERS) == f"it answers {status.split()[0].decode()}"
                assert len(requests) == 1
        assert asked == asked_too == []


async def test_a_server_without_tls_or_with_an_old_one_is_told_nothing(servers: Servers) -> None:
    async with impostor(None) as port, posting(Destinations(LOOPBACK, (port,)), servers.ca) as post:
        told = await post(f"https://127.0.0.1:{port}/", b"{}", HEADERS)
        assert told is not None
        assert told.startswith("tls/")
    async with (
        impostor(servers.issued["right"], old=True) as port,
        posting(Destinations(LOOPBACK, (port,)), servers.ca) as post,
    ):
        told = await post(f"https://127.0.0.1:{port}/", b"{}", HEADERS)
        assert told is not None
        assert told.startswith("tls/")
