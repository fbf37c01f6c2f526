"""The connection against a broker that follows a script: what no real one can be made to do when wanted."""

import asyncio

import pytest
from pamqp import commands
from pamqp.base import Frame as Method

from axis.broker import Link, connection, frames
from axis.errors import Unavailable
from tests.unit.broker.scripted import SECONDS, Peer, Script, broker, taking, until, until_closed


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


async def test_what_is_written_to_a_broken_line_before_its_end_is_told_goes_nowhere_quietly(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def script(peer: Peer) -> None:
        await peer.shake_hands()
        await peer.reader.read()

    async with broker(script) as url, Link(url, "test") as link:
        opened = link._connection
        assert opened is not None
        assert opened._transport is not None
        opened._transport.abort()  # as it does itself when sending fails
        for _ in range(10):
            opened.write(frames.HEARTBEAT_FRAME)
        await until(lambda: not link.connected)
    assert caplog.records == []


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
