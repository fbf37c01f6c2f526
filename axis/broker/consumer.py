"""Consume in batches, over any number of lost connections, until told to stop."""

import asyncio
import contextlib
import logging
import random
from collections import deque
from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass
from typing import Protocol

from aiormq.abc import AbstractChannel, DeliveredMessage
from pamqp import commands

from axis.broker.link import FAILURES, Link, unavailable
from axis.core.messages import Submission
from axis.errors import Unavailable

log = logging.getLogger("axis.broker")

_FIRST_WAIT_SECONDS = 0.1
_LONGEST_WAIT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Received:
    """One message that is not settled yet; `tag` counts on its channel."""

    submission: Submission
    tag: int


class Batch:
    """Messages taken together, oldest first.

    Settling raises Unavailable when the channel is gone: the broker then hands the messages out again. Settling the
    same message twice does nothing.
    """

    def __init__(self, messages: tuple[Received, ...], channel: "_Channel") -> None:
        self.messages = messages
        self._channel = channel

    async def ack(self) -> None:
        """Let the broker forget all of them, in one frame when nothing older waits."""
        await self._channel.settle([received.tag for received in self.messages], _ack)

    async def ack_some(self, *received: Received) -> None:
        """Let the broker forget these."""
        await self._channel.settle([each.tag for each in received], _ack)

    async def reject(self, *received: Received) -> None:
        """Give these up: the broker moves them to the queue's dead-letter target."""
        for each in received:
            await self._channel.settle([each.tag], _reject)

    async def release(self) -> None:
        """Give all that is not settled back to the queue."""
        await self._channel.settle([received.tag for received in self.messages], _release)


class Consumer:
    """Take messages from one queue. `linger` (seconds): how long a batch waits for company once it has one message."""

    def __init__(
        self, link: Link, queue: str, *, batch: int = 256, linger: float = 0.003, prefetch: int | None = None
    ) -> None:
        self._link = link
        self._queue = queue
        self._batch = batch
        self._linger = linger
        self._prefetch = prefetch or 2 * batch  # one batch in work, one on its way
        self._stop = asyncio.Event()

    async def stop(self) -> None:
        """Take no more: `batches` yields what is already here, and ends."""
        self._stop.set()

    async def batches(self) -> AsyncGenerator[Batch, None]:
        """Yield batches until `stop`; a lost connection is made again by itself, with growing waits."""
        wait = _FIRST_WAIT_SECONDS
        while not self._stop.is_set():
            channel = _Channel(self._queue)
            try:
                await channel.open(self._link, self._prefetch)
            except Unavailable as error:
                log.warning("%s: %s; trying again", self._queue, error.detail)
                await self._stopped_within(wait * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, not a secret
                wait = min(wait * 2, _LONGEST_WAIT_SECONDS)
                continue
            wait = _FIRST_WAIT_SECONDS
            try:
                while batch := await self._next(channel):
                    yield batch
            finally:
                await channel.close()

    async def _next(self, channel: "_Channel") -> Batch | None:
        """Return the next batch; None when the channel is gone, or when stopping and nothing is left."""
        while not channel.waiting:
            if self._stop.is_set():
                await channel.cancel()
                if not channel.waiting:
                    return None
            elif channel.gone:
                log.warning("%s: the consumer is gone; starting it again", self._queue)
                return None
            else:
                await channel.changed(self._stop)
        if len(channel.waiting) < self._batch and not self._stop.is_set():
            await asyncio.sleep(self._linger)
        if channel.gone:
            return None  # what is here cannot be settled any more, and comes again
        return Batch(channel.take(self._batch), channel)

    async def _stopped_within(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stop.wait()


class _Settle(Protocol):
    async def __call__(self, channel: AbstractChannel, tag: int, *, multiple: bool) -> None: ...


async def _ack(channel: AbstractChannel, tag: int, *, multiple: bool) -> None:
    await channel.basic_ack(tag, multiple=multiple)


async def _release(channel: AbstractChannel, tag: int, *, multiple: bool) -> None:
    await channel.basic_nack(tag, multiple=multiple, requeue=True)


async def _reject(channel: AbstractChannel, tag: int, *, multiple: bool) -> None:
    await channel.basic_nack(tag, multiple=multiple, requeue=False)


class _Channel:
    """A channel with one consumer, what it has received, and what of that is not settled."""

    def __init__(self, queue: str) -> None:
        self.waiting: deque[Received] = deque()
        self._queue = queue
        self._channel: AbstractChannel | None = None
        self._deadline = 0.0
        self._tag: str | None = None
        self._cancelled = False
        self._news = asyncio.Event()
        self._unsettled: dict[int, None] = {}  # in the order of their tags, which rise

    async def open(self, link: Link, prefetch: int) -> None:
        """Start consuming; raise Unavailable."""
        self._channel = channel = await link.channel()
        self._deadline = link.deadline
        channel.on_consumer_cancel_callbacks.add(self._on_cancel)
        try:
            async with asyncio.timeout(link.deadline):
                await channel.basic_qos(prefetch_count=prefetch)
                ok = await channel.basic_consume(self._queue, self._on_message)
        except TimeoutError as error:
            await link.drop()
            raise Unavailable(f"the broker did not start a consumer within {link.deadline:g} s") from error
        except FAILURES as error:
            raise unavailable("consume", error) from error
        self._tag = ok.consumer_tag
        channel.closing.add_done_callback(lambda _: self._news.set())

    @property
    def gone(self) -> bool:
        """Whether nothing more can come or be settled here."""
        return self._cancelled or self._channel is None or self._channel.is_closed

    async def changed(self, stop: asyncio.Event) -> None:
        """Wait until a message came, the channel went, or `stop` is set."""
        self._news.clear()
        if self.waiting or self.gone or stop.is_set():
            return
        waits = [asyncio.ensure_future(self._news.wait()), asyncio.ensure_future(stop.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    def take(self, count: int) -> tuple[Received, ...]:
        """Take up to `count` messages from those that wait."""
        return tuple(self.waiting.popleft() for _ in range(min(count, len(self.waiting))))

    async def settle(self, tags: Iterable[int], how: "_Settle") -> None:
        """Settle tags: with one frame when no older one is unsettled, else one by one; raise Unavailable."""
        open_tags = [tag for tag in tags if tag in self._unsettled]
        if not open_tags:
            return
        channel = self._channel
        if channel is None or channel.is_closed:
            raise Unavailable("the channel is gone; the broker hands the messages out again")
        try:
            async with asyncio.timeout(self._deadline):
                if self._are_oldest(open_tags):
                    await how(channel, open_tags[-1], multiple=True)
                else:
                    for tag in open_tags:
                        await how(channel, tag, multiple=False)
        except TimeoutError as error:
            raise Unavailable(f"the broker took no ack within {self._deadline:g} s") from error
        except FAILURES as error:
            raise unavailable("settle messages", error) from error
        for tag in open_tags:
            self._unsettled.pop(tag, None)

    def _are_oldest(self, tags: list[int]) -> bool:
        oldest = iter(self._unsettled)
        return all(next(oldest) == tag for tag in tags)

    async def cancel(self) -> None:
        """Stop consuming; what has been received stays here."""
        channel, tag, self._tag = self._channel, self._tag, None
        if channel is None or tag is None or channel.is_closed:
            return
        with contextlib.suppress(TimeoutError, *FAILURES):
            async with asyncio.timeout(self._deadline):
                await channel.basic_cancel(tag)

    async def close(self) -> None:
        """Close the channel: what is unsettled goes back to the queue."""
        if self._channel is not None and not self._channel.is_closed:
            with contextlib.suppress(TimeoutError, *FAILURES):
                async with asyncio.timeout(self._deadline):
                    await self._channel.close()

    async def _on_message(self, message: DeliveredMessage) -> None:
        received = Received(_submission(message), message.delivery_tag or 0)
        self._unsettled[received.tag] = None
        self.waiting.append(received)
        self._news.set()

    def _on_cancel(self, _: commands.Basic.Cancel) -> None:
        # The queue was deleted or moved; the channel lives on, but nothing will come.
        self._cancelled = True
        self._news.set()


def _submission(message: DeliveredMessage) -> Submission:
    properties = message.header.properties
    return Submission(
        body=message.body,
        exchange=message.exchange or "",
        routing_key=message.routing_key or "",
        account=properties.user_id,
        type=properties.message_type,
        content_type=properties.content_type,
        message_id=properties.message_id,
        headers=properties.headers or {},
        redelivered=bool(message.redelivered),
    )
