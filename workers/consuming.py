"""The loop that takes a batch until it is safely done."""

import asyncio
import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from axis.broker import Batch, Consumer, Received
from axis.errors import Unavailable
from workers.metrics import Metrics
from workers.quotas import Gate
from workers.runtime import Finish, Handler, Log, Waiter
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
    gate: Gate | None = None,
) -> None:
    """Hand each batch to the handler, finish it while the next one is handled, and ack it as a whole then.

    The handler returns when everything about the batch is committed; what it returns is finished in the same order,
    one batch at a time. Ends when `stop` is set and all is drained. While the store or the broker is away the batch is
    kept, unacked, and tried again: no message is given up because something else is down. With `suspects`, what comes
    again is tried out with care before the rest of its batch. `gate` marks what is over its account's limit.
    """
    line = _Line(handler, Waiter(queue, stop, log, metrics), suspects, gate)
    finishing: asyncio.Task[None] | None = None
    async with asyncio.TaskGroup() as group:
        stopper = group.create_task(_stop_consumer(consumer, stop))
        async for batch in consumer.batches():
            started, messages = time.perf_counter(), batch.messages
            if suspects is not None and any(each.submission.redelivered for each in messages):
                if finishing is not None:
                    await finishing
                again = [each for each in messages if each.submission.redelivered]
                messages = tuple(each for each in messages if not each.submission.redelivered)
                await suspects.examine(batch, again, line.waiter, partial(line.whole, batch), group)
            if not messages:
                continue
            finish = await line.handle(messages)
            if finishing is not None:
                await finishing
            finishing = group.create_task(line.finish(batch, messages, finish, started))
        stopper.cancel()


async def _stop_consumer(consumer: Consumer, stop: asyncio.Event) -> None:
    await stop.wait()
    await consumer.stop()


@dataclass(frozen=True, slots=True)
class _Line:
    """What is done with the messages of one queue."""

    handler: Handler
    waiter: Waiter
    suspects: Suspects | None
    gate: Gate | None

    async def whole(self, batch: Batch, messages: Sequence[Received]) -> None:
        """Handle and finish messages, one after the other step; who calls sees to it who else is at work."""
        started = time.perf_counter()
        await self._finish(batch, messages, await self._handle(messages), started)

    async def handle(self, messages: Sequence[Received]) -> Finish | None:
        """Decide and commit; None: told to stop while something was away."""
        async with self._beside_others():
            return await self._handle(messages)

    async def finish(self, batch: Batch, messages: Sequence[Received], finish: Finish | None, started: float) -> None:
        """Carry out what is left to do, and ack."""
        async with self._beside_others():
            await self._finish(batch, messages, finish, started)

    def _beside_others(self) -> contextlib.AbstractAsyncContextManager[None]:
        return contextlib.nullcontext() if self.suspects is None else self.suspects.beside_others()

    async def _handle(self, messages: Sequence[Received]) -> Finish | None:
        submissions = tuple(received.submission for received in messages)
        if self.gate is not None:
            # Here, and not each time it is tried: what passed once may be committed, and must not be refused then.
            submissions = self.gate(submissions, self.waiter.queue)
        return await self.waiter.until_done(partial(self.handler, submissions, self.waiter.queue))

    async def _finish(self, batch: Batch, messages: Sequence[Received], finish: Finish | None, started: float) -> None:
        async def finished() -> bool:
            if finish is not None:
                await finish()
            return True

        done = finish is not None and await self.waiter.until_done(finished)
        try:
            if done:
                await (batch.ack() if len(messages) == len(batch.messages) else batch.ack_some(*messages))
                self.waiter.metrics.batch(self.waiter.queue, time.perf_counter() - started)
                if self.suspects is not None:
                    self.suspects.passed()
            else:
                await batch.release()  # another worker takes it
        except Unavailable as error:
            # The channel is gone, so the broker redelivers; the store knows the ids and nothing happens twice.
            self.waiter.log.info("ack lost", messages=len(messages), detail=error.detail)
