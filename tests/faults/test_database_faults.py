"""Short versions of what is done to the database, its disk and its version: nothing is lost, doubled, misordered."""

import pytest

from axis.faults.field import Field
from axis.faults.playing import play_on
from axis.faults.scenario import Budget
from axis.faults.scenarios import SCENARIOS

# The axis, its agencies and the tests share the processors: what is measured here is not how much goes through.
_RATE, _LIMIT = 30.0, 150


@pytest.mark.parametrize(
    ("name", "events", "seed"),
    [("database", 5, 1), ("disk", 3, 1), ("upgrade", 8, 1)],
    ids=["database", "disk", "upgrade"],
)
async def test_nothing_goes_missing(name: str, events: int, seed: int) -> None:
    scenario = SCENARIOS[name]
    if reason := scenario.impossible():
        pytest.skip(reason)
    async with Field.open(scenario.shape, seed=seed) as field:
        field.traffic.rate, field.traffic.limit = _RATE, _LIMIT
        found = await play_on(field, scenario, Budget(events=events), seed=seed)
        assert found.clean, found.findings
        assert found.sent
        assert field.events.total() >= events
