"""The console on a socket: streams that end, browsers that go away, bodies that do not come."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response

from axis.console import Page, Reader, create_app
from axis.console import forms as forms_module
from axis.console.following import follow
from axis.console.guarding import Origins
from axis.console.live import Topic
from axis.console.page import EVERYBODY
from axis.console.pages import PAGES
from axis.console.serving import LIMITS
from axis.web.limits import Limits
from axis.web.serving import http_server, listen
from tests.unit.console.browser import SETTINGS, Bench, Browser

SECONDS = 10.0


@dataclass
class Served:
    """A console with one live page."""

    bench: Bench
    topic: Topic[int]
    url: str
    ended: asyncio.Event

    async def until_nobody_watches(self) -> None:
        async with asyncio.timeout(SECONDS):
            while self.topic.watching or self.bench.streams.open:  # noqa: ASYNC110 - the server tells nobody
                await asyncio.sleep(0.005)


@contextlib.asynccontextmanager
async def served() -> AsyncIterator[Served]:
    async def look() -> int:
        return 7

    topic = Topic(look, 60.0)

    async def live(request: Request, reader: Reader) -> Response:
        return follow(request, reader, topic, lambda seen: f"{reader.login} sees {seen}")

    listener = listen("127.0.0.1", 0)
    port = listener.getsockname()[1]
    pages = (*PAGES, Page("/live", live, roles=EVERYBODY))
    bench = Bench(settings=SETTINGS.model_copy(update={"console_url": None}), pages=pages)
    await bench.people()
    app = create_app(bench.desk, Origins.of(None, "127.0.0.1", port, tls=False), pages)
    ready, ended = asyncio.Event(), asyncio.Event()
    server = http_server(app, LIMITS, ready.set, ending=bench.streams.end)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(server.serve([listener]))
        await ready.wait()
        try:
            yield Served(bench, topic, f"http://127.0.0.1:{port}", ended)
        finally:
            server.should_exit = True
            async with asyncio.timeout(SECONDS):
                await task
            ended.set()


@contextlib.asynccontextmanager
async def browser(console: Served, login: str = "viewer") -> AsyncIterator[Browser]:
    async with httpx.AsyncClient(base_url=console.url, trust_env=False, timeout=SECONDS) as client:
        opened = Browser(client)
        assert (await opened.log_in(login)).status_code == 303
        yield opened


@contextlib.asynccontextmanager
async def watching(opened: Browser) -> AsyncIterator[AsyncIterator[str]]:
    async with opened.client.stream("GET", "/live") as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["cache-control"] == "no-store"
        lines = response.aiter_lines()
        async for line in lines:
            if line == "data: viewer sees 7":
                break
        yield lines


async def test_a_browser_that_goes_away_ends_its_stream() -> None:
    async with served() as console, browser(console) as opened:
        async with watching(opened):
            assert (console.topic.watching, console.bench.streams.open) == (1, 1)
        await console.until_nobody_watches()


async def test_a_stream_is_over_with_the_session() -> None:
    async with served() as console, browser(console) as opened, browser(console) as other:
        async with watching(opened) as lines:
            console.bench.clock.pass_by(minutes=29)
            assert (await other.get("/")).status_code == 200
            console.bench.clock.pass_by(minutes=1)
            # Watching has not kept it: thirty minutes without a page asked for.
            assert [line async for line in lines][-3:-1] == ["event: over", "data: "]
        assert (await other.get("/")).status_code == 200


async def test_who_is_not_logged_in_sees_no_stream() -> None:
    async with served() as console, httpx.AsyncClient(base_url=console.url, trust_env=False) as client:
        refused = await client.get("/live", headers={"accept": "text/event-stream"})
        assert (refused.status_code, refused.headers["axis-code"]) == (401, "console/session")


async def test_streams_do_not_hold_up_the_end() -> None:
    async with contextlib.AsyncExitStack() as stack:
        console = await stack.enter_async_context(served())
        opened = await stack.enter_async_context(browser(console))
        lines = await stack.enter_async_context(watching(opened))
        console.bench.streams.end()
        left = [line async for line in lines]
        assert (left[0], set(left) - {": still here"}) == ("", {""})
    assert console.ended.is_set()


async def test_a_body_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forms_module, "_LIMITS", Limits(chunk_seconds=0.05, grace_seconds=0.05))
    async with served() as console:
        host = console.url.removeprefix("http://")
        reader, writer = await asyncio.open_connection(*host.split(":"))
        writer.write(
            f"POST /login HTTP/1.1\r\nHost: {host}\r\nOrigin: {console.url}\r\nContent-Length: 60000\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\n\r\nlogin=".encode()
        )
        async with asyncio.timeout(SECONDS):
            told = (await reader.readuntil(b"\r\n\r\n")).decode()
        assert "408" in told.splitlines()[0]
        assert "axis-code: http/slow" in told
        writer.close()
