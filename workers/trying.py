"""What waited and is taken up: if it ends its worker, it must not end every worker there is, for ever.

workers.suspects looks after what the broker hands out again. What waits in the store comes again by itself, as soon as
the next worker has started, and nobody stands before it. So it is noted too before it is tried, and cleared after:

    noted       tried
    < 3 times   at once
    oftener     when this process has got something else through, and so is no worker that fails over everything
    20 times    not any more: it is given up when something else got through, and its sender answered. All routers of a
                lane may have it in hand at one time, and note it side by side: this is many more than there are
"""

import contextlib
import hashlib
from collections.abc import AsyncIterator
from enum import Enum, auto

from axis.core.concerning import Waiting
from axis.store import SuspectStore

_AT_ONCE = 3
_GIVEN_UP = 20


class Fate(Enum):
    """What is to be done with one that is taken up."""

    TRY = auto()
    LEAVE = auto()
    GIVE_UP = auto()


class Trials:
    """What one process tries of what waited. `passed`: it has got something else through."""

    def __init__(self, store: SuspectStore) -> None:
        self._store = store
        self.passed = False

    @contextlib.asynccontextmanager
    async def trial(self, waiting: Waiting) -> AsyncIterator[Fate]:
        """Say what to do with one; the note goes at the end of the block, which a process that ends never reaches."""
        key = hashlib.sha256(b"taken up\0" + waiting.id.encode() + bytes.fromhex(waiting.sha256)).digest()
        times = (await self._store.times([key])).get(key, 0)
        if times >= _AT_ONCE and not self.passed:
            yield Fate.LEAVE
            return
        if times < _GIVEN_UP:
            await self._store.note([key])
        try:
            yield Fate.TRY if times < _GIVEN_UP else Fate.GIVE_UP
        finally:
            await self._store.clear([key])
