"""The registrar: everything gets into the register, whatever one envelope is like."""

import asyncio
import datetime as dt
from typing import Any

import pytest

from axis.core.deadlines import Calendar, Targets
from axis.core.register import register
from axis.core.registration import Registered
from axis.errors import Unavailable
from axis.store import FakeStore, Sought
from axis.store.fake_register import FakeRegister
from axis.store.register_seam import Decide
from tests.builders import NOW
from tests.unit.store.rows import accepted
from workers import registrar
from workers.metrics import Metrics
from workers.registrar import Registrar
from workers.runtime import Log


class Quiet:
    def __init__(self) -> None:
        self.errors: list[dict[str, Any]] = []

    def error(self, event: str, **told: Any) -> None:
        self.errors.append({"event": event, **told})

    exception = error

    def info(self, event: str, **told: Any) -> None: ...


class World:
    def __init__(self) -> None:
        self.store = FakeStore()
        self.log = Quiet()
        self.calendars = 0
        self.now = NOW
        self.metrics = Metrics("registrar")
        self.registrar = self.with_register(self.store.register)

    def with_register(self, register: Any) -> Registrar:
        log: Log = self.log  # type: ignore[assignment]  # what a registrar logs with
        return Registrar(
            store=register,
            calendar=self._calendar,
            targets=Targets(),
            feed_for=dt.timedelta(days=31),
            now=lambda: self.now,
            stop=asyncio.Event(),
            log=log,
            metrics=self.metrics,
        )

    async def _calendar(self) -> Calendar:
        self.calendars += 1
        return Calendar()

    async def accept(self, *subjects: str) -> list[str]:
        documents = [accepted(subject=subject) for subject in subjects]
        async with self.store.transaction() as tx:
            await tx.accept(documents)
        return [each.envelope.id for each in documents]

    async def found(self) -> set[str]:
        return {each.id for each in await self.store.register.search(Sought())}

    def gauge(self, name: str) -> float | None:
        return self.metrics.registry.get_sample_value(name)


async def test_everything_is_registered_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    monkeypatch.setattr(registrar, "_BATCH", 2)
    ids = await world.accept("a", "b", "c", "d", "e")
    await world.registrar.look()
    assert world.gauge("axis_register_waiting") == 5
    await world.registrar.keep()
    await world.registrar.look()
    assert await world.found() == set(ids)
    assert world.gauge("axis_register_waiting") == 0
    await world.registrar.keep()
    assert world.calendars == 1  # what is known for a minute is not asked again


async def test_an_envelope_that_cannot_be_decided_keeps_nobody_back(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    bad, good = await world.accept("xấu", "tốt")

    def fails(subject: Any, reckon: Any) -> Registered:
        if subject.tracked.envelope.id == bad:
            raise RuntimeError("a fault of ours")
        return register(subject, reckon)

    monkeypatch.setattr(registrar, "register", fails)
    await world.registrar.keep()
    assert await world.found() == {good}
    assert [each["id"] for each in world.log.errors] == [bad]


class Choosy(FakeRegister):
    """A database that does not take one of the rows."""

    bad = ""

    def _write(self, registered: Registered) -> None:
        if registered.entry.id == self.bad:
            raise ValueError("string is too long for tsvector")
        super()._write(registered)


async def test_an_envelope_that_the_database_does_not_take_keeps_nobody_back() -> None:
    world = World()
    keeping = Choosy(world.store._alone, lambda: NOW, world.store.partners.fetched_at)
    world.store.register = keeping
    first, keeping.bad, last = await world.accept("một", "hai", "ba")
    await world.with_register(keeping).keep()
    assert await world.found() == {first, last}
    assert keeping.bad in {each.get("id") for each in world.log.errors}
    assert await keeping.lag() == (0, None)


async def test_a_store_that_is_away_is_for_the_next_time() -> None:
    world = World()
    ids = await world.accept("a")
    world.store.available = False
    with pytest.raises(Unavailable):
        await world.registrar.keep()
    assert world.metrics.registry.get_sample_value("axis_unavailable", {"worker": "registrar"}) == 1
    world.store.available = True
    await world.registrar.keep()
    assert await world.found() == set(ids)
    assert world.metrics.registry.get_sample_value("axis_unavailable", {"worker": "registrar"}) == 0


async def test_the_store_going_away_over_one_row_is_no_fault_of_the_row() -> None:
    class Goes(FakeRegister):
        calls = 0

        async def keep(self, batch: int, decide: Decide) -> int:
            self.calls += 1
            if self.calls == 1:
                raise ValueError("one of them")
            if self.calls == 2:
                raise Unavailable("the store is away")
            return await super().keep(batch, decide)

    world = World()
    keeping = Goes(world.store._alone, lambda: NOW, world.store.partners.fetched_at)
    world.store.register = keeping
    ids = await world.accept("a", "b")
    with pytest.raises(Unavailable):
        await world.with_register(keeping).keep()
    await world.with_register(keeping).keep()
    assert await world.found() == set(ids)


async def test_old_news_is_pruned() -> None:
    world = World()
    keeping = FakeRegister(world.store._alone, lambda: world.now, world.store.partners.fetched_at)
    world.store.register = keeping
    await world.accept("a")
    keeper = world.with_register(keeping)
    await keeper.keep()
    assert await keeping.feed("G22", 0, 10)
    world.now = NOW + dt.timedelta(days=30)
    await keeper.prune()
    assert await keeping.feed("G22", 0, 10)
    world.now = NOW + dt.timedelta(days=32)
    await keeper.prune()
    assert await keeping.feed("G22", 0, 10) == ()
    first, last = await keeping.feed_span()
    assert first == last + 1
