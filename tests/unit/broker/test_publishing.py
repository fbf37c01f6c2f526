"""Publishing against a scripted peer: returns, alarms, silence and closed channels end the right publish."""

import asyncio

import pytest
from pamqp import commands

from axis.broker import Link, Publisher
from axis.errors import NotRouted, NotTaken, Unavailable
from tests.unit.broker.scripted import SECONDS, Peer, broker, message, until, until_closed


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
        NotTaken,
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
        await peer.take(commands.Channel.Close)
        await peer.open_channel(2, confirms=True)
        await peer.take(commands.Basic.Publish)
        peer.say(2, commands.Basic.Ack(1))
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


async def test_a_channel_that_was_nacked_is_left_and_closed_once() -> None:
    async def script(peer: Peer) -> None:
        await peer.shake_hands()
        await peer.open_channel(confirms=True)
        for _ in range(3):
            await peer.take(commands.Basic.Publish)
        peer.say(1, commands.Basic.Nack(2, multiple=True))
        await peer.open_channel(2, confirms=True)
        await peer.take(commands.Basic.Publish)
        peer.say(2, commands.Basic.Ack(1))
        peer.say(1, commands.Basic.Ack(3))
        await peer.close_channel()
        await peer.take(commands.Basic.Publish)
        peer.say(2, commands.Basic.Ack(2))
        await peer.part()

    async with broker(script) as url, Link(url, "test", deadline=SECONDS) as link:
        publisher = Publisher(link)
        first = asyncio.create_task(publisher.publish_many([message(1), message(2)]))
        await asyncio.sleep(0)
        still_there = asyncio.create_task(publisher.publish_many([message(3)]))
        assert [type(outcome) for outcome in await first] == [NotTaken, NotTaken]
        assert await publisher.publish_many([message(4)]) == [None]
        assert await still_there == [None], "its confirm comes on the channel that the others have left"
        assert await publisher.publish_many([message(5)]) == [None]


async def test_a_nack_after_the_last_one_has_gone_closes_the_channel_too() -> None:
    sent, gone = asyncio.Event(), asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.shake_hands()
        await peer.open_channel(confirms=True)
        for _ in range(2):
            await peer.take(commands.Basic.Publish)
        sent.set()
        await gone.wait()
        peer.say(1, commands.Basic.Nack(1), commands.Basic.Nack(2))
        await peer.close_channel()
        await peer.open_channel(confirms=True)
        await peer.take(commands.Basic.Publish)
        peer.say(1, commands.Basic.Ack(1))
        await peer.part()

    async with broker(script) as url, Link(url, "test", deadline=SECONDS) as link:
        publisher = Publisher(link)
        giving_up = asyncio.create_task(publisher.publish_many([message(1), message(2)]))
        await sent.wait()
        giving_up.cancel()
        await asyncio.wait([giving_up])
        gone.set()
        await until(lambda: publisher._channel is not None and publisher._channel.closed is not None)
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
        assert [str(outcome) for outcome in outcomes] == ["axis/not-taken: not confirmed within 0.3 s"] * 2
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
