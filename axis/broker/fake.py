"""A broker in memory with the promises of the real seam, for tests of what stands on it.

It knows exchanges, bindings, mandatory returns, BCC, settling, redelivery and dead-lettering as a `Topology` says them.
It does not know accounts, alarms or disks; `away` makes every publish fail, `refusing` those to some queues.
"""

import asyncio
import re
from collections import defaultdict, deque
from collections.abc import AsyncGenerator, Iterable, Sequence
from dataclasses import dataclass, replace

from axis.broker.consumer import Received
from axis.broker.link import QueueState
from axis.core.messages import Outgoing, Submission
from axis.core.topology import Topology
from axis.errors import NotRouted, NotTaken, Unavailable


class FakeBroker:
    """Queues in memory; `publisher()` and `consumer()` are the ways in and out."""

    def __init__(self, topology: Topology) -> None:
        self.away = False
        self.refusing: set[str] = set()
        self._types = {exchange.name: exchange.type for exchange in topology.exchanges}
        self._bindings = topology.bindings
        self._declared = {queue.name: queue for queue in topology.queues}
        self._queues: dict[str, deque[Submission]] = {queue.name: deque() for queue in topology.queues}
        self._returned: defaultdict[str, deque[Submission]] = defaultdict(deque)
        self._changed = asyncio.Condition()

    def publisher(self) -> "FakePublisher":
        """Publish through this."""
        return FakePublisher(self)

    def consumer(self, queue: str, *, batch: int = 256) -> "FakeConsumer":
        """Take messages from a queue."""
        return FakeConsumer(self, queue, batch)

    def messages(self, queue: str) -> tuple[Submission, ...]:
        """Return what waits in a queue, the oldest first."""
        return (*self._returned[queue], *self._queues[queue])

    def exists(self, queue: str) -> bool:
        """Say whether there is such a queue."""
        return queue in self._queues

    async def route(self, message: Outgoing) -> Unavailable | None:
        """Put a message into every queue it is for; the outcome is that of a mandatory, confirmed publish."""
        if self.away:
            return Unavailable("the broker is away")
        if message.exchange and message.exchange not in self._types:
            return Unavailable(f"no exchange {message.exchange}")
        primary = self._matching(message.exchange, message.routing_key)
        copies = [queue for key in message.bcc for queue in self._matching(message.exchange, key)]
        targets = dict.fromkeys([*primary, *copies])
        if not targets:
            return NotRouted(f"no queue for {message.routing_key} at {message.exchange}")
        submission = _submission(message)
        for queue in targets.keys() - self.refusing:
            self._queues[queue].append(submission)
        await self.tell()
        return NotTaken("a queue did not take the message (nack)") if self.refusing & targets.keys() else None

    async def take(self, queue: str, count: int, stop: asyncio.Event) -> list[Submission]:
        """Wait for messages; nothing only when stopped and empty."""
        async with self._changed:
            while not self.messages(queue) and not stop.is_set():
                await self._changed.wait()
            taken: list[Submission] = []
            for line in (self._returned[queue], self._queues[queue]):
                taken += [line.popleft() for _ in range(min(count - len(taken), len(line)))]
            return taken

    async def give_back(self, queue: str, submissions: Iterable[Submission]) -> None:
        """Put messages back, marked as redelivered: they go out first, in the order in which they came back."""
        self._returned[queue].extend(replace(submission, redelivered=True) for submission in submissions)
        await self.tell()

    async def dead_letter(self, queue: str, submission: Submission) -> None:
        """Move a message to the queue's dead-letter target, or drop it when there is none, as the broker does."""
        arguments = self._declared[queue].arguments
        if "x-dead-letter-exchange" not in arguments:
            return
        key = str(arguments.get("x-dead-letter-routing-key", submission.routing_key))
        for target in self._matching(str(arguments["x-dead-letter-exchange"]), key):
            self._queues[target].append(
                replace(submission, headers={**submission.headers, "x-death": [{"queue": queue, "reason": "rejected"}]})
            )
        await self.tell()

    async def settled(self, batches: "Sequence[FakeBatch]") -> None:
        """Wait until batches are settled, or cannot be any more."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.away or not any(batch.unsettled for batch in batches))

    async def tell(self) -> None:
        """Wake all who wait."""
        async with self._changed:
            self._changed.notify_all()

    def _matching(self, exchange: str, key: str) -> list[str]:
        if exchange == "":
            return [key] if key in self._queues else []
        bindings = [each for each in self._bindings if each.exchange == exchange and each.queue in self._queues]
        match self._types[exchange]:
            case "fanout":
                return [binding.queue for binding in bindings]
            case "topic":
                return [binding.queue for binding in bindings if _topic(binding.routing_key).fullmatch(key)]
            case _:
                return [binding.queue for binding in bindings if binding.routing_key == key]


@dataclass(frozen=True, slots=True)
class FakePublisher:
    """The publishing half."""

    broker: FakeBroker

    async def publish(self, message: Outgoing) -> None:
        """Publish one message; raise as the real one does."""
        (outcome,) = await self.publish_many([message])
        if outcome is not None:
            raise outcome

    async def publish_many(self, messages: Sequence[Outgoing]) -> list[Unavailable | None]:
        """Publish all; return one outcome for each."""
        return [await self.broker.route(message) for message in messages]

    async def queue_states(self, names: Iterable[str]) -> dict[str, QueueState | None]:
        """Look at queues; None: there is no such queue."""
        if self.broker.away:
            raise Unavailable("the broker is away")
        return {
            name: QueueState(0, len(self.broker.messages(name))) if self.broker.exists(name) else None for name in names
        }


class FakeBatch:
    """Messages taken together; unsettled ones go back when the consumer ends."""

    def __init__(self, broker: FakeBroker, queue: str, messages: tuple[Received, ...]) -> None:
        self.messages = messages
        self._broker = broker
        self._queue = queue
        self.unsettled = {received.tag: received for received in messages}

    async def ack(self) -> None:
        """Forget all of them."""
        await self.ack_some(*self.messages)

    async def ack_some(self, *received: Received) -> None:
        """Forget these."""
        await self._look()
        for each in received:
            self.unsettled.pop(each.tag, None)
        await self._broker.tell()

    async def reject(self, *received: Received) -> None:
        """Dead-letter these."""
        await self._look()
        for each in received:
            if self.unsettled.pop(each.tag, None):
                await self._broker.dead_letter(self._queue, each.submission)

    async def release(self) -> None:
        """Give back what is not settled."""
        await self._look()
        await self.return_unsettled()

    async def return_unsettled(self) -> None:
        """Do what the broker does by itself when a consumer ends."""
        unsettled, self.unsettled = list(self.unsettled.values()), {}
        await self._broker.give_back(self._queue, [received.submission for received in unsettled])

    async def _look(self) -> None:
        if self._broker.away:
            await self._broker.tell()
            raise Unavailable("the broker is away; it hands the messages out again")


class FakeConsumer:
    """The consuming half."""

    def __init__(self, broker: FakeBroker, queue: str, batch: int) -> None:
        self._broker = broker
        self._queue = queue
        self._batch = batch
        self._stop = asyncio.Event()
        self._tag = 0

    async def stop(self) -> None:
        """Take no more; `batches` yields what is already here, and ends."""
        self._stop.set()
        await self._broker.tell()

    async def batches(self) -> AsyncGenerator[FakeBatch, None]:
        """Yield batches until `stop`, and end when all is settled; what is unsettled goes back."""
        open_batches: list[FakeBatch] = []
        try:
            while not self._stop.is_set():
                if taken := await self._broker.take(self._queue, self._batch, self._stop):
                    batch = FakeBatch(self._broker, self._queue, tuple(self._received(each) for each in taken))
                    open_batches.append(batch)
                    yield batch
            await self._broker.settled(open_batches)
        finally:
            for batch in open_batches:
                await batch.return_unsettled()

    def _received(self, submission: Submission) -> Received:
        self._tag += 1
        return Received(submission, self._tag)


def _submission(message: Outgoing) -> Submission:
    return Submission(
        body=message.body,
        exchange=message.exchange,
        routing_key=message.routing_key,
        account=message.user_id,
        type=message.type,
        content_type=message.content_type,
        message_id=message.message_id,
        headers=dict(message.headers),
    )


def _topic(pattern: str) -> re.Pattern[str]:
    words = [r"[^.]+" if word == "*" else "#" if word == "#" else re.escape(word) for word in pattern.split(".")]
    expression = r"\.".join(words).replace(r"\.#", r"(\..*)?").replace(r"#\.", r"(.*\.)?").replace("#", ".*")
    return re.compile(expression)
