"""What cannot be dealt with now is left, and comes again when its iterator is opened anew: after a pause that grows."""

import asyncio
from collections.abc import AsyncIterator
from typing import TypeVar

_FIRST_PAUSE_SECONDS = 5.0
_LONGEST_PAUSE_SECONDS = 300.0

_Item = TypeVar("_Item")


class Again:
    """Say when to open anew. The pause grows as long as something is left soon after."""

    def __init__(self) -> None:
        self._clock = asyncio.get_running_loop().time
        self._pause = _FIRST_PAUSE_SECONDS
        self._opened = 0.0
        self._due: float | None = None

    def opened(self) -> None:
        """Note that it is opened, and everything that was left comes again."""
        if self._due is not None:
            self._pause = min(self._pause * 2, _LONGEST_PAUSE_SECONDS)
        self._due = None
        self._opened = self._clock()

    def left(self) -> None:
        """Note that something is left."""
        if self._due is None:
            if self._clock() - self._opened >= self._pause:
                self._pause = _FIRST_PAUSE_SECONDS
            self._due = self._clock() + self._pause

    @property
    def waits(self) -> bool:
        """Whether something is left."""
        return self._due is not None

    async def next(self, items: AsyncIterator[_Item]) -> _Item | None:
        """Return the next; None when it is time to open anew, or none ever comes again."""
        try:
            async with asyncio.timeout_at(self._due) as timer:
                return await anext(items, None)
        except TimeoutError:
            if not timer.expired():
                raise
            return None
