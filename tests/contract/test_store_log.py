"""The log's places and checkpoints, on the fake and on PostgreSQL."""

import asyncio
import datetime as dt
import hashlib

from axis.core.ids import new_id
from axis.store import Logged, Placed, SignedCheckpoint, Store
from tests.unit.store.rows import accepted, notice_row

NOW = dt.datetime.now(dt.UTC)
MINUTE = dt.timedelta(minutes=1)
MONTH = dt.timedelta(days=31)
ROOT, OTHER = b"r" * 32, b"o" * 32


def leaf(logged: Logged) -> bytes:
    return hashlib.sha256(f"{logged.kind} {logged.id} {logged.sha256} {logged.signature_sha256}".encode()).digest()


async def receipts(store: Store, *ages: dt.timedelta) -> list[str]:
    """Commit receipts whose ids were made so long ago."""
    now = dt.datetime.now(dt.UTC)  # asked for anew: a look goes back a minute from the store's own time
    rows = [notice_row(id=new_id(now - age)) for age in ages]
    async with store.transaction() as tx:
        await tx.notices(rows)
    return [row.id for row in rows]


async def assigned(store: Store, limit: int = 100) -> list[Placed]:
    await store.log.assign(leaf, limit, MINUTE)
    return await store.log.entries(0, 1_000)


def ids(places: list[Placed]) -> list[str]:
    return [each.logged.id for each in places if each.logged is not None]


async def test_an_empty_log(store: Store) -> None:
    assert await assigned(store) == []
    head = await store.log.head()
    assert (head.assigned, head.size, head.latest) == (0, 0, None)
    assert await store.log.overlooked(leaf, None, MONTH, 10) == (None, 0)
    assert await store.log.position_of(new_id(NOW)) is None
    assert await store.log.position_of("no id") is None
    assert await store.log.covering(0) is None
    assert await store.log.receipt(new_id(NOW)) is None
    assert await store.log.receipt("H37") is None
    async with store.log.publishing() as newest:
        assert newest is None


async def test_receipts_and_acts_get_dense_places_once(store: Store) -> None:
    first, second, third = await receipts(store, 3 * MINUTE, 2 * MINUTE, MINUTE)
    await store.audit("an", "key.revoke", "H37", {"lý do": "mất khóa"})
    places = await assigned(store)
    assert ids(places) == [first, second, third, "1"]
    assert [each.position for each in places] == [0, 1, 2, 3]
    assert [each.logged.kind for each in places if each.logged] == ["receipt"] * 3 + ["act"]
    assert all(each.logged is not None and leaf(each.logged) == each.leaf_hash for each in places)
    assert await assigned(store) == places
    assert await store.log.position_of(second) == 1
    assert await store.log.entries(1, 3) == places[1:3]


async def test_digests_are_of_the_exact_bytes(store: Store) -> None:
    row = notice_row(id=new_id(NOW), body="biên nhận".encode(), signature="header..signature")
    async with store.transaction() as tx:
        await tx.notices([row])
    ((logged,),) = ([each.logged for each in await assigned(store)],)
    assert logged is not None
    assert logged.sha256 == hashlib.sha256(row.body).hexdigest()
    assert logged.signature_sha256 == hashlib.sha256(row.signature.encode()).hexdigest()


async def test_forwarded_statuses_are_not_logged(store: Store) -> None:
    async with store.transaction() as tx:
        await tx.notices([notice_row(id=new_id(NOW), kind="status")])
    assert await assigned(store) == []


async def test_no_more_than_the_limit_at_once_and_the_rest_next(store: Store) -> None:
    wanted = await receipts(store, 3 * MINUTE, 2 * MINUTE, MINUTE)
    assert ids(await assigned(store, limit=2)) == wanted[:2]
    assert ids(await assigned(store, limit=2)) == wanted


async def test_what_is_committed_within_the_overlap_is_found_by_the_next_look(store: Store) -> None:
    (new,) = await receipts(store, dt.timedelta(0))
    assert ids(await assigned(store)) == [new]
    (earlier,) = await receipts(store, MINUTE / 2)
    assert ids(await assigned(store)) == [new, earlier]


async def test_what_is_committed_later_is_found_by_the_walk(store: Store) -> None:
    (new,) = await receipts(store, dt.timedelta(0))
    await assigned(store)
    late = await receipts(store, 60 * MINUTE, 59 * MINUTE, 58 * MINUTE)
    assert ids(await assigned(store)) == [new]
    after, count = await store.log.overlooked(leaf, None, MONTH, 2)
    assert (after, count) == (late[1], 2)
    after, count = await store.log.overlooked(leaf, after, MONTH, 2)
    assert count == 1
    assert ids(await store.log.entries(0, 10)) == [new, *late]
    while after is not None:
        after, count = await store.log.overlooked(leaf, after, MONTH, 2)
        assert count == 0


async def test_a_clock_that_is_ahead_hides_nothing(store: Store) -> None:
    (ahead,) = await receipts(store, -60 * MINUTE)
    assert ids(await assigned(store)) == [ahead]
    (now,) = await receipts(store, dt.timedelta(0))
    assert ids(await assigned(store)) == [ahead, now]


async def test_two_that_give_out_places_at_once(store: Store) -> None:
    wanted = await receipts(store, *(number * dt.timedelta(seconds=1) for number in range(40)))
    async with asyncio.TaskGroup() as group:
        for _ in range(4):
            group.create_task(store.log.assign(leaf, 7, MINUTE))
    places = await assigned(store)
    assert [each.position for each in places] == list(range(40))
    assert sorted(ids(places)) == sorted(wanted)


async def test_a_size_has_one_checkpoint_whoever_comes_second(store: Store) -> None:
    first = await store.log.record(3, ROOT, "note")
    assert (first.size, first.root, first.note, first.timestamp) == (3, ROOT, "note", None)
    assert await store.log.record(3, OTHER, "other") == first
    head = await store.log.head()
    assert (head.latest, head.size) == (first, 3)


async def test_signatures_are_renewed_under_the_same_root_only(store: Store) -> None:
    await store.log.record(3, ROOT, "note")
    await store.log.renew(3, OTHER, "forged")
    await store.log.renew(3, ROOT, "renewed")
    async with store.log.publishing() as newest:
        assert newest is not None
        assert newest.note == "renewed"


async def test_a_proof_takes_the_first_stamped_checkpoint_else_the_newest(store: Store) -> None:
    for size in (2, 4, 6):
        await store.log.record(size, ROOT, f"note {size}")

    async def covering(position: int) -> int | None:
        found = await store.log.covering(position)
        return None if found is None else found.size

    assert [await covering(position) for position in (0, 1, 5, 6)] == [6, 6, 6, None]
    await store.log.stamp(4, b"stamp")
    await store.log.stamp(6, b"later")
    await store.log.stamp(4, b"another")
    assert [await covering(position) for position in (0, 3, 4, 5)] == [4, 4, 6, 6]
    found = await store.log.covering(3)
    assert found is not None
    assert found.timestamp == b"stamp"


async def test_what_was_published_is_taken_over(store: Store) -> None:
    kept, taken_back = await receipts(store, 2 * MINUTE, MINUTE)
    await assigned(store)
    await store.log.record(1, ROOT, "note 1")
    forgotten = new_id(NOW)
    signed = SignedCheckpoint(3, OTHER, "note 3", NOW)
    entries = [("receipt", forgotten, b"f" * 32), ("act", "77", b"a" * 32)]
    assert not await store.log.adopt(0, [], signed)
    assert await store.log.adopt(1, [(kind, id_, hash_) for kind, id_, hash_ in entries], signed)  # type: ignore[misc]  # the kinds are literals
    head = await store.log.head()
    assert (head.assigned, head.size) == (3, 3)
    assert [await store.log.position_of(each) for each in (kept, forgotten, taken_back)] == [0, 1, None]
    assert [(each.position, each.leaf_hash, each.logged) for each in await store.log.entries(1, 3)] == [
        (1, b"f" * 32, None),
        (2, b"a" * 32, None),
    ]
    assert await store.log.position_of(taken_back) is None
    await assigned(store)
    await store.log.overlooked(leaf, None, MONTH, 10)
    assert await store.log.position_of(taken_back) == 3


async def test_a_receipt_is_found_by_its_own_id_and_by_its_envelope(store: Store) -> None:
    envelope = accepted()
    async with store.transaction() as tx:
        await tx.accept([envelope])
    by_envelope = await store.log.receipt(envelope.envelope.id)
    assert by_envelope == await store.log.receipt(envelope.receipt.id) == envelope.receipt


async def test_old_receipts_without_a_place_are_counted(store: Store) -> None:
    await receipts(store, 90 * MINUTE, 5 * MINUTE, 0 * MINUTE)
    day, hour = 24 * 60 * MINUTE, 60 * MINUTE
    assert await store.log.unlogged(day, MINUTE) == 2
    assert await store.log.unlogged(hour, MINUTE) == 1
    assert await store.log.unlogged(day, hour) == 1
    await assigned(store)
    assert await store.log.unlogged(day, MINUTE) == 0
