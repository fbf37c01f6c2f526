"""The store on two servers: what is committed is on both, whoever takes over is found, whoever is fenced is left."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from axis.errors import Unavailable
from axis.faults.databases import Database
from axis.faults.replicas import Pair, connected
from axis.faults.sessions import frozen
from axis.local import private
from axis.local.programs import find_postgres
from axis.store import Store, migrate
from axis.store import pool as pool_module
from axis.store import reaching as reaching_module
from tests.builders import organisation
from tests.rig import until
from tests.unit.store.rows import accepted


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Pair]:
    found = find_postgres()
    if found is None:
        pytest.skip("no PostgreSQL programs on this machine to start servers of our own with")
    record = private.new_record(tmp_path, "private", durable=False).with_free_ports()
    database = await Database.make(record, found, tmp_path)
    made = None
    try:
        await database.start()
        await migrate(database.url)
        made = await Pair.make(database)
        yield made
    finally:
        if made is not None:
            await made.standby.close()
            await made.primary.close()
        await database.close()
        await asyncio.to_thread(shutil.rmtree, record.data)


async def accept(store: Store) -> str:
    one = accepted()
    async with store.transaction() as tx:
        await tx.accept([one])
    return one.envelope.id


async def accepts(store: Store) -> bool:
    try:
        await accept(store)
    except Unavailable:
        return False
    return True


async def test_the_standby_has_all_that_was_committed_and_is_found(pair: Pair) -> None:
    heard: list[set[str] | None] = []

    async def changed(codes: set[str] | None) -> None:
        heard.append(codes)

    async with Store.connect(pair.url) as store:
        listening = asyncio.create_task(store.directory.listen(changed))
        await until(lambda: heard == [None])
        ids = [await accept(store) for _ in range(20)]
        await pair.primary.kill()
        with pytest.raises(Unavailable):
            await accept(store)
        await pair.fail_over()
        await until(lambda: accepts(store))
        assert [len(await store.track(each)) for each in ids] == [1] * len(ids)
        await until(lambda: heard == [None, None])
        await store.directory.put_organisations([organisation("H37")])
        await until(lambda: heard == [None, None, {"H37"}])
        listening.cancel()


async def test_who_comes_back_as_it_was_gets_nothing_while_it_is_fenced(pair: Pair) -> None:
    old = pair.primary
    async with Store.connect(pair.url) as store:
        await accept(store)
        await old.kill()
        await pair.fail_over()
        await until(lambda: accepts(store))
        with (old.data / "postgresql.auto.conf").open("a") as settings:
            settings.write("default_transaction_read_only = on\nsynchronous_standby_names = ''\n")
        await old.start()
        async with connected(old.url) as link:
            before = await link.fetchval("SELECT count(*) FROM envelope")
        async with Store.connect(pair.url) as late:
            await accept(late)
        async with connected(old.url) as link:
            assert await link.fetchval("SELECT count(*) FROM envelope") == before


async def test_a_primary_that_hangs_does_not_use_up_the_time_of_the_other(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reaching_module, "CONNECT_SECONDS", 2.0)
    await pair.alone()
    old = pair.primary
    old.pause()
    try:
        await pair.fail_over()
        async with asyncio.timeout(10), Store.connect(pair.url) as store:
            await accept(store)
    finally:
        old.resume()


async def test_a_primary_that_stops_answering_costs_one_deadline_not_one_for_each_connection(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reaching_module, "CONNECT_SECONDS", 4.0)
    monkeypatch.setattr(pool_module, "CONNECT_SECONDS", 4.0)
    monkeypatch.setattr(reaching_module, "COMMAND_SECONDS", 2.0)
    async with Store.connect(pair.url, connections=6) as store:
        async with asyncio.TaskGroup() as group:
            for _ in range(6):
                group.create_task(accept(store))
        with frozen(pair.primary):
            await pair.fail_over()
            assert not await accepts(store)
            assert await accepts(store)
            await pair.standby.kill()


async def test_nobody_sees_what_the_standby_has_not_got(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reaching_module, "COMMAND_SECONDS", 0.5)
    one = accepted()
    async with Store.connect(pair.url) as store:
        await pair.standby.kill()
        for _ in range(2):
            with pytest.raises(Unavailable):
                async with store.transaction() as tx:
                    await tx.accept([one])
        assert await store.track(one.envelope.id) == ()
        await pair.standby.start()
        await until(lambda: store.track(one.envelope.id))


async def test_the_one_that_was_left_follows_again(pair: Pair) -> None:
    first = pair.primary
    async with Store.connect(pair.url) as store:
        ids = [await accept(store)]
        await first.kill()
        await pair.fail_over()
        await until(lambda: accepts(store))
        await pair.rejoin()
        ids.append(await accept(store))
        await pair.primary.kill()
        await pair.fail_over()
        assert pair.primary is first
        await until(lambda: accepts(store))
        assert [len(await store.track(each)) for each in ids] == [1, 1]
    assert os.fspath(first.data) != os.fspath(pair.standby.data)
