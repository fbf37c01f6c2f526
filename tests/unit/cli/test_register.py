"""`axis register`, on a fake store."""

import asyncio
import datetime as dt

import pytest

from axis.store import FakeStore, Sought
from axis.store.fake_register import FakeRegister
from tests.unit.cli.conftest import Run
from tests.unit.store.registering import keep
from tests.unit.store.rows import accepted


async def accept(store: FakeStore) -> None:
    async with store.transaction() as tx:
        await tx.accept([accepted()])


def test_the_status_says_what_waits(run: Run, store: FakeStore, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "has everything" in run("register", "status").out
    asyncio.run(accept(store))
    ran = run("register", "status")
    assert ran.code == 0
    assert "registered: 1, the oldest" in ran.out

    async def old(self: FakeRegister) -> tuple[int, dt.datetime | None]:
        return 7, dt.datetime.now(dt.UTC) - dt.timedelta(minutes=5)

    monkeypatch.setattr(FakeRegister, "lag", old)
    ran = run("register", "status")
    assert ran.code == 1
    assert "python -m workers registrar" in ran.out
    told = run("register", "status", "--json").json
    assert (told["waiting"], told["behind"], told["feed"]) == (7, True, {"first": 1, "last": 0})


def test_a_rebuild_tells_nobody_anything_again(run: Run, store: FakeStore) -> None:
    asyncio.run(accept(store))
    asyncio.run(keep(store))
    before = asyncio.run(store.register.feed("G22", 0, 10))
    assert run("register", "rebuild", "--json").json == {"touched": 1}
    assert asyncio.run(store.register.search(Sought())) == ()
    asyncio.run(keep(store))
    assert len(asyncio.run(store.register.search(Sought()))) == 1
    assert asyncio.run(store.register.feed("G22", 0, 10)) == before
    assert store.audits[-1][1] == "register.rebuild"
