"""Consume in batches, over any number of lost connections, until told to stop."""

import asyncio
import contextlib
import logging
import random
from collections import deque
from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from pamqp import commands

from axis.broker import frames
from axis.broker.channel import Channel
from axis.broker.connection import HEARTBEAT_SECONDS
from axis.broker.link import Link
from axis.broker.properties import read_properties
from axis.core.messages import Submission
from axis.errors import Unavailable

if TYPE_CHECKING:
    from axis.broker.connection import Connection

log = logging.getLogger("axis.broker")

_FIRST_WAIT_SECONDS = 0.1
_LONGEST_WAIT_SECONDS = 5.0
_UNNOTICED_SECONDS = 3.0 * HEARTBEAT_SECONDS
GIVEN_BACK = "were in work and are given back"  # said when a worker ends before what it took is settled
_TAG = "axis"  # consumer tags are the channel's, and a channel has one


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

    def __init__(self, messages: tuple[Received, ...], channel: "ConsumeChannel") -> None:
        self.messages = messages
        self._channel = channel

    async def ack(self) -> None:
        """Let the broker forget all of them, in one frame when nothing older waits."""
        self._channel.settle([received.tag for received in self.messages], _ack)

    async def ack_some(self, *received: Received) -> None:
        """Let the broker forget these."""
        self._channel.settle([each.tag for each in received], _ack)

    async def reject(self, *received: Received) -> None:
        """Give these up: the broker moves them to the queue's dead-letter target."""
        self._channel.settle([each.tag for each in received], _reject)

    async def release(self) -> None:
        """Give all that is not settled back to the queue."""
        log.warning("%d messages %s", len(self.messages), GIVEN_BACK)
        self._channel.settle([received.tag for received in self.messages], _release)


class Consumer:
    """Take messages from one queue. `linger` (seconds): how long a batch waits for company once it has one message.

    `in_order`: after a connection that died without a word the broker holds what it had sent there until it notices as
    well, and would hand out what is behind first. So a consumer begins again only when no other is left, or (somebody
    else takes from the queue, too) after a while.
    """

    def __init__(
        self,
        link: Link,
        queue: str,
        *,
        batch: int = 256,
        linger: float = 0.003,
        prefetch: int | None = None,
        in_order: bool = False,
    ) -> None:
        self._link = link
        self._queue = queue
        self._batch = batch
        self._linger = linger
        self._prefetch = prefetch or 2 * batch  # one batch in work, one on its way
        self._in_order = in_order
        self._stop = asyncio.Event()

    async def stop(self) -> None:
        """Take no more: `batches` yields what is already here, and ends."""
        self._stop.set()

    async def batches(self) -> AsyncGenerator[Batch, None]:
        """Yield batches until `stop`; a lost connection is made again by itself, with growing waits.

        After `stop` it ends when all it yielded is settled, or after a while: ending gives the rest back.
        """
        wait = _FIRST_WAIT_SECONDS
        lost = False
        while not self._stop.is_set():
            try:
                if lost and self._in_order:
                    await self._alone()
                    if self._stop.is_set():
                        break
                channel = await self._start()
            except Unavailable as error:
                log.warning("%s: %s; trying again", self._queue, error.detail)
                lost = True  # it may have begun before the answer was lost
            else:
                try:
                    while batch := await self._next(channel):
                        wait = _FIRST_WAIT_SECONDS
                        yield batch
                finally:
                    await self._end(channel)
                lost = True
            # A consumer that starts and is gone at once has to wait as well, or it would never stop trying.
            await self._stopped_within(wait * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, not a secret
            wait = min(wait * 2, _LONGEST_WAIT_SECONDS)

    async def _alone(self) -> None:
        """Wait until the broker counts no consumer, for as long as it may take to notice that one is gone."""
        end = asyncio.get_running_loop().time() + _UNNOTICED_SECONDS
        while not self._stop.is_set() and asyncio.get_running_loop().time() < end:
            state = (await self._link.queue_states([self._queue]))[self._queue]
            if state is None or not state.consumers:
                return
            await self._stopped_within(_FIRST_WAIT_SECONDS)
        if not self._stop.is_set():
            log.warning("%s: others take from it, too; the order may not be that of sending", self._queue)

    async def _start(self) -> "ConsumeChannel":
        deadline = self._link.deadline
        channel = await self._link.channel(ConsumeChannel)
        try:
            async with asyncio.timeout(deadline):
                await channel.ask(commands.Basic.Qos(prefetch_count=self._prefetch))
                await channel.ask(commands.Basic.Consume(queue=self._queue, consumer_tag=_TAG))
        except TimeoutError as error:
            reason = Unavailable(f"the broker did not start a consumer within {deadline:g} s")
            self._link.drop(reason)
            raise reason from error
        return channel

    async def _next(self, channel: "ConsumeChannel") -> Batch | None:
        """Return the next batch; None when the channel is gone, or when stopping and nothing is left."""
        if self._stop.is_set():
            # Before anything that waits is handed out: under traffic something always waits.
            await self._cancel(channel)
        while not channel.waiting:
            if self._stop.is_set():
                await self._cancel(channel)
                if not channel.waiting:
                    await self._settled(channel)
                    return None
            elif channel.gone:
                reason = channel.closed.detail if channel.closed is not None else "cancelled by the broker"
                log.warning("%s: the consumer is gone (%s); starting it again", self._queue, reason)
                return None
            else:
                await channel.changed(self._stop)
        if len(channel.waiting) < self._batch and not self._stop.is_set():
            await asyncio.sleep(self._linger)
        if channel.closed is not None:
            return None  # what is here cannot be settled any more, and comes again
        return Batch(channel.take(self._batch), channel)

    async def _cancel(self, channel: "ConsumeChannel") -> None:
        """Take no more from the broker; what was on its way is here when this returns. Once is enough."""
        if channel.gone:
            return
        with contextlib.suppress(TimeoutError, Unavailable):
            async with asyncio.timeout(self._link.deadline):
                await channel.ask(commands.Basic.Cancel(consumer_tag=_TAG))
                channel.cancelled()

    async def _settled(self, channel: "ConsumeChannel") -> None:
        """Wait until what was yielded before is settled, for a while: it may be in work still."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._link.deadline):
                await channel.settled()

    async def _end(self, channel: "ConsumeChannel") -> None:
        """Close the channel: what is unsettled goes back to the queue."""
        if self._stop.is_set() and channel.closed is None and channel.unsettled:
            log.warning("%s: %d messages %s", self._queue, channel.unsettled, GIVEN_BACK)
        with contextlib.suppress(TimeoutError, Unavailable):
            async with asyncio.timeout(self._link.deadline):
                await channel.end()

    async def _stopped_within(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stop.wait()


class _Settle(Protocol):
    def __call__(self, channel: int, tag: int, *, multiple: bool) -> bytes: ...


def _ack(channel: int, tag: int, *, multiple: bool) -> bytes:
    return frames.ack(channel, tag, multiple=multiple)


def _release(channel: int, tag: int, *, multiple: bool) -> bytes:
    return frames.nack(channel, tag, multiple=multiple, requeue=True)


def _reject(channel: int, tag: int, *, multiple: bool) -> bytes:
    return frames.nack(channel, tag, multiple=multiple, requeue=False)


class ConsumeChannel(Channel):
    """A channel with one consumer, what it has received, and what of that is not settled."""

    def __init__(self, connection: "Connection", number: int) -> None:
        super().__init__(connection, number)
        self.waiting: deque[Received] = deque()
        self._cancelled = False
        self._news = asyncio.Event()
        self._unsettled: dict[int, None] = {}  # in the order of their tags, which rise

    @property
    def gone(self) -> bool:
        """Whether nothing more can come."""
        return self._cancelled or self.closed is not None

    @property
    def unsettled(self) -> int:
        """How many messages came and are not settled."""
        return len(self._unsettled)

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

    async def settled(self) -> None:
        """Wait until nothing is unsettled, or the channel went."""
        while self._unsettled and self.closed is None:
            self._news.clear()
            await self._news.wait()

    def take(self, count: int) -> tuple[Received, ...]:
        """Take up to `count` messages from those that wait."""
        return tuple(self.waiting.popleft() for _ in range(min(count, len(self.waiting))))

    def settle(self, tags: Iterable[int], how: "_Settle") -> None:
        """Settle tags: with one frame when no older one is unsettled, else one by one; raise Unavailable."""
        tags = [tag for tag in tags if tag in self._unsettled]
        if not tags:
            return
        if self.closed is not None:
            raise Unavailable(f"{self.closed.detail}; the broker hands the messages out again")
        if self._are_oldest(tags):
            self.connection.write(how(self.number, tags[-1], multiple=True))
        else:
            self.connection.write(b"".join([how(self.number, tag, multiple=False) for tag in tags]))
        for tag in tags:
            self._unsettled.pop(tag, None)
        self._news.set()

    def _are_oldest(self, tags: list[int]) -> bool:
        oldest = iter(self._unsettled)
        return all(next(oldest) == tag for tag in tags)

    def delivered(
        self, tag: int, exchange: str, routing_key: str, header: bytes, body: bytes, *, redelivered: bool
    ) -> None:
        """Keep a message until it is taken."""
        properties = read_properties(header)
        submission = Submission(
            body=body,
            exchange=exchange,
            routing_key=routing_key,
            account=properties.user_id,
            type=properties.type,
            content_type=properties.content_type,
            message_id=properties.message_id,
            headers=properties.headers or {},
            redelivered=redelivered,
        )
        self._unsettled[tag] = None
        self.waiting.append(Received(submission, tag))
        self._news.set()

    def cancelled(self) -> None:
        """Note that nothing more will come: the queue was deleted or moved, or we want no more. The channel lives."""
        self._cancelled = True
        self._news.set()

    def fail(self, reason: Unavailable) -> None:
        """Wake who waits for messages."""
        super().fail(reason)
        self._news.set()
