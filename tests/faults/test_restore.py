"""Store and broker of different age, once each way, with little traffic."""

from collections.abc import Awaitable, Callable
from random import Random

import pytest

from axis.faults.account import account, drain
from axis.faults.field import Field
from axis.faults.scenario import Budget
from axis.faults.scenarios.restore import SCENARIO, broker_brought_back, broker_emptied, database_brought_back


@pytest.mark.timeout(300)
@pytest.mark.parametrize("way", [database_brought_back, broker_brought_back, broker_emptied])
async def test_everything_is_brought_together_or_named(way: Callable[[Field, Random], Awaitable[None]]) -> None:
    if (reason := SCENARIO.impossible()) is not None:
        pytest.skip(reason)
    async with Field.open(SCENARIO.shape, seed=1) as field:
        field.traffic.rate, field.traffic.limit = 30.0, 150
        field.begin(Budget(events=1))
        await way(field, Random(1))  # noqa: S311 - replayed from a seed
        await field.flowing()
        await drain(field)
        found = await account(field)
    assert found.clean, found.findings
    assert field.events.total() == 1
    assert found.deliveries > found.sent > 0
