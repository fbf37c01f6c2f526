"""The connection against a broker that follows a script: what no real one can be made to do when wanted."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from pamqp import commands
from pamqp.base import Frame as Method

from axis.broker import Batch, Consumer, Link, Publisher, connection, frames
from axis.core.messages import Outgoing
from axis.errors import NotRouted, Unavailable

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


async def refuse_login(peer: Peer) -> None:
    await peer.reader.readexactly(8)
    peer.say(0, commands.Connection.Start(0, 9, {}, "PLAIN", "en_US"))
    login = await peer.take(commands.Connection.StartOk)
    assert login.response == "\0user\0s3cret"
    assert login.client_properties["connection_name"] == "test"
    peer.say(0, commands.Connection.Close(403, "ACCESS_REFUSED - Login was refused", 0, 0))
    await until_closed(peer)


async def say_nothing(peer: Peer) -> None:
    await peer.reader.read()


async def say_nonsense(peer: Peer) -> None:
    peer.writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    await peer.reader.read()


async def answer_out_of_order(peer: Peer) -> None:
    peer.say(0, commands.Connection.OpenOk())
    await peer.reader.read()


async def hang_up(peer: Peer) -> None:
    await peer.reader.readexactly(8)


@pytest.mark.parametrize(
    ("script", "text"),
    [
        (refuse_login, "Login was refused"),
        (say_nothing, "within 0.2 s"),
        (say_nonsense, "cannot be read"),
        (answer_out_of_order, "where Connection.Start was due"),
        (hang_up, "lost"),
    ],
)
async def test_a_connection_that_does_not_come_about_says_why(script: Script, text: str) -> None:
    async with broker(script) as url:
        with pytest.raises(Unavailable, match=text) as caught:
            async with Link(url, "test", deadline=0.2 if script is say_nothing else SECONDS):
                pass
        assert "s3cret" not in str(caught.value)


async def test_the_connection_says_goodbye_and_waits_for_the_answer() -> None:
    seen = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.shake_hands()
        await peer.take(commands.Connection.Close)
        seen.set()
        peer.say(0, commands.Connection.CloseOk())

    async with broker(script) as url:
        async with Link(url, "test") as link:
            assert link.connected
        assert seen.is_set()
        with pytest.raises(Unavailable, match="closed by us"):
            await link.queue_states(["q"])


async def test_a_broker_that_does_not_answer_the_goodbye_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "_CLOSE_SECONDS", 0.1)

    async def script(peer: Peer) -> None:
        await peer.shake_hands()
        await peer.take(commands.Connection.Close)
        await peer.reader.read()

    async with broker(script) as url, Link(url, "test"):
        pass


async def test_silence_ends_a_connection_and_a_heartbeat_keeps_it(monkeypatch: pytest.MonkeyPatch) -> None:
    quiet = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.shake_hands(heartbeat=1)
        beats = 0
        while not quiet.is_set():
            peer.writer.write(frames.HEARTBEAT_FRAME)
            beats += (await peer.reader.read(8)) == frames.HEARTBEAT_FRAME
            if beats == 6:
                quiet.set()
        await peer.reader.read()

    async with broker(script) as url, Link(url, "test") as link:
        await quiet.wait()
        assert link.connected
        await until(lambda: not link.connected)


async def test_each_confirm_ends_the_publish_it_is_about() -> None:
    messages = [message(n) for n in range(1, 9)]

    async def script(peer: Peer) -> None:
        await peer.shake_hands()
        await peer.open_channel(confirms=True)
        for _ in messages:
            await peer.take(commands.Basic.Publish)
        peer.give_back(messages[5])
        peer.say(
            1,
            commands.Basic.Ack(8),
            commands.Basic.Ack(3, multiple=True),
            commands.Basic.Nack(4),
            commands.Basic.Ack(4),  # a second word on the same thing is none
            commands.Basic.Ack(99),
            commands.Basic.Ack(7, multiple=True),
        )
        await until_closed(peer)

    async with broker(script) as url, Link(url, "test") as link:
        outcomes = await Publisher(link).publish_many(messages)
    assert [type(outcome) for outcome in outcomes] == [
        *[type(None)] * 3,
        Unavailable,
        type(None),
        NotRouted,
        *[type(None)] * 2,
    ]


async def test_a_return_is_told_apart_by_its_key_not_by_its_id() -> None:
    same_id = [message(1, routing_key="there"), message(1, routing_key="gone"), message(1, routing_key="there")]

    async def script(peer: Peer) -> None:
        await peer.shake_hands()
        await peer.open_channel(confirms=True)
        for _ in same_id:
            await peer.take(commands.Basic.Publish)
        peer.give_back(same_id[1])
        peer.say(1, commands.Basic.Ack(3, multiple=True))
        await until_closed(peer)

    async with broker(script) as url, Link(url, "test") as link:
        outcomes = await Publisher(link).publish_many(same_id)
    assert [type(outcome) for outcome in outcomes] == [type(None), NotRouted, type(None)]


async def test_two_tasks_share_a_channel_and_one_that_gives_up_harms_nobody() -> None:
    both_are_sent, first_is_gone = asyncio.Event(), asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.shake_hands()
        await peer.open_channel(confirms=True)
        await peer.take(commands.Basic.Publish)
        await peer.take(commands.Basic.Publish)
        both_are_sent.set()
        await first_is_gone.wait()
        peer.say(1, commands.Basic.Nack(1), commands.Basic.Ack(2))
        await peer.take(commands.Basic.Publish)
        peer.say(1, commands.Basic.Ack(3))
        await until_closed(peer)

    async with broker(script) as url, Link(url, "test") as link:
        publisher = Publisher(link)
        async with asyncio.TaskGroup() as group:
            giving_up = group.create_task(publisher.publish_many([message(1)]))
            await asyncio.sleep(0)
            other = group.create_task(publisher.publish_many([message(2)]))
            await both_are_sent.wait()
            giving_up.cancel()
            await asyncio.sleep(0)
            first_is_gone.set()
        assert other.result() == [None]
        assert await publisher.publish_many([message(3)]) == [None]


async def test_a_publish_not_confirmed_in_time_ends_with_its_connection() -> None:
    async def no_confirm(peer: Peer) -> None:
        await peer.shake_hands()
        await peer.open_channel(confirms=True)
        await peer.reader.read()

    async def confirm(peer: Peer) -> None:
        await peer.shake_hands()
        await peer.open_channel(confirms=True)
        await peer.take(commands.Basic.Publish)
        peer.say(1, commands.Basic.Ack(1))
        await until_closed(peer)

    async with broker(no_confirm, confirm) as url, Link(url, "test", deadline=0.3) as link:
        publisher = Publisher(link)
        outcomes = await publisher.publish_many([message(1), message(2)])
        assert [str(outcome) for outcome in outcomes] == ["axis/unavailable: not confirmed within 0.3 s"] * 2
        assert not link.connected
        assert await publisher.publish_many([message(3)]) == [None]


async def test_a_broker_that_reads_nothing_takes_no_more_than_the_deadline() -> None:
    async def read_nothing(peer: Peer) -> None:
        await peer.shake_hands()
        await peer.open_channel(confirms=True)
        peer.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a read transport too
        await asyncio.sleep(SECONDS)

    async with broker(read_nothing) as url, Link(url, "test", deadline=0.5) as link:
        big = [message(n, body=b"x" * 256 * 1024) for n in range(100)]
        outcomes = await Publisher(link).publish_many(big)
        assert all(isinstance(outcome, Unavailable) for outcome in outcomes)


async def test_an_alarm_ends_what_waits_and_refuses_the_rest_at_once() -> None:
    clear = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.shake_hands()
        await peer.open_channel(confirms=True)
        await peer.take(commands.Basic.Publish)
        peer.say(0, commands.Connection.Blocked("low on memory"))
        await clear.wait()
        peer.say(0, commands.Connection.Unblocked())
        peer.say(1, commands.Basic.Ack(1))
        await peer.take(commands.Basic.Publish)
        peer.say(1, commands.Basic.Ack(2))
        await until_closed(peer)

    async with broker(script) as url, Link(url, "test", deadline=SECONDS) as link:
        publisher = Publisher(link)
        for _ in range(2):
            with pytest.raises(Unavailable, match=r"alarm.*low on memory"):
                await publisher.publish(message())
        clear.set()
        await until(lambda: not link.blocked)
        await publisher.publish(message(2))


async def test_a_channel_the_broker_closes_fails_what_waits_and_the_next_one_works() -> None:
    async def script(peer: Peer) -> None:
        await peer.shake_hands()
        await peer.open_channel(confirms=True)
        await peer.take(commands.Basic.Publish)
        peer.say(1, commands.Channel.Close(404, "NOT_FOUND - no exchange 'e'", 60, 40))
        await peer.take(commands.Channel.CloseOk)
        await peer.open_channel(confirms=True)
        await peer.take(commands.Basic.Publish)
        peer.say(1, commands.Basic.Ack(1))
        await until_closed(peer)

    async with broker(script) as url, Link(url, "test") as link:
        publisher = Publisher(link)
        with pytest.raises(Unavailable, match="no exchange"):
            await publisher.publish(message())
        await publisher.publish(message())


async def test_a_consumer_the_broker_cancels_is_started_again() -> None:
    async def script(peer: Peer) -> None:
        await peer.shake_hands()
        await peer.start_consumer()
        peer.say(1, commands.Basic.Cancel("axis", nowait=True))
        await peer.take(commands.Channel.Close)
        peer.say(1, commands.Channel.CloseOk())
        await peer.start_consumer()
        sent = [*frames.Splitter().feed(frames.publish(1, message(1), 131_072))]
        peer.say(1, commands.Basic.Deliver("axis", 1, redelivered=True, exchange="e", routing_key="k"))
        peer.writer.write(b"".join(frames._frame(*frame) for frame in sent[1:]))
        found = await peer.take(commands.Basic.Ack)
        assert (found.delivery_tag, found.multiple) == (1, True)
        await until_closed(peer)

    async with broker(script) as url, Link(url, "test") as link, taking(link) as batches:
        batch = await anext(batches)
        (received,) = batch.messages
        assert (received.submission.message_id, received.submission.redelivered) == ("m1", True)
        await batch.ack()
        await batch.ack()


async def test_acks_on_a_lost_connection_say_so() -> None:
    taken = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.shake_hands()
        await peer.start_consumer()
        sent = [*frames.Splitter().feed(frames.publish(1, message(1), 131_072))]
        peer.say(1, commands.Basic.Deliver("axis", 1, exchange="e", routing_key="k"))
        peer.writer.write(b"".join(frames._frame(*frame) for frame in sent[1:]))
        await taken.wait()

    async with broker(script) as url, Link(url, "test") as link, taking(link) as batches:
        batch = await anext(batches)
        taken.set()
        await until(lambda: not link.connected)
        for settle in (batch.ack, batch.release):
            with pytest.raises(Unavailable, match="hands the messages out again"):
                await settle()
        with pytest.raises(Unavailable):
            await batch.reject(*batch.messages)


async def test_queues_that_are_not_there_cost_a_channel_each_and_the_others_are_found() -> None:
    async def script(peer: Peer) -> None:
        await peer.shake_hands()
        there = {"a", "c", "e"}
        while True:
            await peer.take(commands.Channel.Open)
            peer.say(1, commands.Channel.OpenOk())
            while isinstance(asked := await peer.take(Method), commands.Queue.Declare):
                assert asked.passive
                if asked.queue in there:
                    peer.say(1, commands.Queue.DeclareOk(asked.queue, 5, 2))
                else:
                    peer.say(1, commands.Channel.Close(404, "NOT_FOUND", 50, 10))
                    while not isinstance(await peer.take(Method), commands.Channel.CloseOk):
                        pass
                    break
            else:
                peer.say(1, commands.Channel.CloseOk())
                break
        await until_closed(peer)

    async with broker(script) as url, Link(url, "test") as link:
        states = await link.queue_states(["a", "b", "c", "a", "d", "e"])
    assert {name for name, state in states.items() if state is None} == {"b", "d"}
    assert states["c"] == (2, 5)


async def test_channels_beyond_what_the_broker_allows_are_refused_here() -> None:
    started = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.shake_hands(channel_max=1)
        await peer.start_consumer()
        started.set()
        await until_closed(peer)

    async with broker(script) as url, Link(url, "test") as link, taking(link) as batches:
        waiting = asyncio.ensure_future(anext(batches))
        await started.wait()
        with pytest.raises(Unavailable, match="1 channels"):
            await link.queue_states(["q"])
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
