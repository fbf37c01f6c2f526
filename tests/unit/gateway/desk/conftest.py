from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.unit.gateway.desk.harness import Rig, rig


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Rig]:
    async with rig(tmp_path) as made:
        yield made
