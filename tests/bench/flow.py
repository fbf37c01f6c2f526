"""Traffic at a steady pace, and when each message arrived: open loop, so that a slow axis does not slow its senders."""

import asyncio
import contextlib
import math
import time
from collections.abc import Callable, Mapping, Sequence

from axis.broker import Consumer, Link, Publisher
from axis.core.messages import Outgoing, Submission
from axis.errors import Unavailable
from tests.bench.world import BenchFailed

_ARRIVE_SECONDS = 120.0

Times = dict[str, float]  # message id -> time.perf_counter()


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least this share of all does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def milliseconds(sent: Mapping[str, float], arrived: Mapping[str, float]) -> list[float]:
    """Return how long each message took; each has to have arrived."""
    if missing := sent.keys() - arrived.keys():
        raise BenchFailed(f"{len(missing)} of {len(sent)} messages never arrived")
    return [1000 * (arrived[identifier] - moment) for identifier, moment in sent.items()]


async def send_steadily(publisher: Publisher, messages: Sequence[Outgoing], rate: float) -> Times:
    """Publish so many a second; return when each was due, which is when its waiting began."""
    due: Times = {}
    start = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        while len(due) < len(messages):
            done = len(due)
            ready = messages[done : max(done + 1, int((time.perf_counter() - start) * rate) + 1)]
            due |= {message.message_id: start + (done + number) / rate for number, message in enumerate(ready)}
            group.create_task(publish(publisher, ready))
            await asyncio.sleep(start + len(due) / rate - time.perf_counter())
    return due


async def publish(publisher: Publisher, messages: Sequence[Outgoing]) -> None:
    """Publish, and fail when one of them is not confirmed."""
    outcomes: list[Unavailable | None] = await publisher.publish_many(messages)
    if failed := [outcome for outcome in outcomes if outcome is not None]:
        raise BenchFailed(f"publishing: {failed[0].detail}")


async def arrivals(
    link: Link,
    queue: str,
    count: int,
    *,
    kind: str,
    then: Callable[[Sequence[Submission]], None] | None = None,
) -> Times:
    """Take messages until `count` of a kind have come; return when each did. `then` is told of each batch."""
    times: Times = {}
    batches = Consumer(link, queue, linger=0).batches()
    async with asyncio.timeout(_ARRIVE_SECONDS + count / 20), contextlib.aclosing(batches):
        async for batch in batches:
            now = time.perf_counter()
            wanted = [each.submission for each in batch.messages if each.submission.type == kind]
            times |= {submission.message_id or "": now for submission in wanted}
            if then is not None:
                then(wanted)
            await batch.ack()
            if len(times) >= count:
                break
    return times
