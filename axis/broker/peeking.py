"""Look at the messages of a queue without taking them.

They are consumed, not acked, and given back by closing the channel: the broker then hands them out again in their old
order, before what came meanwhile. For as long as it lasts nobody else gets them, so look when the queue's own consumers
are away; what those hold unacked is not seen. A consumer that is there all the same is not overtaken: ours has the
higher priority and takes everything that is ready before the other gets the next one.

Each look counts as one more delivery of every message on RabbitMQ 4; the queues have no limit of them (decision 0002).
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator

from pamqp import commands

from axis.broker.consumer import ConsumeChannel
from axis.broker.link import Link
from axis.core.messages import Submission
from axis.errors import Unavailable

_HELD_BY_ONE_CHANNEL = 20_000  # prefetch is a 16-bit number: a longer queue takes several channels
_AT_ONCE = 256
_FIRST = 100  # consumer priority; those of agencies have none, which is 0
_SILENCE_SECONDS = 2.0
_TAG = "axis-peek"


async def peek(link: Link, queue: str) -> AsyncGenerator[tuple[Submission, ...], None]:
    """Yield what is ready in a queue, the oldest first, some hundred at a time; nothing when there is no such queue.

    Use it with `contextlib.aclosing`: closing it gives everything back. What comes into the queue meanwhile may be
    seen. Raises Unavailable, for a queue without a leader too.
    """
    state = (await link.queue_states([queue]))[queue]
    if state is None:
        return
    channels: list[ConsumeChannel] = []
    try:
        if not state.messages:
            # The broker says the same of a quorum queue that has no leader, and may hold any number of messages: only
            # one that is led takes a consumer.
            channels.append(await _consuming(link, queue, 1))
            return
        left = state.messages
        while left:
            channel = await _consuming(link, queue, min(left, _HELD_BY_ONE_CHANNEL))
            channels.append(channel)
            async for batch in _received(link, queue, channel, min(left, _HELD_BY_ONE_CHANNEL)):
                yield batch
            left = await _ready(link, queue)
    finally:
        await _give_back(link, channels)


async def _ready(link: Link, queue: str) -> int:
    state = (await link.queue_states([queue]))[queue]
    return 0 if state is None else state.messages


async def _consuming(link: Link, queue: str, count: int) -> ConsumeChannel:
    channel = await link.channel(ConsumeChannel)
    async with _deadline(link, f"start a consumer of {queue}"):
        await channel.ask(commands.Basic.Qos(prefetch_count=count))
        await channel.ask(commands.Basic.Consume(queue=queue, consumer_tag=_TAG, arguments={"x-priority": _FIRST}))
    return channel


async def _received(
    link: Link, queue: str, channel: ConsumeChannel, count: int
) -> AsyncGenerator[tuple[Submission, ...], None]:
    """Yield `count` messages, or fewer when somebody else took the rest; then the consumer takes no more."""
    never = asyncio.Event()
    seen = 0
    while seen < count:
        if not channel.waiting:
            try:
                async with asyncio.timeout(_SILENCE_SECONDS):
                    await channel.changed(never)
            except TimeoutError:
                if not await _ready(link, queue) and not channel.waiting:
                    break  # taken by another consumer between the count and our start
        if channel.gone:
            raise channel.closed or Unavailable(f"{queue} was deleted or moved while it was looked at")
        if batch := channel.take(_AT_ONCE):
            seen += len(batch)
            yield tuple(received.submission for received in batch)
    async with _deadline(link, f"end a consumer of {queue}"):
        await channel.ask(commands.Basic.Cancel(consumer_tag=_TAG))


async def _give_back(link: Link, channels: list[ConsumeChannel]) -> None:
    """Close the channels in the order they were opened: what the first one held goes back first."""
    for channel in channels:
        # A connection that is lost gives back by itself.
        with contextlib.suppress(TimeoutError, Unavailable):
            async with asyncio.timeout(link.deadline):
                if not channel.gone:
                    await channel.ask(commands.Basic.Cancel(consumer_tag=_TAG))
    for channel in channels:
        with contextlib.suppress(TimeoutError, Unavailable):
            async with asyncio.timeout(link.deadline):
                await channel.end()


@contextlib.asynccontextmanager
async def _deadline(link: Link, what: str) -> AsyncGenerator[None, None]:
    try:
        async with asyncio.timeout(link.deadline):
            yield
    except TimeoutError as error:
        raise Unavailable(f"the broker did not {what} within {link.deadline:g} s") from error
