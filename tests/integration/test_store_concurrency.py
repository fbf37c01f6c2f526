"""Two programs over the same rows at once: one truth, no deadlock."""

import asyncio
import datetime as dt
import random
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from axis.core.ids import new_id
from axis.core.quotas import Taking
from axis.core.records import Existing
from axis.errors import Unavailable
from axis.store import Store
from tests.builders import NOW, organisation
from tests.unit.store.rows import accepted, held, quarantine_row, sha256, status_row


@pytest.fixture
async def one(database: str) -> AsyncIterator[Store]:
    async with Store.connect(database, name="axis one") as opened:
        yield opened


@pytest.fixture
async def other(database: str) -> AsyncIterator[Store]:
    async with Store.connect(database, name="axis other") as opened:
        yield opened


@pytest.fixture
async def sql(database: str) -> AsyncIterator[Any]:
    link = await asyncpg.connect(database)
    yield link
    await link.close()


async def until_waiting(sql: Any, name: str = "axis other") -> None:
    """Wait until a connection of that name waits for a lock."""
    async with asyncio.timeout(20):
        while not await sql.fetchval(  # noqa: ASYNC110 - the server tells nobody when a session begins to wait
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = $1 AND wait_event_type = 'Lock'",
            name,
        ):
            await asyncio.sleep(0.01)


async def test_the_second_router_waits_and_gets_what_the_first_committed(one: Store, other: Store, sql: Any) -> None:
    first = accepted()
    rival = accepted(id=first.envelope.id, body=b"other bytes")
    async with asyncio.TaskGroup() as group, one.transaction() as tx:
        assert await tx.accept([first]) == {}

        async def second() -> dict[str, Existing]:
            async with other.transaction() as rival_tx:
                return await rival_tx.accept([rival, accepted()])

        waiting = group.create_task(second())
        await until_waiting(sql)
    assert waiting.result() == {
        first.envelope.id: Existing(first.envelope, published=False, receipt=first.receipt, deliveries=first.deliveries)
    }


async def test_the_second_router_stores_it_when_the_first_rolled_back(one: Store, other: Store, sql: Any) -> None:
    first = accepted()
    rival = accepted(id=first.envelope.id, body=b"other bytes")

    async def fail() -> None:
        async with one.transaction() as tx:
            await tx.accept([first])
            started.set()
            await until_waiting(sql)
            raise ZeroDivisionError

    async def second() -> dict[str, Existing]:
        await started.wait()
        async with other.transaction() as tx:
            return await tx.accept([rival])

    started = asyncio.Event()
    failed, existing = await asyncio.gather(fail(), second(), return_exceptions=True)
    assert isinstance(failed, ZeroDivisionError)
    assert existing == {}
    (tracked,) = await one.track(first.envelope.id)
    assert tracked.envelope.sha256 == rival.envelope.sha256


async def test_a_mark_made_while_waiting_is_seen(one: Store, other: Store, sql: Any) -> None:
    first = accepted()
    async with one.transaction() as tx:
        await tx.accept([first])
    await one.mark_published([first.envelope.id], [first.receipt.id])
    async with other.transaction() as tx:
        existing = await tx.accept([first])
    assert existing[first.envelope.id].published


async def test_routers_with_the_same_batch_in_any_order_never_deadlock(one: Store, other: Store) -> None:
    batch = [accepted(["H37", "G01"]) for _ in range(60)]
    shuffle = random.Random(2)  # noqa: S311 - an order, not a secret

    async def route(store: Store) -> int:
        mine = shuffle.sample(batch, 40)
        async with store.transaction() as tx:
            existing = await tx.accept(mine)
            await tx.quarantine([quarantine_row(body=bytes([n])) for n in shuffle.sample(range(20), 20)])
        await store.mark_published([each.envelope.id for each in mine], [each.receipt.id for each in mine])
        return len(mine) - len(existing)

    for _ in range(5):
        stored = await asyncio.gather(*(route(store) for store in (one, other) for _ in range(4)))
        assert sum(stored) <= len(batch)
    assert len(await one.sent("G22", 100)) == len({each.envelope.id for each in batch})
    assert await one.unpublished(dt.timedelta(0), 100) == ([], [])
    assert {each.count for each in await one.quarantined()} == {40}


async def test_trackers_take_turns_over_a_delivery(one: Store, other: Store, sql: Any) -> None:
    envelope = accepted(["H37", "G01"])
    identifier = envelope.envelope.id
    async with one.transaction() as tx:
        await tx.accept([envelope])

    async def second() -> str | None:
        async with other.transaction() as tx:
            facts = await tx.deliveries_of([identifier], about=["H37"])
        return facts[identifier].deliveries[0].last_status

    async with asyncio.TaskGroup() as group, one.transaction() as tx:
        await tx.deliveries_of([identifier], about=["H37"])
        waiting = group.create_task(second())
        await until_waiting(sql)
        await tx.statuses([status_row(identifier)], {(identifier, "H37"): ("03", NOW)})
    assert waiting.result() == "03"


async def test_recipients_of_one_envelope_do_not_wait_for_each_other(one: Store, other: Store) -> None:
    envelope = accepted(["H37", "G01"])
    identifier = envelope.envelope.id
    async with one.transaction() as tx:
        await tx.accept([envelope])
    async with asyncio.timeout(20), one.transaction() as tx:
        await tx.deliveries_of([identifier], about=["H37"])
        # Neither a tracker about another recipient nor the router's mark is held up.
        async with other.transaction() as other_tx:
            await other_tx.deliveries_of([identifier], about=["G01"])
            await other_tx.statuses([status_row(identifier, reporter="G01")], {(identifier, "G01"): ("01", NOW)})
        await other.mark_published([identifier], [])


async def test_trackers_over_the_same_envelopes_never_deadlock(one: Store, other: Store) -> None:
    codes = ["H37", "G01", "G02", "H38"]
    envelopes = [accepted(codes) for _ in range(20)]
    async with one.transaction() as tx:
        await tx.accept(envelopes)
    shuffle = random.Random(3)  # noqa: S311 - an order, not a secret

    async def track(store: Store) -> None:
        ids = shuffle.sample([each.envelope.id for each in envelopes], 15)
        async with store.transaction() as tx:
            await tx.deliveries_of(ids, about=shuffle.choice([None, codes[:2], codes[1:]]))
            advances = {(each, code): ("01", NOW) for each in ids for code in codes[1:2]}
            await tx.statuses([status_row(each) for each in ids], advances)

    async def mark(store: Store) -> None:
        await store.mark_published(shuffle.sample([each.envelope.id for each in envelopes], 15), [])
        await store.unpublished(dt.timedelta(0), 10)

    for _ in range(3):
        async with asyncio.TaskGroup() as group:
            for store in (one, other):
                for _ in range(3):
                    group.create_task(track(store))
                    group.create_task(mark(store))


async def test_two_relays_are_handed_different_work(one: Store, other: Store, sql: Any) -> None:
    async with one.transaction() as tx:
        await tx.accept([accepted() for _ in range(20)])
    await sql.execute("UPDATE envelope SET attempted_at = attempted_at - interval '1 hour'")
    await sql.execute("UPDATE notice SET attempted_at = attempted_at - interval '1 hour'")
    an_hour = dt.timedelta(hours=1)
    (mine, my_notices), (theirs, their_notices) = await asyncio.gather(
        one.unpublished(an_hour, 10), other.unpublished(an_hour, 10)
    )
    assert not {row.id for row, _ in mine} & {row.id for row, _ in theirs}
    assert not {each.id for each in my_notices} & {each.id for each in their_notices}


async def test_a_relay_that_waits_for_anothers_claim_sees_what_it_claimed(
    one: Store, other: Store, sql: Any, database: str
) -> None:
    waiting = accepted()
    row = waiting.envelope.id
    waiting = accepted(id=row, deliveries=[held(row, "H37", held_for="mailbox.normal.H37")])
    async with one.transaction() as tx:
        await tx.accept([waiting])
    another = await asyncpg.connect(
        database
    )  # a transaction sees the server's activity only as it was at its beginning
    try:
        async with asyncio.TaskGroup() as group, another.transaction():
            await another.execute("UPDATE delivery SET tried = true WHERE envelope_id = $1", row)
            claiming = group.create_task(other.claim("mailbox.normal.H37", [row]))
            await until_waiting(sql)
    finally:
        await another.close()
    assert claiming.result() == {(row, "H37")}


async def test_imports_at_once_never_deadlock(one: Store, other: Store) -> None:
    codes = [f"H{n:02}" for n in range(60)]
    shuffle = random.Random(4)  # noqa: S311 - an order, not a secret

    async def put(store: Store, name: str) -> None:
        shuffled = shuffle.sample(codes, 60)
        await store.directory.put_organisations([organisation(code, name=name) for code in shuffled])

    await asyncio.gather(*(put(store, f"{n}") for n in range(4) for store in (one, other)))
    organisations, _, _ = await one.directory.load()
    assert len(organisations) == 60
    assert len({each.name for each in organisations}) == 1


async def test_a_change_is_told_to_other_programs_when_committed(one: Store, other: Store, sql: Any) -> None:
    told: asyncio.Queue[set[str] | None] = asyncio.Queue()
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        listening = group.create_task(other.directory.listen(told.put))
        assert await told.get() is None
        await one.directory.put_organisations([organisation(f"H{n:02}.{m:02}") for n in range(100) for m in range(10)])
        assert await told.get() is None  # a thousand codes are told as "read it all"
        async with sql.transaction():
            await sql.execute("UPDATE organisation SET name = 'x' WHERE code = 'H01.01'")
        assert await told.get() == {"H01.01"}
        await sql.execute("DELETE FROM organisation WHERE code = 'H01.01'")
        assert await told.get() is None
        listening.cancel()


async def test_listening_survives_a_lost_connection(other: Store, one: Store, sql: Any) -> None:
    told: asyncio.Queue[set[str] | None] = asyncio.Queue()
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        listening = group.create_task(other.directory.listen(told.put))
        assert await told.get() is None
        ended = await sql.fetchval(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = $1",
            "axis other listening",
        )
        assert ended == 1
        assert await told.get() is None  # what happened meanwhile may be missed: read it all
        await one.directory.put_organisations([organisation("H37")])
        assert await told.get() == {"H37"}
        listening.cancel()


async def test_ids_are_unique_whatever_the_order_of_arrival(one: Store, other: Store) -> None:
    identifier = new_id(NOW)
    rivals = [accepted(id=identifier, body=bytes([n])) for n in range(8)]

    async def route(store: Store, n: int) -> bool:
        async with store.transaction() as tx:
            return identifier not in await tx.accept([accepted(), rivals[n]])

    stored = await asyncio.gather(*(route(store, n) for n, store in enumerate([one, other] * 4)))
    assert sum(stored) == 1
    (tracked,) = await one.track(identifier)
    assert tracked.envelope.sha256 == rivals[stored.index(True)].envelope.sha256


async def test_a_file_that_is_uploaded_while_it_is_forgotten_stays(
    one: Store, other: Store, sql: Any, database: str
) -> None:
    digest = sha256(b"one")
    await one.blobs.record_upload(digest, 3, "G22")
    async with one.transaction() as tx:
        await tx.quarantine([quarantine_row(account="G22", reason="secrecy/marked", body=b"", unwanted=(digest,))])

    async def remove(_: str) -> None:
        pytest.fail("somebody needs it")

    uploading = await asyncpg.connect(database)
    try:
        async with uploading.transaction():
            await uploading.execute(
                "INSERT INTO blob_upload (sha256, account) VALUES ($1, 'H37')", bytes.fromhex(digest)
            )
            forgetting = asyncio.create_task(other.blobs.forget(digest, remove))
            await until_waiting(sql)
    finally:
        await uploading.close()
    with pytest.raises(Unavailable, match="is being uploaded"):
        await forgetting
    assert await one.blobs.known("H37", [digest]) == {digest: 3}


async def test_a_clock_that_was_set_back_adds_nothing_to_a_level(one: Store, database: str) -> None:
    await one.quotas.add([Taking("H37", "messages", 10, 1.0)])
    link = await asyncpg.connect(database)
    try:
        await link.execute("UPDATE quota_level SET at = at + interval '1 hour'")
    finally:
        await link.close()
    level = await one.quotas.add([Taking("H37", "messages", 0, 1.0)])
    assert round(level["H37", "messages"]) == 10


async def test_who_has_to_wait_fills_no_table_with_logins_that_nobody_has(one: Store, sql: Any) -> None:
    place = "address:192.0.2.7"
    for _ in range(30):
        await one.operators.attempt({place}, NOW)
    for number in range(50):
        _, wait = await one.operators.attempt({place, f"account:nobody{number}"}, NOW)
        assert wait
    assert [record["key"] for record in await sql.fetch("SELECT key FROM login_attempt")] == [place]
