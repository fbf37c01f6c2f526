"""The short version of messages that workers choke on: each is given up alone, with its reason."""

import pytest

from axis.faults.field import Field
from axis.faults.playing import play_on
from axis.faults.scenario import Budget
from axis.faults.scenarios import SCENARIOS

pytestmark = pytest.mark.timeout(500)


async def test_whatever_a_message_does_to_its_worker_its_neighbours_pass() -> None:
    scenario = SCENARIOS["poison"]
    async with Field.open(scenario.shape, seed=1) as field:
        field.traffic.rate, field.traffic.limit = 30.0, 150
        found = await play_on(field, scenario, Budget(events=3), seed=1)
        assert found.clean, "\n".join(found.findings)
        assert found.sent
        assert field.events.total() == 3
        rows = await field.database.execute("SELECT reason, source FROM quarantine ORDER BY source")
        assert [(row["reason"], row["source"][:10]) for row in rows] == [
            ("message/poison", "axis.quara"),
            ("message/poison", "axis.quara"),
            ("message/poison", "axis.route"),
        ]
