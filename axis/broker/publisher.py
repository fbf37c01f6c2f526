"""Publish: persistent, mandatory, confirmed, within a deadline. What is returned or not confirmed is never silent."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from pamqp import commands

from axis.broker import frames
from axis.broker.channel import Channel, ClosedByBroker
from axis.broker.link import Link, QueueState
from axis.broker.properties import read_properties
from axis.core.messages import Outgoing
from axis.errors import NotRouted, NotTaken, Unavailable

if TYPE_CHECKING:
    from axis.broker.connection import Connection

_PRECONDITION_FAILED = 406  # AMQP 0-9-1 section 1.1
_WRITE_BYTES = 256 * 1024  # at once, before looking whether the other side keeps up


class Publisher:
    """Publish on one channel, opened again when it is lost. Several tasks may publish at once.

    A confirm means that every queue the message was routed to has it on disk. The broker says nothing about a BCC key
    without a queue, so name only queues that `queue_states` has seen.

    A channel that was nacked is left when those who use it are done. BUG: one whose first publish to a quorum queue
    finds the leader's node down asks that node again for every later publish, and nacks each, though the queue has had
    a new leader since (rabbit_fifo_client:enqueue/3 of RabbitMQ 3.8 to 3.10). A new channel looks the leader up.
    """

    def __init__(self, link: Link) -> None:
        self._link = link
        self._channel: _ConfirmChannel | None = None
        self._opening = asyncio.Lock()

    async def publish(self, message: Outgoing) -> None:
        """Publish one message and await its confirm; raise NotRouted when no queue was bound, else Unavailable."""
        (outcome,) = await self.publish_many([message])
        if outcome is not None:
            raise outcome

    async def publish_many(self, messages: Sequence[Outgoing]) -> list[Unavailable | None]:
        """Publish all, then await all confirms under one deadline; return one outcome for each, in order.

        None: confirmed. NotRouted: no queue was bound for the routing key, nor for any BCC key. NotTaken: one of its
        queues did not take it, or gave no answer in time; the others may have. With code `axis/internal`: the message
        cannot be said in AMQP (headers beyond one frame, text beyond 255 bytes), the others are not touched by it. Any
        other Unavailable: the broker is away or takes nothing, and the message may have arrived or may still arrive.
        A broker that refuses one (no such exchange, no right) closes the channel over it, so its neighbours that are
        not confirmed yet end in the same way; over what is wrong with the one itself they are published again, alone.
        """
        deadline = self._link.deadline
        publishing = _Publishing(messages)
        channel: _ConfirmChannel | None = None
        try:
            async with asyncio.timeout(deadline):
                channel = await self._open()
                channel.users += 1
                for piece in channel.pieces(publishing):
                    channel.connection.write(piece)
                    await channel.connection.writable()
                await publishing.finished.wait()
        except TimeoutError:
            # Frames that wait here would be sent whenever the broker wakes up; the caller is told otherwise now, so
            # they go with the connection.
            detail = f"not confirmed within {deadline:g} s"
            publishing.fail(Unavailable(detail) if channel is None else NotTaken(detail))
            self._link.drop(Unavailable(detail))
        except Unavailable as error:
            publishing.fail(error)
        finally:
            if channel is not None:
                channel.leave()
        outcomes = publishing.outcomes
        rejected = [index for index, outcome in enumerate(outcomes) if _is_rejection(outcome)]
        if len(messages) == 1 and rejected:
            return [NotTaken(f"the broker rejects the message: {outcomes[0]}")]
        for index in rejected:
            (outcomes[index],) = await self.publish_many([messages[index]])
        return outcomes

    async def queue_states(self, names: Iterable[str]) -> dict[str, QueueState | None]:
        """Look at queues (a passive declare of each; needs no right on them); None: there is no such queue."""
        return await self._link.queue_states(names)

    async def _open(self) -> "_ConfirmChannel":
        async with self._opening:
            if reason := self._link.blocked:
                raise _alarm(reason)
            if self._channel is None or self._channel.closed is not None or self._channel.nacked:
                channel = await self._link.channel(_ConfirmChannel)
                await channel.ask(commands.Confirm.Select())
                self._channel = channel
            return self._channel


class _Publishing:
    """One call of `publish_many`: what became of each of its messages."""

    def __init__(self, messages: Sequence[Outgoing]) -> None:
        self.messages = messages
        self.outcomes: list[Unavailable | None] = [None] * len(messages)
        self.finished = asyncio.Event()
        self._open = dict.fromkeys(range(len(messages)))
        self._look()

    def settle(self, index: int, outcome: Unavailable | None) -> None:
        if index in self._open:
            del self._open[index]
            self.outcomes[index] = outcome
            self._look()

    def fail(self, outcome: Unavailable) -> None:
        for index in list(self._open):
            self.settle(index, outcome)

    def _look(self) -> None:
        if not self._open:
            self.finished.set()


class _ConfirmChannel(Channel):
    """A channel in confirm mode: it knows which publish each sequence number stands for.

    `users`: how many calls publish on it now; `nacked`: whether the broker has not taken something on it.
    """

    def __init__(self, connection: "Connection", number: int) -> None:
        super().__init__(connection, number)
        self.users = 0
        self.nacked = False
        self._sequence = 0
        self._oldest = 1  # all before it are settled
        self._unconfirmed: dict[int, tuple[_Publishing, int]] = {}  # in the order they were sent
        self._returned: set[int] = set()

    def pieces(self, publishing: _Publishing) -> Iterator[bytes]:
        """Yield the frames of all messages, some hundred KiB at a time; write each before anything else is awaited."""
        parts: dict[int, bytes] = {}
        size = 0
        for index, message in enumerate(publishing.messages):
            try:
                part = frames.publish(self.number, message, self.connection.frame_bytes)
            except ValueError as error:
                publishing.settle(index, NotTaken(f"the message cannot be sent: {error}", code="axis/internal"))
                continue
            parts[index] = part
            size += len(part)
            if size >= _WRITE_BYTES:
                yield self._number(publishing, parts)
                parts, size = {}, 0
        if parts:
            yield self._number(publishing, parts)

    def _number(self, publishing: _Publishing, parts: Mapping[int, bytes]) -> bytes:
        """Give each publish its number only now: a number without a publish would shift the confirms of all others."""
        if self.closed is not None:
            raise self.closed
        for index in parts:
            self._sequence += 1
            self._unconfirmed[self._sequence] = (publishing, index)
        return b"".join(parts.values())

    def leave(self) -> None:
        """Be done with it."""
        self.users -= 1
        self._end_if_left()

    def returned(self, exchange: str, routing_key: str, header: bytes) -> None:
        """Mark the publish that comes back. The broker returns in the order of publishing, before it confirms."""
        what = (exchange, routing_key, read_properties(header).message_id)
        for sequence, (publishing, index) in self._unconfirmed.items():
            message = publishing.messages[index]
            sent = (message.exchange, message.routing_key, message.message_id)
            if sent == what and sequence not in self._returned:
                self._returned.add(sequence)
                return

    def confirmed(self, tag: int, *, multiple: bool, taken: bool) -> None:
        """Settle the publishes a confirm is about."""
        if multiple:
            for sequence in range(self._oldest, tag + 1):
                self._settle(sequence, taken=taken)
            self._oldest = tag + 1
        else:
            self._settle(tag, taken=taken)

    def fail(self, reason: Unavailable) -> None:
        """End everything that waits for a confirm with the reason, too."""
        super().fail(reason)
        self._give_up(reason)

    def blocked(self, reason: str) -> None:
        """Tell those who wait: what they sent lies before the broker, and is taken when the alarm is over."""
        self._give_up(_alarm(reason))

    def _give_up(self, reason: Unavailable) -> None:
        waiting, self._unconfirmed = self._unconfirmed, {}
        self._returned.clear()
        for publishing, index in waiting.values():
            publishing.settle(index, reason)

    def _end_if_left(self) -> None:
        if self.nacked and not self.users:
            self.end()

    def _settle(self, sequence: int, *, taken: bool) -> None:
        if not taken and not self.nacked:
            self.nacked = True
            self._end_if_left()
        publishing, index = self._unconfirmed.pop(sequence, (None, 0))
        if publishing is None:
            return
        outcome: Unavailable | None = None
        if sequence in self._returned:
            self._returned.discard(sequence)
            message = publishing.messages[index]
            outcome = NotRouted(f"no queue for {message.routing_key} at {message.exchange or 'the default exchange'}")
        elif not taken:
            outcome = NotTaken("a queue did not take the message (nack)")
        publishing.settle(index, outcome)


def _is_rejection(outcome: Unavailable | None) -> bool:
    """Say whether the broker closed the channel over a message itself, such as one that is too large."""
    return isinstance(outcome, ClosedByBroker) and outcome.reply_code == _PRECONDITION_FAILED


def _alarm(reason: str) -> Unavailable:
    return Unavailable(f"the broker takes no publishes (alarm): {reason}")
