"""An agency's own program says at every connect that its certificate ends soon."""

import dataclasses
import datetime as dt

import pytest

from tests.builders import NOW
from tests.unit.client.doubles import World, identity


@pytest.mark.parametrize(("days", "told"), [(59, True), (365, False)])
async def test_the_end_is_told_sixty_days_before(
    world: World, caplog: pytest.LogCaptureFixture, days: int, *, told: bool
) -> None:
    own = identity("H37", not_after=NOW + dt.timedelta(days=days))
    world.settings = dataclasses.replace(world.settings, key=own.key)
    async with world.connect():
        pass
    warned = [each.getMessage() for each in caplog.records if "ends at" in each.getMessage()]
    assert [("H37" in each, (NOW + dt.timedelta(days=days)).date().isoformat() in each) for each in warned] == (
        [(True, True)] if told else []
    )
