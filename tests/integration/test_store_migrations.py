"""Migrations on a real database."""

import asyncio
import datetime as dt
from collections.abc import Iterator
from dataclasses import replace

import asyncpg
import pytest

from axis import local
from axis.errors import Misconfigured, Unavailable
from axis.store import Store, migrate, migrating
from axis.store.migrating import Migration, packaged
from tests import services as real
from tests.unit.store.rows import accepted, quarantine_row, status_row

ONE = Migration(1, "0001_one", "CREATE TABLE one (id integer);\nINSERT INTO one VALUES (1);\n")
TWO = Migration(2, "0002_two", "CREATE TABLE two (id integer);")


@pytest.fixture
def empty(services: local.Services) -> Iterator[str]:
    with real.fresh_database(services, "template1") as dsn:
        yield dsn


async def fetch(dsn: str, query: str) -> list[tuple[object, ...]]:
    async with asyncio.timeout(30):
        link = await asyncpg.connect(dsn)
        try:
            return [tuple(record) for record in await link.fetch(query)]
        finally:
            await link.close()


async def test_an_empty_database_gets_them_all_once(empty: str) -> None:
    assert await migrate(empty) == [migration.name for migration in packaged()]
    assert await migrate(empty) == []
    async with Store.connect(empty) as store:
        assert await store.directory.load() == ([], [], [])


async def test_two_programs_at_once(empty: str) -> None:
    first, second = await asyncio.gather(migrate(empty), migrate(empty))
    assert first + second == [migration.name for migration in packaged()]


async def test_new_ones_follow_the_old(empty: str) -> None:
    assert await migrate(empty, migrations=[ONE]) == ["0001_one"]
    assert await migrate(empty, migrations=[ONE, TWO]) == ["0002_two"]
    assert await fetch(empty, "SELECT number, name FROM axis_migration ORDER BY number") == [
        (1, "0001_one"),
        (2, "0002_two"),
    ]


async def test_a_changed_one_is_refused_and_nothing_is_applied(empty: str) -> None:
    await migrate(empty, migrations=[ONE])
    with pytest.raises(Misconfigured, match="0001_one was changed after it had been applied"):
        await migrate(empty, migrations=[replace(ONE, text=ONE.text + "-- innocent"), TWO])
    assert await fetch(empty, "SELECT to_regclass('two')") == [(None,)]


async def test_other_line_ends_are_no_change(empty: str) -> None:
    await migrate(empty, migrations=[ONE])
    assert await migrate(empty, migrations=[replace(ONE, text=ONE.text.replace("\n", "\r\n"))]) == []


async def test_a_failing_one_leaves_nothing_and_keeps_those_before(empty: str) -> None:
    bad = Migration(2, "0002_bad", "CREATE TABLE two (id integer); SELECT 1 / 0;")
    with pytest.raises(asyncpg.DivisionByZeroError):
        await migrate(empty, migrations=[ONE, bad])
    assert await fetch(empty, "SELECT to_regclass('one')::text, to_regclass('two')") == [("one", None)]
    assert await migrate(empty, migrations=[ONE, TWO]) == ["0002_two"]


async def test_a_database_without_them_is_not_used(empty: str) -> None:
    with pytest.raises(Misconfigured, match="lacks migration 0001_directory"):
        async with Store.connect(empty):
            pass


async def test_a_database_further_than_the_program_is_used(database: str) -> None:
    further = [*packaged(), Migration(9_999, "9999_later", "CREATE TABLE later (id integer);")]
    assert await migrate(database, migrations=further) == ["9999_later"]
    async with Store.connect(database) as store:
        await store.directory.load()
    assert await migrate(database) == []


async def test_partitions_are_made_around_the_time_given(empty: str) -> None:
    await migrate(empty, now=dt.datetime(2031, 1, 15, tzinfo=dt.UTC))
    names = await fetch(empty, "SELECT relid::text FROM pg_partition_tree('envelope') WHERE isleaf ORDER BY 1")
    months = ["2030_12", "2031_01", "2031_02", "2031_03", "2031_04", "default"]
    assert names == [(f"envelope_{month}",) for month in months]


async def test_one_that_waits_for_a_table_steps_aside(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrating, "_LOCK_WAIT", "100ms")
    monkeypatch.setattr(migrating, "_LOCK_REST_SECONDS", 0.1)
    further = [*packaged(), Migration(9_999, "9999_note", "ALTER TABLE envelope ADD COLUMN note text;")]
    async with asyncio.timeout(30):
        link = await asyncpg.connect(database)
        try:
            busy = link.transaction()
            await busy.start()
            await link.execute("LOCK TABLE envelope IN ACCESS SHARE MODE")
            waiting = asyncio.create_task(migrate(database, migrations=further))
            async with Store.connect(database) as store:
                for _ in range(20):
                    assert await store.track("unknown") == ()
            assert not waiting.done()
            await busy.rollback()
            assert await waiting == ["9999_note"]
        finally:
            await link.close()


async def test_one_that_never_gets_its_table_leaves_everything_as_it_was(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrating, "_LOCK_WAIT", "50ms")
    monkeypatch.setattr(migrating, "_LOCK_REST_SECONDS", 0.01)
    monkeypatch.setattr(migrating, "_LOCK_TRIES", 3)
    text = "CREATE TABLE later (id integer); ALTER TABLE envelope ADD COLUMN note text;"
    async with asyncio.timeout(30):
        link = await asyncpg.connect(database)
        try:
            async with link.transaction():
                await link.execute("LOCK TABLE envelope IN ACCESS SHARE MODE")
                with pytest.raises(Unavailable, match="lock timeout"):
                    await migrate(database, migrations=[*packaged(), Migration(9_999, "9999_note", text)])
        finally:
            await link.close()
    assert await fetch(database, "SELECT to_regclass('later')") == [(None,)]


async def test_an_additive_one_disturbs_nobody_who_works(database: str) -> None:
    text = """
        ALTER TABLE envelope ADD COLUMN note text; ALTER TABLE delivery ADD COLUMN note text;
        ALTER TABLE notice ADD COLUMN note text; ALTER TABLE status_event ADD COLUMN note text;
        ALTER TABLE quarantine ADD COLUMN note text; ALTER TABLE organisation ADD COLUMN note text;
        CREATE INDEX later ON envelope (note); CREATE TABLE later_on (id integer);
    """
    async with Store.connect(database, connections=1) as store:
        first = await exercise(store)
        await migrate(database, migrations=[*packaged(), Migration(9_999, "9999_note", text)])
        second = await exercise(store)
        assert [len(await store.track(each)) for each in (first, second)] == [1, 1]


async def exercise(store: Store) -> str:
    """Ask every statement of the workers for something, in one connection."""
    one = accepted()
    async with store.transaction() as tx:
        assert await tx.accept([one]) == {}
    async with store.transaction() as tx:
        assert list(await tx.accept([one])) == [one.envelope.id]
        await tx.deliveries_of([one.envelope.id])
        await tx.statuses([status_row(one.envelope.id)], {})
        await tx.quarantine([quarantine_row()])
    await store.unpublished(dt.timedelta(0), 10)
    await store.mark_published([one.envelope.id], [one.receipt.id])
    await store.track(one.envelope.id)
    await store.sent(one.envelope.sender, 10)
    await store.quarantined()
    await store.directory.load()
    return one.envelope.id
