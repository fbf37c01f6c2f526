"""How many transfers run at once, in all and for one agency."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from axis.web.problems import HttpRefused


class Slots:
    """Places for transfers. Who finds none waits; one agency cannot take everybody's."""

    def __init__(self, total: int, *, per_account: int, wait_seconds: float) -> None:
        self._total = asyncio.Semaphore(total)
        self._per_account = per_account
        self._wait_seconds = wait_seconds
        self._accounts: dict[str, tuple[asyncio.Semaphore, int]] = {}
        self.taken = 0

    @asynccontextmanager
    async def take(self, account: str) -> AsyncIterator[None]:
        """Hold a place; raise HttpRefused http/busy when none becomes free in time."""
        own = self._enter(account)
        try:
            async with asyncio.timeout(self._wait_seconds) as waiting, own, self._total:
                waiting.reschedule(None)  # the deadline was for the place, not for the transfer
                self.taken += 1
                try:
                    yield
                finally:
                    self.taken -= 1
        except TimeoutError as error:
            if not waiting.expired():
                raise
            raise HttpRefused("http/busy", f"No place became free within {self._wait_seconds} s.") from error
        finally:
            self._leave(account)

    def _enter(self, account: str) -> asyncio.Semaphore:
        semaphore, users = self._accounts.get(account) or (asyncio.Semaphore(self._per_account), 0)
        self._accounts[account] = (semaphore, users + 1)
        return semaphore

    def _leave(self, account: str) -> None:
        semaphore, users = self._accounts.pop(account)
        if users > 1:
            self._accounts[account] = (semaphore, users - 1)
