"""Store and broker of different age, once each way, on a field of their own: everything since a copy is sent again."""

import pytest

from axis.faults.field import Field
from axis.faults.playing import play_on
from axis.faults.scenario import Budget
from axis.faults.scenarios import SCENARIOS
from tests.faults.fields import RATE

pytestmark = pytest.mark.timeout(500)


async def test_everything_is_brought_together_or_named() -> None:
    scenario = SCENARIOS["restore"]
    if reason := scenario.impossible():
        pytest.skip(reason)
    async with Field.open(scenario.shape, seed=1) as field:
        field.traffic.rate, field.traffic.limit = RATE, 60
        found = await play_on(field, scenario, Budget(events=3), seed=1)
        assert found.clean, "\n".join(found.findings)
        assert set(field.events) == {
            "database brought back from a copy",
            "broker brought back from a copy",
            "broker came back empty",
        }
        assert found.deliveries > found.sent > 0
