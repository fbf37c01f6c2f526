"""Servers that are not to be trusted, each wrong in one way, on loopback."""

import asyncio
import contextlib
import socket
import ssl
import warnings
from collections.abc import AsyncIterator

from axis.trust.authority import Issued
from tests.handshakes import server_side


def old_version(context: ssl.SSLContext) -> ssl.SSLContext:
    """Speak nothing newer than TLS 1.1, which OpenSSL gives away only when it is asked twice."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    return context


async def hang_up(writer: asyncio.StreamWriter) -> None:
    """End a connection now. Over TLS `close` alone waits for the other side's goodbye, past the end of a test's loop:
    the socket is then closed by the garbage collector, which is an error in whatever test runs at that moment.
    """
    writer.transport.abort()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


@contextlib.asynccontextmanager
async def impostor(issued: Issued | None, *, old: bool = False) -> AsyncIterator[int]:
    """Listen with a server's certificate (None: without TLS) and say nothing; yield the port."""
    context = None if issued is None else server_side(issued.certificate, issued.key)
    if context is not None and old:
        old_version(context)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        # In a thread: asyncio hangs up over a failed handshake without the alert that real servers send.
        serving = asyncio.create_task(asyncio.to_thread(_serve, listener, context))
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)  # wakes the thread
            await serving


def _serve(listener: socket.socket, context: ssl.SSLContext | None) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        connection.settimeout(10)
        with connection, contextlib.suppress(OSError):
            if context is None:
                connection.recv(64)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                connection.recv(64)
            else:
                with context.wrap_socket(connection, server_side=True) as served:
                    served.recv(64)
