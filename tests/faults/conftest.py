"""One field for all short scenarios that need nothing special of it: starting a broker takes longer than playing."""

from collections.abc import AsyncIterator

import pytest_asyncio

from axis.faults.field import Field
from axis.faults.scenario import Shape
from axis.faults.scenarios import SCENARIOS
from tests.faults.fields import held_open

SHAPE = Shape(routers=2, trackers=2, settings=SCENARIOS["mailbox"].shape.settings)


# Not for the session: the axis, and its handler on our loggers, would be there for all tests that follow.
@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def field() -> AsyncIterator[Field]:
    """A field of two routers, two trackers and a relay, with traffic flowing."""
    async with held_open(SHAPE) as opened:
        yield opened
