"""Where the feed ends, asked once for all who wait for it to grow."""

import asyncio
from collections.abc import Awaitable, Callable

from axis.web.body import Disconnected

_LOOK_SECONDS = 0.5


class FeedEnd:
    """Ask for the feed's last number at most twice a second, however many wait."""

    def __init__(self, span: Callable[[], Awaitable[tuple[int, int]]]) -> None:
        self._span = span
        self._lock = asyncio.Lock()
        self._looked: float | None = None
        self._end = 0

    async def beyond(self, number: int, until: float, gone: Callable[[], Awaitable[bool]]) -> bool:
        """Wait until the feed goes on behind a number, or the loop's clock shows `until`; say whether it does.

        Raises Disconnected once who waits is `gone`.
        """
        loop = asyncio.get_running_loop()
        while await self._now() <= number:
            if await gone():
                raise Disconnected("Nobody waits any more.")
            left = until - loop.time()
            if left <= 0:
                return False
            await asyncio.sleep(min(left, _LOOK_SECONDS))
        return True

    async def _now(self) -> int:
        async with self._lock:
            clock = asyncio.get_running_loop().time
            if self._looked is None or clock() - self._looked >= _LOOK_SECONDS:
                _, self._end = await self._span()
                self._looked = clock()
            return self._end
