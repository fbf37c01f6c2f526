"""Short versions of what is done to a cluster, to the network and to clocks: nothing is lost, doubled, misordered."""

import pytest

from axis.faults.field import Field
from axis.faults.playing import play_on
from axis.faults.scenario import Budget
from axis.faults.scenarios import SCENARIOS


@pytest.mark.parametrize(("name", "events", "seed"), [("cluster", 2, 2), ("network", 4, 7)], ids=["cluster", "network"])
async def test_nothing_goes_missing(name: str, events: int, seed: int) -> None:
    scenario = SCENARIOS[name]
    if reason := scenario.impossible():
        pytest.skip(reason)
    async with Field.open(scenario.shape, seed=seed) as field:
        found = await play_on(field, scenario, Budget(events=events), seed=seed)
        assert found.clean, found.findings
        assert found.sent
        assert field.events.total() >= events
