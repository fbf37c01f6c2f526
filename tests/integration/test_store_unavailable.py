"""Failures: which may pass (Unavailable), which are ours (Misconfigured), which are about the data (neither)."""

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from axis.errors import Misconfigured, Unavailable
from axis.store import Store, migrate
from axis.store import pool as pool_module
from axis.store import reaching as reaching_module
from tests.unit.store.rows import accepted, status_row


@pytest.fixture
async def sql(database: str) -> AsyncIterator[Any]:
    link = await asyncpg.connect(database)
    yield link
    await link.close()


async def end_connections(sql: Any) -> None:
    # Of this test's own database: the server is shared with whatever other process runs tests at the same time.
    ended = await sql.fetchval(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name = 'axis'"
    )
    assert ended


async def test_nobody_answers() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    dsn = f"postgresql://axis@127.0.0.1:{port}/axis"
    with pytest.raises(Unavailable):
        async with Store.connect(dsn):
            pass
    with pytest.raises(Unavailable):
        await migrate(dsn)


async def test_somebody_accepts_and_never_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reaching_module, "CONNECT_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:
        dsn = f"postgresql://axis@127.0.0.1:{server.getsockname()[1]}/axis"
        with pytest.raises(Unavailable):
            async with Store.connect(dsn):
                pass


async def test_there_is_no_such_database(database: str) -> None:
    missing = urlunsplit(urlsplit(database)._replace(path="/no_such_database"))
    with pytest.raises(Misconfigured, match="no_such_database"):
        async with Store.connect(missing):
            pass
    with pytest.raises(Misconfigured):
        await migrate(missing)


async def test_a_lost_connection_is_unavailable_and_the_next_call_has_a_new_one(database: str, sql: Any) -> None:
    async with Store.connect(database) as store:
        one = accepted()

        async def lose() -> None:
            async with store.transaction() as tx:
                await tx.accept([one])
                await end_connections(sql)
                await tx.accept([accepted()])

        with pytest.raises(Unavailable):
            await lose()
        async with store.transaction() as tx:
            assert await tx.accept([one]) == {}


async def test_a_connection_lost_before_the_commit_is_unavailable(database: str, sql: Any) -> None:
    async with Store.connect(database) as store:
        one = accepted()

        async def lose() -> None:
            async with store.transaction() as tx:
                await tx.accept([one])
                await end_connections(sql)

        with pytest.raises(Unavailable):
            await lose()
        assert await store.track(one.envelope.id) == ()


async def test_what_the_caller_raises_stays_what_it_is(database: str, sql: Any) -> None:
    async with Store.connect(database) as store:
        for error in (TimeoutError("the broker's"), OSError("a file's"), KeyError("ours")):
            with pytest.raises(type(error)):
                async with store.transaction():
                    raise error


async def test_a_statement_that_waits_too_long_is_unavailable(
    database: str, sql: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reaching_module, "COMMAND_SECONDS", 0.3)
    async with Store.connect(database) as store, sql.transaction():
        await sql.execute("LOCK TABLE envelope IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(Unavailable):
            async with store.transaction() as tx:
                await tx.accept([accepted()])
        with pytest.raises(Unavailable):
            await store.mark_published([accepted().envelope.id], [])


async def test_no_connection_free_is_unavailable(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with Store.connect(database, connections=1) as store, store.transaction():
        monkeypatch.setattr(pool_module, "CONNECT_SECONDS", 0.1)
        with pytest.raises(Unavailable):
            await store.directory.load()
        with pytest.raises(Unavailable):
            async with store.transaction():
                pass


@pytest.mark.parametrize(
    "poison",
    [
        accepted(subject="NUL \0"),
        accepted(subject="lone \ud800"),
        accepted(concerns="not a uuid"),
        accepted(["H37", "H37"]),
        accepted(["H\0"]),
    ],
    ids=["nul", "surrogate", "uuid", "twice", "delivery"],
)
async def test_what_is_wrong_with_the_data_is_never_taken_for_an_absence(database: str, poison: Any) -> None:
    async with Store.connect(database) as store:
        with pytest.raises((asyncpg.PostgresError, ValueError)):
            async with store.transaction() as tx:
                await tx.accept([accepted(), poison])
        async with store.transaction() as tx:
            assert await tx.accept([accepted()]) == {}


async def test_a_status_with_a_bad_text_is_no_absence_either(database: str) -> None:
    async with Store.connect(database) as store:
        one = accepted()
        async with store.transaction() as tx:
            await tx.accept([one])
        with pytest.raises((asyncpg.PostgresError, ValueError)):
            async with store.transaction() as tx:
                await tx.statuses([status_row(one.envelope.id, reason="\0")], {})


async def test_closing_does_not_wait_for_ever(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_module, "_CLOSE_SECONDS", 0.1)
    inside, finish = asyncio.Event(), asyncio.Event()

    async def keep(store: Store) -> None:
        async with store.transaction():
            inside.set()
            await finish.wait()

    async with asyncio.timeout(20):
        async with Store.connect(database) as store:
            keeping = asyncio.create_task(keep(store))
            await inside.wait()
        finish.set()
        with pytest.raises(Unavailable):
            await keeping
