"""Places for transfers."""

import asyncio

import pytest

from axis.gateway.slots import Slots
from axis.web.problems import HttpRefused


async def hold(slots: Slots, account: str, taken: asyncio.Event, free: asyncio.Event) -> None:
    async with slots.take(account):
        taken.set()
        await free.wait()


async def test_who_waits_gets_the_place_that_becomes_free() -> None:
    slots = Slots(1, per_account=1, wait_seconds=30)
    taken, free = asyncio.Event(), asyncio.Event()
    second_taken = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(hold(slots, "G22", taken, free))
        await taken.wait()
        group.create_task(hold(slots, "H37", second_taken, free))
        assert slots.taken == 1
        free.set()
        await second_taken.wait()
    assert slots.taken == 0


async def test_who_waits_too_long_is_told() -> None:
    slots = Slots(5, per_account=1, wait_seconds=0)
    async with slots.take("G22"), slots.take("H37"):
        with pytest.raises(HttpRefused) as caught:
            async with slots.take("G22"):
                pytest.fail("two places for one agency")
    assert caught.value.code == "http/busy"
    assert slots.taken == 0
    async with slots.take("G22"):
        assert slots.taken == 1


async def test_a_transfer_may_take_longer_than_the_wait_for_its_place() -> None:
    slots = Slots(1, per_account=1, wait_seconds=0.01)
    async with slots.take("G22"):
        await asyncio.sleep(0.05)  # longer than the wait: that is the point
    assert slots.taken == 0


async def test_a_deadline_inside_the_transfer_is_not_taken_for_a_full_house() -> None:
    slots = Slots(1, per_account=1, wait_seconds=30)
    with pytest.raises(TimeoutError):
        async with slots.take("G22"):
            raise TimeoutError
    assert slots.taken == 0


async def test_nothing_is_remembered_of_who_left() -> None:
    slots = Slots(1, per_account=1, wait_seconds=0)
    for number in range(100):
        async with slots.take(f"H{number:02}"):
            pass
    assert slots._accounts == {}
