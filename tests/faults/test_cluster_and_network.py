"""Short versions of what is done to a cluster, to the network and to clocks: nothing is lost, doubled, misordered."""

import pytest

from axis.faults.field import Field
from axis.faults.playing import play_on
from axis.faults.scenario import Budget
from axis.faults.scenarios import SCENARIOS


@pytest.mark.timeout(600)  # on a machine that has other things to do
@pytest.mark.parametrize(
    ("names", "events", "seed"),
    # Starting a cluster takes longer than breaking it: both are played on one.
    [(("cluster", "partition"), 1, 2), (("network",), 4, 7)],
    ids=["cluster", "network"],
)
async def test_nothing_goes_missing(names: tuple[str, ...], events: int, seed: int) -> None:
    possible = [SCENARIOS[name] for name in names if SCENARIOS[name].impossible() is None]
    if not possible:
        pytest.skip(SCENARIOS[names[0]].impossible() or "")
    async with Field.open(possible[0].shape, seed=seed) as field:
        for scenario in possible:
            found = await play_on(field, scenario, Budget(events=events), seed=seed)
            assert found.clean, found.findings
            assert found.sent
            assert field.events.total() >= events
