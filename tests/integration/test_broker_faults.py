"""The broker seam over a line that stalls or breaks, and over a broker that stands still; nothing acked is lost."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from axis.broker import Consumer, Link, Publisher
from axis.core.messages import Outgoing
from axis.errors import NotRouted, NotTaken, Unavailable
from tests.services import OwnBroker, Vhost
from tests.topologies import apply_queues

QUEUE = "mailbox.normal.H37"
SECONDS = 60


class Line:
    """A line to the broker: `stall` keeps it open and carries nothing, `cut` ends it, `flow` carries again."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._flows = asyncio.Event()
        self._flows.set()
        self._ends: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def stall(self) -> None:
        self._flows.clear()

    def flow(self) -> None:
        self._flows.set()

    def cut(self) -> None:
        for end in self._ends:
            end.transport.abort()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        there, back = await asyncio.open_connection("127.0.0.1", self._port)
        self._ends |= {writer, back}
        try:
            with contextlib.suppress(OSError):
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._pump(reader, back))
                    group.create_task(self._pump(there, writer))
        except* (OSError, asyncio.CancelledError):
            pass  # cancelled by `close` only, which waits for this; asyncio would log a cancelled handler
        finally:
            for end in (writer, back):
                end.transport.abort()
                with contextlib.suppress(OSError):
                    await end.wait_closed()

    async def _pump(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while data := await source.read(65_536):
            await self._flows.wait()
            target.write(data)
            await target.drain()
        raise ConnectionResetError

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@pytest.fixture
async def ready(vhost: Vhost) -> Vhost:
    await apply_queues(vhost, "H37")
    return vhost


@contextlib.asynccontextmanager
async def line_to(vhost: Vhost) -> AsyncIterator[tuple[Line, str]]:
    """Yield a line to the broker and the address at its near end."""
    place = vhost.amqp_url.rpartition("@")[2]
    line = Line(int(place.partition("/")[0].rpartition(":")[2]))
    server = await asyncio.start_server(line.carry, "127.0.0.1", 0)
    near = f"127.0.0.1:{server.sockets[0].getsockname()[1]}/{vhost.name}"
    try:
        async with asyncio.timeout(SECONDS):
            yield line, vhost.amqp_url.replace(place, near)
    finally:
        server.close()
        line.cut()
        await line.close()


def message(number: int, **more: Any) -> Outgoing:
    base: dict[str, Any] = {"body": b"{}", "type": "document", "content_type": "text/plain", "message_id": f"m{number}"}
    return Outgoing(**{"exchange": "axis.deliver", "routing_key": QUEUE, **base, **more})


async def all_that_is_there(url: str, count: int) -> list[tuple[str | None, bool]]:
    """Take and ack (id, redelivered) of `count` messages, and see that the queue is empty then."""
    found: list[tuple[str | None, bool]] = []
    async with Link(url, "after") as link, asyncio.timeout(SECONDS):
        async with contextlib.aclosing(Consumer(link, QUEUE).batches()) as batches:
            while len(found) < count:
                batch = await anext(batches)
                found += [(each.submission.message_id, each.submission.redelivered) for each in batch.messages]
                await batch.ack()
        assert await left_behind(link) == 0
    return found


async def left_behind(link: Link) -> int:
    """Count what is in the queue once the broker has done with its last consumer."""
    while True:
        state = (await link.queue_states([QUEUE]))[QUEUE]
        assert state is not None
        if state.consumers == 0:
            return state.messages
        await asyncio.sleep(0.01)


async def test_a_line_cut_in_mid_batch_brings_back_exactly_what_was_not_acked(ready: Vhost) -> None:
    async with line_to(ready) as (line, url), Link(ready.amqp_url, "p") as publishing, Link(url, "c") as link:
        await Publisher(publishing).publish_many([message(n) for n in range(30)])
        acked: set[str | None] = set()
        seen: list[tuple[str | None, bool]] = []
        async with contextlib.aclosing(Consumer(link, QUEUE, batch=10, prefetch=10).batches()) as batches:
            first = await anext(batches)
            await first.ack()
            acked.update(each.submission.message_id for each in first.messages)
            second = await anext(batches)
            line.cut()
            while link.connected:  # noqa: ASYNC110 - nobody sets an event for it
                await asyncio.sleep(0.01)
            with pytest.raises(Unavailable):
                await second.ack()
            while len(seen) < 30 - len(acked):
                batch = await anext(batches)
                seen += [(each.submission.message_id, each.submission.redelivered) for each in batch.messages]
                await batch.ack()
        again = {identifier for identifier, redelivered in seen if redelivered}
        assert [identifier for identifier, _ in seen] == [f"m{n}" for n in range(len(acked), 30)]
        assert {each.submission.message_id for each in second.messages} <= again
    assert await all_that_is_there(ready.amqp_url, 0) == []


async def test_a_stalled_line_ends_a_publish_at_its_deadline_and_nothing_is_doubled_unsaid(ready: Vhost) -> None:
    async with line_to(ready) as (line, url), Link(url, "p", deadline=1) as link:
        publisher = Publisher(link)
        assert await publisher.publish_many([message(1)]) == [None]
        line.stall()
        outcomes = await publisher.publish_many([message(2), message(3)])
        assert all(isinstance(outcome, Unavailable) for outcome in outcomes)
        with pytest.raises(Unavailable):
            await publisher.queue_states([QUEUE])
        line.flow()
        assert await publisher.publish_many([message(4)]) == [None]
    # What was not confirmed may have arrived or not; what was confirmed is there.
    async with Link(ready.amqp_url, "look") as link:
        count = await left_behind(link)
    found = {identifier for identifier, _ in await all_that_is_there(ready.amqp_url, count)}
    assert {"m1", "m4"} <= found <= {"m1", "m2", "m3", "m4"}


async def test_a_message_the_broker_rejects_ends_alone(ready: Vhost) -> None:
    # The private nodes take messages of up to 1 MiB; 4.x takes 16 MiB by default, 3.10 takes 128.
    too_large = replace(message(2), body=b"x" * (2 * 1024 * 1024))
    async with Link(ready.amqp_url, "p") as link:
        publisher = Publisher(link)
        before, rejected, after = await publisher.publish_many([message(1), too_large, message(3)])
        assert (before, after) == (None, None)
        assert isinstance(rejected, NotTaken)
        assert await publisher.publish_many([message(4)]) == [None]
    async with Link(ready.amqp_url, "look") as link:
        count = await left_behind(link)
    assert {identifier for identifier, _ in await all_that_is_there(ready.amqp_url, count)} == {"m1", "m3", "m4"}


async def test_a_half_open_line_is_noticed_by_the_consumer_itself(
    ready: Vhost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("axis.broker.connection.HEARTBEAT_SECONDS", 1)
    async with (
        line_to(ready) as (line, url),
        Link(ready.amqp_url, "p") as publishing,
        Link(url, "c") as link,
        contextlib.aclosing(Consumer(link, QUEUE).batches()) as batches,
    ):
        await Publisher(publishing).publish(message(1))
        await (await anext(batches)).ack()
        line.stall()
        waiting = asyncio.ensure_future(anext(batches))
        while link.connected:  # noqa: ASYNC110 - nobody sets an event for it
            await asyncio.sleep(0.05)
        line.flow()
        await Publisher(publishing).publish(message(2))
        batch = await waiting
        assert batch.messages[-1].submission.message_id == "m2"
        await batch.ack()


async def test_in_order_it_waits_for_a_consumer_before_it_that_the_broker_still_counts(ready: Vhost) -> None:
    async with (
        line_to(ready) as (line, url),
        Link(ready.amqp_url, "p") as publishing,
        Link(ready.amqp_url, "before") as before,
        Link(url, "c") as link,
        contextlib.aclosing(Consumer(before, QUEUE, batch=5, prefetch=5, linger=1.0).batches()) as held,
        contextlib.aclosing(Consumer(link, QUEUE, in_order=True).batches()) as batches,
    ):
        waiting, holding = asyncio.ensure_future(anext(batches)), asyncio.ensure_future(anext(held))
        await counted(publishing, 2)
        line.cut()
        await counted(publishing, 1)
        await Publisher(publishing).publish_many([message(n) for n in range(10)])
        assert [each.submission.message_id for each in (await holding).messages] == [f"m{n}" for n in range(5)]
        while not link.connected:  # noqa: ASYNC110 - nobody sets an event for it
            await asyncio.sleep(0.01)
        assert await asyncio.wait([waiting], timeout=0.5) == (set(), {waiting})
        await held.aclose()
        async with asyncio.timeout(10):
            batch = await waiting
        found = [each.submission.message_id for each in batch.messages]
        await batch.ack()
        while len(found) < 10:
            batch = await anext(batches)
            found += [each.submission.message_id for each in batch.messages]
            await batch.ack()
        assert found == [f"m{n}" for n in range(10)]


async def counted(link: Link, consumers: int) -> None:
    """Wait until the broker counts so many consumers."""
    while (state := (await link.queue_states([QUEUE]))[QUEUE]) is None or state.consumers != consumers:  # noqa: ASYNC110 - asks the broker
        await asyncio.sleep(0.01)


async def test_a_broker_that_stands_still_is_left_at_the_deadline_and_taken_up_again(
    own_vhost: Vhost, own_broker: OwnBroker
) -> None:
    await apply_queues(own_vhost, "H37")
    async with Link(own_vhost.amqp_url, "p", deadline=1) as link, asyncio.timeout(SECONDS):
        publisher = Publisher(link)
        await publisher.publish(message(1))
        with standing_still(own_broker):
            for _ in range(2):  # on the connection there was, and while making a new one
                with pytest.raises(Unavailable):
                    await publisher.publish(message(2))
        while (await publisher.publish_many([message(3)]))[0] is not None:  # noqa: ASYNC110 - asks the broker
            await asyncio.sleep(0.1)
    async with Link(own_vhost.amqp_url, "look") as link:
        count = await left_behind(link)
    assert {"m1", "m3"} <= {identifier for identifier, _ in await all_that_is_there(own_vhost.amqp_url, count)}


@contextlib.contextmanager
def standing_still(broker: OwnBroker) -> Iterator[None]:
    """Stop the broker's processes as SIGSTOP does: connections stay, nothing answers."""
    assert broker.pid is not None
    family = [broker.pid, *descendants(broker.pid)]
    for pid in family:
        os.kill(pid, signal.SIGSTOP)
    try:
        # Threads stop one by one, each at its next turn: on a busy machine the broker may answer meanwhile.
        while not all(state == "T" for pid in family for state in states(pid)):
            time.sleep(0.005)
        yield
    finally:
        for pid in reversed(family):
            os.kill(pid, signal.SIGCONT)


def states(pid: int) -> list[str]:
    """Tell the state of each thread of a process, as proc(5) has it: T is stopped."""
    stats = [path.read_text(encoding="ascii") for path in Path(f"/proc/{pid}/task").glob("*/stat")]
    return [stat.rpartition(")")[2].split()[0] for stat in stats]


def descendants(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return [each for child in map(int, children) for each in (child, *descendants(child))]


async def test_prefetch_bounds_what_is_handed_out(ready: Vhost) -> None:
    async with Link(ready.amqp_url, "p") as publishing, Link(ready.amqp_url, "c") as link:
        await Publisher(publishing).publish_many([message(n) for n in range(10)])
        async with contextlib.aclosing(Consumer(link, QUEUE, batch=2, prefetch=3).batches()) as batches:
            first = await anext(batches)
            state = (await publishing.queue_states([QUEUE]))[QUEUE]
            assert state is not None
            assert state.messages == 7
            await first.ack()
    assert len(await all_that_is_there(ready.amqp_url, 10 - len(first.messages))) == 10 - len(first.messages)


async def test_stopping_in_mid_flow_leaves_nothing_unacked_and_takes_nothing_back_that_was_acked(ready: Vhost) -> None:
    seen: list[str | None] = []
    async with Link(ready.amqp_url, "p") as publishing, Link(ready.amqp_url, "c") as link:
        publisher, consumer = Publisher(publishing), Consumer(link, QUEUE, batch=16)

        async def take() -> None:
            async for batch in consumer.batches():
                seen.extend(each.submission.message_id for each in batch.messages)
                await batch.ack()
                if len(seen) > 100:
                    await consumer.stop()

        async with asyncio.TaskGroup() as group:
            group.create_task(take())
            for start in range(0, 1_000, 50):
                assert not any(await publisher.publish_many([message(n) for n in range(start, start + 50)]))
        assert await left_behind(link) == 1_000 - len(seen)
    rest = [identifier for identifier, _ in await all_that_is_there(ready.amqp_url, 1_000 - len(seen))]
    assert sorted([*seen, *rest], key=str) == sorted([f"m{n}" for n in range(1_000)], key=str)


async def test_a_refused_publish_takes_only_its_channel_along(ready: Vhost) -> None:
    async with Link(ready.amqp_url, "both") as link:
        publisher = Publisher(link)
        async with contextlib.aclosing(Consumer(link, QUEUE).batches()) as batches:
            waiting = asyncio.ensure_future(anext(batches))
            with pytest.raises(Unavailable, match=r"404.*no exchange"):
                await publisher.publish(message(1, exchange="axis.nowhere"))
            with pytest.raises(Unavailable, match=r"406.*user_id"):
                await publisher.publish(message(2, user_id="H37"))
            with pytest.raises(NotRouted):
                await publisher.publish(message(3, routing_key="mailbox.normal.X99"))
            await publisher.publish(message(4))
            async with asyncio.timeout(SECONDS):
                batch = await waiting
            assert [each.submission.message_id for each in batch.messages] == ["m4"]
            await batch.ack()
