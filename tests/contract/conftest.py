"""Every seam's fake and its real counterpart, for the same tests."""

from collections.abc import AsyncIterator

import pytest

from axis.store import FakeStore, Store


@pytest.fixture(params=["fake", "postgres"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    if request.param == "fake":
        yield FakeStore()
        return
    async with Store.connect(request.getfixturevalue("database")) as opened:
        yield opened
