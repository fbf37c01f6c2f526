"""One attempt at a webhook: only where it may lead, only so long, and nothing is followed or read."""

import asyncio
import ipaddress
import socket
import threading
from dataclasses import replace
from typing import Any

import httpx
import pytest

from axis.errors import Refused
from axis.outside import Destinations
from tests.unit.workers.targets import LOOPBACK, answer, target
from workers.posting import Poster, posting

HEADERS = {"axis-id": "1"}
INSIDE = "webhook/address: the name leads inside the network"


async def test_a_body_is_posted_with_its_headers() -> None:
    async with target(answer(b"204 No Content")) as (url, targets, requests), posting(targets) as post:
        assert await post(url, b"{}", HEADERS) is None
    assert requests[0].startswith(b"POST /hook HTTP/1.1")
    assert requests[0].endswith(b"{}")
    assert b"axis-id: 1" in requests[0].lower()
    assert b"authorization" not in requests[0].lower()


@pytest.mark.parametrize("status", [b"301 Moved", b"307 Temporary Redirect", b"404 Not Found", b"500 Oh"])
async def test_anything_but_2xx_is_a_failure_and_nothing_is_followed(status: bytes) -> None:
    async with target(answer(b"200 OK")) as (inside, _, asked):
        away = answer(status, b"location: " + inside.encode())
        async with target(away) as (url, targets, _), posting(targets) as post:
            assert await post(url, b"{}", HEADERS) == f"it answers {status.split()[0].decode()}"
        assert asked == []


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200", b"HTTP/1.1 200 OK\r\nx: " + b"x" * 70_000])
async def test_a_target_that_hangs_is_given_up(said: bytes) -> None:
    async with target(said, hangs=True) as (url, targets, _), posting(targets) as post:
        assert await replace(post, deadline=0.3)(url, b"{}", HEADERS) is not None


async def test_an_answer_without_end_is_not_read() -> None:
    endless = b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n"
    async with target(endless, hangs=True) as (url, targets, _), posting(targets) as post:
        assert await post(url, b"{}", HEADERS) is None


async def test_what_is_no_http_or_refuses_is_a_failure() -> None:
    async with target(b"\x00\x01 no http\r\n\r\n") as (url, targets, _), posting(targets) as post:
        assert "Error" in (await post(url, b"{}", HEADERS) or "")
    async with posting(targets) as post:
        assert "Error" in (await post(url, b"{}", HEADERS) or "")


async def test_a_name_that_leads_inside_since_is_not_called(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looked up anew each time, and connected to what was looked at (DNS rebinding)."""
    answers = ["93.184.216.34", "10.0.0.5"]
    seen: list[httpx.Request] = []

    async def resolve(*_: Any, **__: Any) -> list[Any]:
        return [(2, 1, 6, "", (answers.pop(0), 443))]

    def transport(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(204)

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolve)
    async with httpx.AsyncClient(transport=httpx.MockTransport(transport), trust_env=False) as client:
        post = Poster(client, Destinations())
        assert await post("https://x.gov.vn/", b"{}", HEADERS) is None
        assert await post("https://x.gov.vn/", b"{}", HEADERS) == INSIDE
    assert [str(request.url) for request in seen] == ["https://93.184.216.34/"]


async def test_names_that_nobody_answers_for_keep_no_other_from_being_looked_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    end = threading.Event()

    def resolve(host: str, *_: Any, **__: Any) -> list[Any]:
        if host.startswith("silent"):
            end.wait(60)
        return [(2, 1, 6, "", ("10.0.0.5", 443))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    try:
        async with posting(Destinations()) as post, asyncio.TaskGroup() as group:
            hasty = replace(post, deadline=0.01)
            silent = [group.create_task(hasty(f"https://silent{n}.gov.vn/", b"{}", HEADERS)) for n in range(100)]
            assert await post("https://x.gov.vn/", b"{}", HEADERS) == INSIDE
            assert {await each for each in silent} == {"no answer within 0.01 s"}
    finally:
        end.set()


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://x.gov.vn/", "only https"),
        ("http://10.0.0.5/", "only https"),
        ("http://localhost/", "only https"),  # a name is whatever somebody says it is
        ("ftp://x.gov.vn/", "only http"),
        ("https:///x", "only http"),
        ("https://user:secret@x.gov.vn/", "without a user"),
        ("https://x.gov.vn:22/", "port 22 is none of 443"),
        ("https://x.gov.vn:0/", "no port 0"),
        ("https://10.0.0.5/", "inside the network"),
        ("https://[::ffff:10.0.0.5]/", "inside the network"),
        ("https://[fd00::1]/", "inside the network"),
        ("https://169.254.169.254/latest/meta-data", "inside the network"),
        ("https://x.gov.vn/#a", "without #"),
        ("https://x.gov.vn/ a", "without spaces"),
        ("https://văn-bản.gov.vn/", "ASCII"),
        ("https://exa mple/", ""),
        ("", "only http"),
    ],
)
def test_an_address_that_is_not_called_is_refused_at_once(url: str, told: str) -> None:
    with pytest.raises(Refused) as caught:
        Destinations().check(url)
    assert caught.value.code == "webhook/address"
    assert told in caught.value.detail
    assert "secret" not in caught.value.detail


def test_what_is_allowed_is_taken() -> None:
    assert str(Destinations().check("https://x.gov.vn/a?b=c")) == "https://x.gov.vn/a?b=c"
    inside = Destinations([ipaddress.ip_network("10.0.0.0/8")], (443, 8443))
    assert inside.check("https://10.0.0.5:8443/").port == 8443
    assert Destinations(LOOPBACK, (80,)).check("http://127.0.0.1/").host == "127.0.0.1"
    with pytest.raises(Refused, match="only https"):
        Destinations([ipaddress.ip_network("10.0.0.0/8")], (80,)).check("http://10.0.0.5/")


@pytest.mark.parametrize(
    "host", ["2130706433", "0x7f000001", "0x7f.1", "127.1", "017700000001", "0", "2852039166", "169.254.43518"]
)
async def test_a_number_that_the_system_takes_for_an_address_inside_is_one(host: str) -> None:
    async with posting(Destinations()) as post:
        assert await post(f"https://{host}/", b"{}", HEADERS) == INSIDE


async def test_a_setting_that_has_become_stricter_counts_for_what_was_added_before() -> None:
    async with posting(Destinations()) as post:
        assert await post("https://10.0.0.5/", b"{}", HEADERS) == "webhook/address: 10.0.0.5 is inside the network"
