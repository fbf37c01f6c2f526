"""A broker that does what a script says, frame by frame: what no real one does on demand."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import Any

from pamqp import commands
from pamqp.base import Frame as Method

from axis.broker import Batch, Consumer, Link, frames
from axis.core.messages import Outgoing

SECONDS = 20


class Peer:
    """The broker's end of one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self._splitter = frames.Splitter()
        self._frames: list[tuple[int, int, bytes]] = []

    async def next(self) -> tuple[int, int, bytes]:
        while not self._frames:
            data = await self.reader.read(65_536)
            if not data:
                raise ConnectionResetError
            self._frames += [frame for frame in self._splitter.feed(data) if frame[0] != frames.HEARTBEAT]
        return self._frames.pop(0)

    async def take(self, kind: type[Method]) -> Any:
        """Read up to the next method, which has to be of this kind."""
        while True:
            what, _, payload = await self.next()
            if what == frames.METHOD:
                found = frames.read_method(payload)
                assert isinstance(found, kind), found
                return found

    def say(self, channel: int, *methods: Method) -> None:
        self.writer.write(b"".join(frames.method(channel, each) for each in methods))

    async def shake_hands(self, **tune: int) -> None:
        await self.reader.readexactly(8)
        self.say(0, commands.Connection.Start(0, 9, {}, "PLAIN", "en_US"))
        await self.take(commands.Connection.StartOk)
        self.say(0, commands.Connection.Tune(**{"channel_max": 8, "frame_max": 131_072, "heartbeat": 20, **tune}))
        await self.take(commands.Connection.TuneOk)
        await self.take(commands.Connection.Open)
        self.say(0, commands.Connection.OpenOk())

    async def open_channel(self, number: int = 1, *, confirms: bool = False) -> None:
        await self.take(commands.Channel.Open)
        self.say(number, commands.Channel.OpenOk())
        if confirms:
            await self.take(commands.Confirm.Select)
            self.say(number, commands.Confirm.SelectOk())

    async def close_channel(self, number: int = 1) -> None:
        await self.take(commands.Channel.Close)
        self.say(number, commands.Channel.CloseOk())

    async def part(self) -> None:
        """Take the goodbye, and nothing before it."""
        await self.take(commands.Connection.Close)
        self.say(0, commands.Connection.CloseOk())

    async def start_consumer(self) -> None:
        await self.open_channel()
        await self.take(commands.Basic.Qos)
        self.say(1, commands.Basic.QosOk())
        await self.take(commands.Basic.Consume)
        self.say(1, commands.Basic.ConsumeOk("axis"))

    def give_back(self, message: Outgoing) -> None:
        """Send what a broker sends for a message without a queue."""
        sent = [*frames.Splitter().feed(frames.publish(1, message, 131_072))]
        self.say(1, commands.Basic.Return(312, "NO_ROUTE", message.exchange, message.routing_key))
        self.writer.write(b"".join(frames._frame(*frame) for frame in sent[1:]))


Script = Callable[[Peer], Awaitable[None]]


@contextlib.asynccontextmanager
async def broker(*scripts: Script) -> AsyncIterator[str]:
    """Serve one connection after the other, each by its script; yield the address."""
    left = list(scripts)
    failures: list[BaseException] = []
    serving: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        serving.add(task)
        try:
            await left.pop(0)(Peer(reader, writer))
        except (ConnectionError, asyncio.CancelledError):
            pass
        except BaseException as error:  # noqa: BLE001 - told at the end
            failures.append(error)
        finally:
            writer.transport.abort()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        async with asyncio.timeout(SECONDS):
            yield f"amqp://user:s3cret@127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    finally:
        server.close()
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)
    assert failures == []
    assert left == []


async def until_closed(peer: Peer) -> None:
    """Answer the goodbye."""
    with contextlib.suppress(ConnectionError):
        while True:
            what, channel, payload = await peer.next()
            if what == frames.METHOD and isinstance(frames.read_method(payload), commands.Connection.Close):
                peer.say(0, commands.Connection.CloseOk())
            if what == frames.METHOD and isinstance(frames.read_method(payload), commands.Channel.Close):
                peer.say(channel, commands.Channel.CloseOk())


def taking(link: Link) -> contextlib.aclosing[AsyncGenerator[Batch, None]]:
    return contextlib.aclosing(Consumer(link, "q").batches())


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - nobody sets an event for it; the caller has a deadline
        await asyncio.sleep(0.01)


def message(number: int = 1, **more: Any) -> Outgoing:
    base: dict[str, Any] = {"body": b"{}", "type": "document", "content_type": "text/plain", "message_id": f"m{number}"}
    return Outgoing(**{"exchange": "e", "routing_key": "k", **base, **more})
