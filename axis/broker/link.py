"""One connection to RabbitMQ, made again when it is lost.

Below this seam is aiormq, not aio-pika: the router needs batches, multiple acks and pipelined confirms, and aio-pika's
robust connection says "connected" while its consumers are gone. Reconnecting is ours: who needs a channel asks for
one, and either gets one that is open or Unavailable within the deadline.
"""

import asyncio
import contextlib
from types import TracebackType
from typing import Self

from aiormq import Connection
from aiormq.abc import AbstractChannel
from aiormq.exceptions import AMQPError

from axis.broker import tolerant
from axis.errors import Unavailable

tolerant.install()  # before the first connection is made

HEARTBEAT_SECONDS = 20
_CLOSE_SECONDS = 5.0

# What the driver raises when the other side is gone, refuses us, or the connection dies under a call.
FAILURES = (AMQPError, ConnectionError, OSError, asyncio.IncompleteReadError, RuntimeError)


class Link:
    """Keep one connection. Publishing and consuming want one each: alarms block connections that publish.

    `name` is what the broker's management page shows; `deadline` is in seconds, for each thing asked of the broker.
    """

    def __init__(self, url: str, name: str, *, deadline: float = 10.0) -> None:
        self.deadline = deadline
        self._url = url
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
        """Close for good."""
        self._closed = True
        await self.drop()

    @property
    def connected(self) -> bool:
        """Whether the connection was open when last used."""
        return self._connection is not None and not self._connection.is_closed

    async def channel(self, *, confirms: bool = False) -> AbstractChannel:
        """Open a channel, on a new connection if the old one is lost; raise Unavailable."""
        connection = await self._connected()
        try:
            async with asyncio.timeout(self.deadline):
                return await connection.channel(publisher_confirms=confirms, on_return_raises=True)
        except TimeoutError as error:
            # A broker that answers no channel.open in time answers nothing else on this connection either.
            await self.drop()
            raise Unavailable(f"the broker did not open a channel within {self.deadline:g} s") from error
        except FAILURES as error:
            raise unavailable("open a channel", error) from error

    async def blocked(self) -> bool:
        """Whether the broker has told this connection that it takes no publishes (memory or disk alarm)."""
        if self._connection is None or self._connection.is_closed:
            return False
        try:
            async with asyncio.timeout(0):  # `ready` returns without waiting unless blocked
                await self._connection.ready()
        except TimeoutError:
            return True
        return False

    async def drop(self) -> None:
        """Close the connection without trusting it to say goodbye; the next use makes a new one."""
        connection, self._connection = self._connection, None
        if connection is not None and not connection.is_closed:
            with contextlib.suppress(TimeoutError, *FAILURES):
                async with asyncio.timeout(_CLOSE_SECONDS):
                    await connection.close()

    async def _connected(self) -> Connection:
        async with self._opening:
            if self._closed:
                raise Unavailable("the connection was closed by us")
            if self._connection is None or self._connection.is_closed:
                self._connection = await self._connect()
            return self._connection

    async def _connect(self) -> Connection:
        separator = "&" if "?" in self._url else "?"
        connection = Connection(f"{self._url}{separator}heartbeat={HEARTBEAT_SECONDS}")
        try:
            async with asyncio.timeout(self.deadline):
                await connection.connect(client_properties={"connection_name": self._name})
        except TimeoutError as error:
            raise Unavailable(f"the broker did not answer within {self.deadline:g} s") from error
        except FAILURES as error:
            raise unavailable("connect", error) from error
        return connection


def unavailable(what: str, error: BaseException) -> Unavailable:
    """Turn a failure of the driver into ours; a password in its text would end up in logs, so only its kind is told."""
    reason = next((str(part) for part in error.args[::-1] if isinstance(part, str) and "://" not in part), "")
    return Unavailable(f"cannot {what}: {type(error).__name__}{f' ({reason})' if reason else ''}")
