"""Months as partitions, and the uniqueness of ids across them."""

import asyncio
import datetime as dt
import re
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from axis.core.ids import new_id
from axis.core.records import DeliveryState
from axis.errors import Unavailable
from axis.store import Store
from tests.unit.store.rows import accepted, status_row

# The template's partitions are around the machine's clock; these months are far from it.
JANUARY = dt.datetime(2041, 1, 1, tzinfo=dt.UTC)
TABLES = ("envelope", "delivery", "attachment", "notice", "status_event")


@pytest.fixture
async def store(database: str) -> AsyncIterator[Store]:
    async with Store.connect(database) as opened:
        yield opened


@pytest.fixture
async def sql(database: str) -> AsyncIterator[Any]:
    link = await asyncpg.connect(database)
    yield link
    await link.close()


async def home_of(sql: Any, table: str, key: str, identifier: str) -> list[str]:
    found = await sql.fetch(f"SELECT tableoid::regclass::text FROM {table} WHERE {key} = $1", identifier)  # noqa: S608 - a test's own names
    return [record[0] for record in found]


async def put(store: Store, at: dt.datetime) -> str:
    one = accepted(id=new_id(at), attachments=["ab" * 32])
    async with store.transaction() as tx:
        assert await tx.accept([one]) == {}
    return one.envelope.id


async def insist(store: Store, at: dt.datetime) -> None:
    """Put as a worker does: what may pass is tried again."""
    async with asyncio.timeout(60):
        while True:
            try:
                await put(store, at)
            except Unavailable:
                continue
            return


async def test_each_id_lives_in_its_month(store: Store, sql: Any) -> None:
    made = await store.ensure_partitions(JANUARY)
    assert {name.rsplit("_", 2)[0] for name in made} == set(TABLES)
    edge = dt.timedelta(milliseconds=1)
    for at, month in [
        (JANUARY, "2041_01"),
        (JANUARY - edge, "2040_12"),
        (JANUARY.replace(month=2) - edge, "2041_01"),
        (JANUARY.replace(month=2), "2041_02"),
        (JANUARY.replace(year=1999), "default"),
        (JANUARY.replace(year=2999), "default"),
    ]:
        identifier = await put(store, at)
        assert await home_of(sql, "envelope", "id", identifier) == [f"envelope_{month}"]
        assert await home_of(sql, "delivery", "envelope_id", identifier) == [f"delivery_{month}"]


async def test_making_them_again_makes_only_what_is_missing(store: Store) -> None:
    first = await store.ensure_partitions(JANUARY)
    assert len(first) == 5 * len(TABLES)
    assert await store.ensure_partitions(JANUARY) == []
    next_month = await store.ensure_partitions(JANUARY.replace(month=2))
    assert next_month == [f"{table}_2041_05" for table in TABLES]


async def test_two_relays_at_once(database: str) -> None:
    async with Store.connect(database) as one, Store.connect(database) as other:
        made = await asyncio.gather(one.ensure_partitions(JANUARY), other.ensure_partitions(JANUARY))
    assert len(made[0]) + len(made[1]) == 5 * len(TABLES)


async def test_strange_ids_move_home_when_their_month_gets_a_partition(store: Store, sql: Any) -> None:
    one = accepted(id=new_id(JANUARY), attachments=["ab" * 32])
    status = status_row(one.envelope.id, id=new_id(JANUARY))
    stranger = await put(store, JANUARY.replace(year=2999))
    async with store.transaction() as tx:
        await tx.accept([one])
        await tx.statuses([status], {(one.envelope.id, "H37"): ("01", JANUARY)})
    assert await home_of(sql, "envelope", "id", one.envelope.id) == ["envelope_default"]
    (before,) = await store.track(one.envelope.id)
    await store.ensure_partitions(JANUARY)
    assert await home_of(sql, "envelope", "id", one.envelope.id) == ["envelope_2041_01"]
    assert await home_of(sql, "status_event", "id", status.id) == ["status_event_2041_01"]
    assert await home_of(sql, "attachment", "envelope_id", one.envelope.id) == ["attachment_2041_01"]
    assert await home_of(sql, "envelope", "id", stranger) == ["envelope_default"]
    assert await store.track(one.envelope.id) == (before,)
    async with store.transaction() as tx:
        assert set(await tx.accept([one])) == {one.envelope.id}


async def test_a_partition_has_what_its_table_has(store: Store, sql: Any) -> None:
    await store.ensure_partitions(JANUARY)
    for table in TABLES:
        indexes = "SELECT count(*) FROM pg_index WHERE indrelid = $1::text::regclass"
        assert await sql.fetchval(indexes, f"{table}_2041_01") == await sql.fetchval(indexes, table)
        # An index that is not a child of the table's own would be written for nothing.
        orphans = (
            "SELECT count(*) FROM pg_index LEFT JOIN pg_inherits ON inhrelid = indexrelid "
            "WHERE indrelid = $1::text::regclass AND inhparent IS NULL"
        )
        assert await sql.fetchval(orphans, f"{table}_2041_01") == 0
    storage = (
        "SELECT attstorage::text FROM pg_attribute WHERE attrelid = 'envelope_2041_01'::regclass AND attname = 'body'"
    )
    assert await sql.fetchval(storage) == "e"


async def test_a_status_event_is_never_changed(sql: Any) -> None:
    for statement in ("UPDATE status_event SET code = '06'", "DELETE FROM status_event", "TRUNCATE status_event"):
        with pytest.raises(asyncpg.RestrictViolationError):
            await sql.execute(statement)
    with pytest.raises(asyncpg.RestrictViolationError):
        await sql.execute("DELETE FROM audit")


async def test_working_goes_on_while_partitions_are_made(database: str) -> None:
    async with Store.connect(database) as one, Store.connect(database) as other, asyncio.TaskGroup() as group:
        for month in range(1, 5):
            group.create_task(one.ensure_partitions(JANUARY.replace(month=month)))
        for day in range(1, 25):
            group.create_task(insist(other, JANUARY + dt.timedelta(days=day)))
            group.create_task(other.unpublished(dt.timedelta(0), 5))
    async with Store.connect(database) as store:
        assert len(await store.sent("G22", 100)) == 24
        tracked = await store.track("G22,2026/11/24,1/VPCP-TTĐT")
        assert {delivery.state for each in tracked for delivery in each.deliveries} == {DeliveryState.ROUTED}


async def test_looking_up_ids_reads_only_their_month(store: Store, sql: Any) -> None:
    await store.ensure_partitions(JANUARY)
    await sql.execute("SET plan_cache_mode = force_generic_plan")
    await sql.execute(
        "PREPARE look (uuid[], uuid, uuid) AS SELECT * FROM envelope WHERE id = ANY ($1) AND id BETWEEN $2 AND $3"
    )
    identifier = new_id(JANUARY)
    plan = await sql.fetch(
        f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) EXECUTE look ('{{{identifier}}}', '{identifier}', '{identifier}')"
    )
    text = "\n".join(record[0] for record in plan)
    assert "Subplans Removed" in text
    assert re.findall(r" on (envelope\w*)", text) == ["envelope_2041_01"]
