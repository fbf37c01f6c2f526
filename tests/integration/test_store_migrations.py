"""Migrations on a real database."""

import asyncio
import datetime as dt
from collections.abc import Iterator
from dataclasses import replace

import asyncpg
import pytest

from axis import local
from axis.errors import Misconfigured
from axis.store import Store, migrate
from axis.store.migrating import Migration, packaged
from tests import services as real

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
