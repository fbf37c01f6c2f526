"""Wires between the axis and its services: slow, thin, silent, or dead without anybody being told."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit, urlunsplit

from axis.local.ports import LOOPBACK

_READ_BYTES = 65_536
_AT_ONCE = 1e-6  # seconds between two pieces, so that the loop's timers keep their order
# On, and no waiting: closing sends RST instead of FIN, and what is unsent is lost.
_ABORTIVE = struct.pack("ii", 1, 0)


class Wire:
    """Forward TCP connections to a service. `delay`: seconds each way; `rate`: bytes a second, 0 without a limit.

    Both may be changed at any time. Make it with `wire_to`.
    """

    def __init__(self, host: str, port: int) -> None:
        self.delay = 0.0
        self.rate = 0.0
        self.port = 0
        self._target = (host, port)
        self._flows = asyncio.Event()
        self._flows.set()
        self._server: asyncio.Server | None = None
        self._connections: set[_Connection] = set()
        self._carrying: set[asyncio.Task[None]] = set()

    @property
    def open(self) -> int:
        """How many connections it carries; dead ones count until both ends have given them up."""
        return len(self._connections)

    @property
    def dead(self) -> int:
        """How many connections are dead and still open at one end."""
        return sum(connection.dead for connection in self._connections)

    @property
    def unnoticed(self) -> int:
        """How many connections are dead without their near end, the client's, having given them up."""
        return sum(connection.dead and not connection.ends[0].is_closing() for connection in self._connections)

    async def lay(self) -> None:
        """Take connections, on the port it had."""
        if self._server is None:
            self._server = await asyncio.start_server(self._carry, LOOPBACK, self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """End everything that goes through it and take no more: connections are refused."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.reset()

    def stall(self) -> None:
        """Carry nothing: connections stay open, new ones are taken and nothing is said."""
        self._flows.clear()

    def flow(self) -> None:
        """Carry again, what was held back first."""
        self._flows.set()

    def reset(self) -> None:
        """End all connections as a router does that has lost their state: RST to both ends."""
        for connection in self._connections:
            connection.reset()

    def lose(self) -> int:
        """Let all connections die without a word: whatever either end says vanishes, its goodbye too.

        Only an end that misses signs of life finds out. New connections work. Return how many died.
        """
        alive = [connection for connection in self._connections if not connection.dead]
        for connection in alive:
            connection.dead = True
        return len(alive)

    async def close(self) -> None:
        """End it."""
        await self.cut()
        self.flow()
        for task in self._carrying:
            task.cancel()
        if self._carrying:
            await asyncio.wait(self._carrying)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - start_server makes one
        self._carrying.add(task)
        connection = _Connection(writer)
        self._connections.add(connection)
        try:
            await self._flows.wait()
            there, back = await asyncio.open_connection(*self._target)
            connection.ends.append(back)
            await asyncio.gather(
                self._pump(connection, reader, writer, back), self._pump(connection, there, back, writer)
            )
        except (OSError, asyncio.CancelledError):
            connection.reset()
        finally:
            self._connections.discard(connection)
            self._carrying.discard(task)

    async def _pump(
        self,
        connection: "_Connection",
        reader: asyncio.StreamReader,
        own: asyncio.StreamWriter,
        other: asyncio.StreamWriter,
    ) -> None:
        """Carry what one end says to the other, until it says goodbye; that is as late as everything else."""
        loop = asyncio.get_running_loop()
        due = 0.0
        with contextlib.suppress(OSError):
            while data := await reader.read(_READ_BYTES):
                await self._flows.wait()
                if connection.dead:
                    continue
                if not self.delay and not self.rate and due <= loop.time():
                    other.write(data)
                    await other.drain()
                    continue
                taking = len(data) / self.rate if self.rate else _AT_ONCE
                due = max(due + taking, loop.time() + self.delay + taking)
                loop.call_at(due, connection.carry, other, data)
                if self.rate:
                    # Read no faster than is carried, so that whoever sends feels it.
                    await asyncio.sleep(taking)
        if (late := due - loop.time()) > 0:
            await asyncio.sleep(late + _AT_ONCE)
        # The other end of a dead connection is not told that this one has given up.
        (own if connection.dead else other).close()


class _Connection:
    """One connection: its two ends, and whether it is dead."""

    def __init__(self, near: asyncio.StreamWriter) -> None:
        self.dead = False
        self.ends = [near]

    def carry(self, end: asyncio.StreamWriter, data: bytes) -> None:
        """Write what has been under way."""
        if not self.dead and not end.is_closing():
            end.write(data)

    def reset(self) -> None:
        """End it with RST."""
        for end in self.ends:
            if not end.is_closing():
                end.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORTIVE)
            end.transport.abort()


@dataclass(frozen=True, slots=True)
class Wires:
    """The wires of an axis, and the addresses of their near ends."""

    agencies: Wire  # between agencies and the broker
    workers: Wire  # between workers and the broker
    database: Wire  # between workers and the database
    agencies_url: str
    workers_url: str
    database_url: str

    @classmethod
    @contextlib.asynccontextmanager
    async def laid(cls, amqp_url: str, database_url: str) -> AsyncIterator[Self]:
        """Lay them to a broker and a database."""
        async with (
            wire_to(amqp_url) as (agencies, agencies_url),
            wire_to(amqp_url) as (workers, workers_url),
            wire_to(database_url) as (database, near_database_url),
        ):
            yield cls(agencies, workers, database, agencies_url, workers_url, near_database_url)

    @property
    def all(self) -> tuple[Wire, Wire, Wire]:
        """Every one of them."""
        return self.agencies, self.workers, self.database

    async def mend(self) -> None:
        """Make all of them fast and whole again; what is dead stays dead."""
        for wire in self.all:
            wire.delay = wire.rate = 0.0
            wire.flow()
            await wire.lay()


@contextlib.asynccontextmanager
async def wire_to(url: str) -> AsyncIterator[tuple[Wire, str]]:
    """Lay a wire to the service of an address; yield it and the address of its near end."""
    parts = urlsplit(url)
    wire = Wire(parts.hostname or LOOPBACK, parts.port or 0)
    await wire.lay()
    account = parts.netloc.rpartition("@")[0]
    try:
        yield wire, urlunsplit(parts._replace(netloc=f"{account}@{LOOPBACK}:{wire.port}"))
    finally:
        await wire.close()
