"""Consuming against a scripted peer: cancelled consumers and lost connections."""

import asyncio

import pytest
from pamqp import commands
from pamqp.base import Frame as Method

from axis.broker import Consumer, Link, frames
from axis.errors import Unavailable
from tests.unit.broker.scripted import Peer, broker, message, taking, until, until_closed


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


async def test_stopping_takes_no_more_even_while_messages_keep_coming() -> None:
    handed_out = 0

    def hand_out(peer: Peer) -> None:
        nonlocal handed_out
        handed_out += 1
        sent = [*frames.Splitter().feed(frames.publish(1, message(handed_out), 131_072))]
        peer.say(1, commands.Basic.Deliver("axis", handed_out, exchange="e", routing_key="k"))
        peer.writer.write(b"".join(frames._frame(*frame) for frame in sent[1:]))

    async def script(peer: Peer) -> None:
        await peer.shake_hands()
        await peer.start_consumer()
        for _ in range(3):
            hand_out(peer)
        while isinstance(await peer.take(Method), commands.Basic.Ack):
            hand_out(peer)
        peer.say(1, commands.Basic.CancelOk("axis"))
        await until_closed(peer)

    async with broker(script) as url, Link(url, "test") as link:
        consumer = Consumer(link, "q", batch=1)
        taken = 0
        async for batch in consumer.batches():
            taken += 1
            assert taken < 20
            await until(lambda: handed_out >= 3)
            if taken == 2:
                await consumer.stop()
            await batch.ack()
            await asyncio.sleep(0.01)
        assert taken == handed_out
