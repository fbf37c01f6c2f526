from pathlib import Path

import pytest

from tests.unit.client import doubles


@pytest.fixture
def world(tmp_path: Path) -> doubles.World:
    """H37 and what is around it."""
    return doubles.world(tmp_path / "state")
