"""Short versions of what is done to the database, its disk and its version, on a field of their own."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from axis.faults.field import Field
from axis.faults.playing import play_on
from axis.faults.scenario import Budget, Shape
from axis.faults.scenarios import SCENARIOS
from tests.faults.fields import held_open

# The deadlines are those of the field; this one is for a machine that has many other things to do.
pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(500)]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def besieged() -> AsyncIterator[Field]:
    """An axis with a gateway, whose database may be moved about."""
    async with held_open(Shape(routers=2, gateway=True)) as opened:
        yield opened


@pytest.mark.parametrize(("name", "events"), [("upgrade", 8), ("disk", 3), ("database", 4)])
async def test_nothing_goes_missing(besieged: Field, name: str, events: int) -> None:
    scenario = SCENARIOS[name]
    if reason := scenario.impossible():
        pytest.skip(reason)
    found = await play_on(besieged, scenario, Budget(events=events), seed=1)
    assert found.clean, "\n".join(found.findings)
    assert besieged.events.total() >= events
    assert found.sent
    assert found.deliveries
    assert found.statuses
