from pathlib import Path

import pytest

from tests.unit.client import doubles
from tests.unit.folder.desk import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    for name in ("out", "in"):
        (tmp_path / name).mkdir()
    return Desk(doubles.world(tmp_path / "state"), tmp_path / "out", tmp_path / "in")
