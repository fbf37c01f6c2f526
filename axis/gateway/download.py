"""Sending a blob."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, aclosing

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from axis.blobs import Corrupted
from axis.errors import AxisError
from axis.gateway.metrics import Metrics
from axis.gateway.observing import Entry


class Download(Response):
    """Stream chunks as the client takes them.

    The first chunk was read before, so that what is wrong with the blob at once is a proper error. What goes wrong
    later can only be told by breaking off: the connection is closed short of Content-Length, which no HTTP client
    takes for a whole answer.
    """

    def __init__(
        self,
        *,
        status: int,
        headers: Mapping[str, str],
        first: bytes,
        rest: AsyncGenerator[bytes],
        held: AsyncExitStack,
        entry: Entry,
        metrics: Metrics,
    ) -> None:
        super().__init__(None, status, {**headers}, "application/octet-stream")
        self._first = first
        self._rest = rest
        self._held = held
        self._entry = entry
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's signature
        """Send until all is sent, the client is gone, or the blob turns out to be damaged."""
        async with self._held:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            # A server drops what is sent to a client that left; only `receive` tells that it did.
            async with asyncio.TaskGroup() as group:
                sending = group.create_task(self._send_all(send))
                leaving = group.create_task(_gone(receive))
                await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
                sending.cancel()
                leaving.cancel()

    async def _send_all(self, send: Send) -> None:
        try:
            async with aclosing(self._rest) as rest:
                first, self._first = self._first, b""
                await send({"type": "http.response.body", "body": first, "more_body": True})
                del first
                async for chunk in rest:
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
        except AxisError as error:
            self._entry.code, self._entry.detail = error.code, error.detail
            if isinstance(error, Corrupted):
                self._metrics.corrupted.inc()
            return
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
