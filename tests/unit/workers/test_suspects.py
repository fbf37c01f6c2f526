"""Workers that end over a message: one after the other on the same broker and store, as their keeper starts them."""

import asyncio
from collections.abc import Sequence
from typing import cast

import pytest

from axis.broker import Consumer
from axis.core.messages import Outgoing, Submission
from axis.errors import Unavailable
from schemas.wire import QUARANTINE_QUEUE
from tests.rig import until
from tests.unit.workers.harness import Axis, axis_of
from workers import runtime, suspects
from workers.consuming import consume
from workers.runtime import Finish
from workers.suspects import Suspects, key_of

QUEUE = "axis.route.normal"


class Died(BaseException):
    """The process is gone."""


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "_FIRST_WAIT_SECONDS", 0.001)
    monkeypatch.setattr(suspects, "_PATIENCE_SECONDS", 0.01)


class Workers:
    """Processes with one queue, each until it dies or nothing is left; `deadly` kills when it is handled."""

    def __init__(self, axis: Axis, *deadly: str) -> None:
        self.axis = axis
        self.deadly = set(deadly)
        self.handled: list[str] = []
        self.tried: list[tuple[str, ...]] = []
        self.always = False
        self.flowing = False  # a new message for each process
        self.expected = 0

    async def fill(self, *names: str) -> None:
        for name in names:
            message = Outgoing("", QUEUE, name.encode(), "document", "x", message_id=name)
            assert await self.axis.broker.route(message) is None

    async def one(self) -> bool:
        """Run one process; return whether it died."""
        stop = asyncio.Event()
        if self.flowing:
            self.expected += 1
            await self.fill(f"n{self.expected}")

        async def handle(batch: Sequence[Submission], _: str) -> Finish:
            names = tuple(each.message_id or "" for each in batch)
            self.tried.append(names)
            if self.always or self.deadly.intersection(names):
                raise Died

            async def finish() -> None:
                self.handled.extend(names)

            return finish

        async with asyncio.timeout(10), asyncio.TaskGroup() as group:
            working = group.create_task(self._consume(handle, stop))
            await until(lambda: working.done() or self._is_empty())
            stop.set()
        return working.result()

    def _is_empty(self) -> bool:
        return len(self.handled) + len(self.axis.broker.messages(QUARANTINE_QUEUE)) >= self.expected

    async def _consume(self, handle: runtime.Handler, stop: asyncio.Event) -> bool:
        consumer = cast("Consumer", self.axis.broker.consumer(QUEUE))
        known = Suspects(self.axis.store.suspects, self.axis.log)
        died = False
        try:
            await consume(
                consumer, QUEUE, handle, stop=stop, log=self.axis.log, metrics=self.axis.metrics, suspects=known
            )
        except* Died:
            died = True
        return died

    async def until_drained(self, most: int) -> int:
        deaths = 0
        while await self.one():
            deaths += 1
            assert deaths <= most, self.tried
        return deaths

    @property
    def quarantined(self) -> list[str | None]:
        return [each.message_id for each in self.axis.broker.messages(QUARANTINE_QUEUE)]


async def test_one_that_ends_every_worker_is_given_up_alone_and_its_neighbours_pass() -> None:
    workers = Workers(await axis_of(["G22"]), "bad")
    workers.flowing = True
    good = [f"m{number}" for number in range(40)]
    workers.expected = 41
    await workers.fill(*good[:25], "bad", *good[25:])
    deaths = await workers.until_drained(most=6)
    assert deaths == 5, "fresh, with all, with a few, twice alone"
    assert set(workers.handled) >= set(good)
    assert len(set(workers.handled)) == workers.expected - 1
    assert workers.quarantined == ["bad"]
    assert ("bad",) in workers.tried
    assert list(workers.axis.store.suspects.noted) == [key_of(workers.axis.broker.messages(QUARANTINE_QUEUE)[0], QUEUE)]


async def test_two_of_them() -> None:
    workers = Workers(await axis_of(["G22"]), "bad", "worse")
    workers.flowing = True
    good = [f"m{number}" for number in range(20)]
    workers.expected = 22
    await workers.fill(*good[:5], "bad", *good[5:15], "worse", *good[15:])
    await workers.until_drained(most=10)
    assert set(workers.handled) >= set(good)
    assert sorted(each or "" for each in workers.quarantined) == ["bad", "worse"]


async def test_a_worker_that_gets_nothing_through_gives_nothing_up() -> None:
    workers = Workers(await axis_of(["G22"]))
    good = [f"m{number}" for number in range(5)]
    workers.expected = 5
    await workers.fill(*good)
    workers.always = True
    for _ in range(30):
        assert await workers.one()
    assert workers.quarantined == []
    workers.always = False
    assert not await workers.one()
    assert sorted(workers.handled) == good
    assert workers.axis.store.suspects.noted == {}


async def test_what_comes_again_because_a_connection_was_lost_leaves_no_trace() -> None:
    workers = Workers(await axis_of(["G22"]))
    workers.expected = 4
    await workers.fill("a", "b", "c", "d")
    for _ in range(20):
        consumer = workers.axis.broker.consumer(QUEUE)
        async for _batch in consumer.batches():
            break
        await consumer.stop()
    assert not await workers.one()
    assert workers.handled == ["a", "b", "c", "d"]
    assert workers.axis.store.suspects.noted == {}


async def test_a_good_one_beside_a_bad_one_is_cleared() -> None:
    workers = Workers(await axis_of(["G22"]), "bad")
    workers.flowing = True
    workers.expected = 3
    await workers.fill("a", "bad", "b")
    await workers.until_drained(most=6)
    assert {"a", "b"} <= set(workers.handled)
    assert len(workers.axis.store.suspects.noted) == 1


async def test_alone_in_its_queue_it_is_given_up_as_soon_as_another_passes() -> None:
    workers = Workers(await axis_of(["G22"]), "bad")
    workers.expected = 1
    await workers.fill("bad")
    for _ in range(10):
        assert await workers.one()
    assert workers.quarantined == []
    workers.flowing = True
    assert await workers.until_drained(most=3) == 2
    assert workers.quarantined == ["bad"]


async def test_while_one_is_alone_nobody_else_works() -> None:
    axis = await axis_of(["G22"])
    known, seen = Suspects(axis.store.suspects, axis.log), list[str]()
    inside, leave = asyncio.Event(), asyncio.Event()

    async def beside(name: str) -> None:
        async with known.beside_others():
            seen.append(name)
            inside.set()
            await leave.wait()

    async def alone() -> None:
        async with known._alone():
            seen.append("alone")
            await asyncio.sleep(0)
            seen.append("alone still")

    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        group.create_task(beside("first"))
        await inside.wait()
        group.create_task(alone())
        await asyncio.sleep(0)
        group.create_task(beside("second"))
        await asyncio.sleep(0)
        leave.set()
    assert seen == ["first", "alone", "alone still", "second"]


async def test_while_the_store_is_away_what_comes_again_waits() -> None:
    workers = Workers(await axis_of(["G22"]))
    workers.expected = 1
    await workers.fill("a")
    consumer = workers.axis.broker.consumer(QUEUE)
    async for _batch in consumer.batches():
        break
    calls = 0
    original = workers.axis.store.suspects.note

    async def away(keys: Sequence[bytes]) -> None:
        nonlocal calls
        calls += 1
        if calls < 3:
            raise Unavailable("away")
        await original(keys)

    workers.axis.store.suspects.note = away  # type: ignore[method-assign,assignment]
    assert not await workers.one()
    assert (workers.handled, calls) == (["a"], 3)
