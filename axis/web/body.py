"""A request's body, with deadlines."""

import asyncio
from collections.abc import AsyncGenerator

from starlette.types import Receive

from axis.errors import AxisError
from axis.web.limits import Limits
from axis.web.problems import HttpRefused


class Disconnected(AxisError):
    """Report that the client went away in the middle; there is nobody left to answer."""

    code = "http/disconnected"


async def read_body(receive: Receive, limits: Limits) -> AsyncGenerator[bytes]:
    """Yield the body as it arrives; raise Disconnected, or HttpRefused http/slow.

    Reading is what makes the server say `100 Continue`, so nothing is sent by a client that asked first until the
    first piece is taken here.
    """
    loop = asyncio.get_running_loop()
    started = loop.time()
    received = 0
    more = True
    while more:
        overall = started + limits.grace_seconds + received / limits.slowest_bytes_per_second
        try:
            async with asyncio.timeout_at(min(loop.time() + limits.chunk_seconds, overall)):
                message = await receive()
        except TimeoutError as error:
            raise HttpRefused("http/slow", f"{received} bytes in {loop.time() - started:.0f} s.") from error
        if message["type"] == "http.disconnect":
            raise Disconnected(f"The client went away after {received} bytes.")
        chunk: bytes = message.get("body", b"")
        more = message.get("more_body", False)
        received += len(chunk)
        if chunk:
            yield chunk
