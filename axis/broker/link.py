"""One connection to RabbitMQ, made again when it is lost.

Reconnecting is a matter of asking: who needs a channel gets one that is open, on a new connection if need be, or
Unavailable within the deadline. Nothing is restored out of sight, so nothing can look restored and be gone.
"""

import asyncio
import random
from collections import deque
from collections.abc import Iterable
from types import TracebackType
from typing import NamedTuple, Self, TypeVar

from pamqp import commands
from pamqp.base import Frame as Method

from axis.broker.address import Address
from axis.broker.channel import Channel, ClosedByBroker
from axis.broker.connection import Connection
from axis.errors import Unavailable

C = TypeVar("C", bound=Channel)

_ASK_AT_ONCE = 64


class QueueState(NamedTuple):
    """What the broker says of a queue: how many consume from it, how many messages are ready in it."""

    consumers: int
    messages: int


class Link:
    """Keep one connection. Publishing and consuming want one each: alarms block connections that publish.

    `name` is what the broker's management page shows; `deadline` is in seconds, for each thing asked of the broker.
    Of a cluster's nodes a random one is taken first, so that clients spread, and after a lost connection the next one.
    """

    def __init__(self, url: str, name: str, *, deadline: float = 10.0) -> None:
        self.deadline = deadline
        self._address = Address.parse(url)
        places = self._address.places
        self._places = deque(random.sample(places, len(places)))
        self._name = name
        self._connection: Connection | None = None
        self._opening = asyncio.Lock()
        self._closed = False

    async def __aenter__(self) -> Self:
        """Connect for the first time; raise Unavailable when that is not possible."""
        await self._connected()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close for good, after everything that was sent."""
        self._closed = True
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    @property
    def connected(self) -> bool:
        """Whether the connection is open, as far as is known."""
        return self._connection is not None and self._connection.closed is None

    @property
    def blocked(self) -> str | None:
        """Why the broker takes no publishes on this connection (memory or disk alarm); None while it does."""
        return self._connection.blocked if self._connection is not None and self.connected else None

    async def channel(self, kind: type[C]) -> C:
        """Open a channel, on a new connection if the old one is lost; raise Unavailable."""
        connection = await self._connected()
        try:
            async with asyncio.timeout(self.deadline):
                return await connection.channel(kind)
        except TimeoutError as error:
            # A broker that opens no channel in time answers nothing else on this connection either.
            reason = Unavailable(f"the broker did not open a channel within {self.deadline:g} s")
            connection.abort(reason)
            raise reason from error

    async def queue_states(self, names: Iterable[str]) -> dict[str, QueueState | None]:
        """Look at queues (a passive declare of each; needs no right on them); None: there is no such queue."""
        left = list(dict.fromkeys(names))
        states: dict[str, QueueState | None] = {}
        try:
            async with asyncio.timeout(self.deadline):
                while left:
                    states |= await self._some_states(left[:_ASK_AT_ONCE])
                    left = [name for name in left if name not in states]
        except TimeoutError as error:
            raise Unavailable(f"the broker did not tell about queues within {self.deadline:g} s") from error
        return states

    async def _some_states(self, names: list[str]) -> dict[str, QueueState | None]:
        """Ask about all at once; the first that is not there closes the channel, and those behind it get no answer."""
        channel = await self.channel(Channel)
        states: dict[str, QueueState | None] = {}
        try:
            answers = [channel.ask(commands.Queue.Declare(queue=name, passive=True)) for name in names]
            for name, answer in zip(names, answers, strict=True):
                states[name] = await _state(answer)
                if states[name] is None:
                    break
        finally:
            channel.end()
        return states

    def drop(self, reason: Unavailable) -> None:
        """End the connection without saying goodbye; the next use makes a new one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.abort(reason)

    async def _connected(self) -> Connection:
        async with self._opening:
            if self._closed:
                raise Unavailable("the connection was closed by us")
            if self._connection is None or self._connection.closed is not None:
                self._connection = await self._connect()
            return self._connection

    async def _connect(self) -> Connection:
        """Try the nodes in turn; each has its share of the deadline, for one that stands still answers nothing."""
        share = self.deadline / len(self._places)
        for _ in self._address.places:
            place = self._places[0]
            self._places.rotate(-1)
            try:
                async with asyncio.timeout(share):
                    return await Connection.open(self._address, place, self._name)
            except TimeoutError:
                reason = Unavailable(f"the broker at {place.host}:{place.port} did not answer within {share:g} s")
            except Unavailable as error:
                reason = error
        raise reason


async def _state(answer: asyncio.Future[Method]) -> QueueState | None:
    try:
        state = await answer
    except ClosedByBroker as error:
        if error.not_found:
            return None
        raise
    if not isinstance(state, commands.Queue.DeclareOk):
        raise Unavailable(f"the broker answered {state.name} to a question about a queue")
    return QueueState(state.consumer_count or 0, state.message_count or 0)
