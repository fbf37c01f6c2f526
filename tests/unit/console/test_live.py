"""Events for browsers: one look for all, bounded, and at an end with the session."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import pytest
from starlette.types import Message

from axis.console.live import PER_LOGIN, PER_SESSION, Streams, Topic, event
from axis.errors import Refused, Unavailable
from axis.web.problems import HttpRefused

SECONDS = 5.0


class Counting:
    """Something that is looked at: how often, and what to say."""

    def __init__(self, seconds: float = 0.001) -> None:
        self.looks = 0
        self.looked = asyncio.Event()
        self.failing: Exception | None = None
        self.topic = Topic(self._look, seconds)

    async def _look(self) -> int:
        self.looks += 1
        self.looked.set()
        if self.failing is not None:
            raise self.failing
        return self.looks

    async def some(self, more: int) -> None:
        """Wait for as many more looks."""
        wanted = self.looks + more
        async with asyncio.timeout(SECONDS):
            while self.looks < wanted:
                self.looked.clear()
                await self.looked.wait()


class Watching:
    """A browser that takes a stream until it goes away."""

    def __init__(self) -> None:
        self.told: asyncio.Queue[str] = asyncio.Queue()
        self.gone = asyncio.Event()

    async def send(self, message: Message) -> None:
        self.told.put_nowait(message.get("body", b"").decode())

    async def receive(self) -> Message:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def until(self, wanted: Callable[[str], bool]) -> str:
        async with asyncio.timeout(SECONDS):
            while True:
                if wanted(told := await self.told.get()):
                    return told


async def yes() -> bool:
    return True


@contextlib.asynccontextmanager
async def watching(
    streams: Streams,
    counting: Counting,
    session: str = "s",
    counts: Callable[[], object] = yes,
    login: str = "an",
) -> AsyncIterator[tuple[Watching, "asyncio.Task[None]"]]:
    browser = Watching()
    answer = streams.answer(
        counting.topic,
        str,
        session=session,
        login=login,
        counts=counts,  # type: ignore[arg-type]
    )
    scope = {"type": "http", "asgi": {"spec_version": "2.3"}}
    task = asyncio.create_task(answer(scope, browser.receive, browser.send))
    try:
        yield browser, task
    finally:
        browser.gone.set()
        async with asyncio.timeout(SECONDS):
            await task


async def test_all_browsers_share_one_look_and_it_ends_with_the_last() -> None:
    streams, counting = Streams(), Counting(seconds=60)
    async with watching(streams, counting) as (one, _), watching(streams, counting, "other") as (two, _):
        assert await one.until(lambda told: "data: 1" in told) == "data: 1\n\n"
        assert await two.until(lambda told: "data: 1" in told) == "data: 1\n\n"
        assert (counting.looks, counting.topic.watching, streams.open) == (1, 2, 2)
    assert (counting.topic.watching, streams.open) == (0, 0)


async def test_a_look_that_fails_is_followed_by_the_next() -> None:
    streams, counting = Streams(), Counting()
    counting.failing = Unavailable("the store is away")
    async with watching(streams, counting) as (browser, _):
        await counting.some(2)
        counting.failing = RuntimeError("a fault of ours")
        await counting.some(2)
        counting.failing = None
        await browser.until(lambda told: told.startswith("data: "))


async def test_a_stream_ends_with_its_session_and_not_with_the_store() -> None:
    streams, counting = Streams(heartbeat_seconds=0.001), Counting(seconds=60)
    outcomes: list[Exception | bool] = [True, Unavailable("away"), Refused("console/session")]

    async def counts() -> bool:
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async with watching(streams, counting, counts=counts) as (browser, task):
        assert "event: over" in await browser.until(lambda told: "over" in told)
        async with asyncio.timeout(SECONDS):
            await asyncio.wait([task])
        assert (outcomes, counting.topic.watching) == ([], 0)


async def test_streams_end_with_the_console() -> None:
    streams, counting = Streams(), Counting(seconds=60)
    async with watching(streams, counting) as (browser, task):
        await browser.until(lambda told: "data: 1" in told)
        streams.end()
        async with asyncio.timeout(SECONDS):
            await asyncio.wait([task])


async def test_one_session_has_only_so_many() -> None:
    streams, counting = Streams(), Counting(seconds=60)
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(PER_SESSION):
            browser, _ = await stack.enter_async_context(watching(streams, counting))
            await browser.until(lambda told: "data: 1" in told)
        with pytest.raises(HttpRefused, match="http/busy"):
            streams.answer(counting.topic, str, session="s", login="an", counts=yes)
        streams.answer(counting.topic, str, session="another", login="an", counts=yes)


async def test_who_logs_in_often_takes_nobodys_place() -> None:
    streams, counting = Streams(), Counting(seconds=60)
    async with contextlib.AsyncExitStack() as stack:
        for number in range(PER_LOGIN):
            browser, _ = await stack.enter_async_context(watching(streams, counting, f"session {number}"))
            await browser.until(lambda told: "data: 1" in told)
        with pytest.raises(HttpRefused, match="http/busy"):
            streams.answer(counting.topic, str, session="one more", login="an", counts=yes)
        async with watching(streams, counting, "another's", login="bình") as (browser, _):
            await browser.until(lambda told: "data: 1" in told)
    async with watching(streams, counting) as (browser, _):
        await browser.until(lambda told: told.startswith("data: "))


async def test_who_takes_nothing_holds_up_nobody_and_misses_looks() -> None:
    counting = Counting()
    async with counting.topic.watch() as slow, counting.topic.watch() as fast:
        async with asyncio.timeout(SECONDS):
            while counting.looks < 50:
                await fast.changed.wait()
                fast.take()
        (newest,) = slow.take()
        assert newest >= 49


def test_no_text_breaks_out_of_an_event() -> None:
    assert event("a\nb\r\ndata: c\revent: d") == "data: a\ndata: b\ndata: data: c\ndata: event: d\n\n"
    assert event("", "over") == "event: over\ndata: \n\n"
