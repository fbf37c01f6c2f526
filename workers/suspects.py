"""Messages that may have ended the worker that had them: found among their neighbours, and given up alone.

What Python can catch is caught where it happens. What ends the process (a crash in a library, no memory, endless work:
see workers.watchdog) leaves nothing behind but messages that come again, the good ones of the batch among them. So what
comes again is noted in the store before it is tried, and cleared after; what stays noted was in hand when a worker
ended, and the more often it was, the fewer others it is tried with:

    noted     tried with                            because
    never     all that come again                   a lost connection or a restart, most likely
    once      a few                                 one of these ended a worker, or stood beside
    oftener   nobody, and no other batch is at work it does it, or it was there by chance
              in this process meanwhile
    4 times   given up, if others pass              twice alone, in workers that got others through

A worker that gets nothing through has a fault of its own and gives nothing up: while no other has passed, a message is
tried alone after a while and not counted, and one that was counted 4 times waits. What is given up goes to the broker's
quarantine, and from there to the store's.
"""

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import partial

from axis.broker import Batch, Received
from axis.core.messages import Submission
from axis.errors import Unavailable
from axis.store import SuspectStore
from workers.runtime import Log, Waiter

Try = Callable[[Sequence[Received]], Awaitable[None]]  # handle, finish, ack

_A_FEW = 16
_ALONE = 2  # noted so often: tried alone
_GIVEN_UP = 4
_PATIENCE_SECONDS = 10.0  # so long others are waited for before one is tried alone


class Suspects:
    """What one process knows of messages that may end it; its queues share it."""

    def __init__(self, store: SuspectStore, log: Log) -> None:
        self._store = store
        self._log = log
        self._others = 0
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._gate = asyncio.Lock()
        self._passed = asyncio.Event()

    def passed(self) -> None:
        """Note that a batch got through this process: it works."""
        self._passed.set()

    @contextlib.asynccontextmanager
    async def beside_others(self) -> AsyncIterator[None]:
        """Work on messages; waits while one is tried alone."""
        async with self._gate:
            self._others += 1
            self._quiet.clear()
        try:
            yield
        finally:
            self._others -= 1
            if not self._others:
                self._quiet.set()

    async def examine(
        self, batch: Batch, messages: Sequence[Received], waiter: Waiter, try_out: Try, group: asyncio.TaskGroup
    ) -> None:
        """Try out messages that come again; those that are to be alone are tried later, by a task in `group`."""
        keys = {each.tag: key_of(each.submission, waiter.queue) for each in messages}
        times = await waiter.until_done(partial(self._store.times, list(keys.values())))
        if times is None:
            return
        never = [each for each in messages if keys[each.tag] not in times]
        once = [each for each in messages if times.get(keys[each.tag], 0) in range(1, _ALONE)]
        for some in (never, *(once[at : at + _A_FEW] for at in range(0, len(once), _A_FEW))):
            if some:
                await self._try([keys[each.tag] for each in some], waiter, partial(self._together, some, try_out))
        later = [each for each in messages if times.get(keys[each.tag], 0) >= _ALONE]
        if later:
            later.sort(key=lambda each: times.get(keys[each.tag], 0))  # the least suspicious first: they may pass
            group.create_task(self._one_by_one(batch, later, waiter, try_out))

    async def _together(self, some: Sequence[Received], try_out: Try) -> None:
        async with self.beside_others():
            await try_out(some)

    async def _try(self, keys: Sequence[bytes], waiter: Waiter, action: Callable[[], Awaitable[None]]) -> None:
        if await waiter.until_done(partial(_done, partial(self._store.note, keys))):
            await action()
            # Whatever became of them, the worker is still there.
            await waiter.until_done(partial(_done, partial(self._store.clear, keys)))

    async def _one_by_one(self, batch: Batch, messages: Sequence[Received], waiter: Waiter, try_out: Try) -> None:
        for each in messages:
            key = key_of(each.submission, waiter.queue)
            times = await waiter.until_done(partial(self._store.times, [key]))
            if times is None or await self._told_to_stop(waiter.stop, patient=times.get(key, 0) >= _GIVEN_UP):
                return  # unacked: the broker hands it to another worker
            async with self._alone():
                if not self._passed.is_set():
                    self._log.warning("suspect tried alone, nothing else has passed", id=each.submission.message_id)
                    await try_out([each])
                    await waiter.until_done(partial(_done, partial(self._store.clear, [key])))
                elif times.get(key, 0) < _GIVEN_UP:
                    await self._try([key], waiter, partial(try_out, [each]))
                else:
                    await self._give_up(batch, each, waiter.queue, times[key])

    @contextlib.asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        async with self._gate:
            await self._quiet.wait()
            yield

    async def _told_to_stop(self, stop: asyncio.Event, *, patient: bool) -> bool:
        """Wait for others to pass, for ever if `patient`; say whether the process is to stop."""
        waits = [asyncio.ensure_future(each.wait()) for each in (self._passed, stop)]
        try:
            timeout = None if patient else _PATIENCE_SECONDS
            await asyncio.wait(waits, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()
        return stop.is_set()

    async def _give_up(self, batch: Batch, message: Received, queue: str, times: int) -> None:
        self._log.error("given up", id=message.submission.message_id, queue=queue, workers_ended=times)
        try:
            await batch.reject(message)
        except Unavailable as error:
            self._log.info("giving up lost", id=message.submission.message_id, detail=error.detail)  # it comes again


def key_of(submission: Submission, queue: str) -> bytes:
    """Tell messages apart so that one that comes again is known."""
    digest = hashlib.sha256(submission.body)
    for part in (queue, submission.account, submission.message_id):
        digest.update(b"\0" + (part or "").encode(errors="surrogatepass"))
    return digest.digest()


async def _done(action: Callable[[], Awaitable[None]]) -> bool:
    await action()
    return True
