"""Looking at a queue without taking: what is seen, and that it lies there in its old order afterwards."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from axis.broker import Consumer, Link, Publisher, peek, peeking
from axis.core.messages import Outgoing
from tests.services import Vhost
from tests.topologies import apply_queues

QUEUE = "mailbox.normal.H37"


@pytest.fixture
async def link(vhost: Vhost) -> AsyncIterator[Link]:
    await apply_queues(vhost, "H37")
    async with Link(vhost.amqp_url, "peeking") as opened:
        yield opened


async def fill(link: Link, count: int, first: int = 0) -> None:
    messages = [
        Outgoing("axis.deliver", QUEUE, b"{}", "document", "application/json", str(first + number))
        for number in range(count)
    ]
    assert set(await Publisher(link).publish_many(messages)) == {None}


async def seen(link: Link) -> list[str | None]:
    async with contextlib.aclosing(peek(link, QUEUE)) as batches:
        return [submission.message_id async for batch in batches for submission in batch]


async def taken(link: Link, count: int) -> list[str | None]:
    found: list[str | None] = []
    async with asyncio.timeout(30), contextlib.aclosing(Consumer(link, QUEUE).batches()) as batches:
        while len(found) < count:
            batch = await anext(batches)
            found += [received.submission.message_id for received in batch.messages]
            await batch.ack()
    return found


def numbers(count: int) -> list[str]:
    return [str(number) for number in range(count)]


async def test_everything_is_seen_and_stays_in_its_order(link: Link) -> None:
    await fill(link, 5_000)
    assert await seen(link) == numbers(5_000)
    await fill(link, 10, first=5_000)
    assert await seen(link) == numbers(5_010)
    assert await taken(link, 5_010) == numbers(5_010)


async def test_a_queue_too_long_for_one_channel_goes_back_in_order_too(
    link: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peeking, "_HELD_BY_ONE_CHANNEL", 300)
    await fill(link, 1_000)
    assert await seen(link) == numbers(1_000)
    assert await taken(link, 1_000) == numbers(1_000)


async def test_a_look_that_ends_early_gives_back_what_it_saw(link: Link) -> None:
    await fill(link, 1_000)
    async with contextlib.aclosing(peek(link, QUEUE)) as batches:
        assert (await anext(batches))[0].message_id == "0"
    assert await taken(link, 1_000) == numbers(1_000)


async def test_a_consumer_that_is_there_gets_the_rest_in_order_afterwards(link: Link, vhost: Vhost) -> None:
    async with (
        Link(vhost.amqp_url, "agency") as other,
        contextlib.aclosing(Consumer(other, QUEUE, batch=10, prefetch=10).batches()) as batches,
    ):
        await fill(link, 500)
        held = await anext(batches)
        visible = await seen(link)
        assert len(held.messages) == 10
        assert visible == numbers(500)[10:]
        await held.ack()
        found = [received.submission.message_id for received in held.messages]
        async with asyncio.timeout(30):
            while len(found) < 500:
                batch = await anext(batches)
                found += [received.submission.message_id for received in batch.messages]
                await batch.ack()
    assert found == numbers(500)


async def test_an_empty_queue_and_one_that_is_not_there_show_nothing(link: Link) -> None:
    assert await seen(link) == []
    async with contextlib.aclosing(peek(link, "mailbox.normal.nobody")) as batches:
        assert [batch async for batch in batches] == []
