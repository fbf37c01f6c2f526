"""The loop that takes a batch until it is safely done."""

import asyncio
import contextlib
import time
from collections.abc import Sequence
from functools import partial

from axis.broker import Batch, Consumer, Received
from axis.errors import Unavailable
from workers.metrics import Metrics
from workers.runtime import Commit, Finish, Handler, Log, Waiter
from workers.suspects import Suspects


async def consume(
    consumer: Consumer,
    queue: str,
    handler: Handler,
    *,
    stop: asyncio.Event,
    log: Log,
    metrics: Metrics,
    suspects: Suspects | None = None,
) -> None:
    """Take each batch through its three steps (see `Handler`), and ack it as a whole then.

    Each step has one batch at a time, in the order they came: while one is posted the next is committed, and the one
    after that is read. Ends when `stop` is set and all is drained. While the store or the broker is away the batches
    are kept, unacked, and tried again: no message is given up because something else is down. With `suspects`, what
    comes again is tried out with care before the rest of its batch.
    """
    line = _Line(handler, Waiter(queue, stop, log, metrics), suspects)
    before: asyncio.Task[None] | None = None
    async with asyncio.TaskGroup() as group:
        stopper = group.create_task(_stop_consumer(consumer, stop))
        async for batch in consumer.batches():
            started, messages = time.perf_counter(), batch.messages
            if suspects is not None and any(each.submission.redelivered for each in messages):
                if before is not None:
                    await before
                again = [each for each in messages if each.submission.redelivered]
                messages = tuple(each for each in messages if not each.submission.redelivered)
                await suspects.examine(batch, again, line.waiter, partial(line.whole, batch), group)
            if messages:
                await line.reading.acquire()
                before = group.create_task(line.take(batch, messages, started))
        stopper.cancel()


async def _stop_consumer(consumer: Consumer, stop: asyncio.Event) -> None:
    await stop.wait()
    await consumer.stop()


class _Line:
    """What is done with the messages of one queue."""

    def __init__(self, handler: Handler, waiter: Waiter, suspects: Suspects | None) -> None:
        self.waiter = waiter
        self.reading = asyncio.Lock()
        self._committing = asyncio.Lock()
        self._posting = asyncio.Lock()
        self._handler = handler
        self._suspects = suspects

    async def whole(self, batch: Batch, messages: Sequence[Received]) -> None:
        """Take messages through all steps; who calls sees to it who else is at work."""
        started = time.perf_counter()
        commit = await self._read(messages)
        await self._finish(batch, messages, await self.waiter.until_done(commit), started)

    async def take(self, batch: Batch, messages: Sequence[Received], started: float) -> None:
        """Take messages through all steps; `reading` was acquired for them.

        Each step is left when the next one is entered, so no batch overtakes another.
        """
        try:
            async with self._beside_others():
                commit = await self._read(messages)
            await self._committing.acquire()
        finally:
            self.reading.release()
        try:
            async with self._beside_others():
                finish = await self.waiter.until_done(commit)
            await self._posting.acquire()
        finally:
            self._committing.release()
        try:
            async with self._beside_others():
                await self._finish(batch, messages, finish, started)
        finally:
            self._posting.release()

    async def _read(self, messages: Sequence[Received]) -> Commit:
        return await self._handler(tuple(received.submission for received in messages), self.waiter.queue)

    def _beside_others(self) -> contextlib.AbstractAsyncContextManager[None]:
        return contextlib.nullcontext() if self._suspects is None else self._suspects.beside_others()

    async def _finish(self, batch: Batch, messages: Sequence[Received], finish: Finish | None, started: float) -> None:
        async def finished() -> bool:
            if finish is not None:
                await finish()
            return True

        done = finish is not None and await self.waiter.until_done(finished)
        try:
            if done:
                await (batch.ack() if len(messages) == len(batch.messages) else batch.ack_some(*messages))
                self.waiter.metrics.batch(time.perf_counter() - started)
                if self._suspects is not None:
                    self._suspects.passed()
            else:
                await batch.release()  # another worker takes it
        except Unavailable as error:
            # The channel is gone, so the broker redelivers; the store knows the ids and nothing happens twice.
            self.waiter.log.info("ack lost", messages=len(messages), detail=error.detail)
