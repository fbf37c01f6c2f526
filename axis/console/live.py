"""Events for browsers (server-sent events): one look for all of them, and none of them can hold up another.

A `Topic` looks at something every so often while anybody watches, and never twice at once. Each browser has a seat with
place for one look: who is slow misses looks, and then sees the newest. A stream ends when its browser goes away, when
its session does, and when the console stops.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Generic, TypeVar

import structlog
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from axis.errors import AxisError, Refused
from axis.web.problems import HttpRefused

T = TypeVar("T")

# A browser opens six connections to a host at most (over HTTP/1.1): were all of them live, no page could be asked for.
PER_SESSION = 4
PER_LOGIN = 20  # who logs in again and again takes nobody's place
ALL = 500
HEARTBEAT_SECONDS = 15.0


class Seat(Generic[T]):
    """Where one browser sees the newest look."""

    def __init__(self) -> None:
        self.changed = asyncio.Event()
        self._look: list[T] = []

    def show(self, look: T) -> None:
        """Put a look in the place of one that was not taken."""
        self._look = [look]
        self.changed.set()

    def take(self) -> list[T]:
        """Take the look that was not taken yet, if there is one."""
        taken, self._look = self._look, []
        self.changed.clear()
        return taken


class Topic(Generic[T]):
    """Something to be watched."""

    def __init__(self, look: Callable[[], Awaitable[T]], seconds: float) -> None:
        """`look` returns what is to be seen now; it is awaited every `seconds`, with as many as its deadline."""
        self._look = look
        self._seconds = seconds
        self._seats: set[Seat[T]] = set()
        self._task: asyncio.Task[None] | None = None
        self._latest: list[T] = []

    @contextlib.asynccontextmanager
    async def watch(self) -> AsyncIterator[Seat[T]]:
        """Watch as long as the block lasts."""
        seat: Seat[T] = Seat()
        for look in self._latest:
            seat.show(look)
        self._seats.add(seat)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())
        try:
            yield seat
        finally:
            self._seats.discard(seat)
            if not self._seats and self._task is not None:
                self._task.cancel()
                self._task, self._latest = None, []

    @property
    def watching(self) -> int:
        """How many watch."""
        return len(self._seats)

    async def _run(self) -> None:
        log = structlog.get_logger(part="live")
        while True:
            try:
                async with asyncio.timeout(self._seconds + 5.0):
                    self._latest = [await self._look()]
            except (AxisError, TimeoutError) as error:
                log.warning("not seen", error=str(error) or type(error).__name__)
            except Exception:
                # The browsers go on showing what they have, and the next look may succeed.
                log.exception("not seen")
            else:
                for seat in self._seats:
                    seat.show(self._latest[0])
            await asyncio.sleep(self._seconds)


class Streams:
    """All streams of one console, counted."""

    def __init__(self, *, heartbeat_seconds: float = HEARTBEAT_SECONDS) -> None:
        self._heartbeat_seconds = heartbeat_seconds
        self._open: Counter[str] = Counter()
        self._logins: Counter[str] = Counter()
        self._ending = asyncio.Event()

    @property
    def open(self) -> int:
        """How many are open."""
        return self._open.total()

    def end(self) -> None:
        """End all of them."""
        self._ending.set()

    def answer(
        self,
        topic: Topic[T],
        render: Callable[[T], str],
        *,
        session: str,
        counts: Callable[[], Awaitable[bool]],
        login: str,
    ) -> StreamingResponse:
        """Answer with a stream of what `render` makes of each look: HTML for htmx to put in, or JSON.

        `session` (Reader.csrf) and `login`: whose streams are counted together. `counts`: whether the session still
        does; asked with each heartbeat. Raises HttpRefused http/busy.
        """
        if self._open[session] >= PER_SESSION or self._logins[login] >= PER_LOGIN or self.open >= ALL:
            raise HttpRefused("http/busy", f"At most {PER_SESSION} pages of a session are live at once.")
        return _Stream(self._events(topic, render, counts), self._counted(session, login))

    @contextlib.contextmanager
    def _counted(self, session: str, login: str) -> Iterator[None]:
        # Counted from when the answer begins: one that never does, for a browser that has gone, leaves nothing behind.
        self._open[session] += 1
        self._logins[login] += 1
        try:
            yield
        finally:
            # What comes to nothing is left out: a counter is as long as there are streams.
            self._open -= Counter((session,))
            self._logins -= Counter((login,))

    async def _events(
        self, topic: Topic[T], render: Callable[[T], str], counts: Callable[[], Awaitable[bool]]
    ) -> AsyncIterator[str]:
        yield "retry: 5000\n\n"
        async with topic.watch() as seat:
            loop = asyncio.get_running_loop()
            beat = loop.time() + self._heartbeat_seconds
            while not self._ending.is_set():
                await self._awaited(seat.changed, beat - loop.time())
                for look in seat.take():
                    yield event(render(look))
                if loop.time() >= beat:
                    beat = loop.time() + self._heartbeat_seconds
                    if not await _still(counts):
                        yield event("", "over")  # the page's script loads it anew, which asks to log in
                        return
                    yield ": still here\n\n"

    async def _awaited(self, changed: asyncio.Event, seconds: float) -> None:
        """Wait for a look, the end or the heartbeat, whatever comes first."""
        waits = [asyncio.ensure_future(each.wait()) for each in (changed, self._ending)]
        try:
            await asyncio.wait(waits, timeout=max(0.0, seconds), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()


class _Stream(StreamingResponse):
    """A stream that is counted while it is sent."""

    def __init__(self, events: AsyncIterator[str], counted: contextlib.AbstractContextManager[None]) -> None:
        super().__init__(events, media_type="text/event-stream", headers={"x-accel-buffering": "no"})
        self._events = events
        self._counted = counted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._counted:
            try:
                await super().__call__(scope, receive, send)
            finally:
                await self._events.aclose()  # type: ignore[attr-defined]  # a generator: what it watches is let go at once


def event(data: str, name: str | None = None) -> str:
    """Write an event; raise nothing whatever is in it: every line end begins a new line of data."""
    lines = "\n".join(f"data: {line}" for line in data.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
    return (f"event: {name}\n" if name else "") + lines + "\n\n"


async def _still(counts: Callable[[], Awaitable[bool]]) -> bool:
    try:
        return await counts()
    except Refused:
        return False
    except AxisError:
        return True  # the store is away: that ends nobody's session
