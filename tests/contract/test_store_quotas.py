"""What accounts have taken, on the fake and on PostgreSQL."""

import asyncio

from axis.core.quotas import Taking
from axis.store import Store
from schemas import Quota
from tests.builders import mailbox

SLOW = 1e-9  # runs out so slowly that a test does not see it


async def test_what_is_added_is_counted_for_each_account_and_meter(store: Store) -> None:
    first = await store.quotas.add(
        [Taking("H37", "messages", 2, SLOW), Taking("G22", "messages", 1, SLOW), Taking("G22", "bytes", 50, SLOW)]
    )
    assert {key: round(level) for key, level in first.items()} == {
        ("H37", "messages"): 2,
        ("G22", "messages"): 1,
        ("G22", "bytes"): 50,
    }
    again = await store.quotas.add([Taking("H37", "messages", 3, SLOW)])
    assert {key: round(level) for key, level in again.items()} == {("H37", "messages"): 5}
    assert await store.quotas.add([]) == {}


async def test_a_level_runs_out_and_never_below_nothing(store: Store) -> None:
    fast = 1e6
    await store.quotas.add([Taking("H37", "messages", 10, fast)])
    await asyncio.sleep(0.01)
    assert await store.quotas.add([Taking("H37", "messages", 4, fast)]) == {("H37", "messages"): 4.0}


async def test_what_is_given_back_is_not_counted(store: Store) -> None:
    await store.quotas.add([Taking("H37", "uploads", 2, SLOW)])
    await store.quotas.add([Taking("H37", "uploads", -1, SLOW)])
    level = await store.quotas.add([Taking("H37", "uploads", 0, SLOW)])
    assert round(level["H37", "uploads"]) == 1


async def test_many_at_once_lose_nothing(store: Store) -> None:
    async with asyncio.TaskGroup() as group:
        for _ in range(20):
            group.create_task(store.quotas.add([Taking("H37", "b", 1, SLOW), Taking("H37", "a", 1, SLOW)]))
    levels = await store.quotas.add([Taking("H37", "a", 0, SLOW), Taking("H37", "b", 0, SLOW)])
    assert {round(level) for level in levels.values()} == {20}


async def test_limits_come_back_as_they_were_put(store: Store) -> None:
    for quota in (Quota(messages_per_minute=600, connections=0), Quota()):
        await store.directory.put_mailbox(mailbox("H37", quota=quota))
        assert (await store.directory.load())[1] == [mailbox("H37", quota=quota)]
