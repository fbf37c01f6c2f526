from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.client import doubles
from tests.unit.trust.sealing import sealing


@pytest.fixture
def world(tmp_path: Path) -> doubles.World:
    """H37 and what is around it."""
    return doubles.world(tmp_path / "state")


@pytest.fixture
def sealed_world(world: doubles.World) -> doubles.World:
    """H37 with a sealing key; G12 and H60 have theirs."""
    world.shelf.for_sealing = [sealing("p256", "H37")[1], sealing("rsa", "G12")[1], sealing("p256", "H60")[1]]
    world.settings = replace(world.settings, sealing_keys=doubles.keys(sealing("p256", "H37")))
    return world
