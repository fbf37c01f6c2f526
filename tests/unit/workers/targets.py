"""Targets of webhooks on loopback."""

import asyncio
import contextlib
import ipaddress
import ssl
from collections.abc import AsyncIterator, Callable

from axis.outside import Destinations
from tests.tls_peers import hang_up

LOOPBACK = [ipaddress.ip_network("127.0.0.0/8")]


@contextlib.asynccontextmanager
async def target(
    answer: bytes | Callable[[bytes], bytes], *, hangs: bool = False, tls: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[str, Destinations, list[bytes]]]:
    """Answer every request with these bytes, or by what it says; `hangs`: then hold the connection.

    Yield the address, what has to be allowed for it, and the requests.
    """
    requests: list[bytes] = []
    end = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            size = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            requests.append(head + await reader.readexactly(size))
            writer.write(answer if isinstance(answer, bytes) else answer(requests[-1]))
            await writer.drain()
            if hangs:
                await end.wait()
            elif tls is not None:
                await reader.read()  # until the other side has hung up: who aborts earlier may take the answer back
        if tls is None:
            writer.close()
        else:
            await hang_up(writer)

    running = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    port = running.sockets[0].getsockname()[1]
    async with running:
        yield f"{'http' if tls is None else 'https'}://127.0.0.1:{port}/hook", Destinations(LOOPBACK, (port,)), requests
        end.set()


def answer(status: bytes, *headers: bytes) -> bytes:
    return b"\r\n".join([b"HTTP/1.1 " + status, *headers, b"content-length: 0", b"", b""])
