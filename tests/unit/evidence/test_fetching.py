"""Fetching from addresses that somebody else has chosen: only what may be reached, only so much, only so long."""

import asyncio
import contextlib
import ipaddress
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest

from axis.evidence import Fetcher, NotFetched, fetching
from axis.outside import is_outside

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def server(answer: bytes, *, then: asyncio.Event | None = None) -> AsyncIterator[tuple[str, list[bytes]]]:
    """Answer every request with these bytes, and wait for `then` before closing; yield the address and what came."""
    requests: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            (int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
        )
        requests.append(head + await reader.readexactly(length))
        writer.write(answer)
        with contextlib.suppress(ConnectionError):
            await writer.drain()
            if then is not None:
                await then.wait()
        writer.close()

    running = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with running:
        yield f"http://127.0.0.1:{running.sockets[0].getsockname()[1]}/x.crl?n=1", requests


def ok(body: bytes, *headers: bytes) -> bytes:
    return b"\r\n".join([b"HTTP/1.1 200 OK", b"content-length: %d" % len(body), *headers, b"", body])


async def refused(fetch: Fetcher, url: str, body: bytes | None = None) -> str:
    with pytest.raises(NotFetched) as caught:
        await fetch(url, body)
    return caught.value.detail


async def test_a_list_is_got_and_a_question_is_posted() -> None:
    async with server(ok(b"list")) as (url, requests), fetching(["127.0.0.1"]) as fetch:
        assert await fetch(url, None) == b"list"
        assert await fetch(url, b"asked") == b"list"
    got, posted = requests
    assert got.startswith(b"GET /x.crl?n=1 HTTP/1.1")
    assert b"authorization" not in got.lower()
    assert posted.startswith(b"POST ")
    assert posted.endswith(b"asked")
    assert b"application/ocsp-request" in posted


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/x",
        "http://localhost:15672/api/users",
        "http://[::1]/x",
        "http://[::ffff:127.0.0.1]/x",
        "http://10.0.0.5/x",
        "http://192.168.1.1/x",
        "http://169.254.169.254/latest/meta-data",  # where clouds keep credentials
        "http://0.0.0.0/x",
        "http://2130706433/x",  # 127.0.0.1 in one number
        "http://0x7f.1/x",
        "http://[fd00::1]/x",
        "http://[64:ff9b::7f00:1]/x",  # 127.0.0.1 behind NAT64
        "http://[2002:7f00:1::]/x",  # 127.0.0.1 by 6to4
    ],
)
async def test_nothing_inside_the_network_is_asked(url: str) -> None:
    async with fetching() as fetch:
        told = await refused(fetch, url)
    assert "inside the network" in told
    assert "AXIS_EVIDENCE_HOSTS" in told


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://127.0.0.1/x",
        "http:///x",
        "http://user:secret@127.0.0.1/x",
        "gopher://127.0.0.1/x",
        "http://127.0.0.1:99999/x",
        "http://" + "a" * 300 + ".vn/x",
        "http://exa mple/x",
        "",
    ],
)
async def test_an_address_that_is_none_is_refused(url: str) -> None:
    async with fetching(["127.0.0.1"]) as fetch:
        await refused(fetch, url)


async def test_redirects_are_not_followed() -> None:
    async with server(ok(b"secret")) as (inside, asked):
        away = b"HTTP/1.1 302 Found\r\nlocation: " + inside.encode() + b"\r\ncontent-length: 0\r\n\r\n"
        async with server(away) as (url, _), fetching(["127.0.0.1"]) as fetch:
            assert "answers 302" in await refused(fetch, url)
        assert asked == []


async def test_a_name_is_looked_up_once() -> None:
    """A name that leads outside when it is looked at and inside when it is used (DNS rebinding) gains nothing."""
    seen: list[httpx.Request] = []

    def transport(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, stream=httpx.ByteStream(b"list"))

    loop = asyncio.get_running_loop()
    answers = iter([[(2, 1, 6, "", ("203.0.114.7", 443))], [(2, 1, 6, "", ("127.0.0.1", 443))]])

    async def getaddrinfo(*_: object, **__: object) -> object:
        return next(answers)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "getaddrinfo", getaddrinfo)
        async with httpx.AsyncClient(transport=httpx.MockTransport(transport), trust_env=False) as client:
            assert await Fetcher(client)("https://ca.gov.vn/x.crl", None) == b"list"
            assert "inside the network" in await refused(Fetcher(client), "https://ca.gov.vn/x.crl")
    (request,) = seen
    assert str(request.url) == "https://203.0.114.7/x.crl"
    assert (request.headers["host"], request.extensions["sni_hostname"]) == ("ca.gov.vn", "ca.gov.vn")


async def test_an_answer_that_is_too_long_is_left() -> None:
    async with server(ok(b"x" * 5000)) as (url, _), fetching(["127.0.0.1"]) as fetch:
        assert "more than 4096 bytes" in await refused(Fetcher(fetch.client, ["127.0.0.1"], limit=4096), url)


@pytest.mark.parametrize("headers", [[b"gzip"], [b"gzip, gzip"], [b"gzip", b"gzip"], [b"identity, gzip"]])
async def test_a_packed_answer_is_left_unpacked_by_nobody(headers: list[bytes]) -> None:
    import gzip

    bomb = gzip.compress(gzip.compress(b"\0" * 5_000_000))
    answer = ok(bomb, *(b"content-encoding: " + each for each in headers))
    async with server(answer) as (url, requests), fetching(["127.0.0.1"]) as fetch:
        assert "which was not asked for" in await refused(fetch, url)
    assert b"accept-encoding: identity\r\n" in requests[0].lower()


async def test_one_who_never_ends_is_left() -> None:
    never = asyncio.Event()
    async with server(ok(b"x" * 10)[:-5], then=never) as (url, _), fetching(["127.0.0.1"], deadline=0.3) as fetch:
        assert "no answer within 0.3 s" in await refused(fetch, url)
        never.set()


@pytest.mark.parametrize("answer", [b"", b"not http at all\r\n\r\n", b"HTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\n"])
async def test_one_who_answers_nonsense_is_left(answer: bytes) -> None:
    async with server(answer) as (url, _), fetching(["127.0.0.1"]) as fetch:
        await refused(fetch, url)


async def test_nobody_there() -> None:
    async with server(ok(b"")) as (url, _):
        pass
    async with fetching(["127.0.0.1"]) as fetch:
        await refused(fetch, url)


@pytest.mark.parametrize("address", ["8.8.8.8", "203.162.0.1", "2001:4860:4860::8888", "2002:808:808::1"])
def test_outside(address: str) -> None:
    assert is_outside(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        "224.0.0.1",
        "100.64.0.1",
        "fe80::1",
        "ff02::1",
        "240.0.0.1",
        "2001:0:808::1",
        # Forms that stand for an address inside, by whichever box on the way still knows them.
        "fec0::1",
        "64:ff9b::a00:1",
        "64:ff9b:1::a00:1",
        "::7f00:1",
        "::ffff:0:10.0.0.1",
        "::ffff:10.0.0.1",
        "::",
    ],
)
def test_inside(address: str) -> None:
    assert not is_outside(ipaddress.ip_address(address))
