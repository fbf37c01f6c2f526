"""The wires that the fault harness lays: what each way of failing looks like from both ends."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

import pytest

from axis.faults.wires import Wire

SECONDS = 5.0


class Ends:
    """A service that echoes, and connections to it through a wire."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.ended = 0  # connections whose end the service has seen

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.wire.port)


@contextlib.asynccontextmanager
async def laid() -> AsyncIterator[Ends]:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        ends.ended += 1
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    ends = Ends(Wire("127.0.0.1", server.sockets[0].getsockname()[1]))
    await ends.wire.lay()
    try:
        async with asyncio.timeout(SECONDS):
            yield ends
    finally:
        await ends.wire.close()
        server.close()


async def said(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, data: bytes = b"hello") -> bytes:
    writer.write(data)
    return await reader.readexactly(len(data))


async def nothing_comes(reader: asyncio.StreamReader, seconds: float = 0.1) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await reader.read(1)
    except TimeoutError:
        return True
    return False


async def test_it_carries_both_ways_and_the_goodbye() -> None:
    async with laid() as ends:
        reader, writer = await ends.connect()
        assert await said(reader, writer, b"x" * 300_000) == b"x" * 300_000
        writer.write_eof()
        assert await reader.read() == b""
        writer.close()


async def test_a_slow_wire_takes_its_time_and_keeps_the_order() -> None:
    async with laid() as ends:
        reader, writer = await ends.connect()
        ends.wire.delay = 0.3
        started = time.monotonic()
        for number in range(10):
            writer.write(bytes([number]))
            await asyncio.sleep(0.005)
        ends.wire.delay = 0.0
        writer.write(bytes([10]))
        assert await reader.readexactly(11) == bytes(range(11))
        assert 0.3 <= time.monotonic() - started < 3.0  # not each after the other
        writer.close()


async def test_a_thin_wire_carries_so_much_and_no_more() -> None:
    async with laid() as ends:
        reader, writer = await ends.connect()
        ends.wire.rate = 100_000
        started = time.monotonic()
        assert await said(reader, writer, b"x" * 30_000) == b"x" * 30_000
        assert time.monotonic() - started >= 0.3
        writer.close()


async def test_a_stalled_wire_takes_connections_and_says_nothing_until_it_flows() -> None:
    async with laid() as ends:
        old = await ends.connect()
        assert await said(*old) == b"hello"
        ends.wire.stall()
        new = await ends.connect()
        for reader, writer in (old, new):
            writer.write(b"late")
            assert await nothing_comes(reader)
        ends.wire.flow()
        for reader, writer in (old, new):
            assert await reader.readexactly(4) == b"late"
            writer.close()


async def test_a_reset_wire_says_so_to_both_ends_and_takes_new_connections() -> None:
    async with laid() as ends:
        reader, writer = await ends.connect()
        assert await said(reader, writer) == b"hello"
        ends.wire.reset()
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.close()
        reader, writer = await ends.connect()
        assert await said(reader, writer) == b"hello"
        writer.close()


async def test_a_dead_connection_is_told_to_nobody() -> None:
    async with laid() as ends:
        reader, writer = await ends.connect()
        assert await said(reader, writer) == b"hello"
        assert ends.wire.lose() == 1
        writer.write(b"lost")
        assert await nothing_comes(reader)
        writer.close()
        await writer.wait_closed()
        await asyncio.sleep(0.1)
        assert (ends.ended, ends.wire.dead) == (0, 1)
        reader, writer = await ends.connect()
        assert await said(reader, writer) == b"hello"
        writer.close()


async def test_a_cut_wire_refuses_until_it_is_laid_again() -> None:
    async with laid() as ends:
        await ends.wire.cut()
        with pytest.raises(OSError, match=r"refused|Connect call failed"):
            await ends.connect()
        await ends.wire.lay()
        reader, writer = await ends.connect()
        assert await said(reader, writer) == b"hello"
        writer.close()
