"""Is a server alive, and can it do its work?"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from axis.errors import Unavailable

_CHECK_SECONDS = 3.0
_BELIEVED_SECONDS = 1.0


class Health:
    """Checks of what a server depends on. Their outcome is believed for a second: asking costs no token."""

    def __init__(self, checks: Mapping[str, Callable[[], Awaitable[object]]]) -> None:
        self._checks = checks
        self._lock = asyncio.Lock()
        self._asked = float("-inf")
        self._outcome: dict[str, str] = {}

    async def outcome(self) -> dict[str, str]:
        """Return `ok` or `unavailable` for each check."""
        async with self._lock:
            clock = asyncio.get_running_loop().time
            if clock() - self._asked > _BELIEVED_SECONDS:
                outcomes = await asyncio.gather(*(_run(check) for check in self._checks.values()))
                self._outcome = dict(zip(self._checks, outcomes, strict=True))
                self._asked = clock()
            return self._outcome


async def _run(check: Callable[[], Awaitable[object]]) -> str:
    try:
        async with asyncio.timeout(_CHECK_SECONDS):
            await check()
    except (Unavailable, TimeoutError):
        return "unavailable"
    return "ok"
