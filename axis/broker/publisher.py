"""Publish: persistent, mandatory, confirmed, within a deadline. What is returned or not confirmed is never silent."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import cast

from aiormq.abc import AbstractChannel
from aiormq.channel import Channel
from aiormq.exceptions import ChannelNotFoundEntity, DeliveryError, PublishError
from pamqp import commands
from pamqp.common import FieldTable

from axis.broker.link import FAILURES, Link, unavailable
from axis.core.messages import Outgoing
from axis.errors import NotRouted, Unavailable

_PERSISTENT = 2
# A header table must fit one frame (131072 bytes as both sides propose); more would kill the connection and with it
# every other publish on it.
_MAX_HEADER_BYTES = 120 * 1024


class Publisher:
    """Publish on one channel, opened again when it is lost.

    A confirm means that every queue the message was routed to has it on disk. The broker says nothing about a BCC key
    without a queue, so name only queues that `queues_missing` did not miss.
    """

    def __init__(self, link: Link) -> None:
        self._link = link
        self._channel: AbstractChannel | None = None
        self._opening = asyncio.Lock()

    async def publish(self, message: Outgoing) -> None:
        """Publish one message and await its confirm; raise NotRouted when no queue was bound, else Unavailable."""
        (outcome,) = await self.publish_many([message])
        if outcome is not None:
            raise outcome

    async def publish_many(self, messages: Sequence[Outgoing]) -> list[Unavailable | None]:
        """Publish all, then await all confirms under one deadline; return one outcome for each, in order.

        None: confirmed. NotRouted: no queue was bound for the routing key (nor, of a 4.x broker, for any BCC key). Any
        other Unavailable: not known, it may have arrived.
        """
        if not messages:
            return []
        try:
            if await self._link.blocked():
                raise Unavailable("the broker takes no publishes: memory or disk alarm")  # noqa: TRY301 - one handler
            channel = await self._open()
        except Unavailable as error:
            return [error] * len(messages)
        tasks = [asyncio.ensure_future(_publish(channel, message)) for message in messages]
        try:
            _, late = await asyncio.wait(tasks, timeout=self._link.deadline)
        except asyncio.CancelledError:
            await _cancel(tasks)
            raise
        if late:
            await _cancel(late)
            # Frames that wait in the driver would be sent whenever the broker wakes up; the caller was told
            # otherwise by then, so they go with the connection.
            await self._link.drop()
        return [
            Unavailable(f"not confirmed within {self._link.deadline:g} s") if task in late else task.result()
            for task in tasks
        ]

    async def queues_missing(self, names: Iterable[str]) -> set[str]:
        """Return which of these queues are not there (a passive declare of each; needs no right on the queue)."""
        missing: set[str] = set()
        channel: AbstractChannel | None = None
        try:
            async with asyncio.timeout(self._link.deadline):
                for name in names:
                    if channel is None or channel.is_closed:
                        channel = await self._link.channel()
                    try:
                        await channel.queue_declare(name, passive=True)
                    except ChannelNotFoundEntity:  # closes the channel
                        missing.add(name)
                if channel is not None and not channel.is_closed:
                    await channel.close()
        except TimeoutError as error:
            raise Unavailable(f"the broker did not answer within {self._link.deadline:g} s") from error
        except FAILURES as error:
            raise unavailable("look at queues", error) from error
        return missing

    async def _open(self) -> AbstractChannel:
        async with self._opening:
            if self._channel is None or self._channel.is_closed:
                self._channel = await self._link.channel(confirms=True)
            return self._channel


async def _publish(channel: AbstractChannel, message: Outgoing) -> Unavailable | None:
    headers: FieldTable = dict(message.headers)
    size = sum(len(key) + len(value.encode()) for key, value in message.headers.items())
    size += sum(len(key) + 8 for key in message.bcc)
    if size > _MAX_HEADER_BYTES:
        return Unavailable(f"headers of {size} bytes do not fit one frame", code="axis/internal")
    if message.bcc:
        headers["BCC"] = list(message.bcc)
    properties = commands.Basic.Properties(
        content_type=message.content_type,
        headers=headers,
        delivery_mode=_PERSISTENT,
        message_id=message.message_id,
        message_type=message.type,
        user_id=message.user_id,
    )
    try:
        # wait=False: do not await the socket's drain under the channel's lock, so that publishes are pipelined.
        await cast("Channel", channel).basic_publish(  # the driver's own interface leaves `wait` out
            message.body,
            exchange=message.exchange,
            routing_key=message.routing_key,
            properties=properties,
            mandatory=True,
            wait=False,
        )
    except PublishError:
        return NotRouted(f"no queue for {message.routing_key} at {message.exchange or 'the default exchange'}")
    except DeliveryError:
        return Unavailable("the broker did not take the message (nack)")
    except FAILURES as error:
        return unavailable("publish", error)
    return None


async def _cancel(tasks: Iterable[asyncio.Future[Unavailable | None]]) -> None:
    waiting = list(tasks)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
