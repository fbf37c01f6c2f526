"""What waited and is taken up: if it ends its worker, it must not end every worker there is, for ever.

workers.suspects looks after what the broker hands out again. What waits in the store comes again by itself, as soon as
the next worker has started, and nobody stands before it. So it is noted too before it is tried, and cleared after:

    noted       tried
    < 3 times   at once
    oftener     when this process has got something else through, and so is no worker that fails over everything
    20 times    not any more: it is given up when something else got through, and its sender answered. All routers of a
                lane may have it in hand at one time, and note it side by side: this is many more than there are
"""

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator
from enum import Enum, auto

from axis.core.concerning import Waiting
from axis.errors import Unavailable
from axis.store import SuspectStore

_AT_ONCE = 3
_GIVEN_UP = 20


class Turn(Enum):
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
    async def trial(self, waiting: Waiting) -> AsyncIterator[Turn]:
        """Say what to do with one; its note goes at the end of the block, which a process that ends never reaches.

        A fault that nothing catches ends the process too, and leaves the note. Who was told to stop, or has the store
        or the broker away (Unavailable), is still there.
        """
        key = hashlib.sha256(b"taken up\0" + waiting.id.encode() + bytes.fromhex(waiting.sha256)).digest()
        times = (await self._store.times([key])).get(key, 0)
        if times >= _AT_ONCE and not self.passed:
            yield Turn.LEAVE
            return
        if times < _GIVEN_UP:
            await self._store.note([key])
        try:
            yield Turn.TRY if times < _GIVEN_UP else Turn.GIVE_UP
        except (Unavailable, asyncio.CancelledError):
            await self._store.clear([key])
            raise
        await self._store.clear([key])
        self.passed = True
