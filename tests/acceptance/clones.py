"""Clones for commands that start nodes of their own."""

import contextlib
import os
import subprocess
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from axis import local
from axis.cli.stack import SET_NAME
from axis.local.programs import find_postgres, find_rabbitmq
from tests.programs import AXIS, started
from tests.services import open_folder

SECONDS = 340  # for one command: the machine has the processes of other tests to run besides
COUNTS = {"sent": 16, "delivered": 14, "acknowledged": 13, "refused": 3, "lost": 0}

MARKS = [
    pytest.mark.timeout(2 * SECONDS),
    pytest.mark.skipif(
        find_rabbitmq() is None or find_postgres() is None,
        reason="the demo starts nodes of its own, and there are no programs to start them with",
    ),
]


def environment(**more: str) -> dict[str, str]:
    """Name the variables of a command in a clone: no settings but those given."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("AXIS_")}
    return ours | {"PYTHONPATH": str(Path(__file__).parents[2])} | more


@contextlib.asynccontextmanager
async def playing(root: Path, *options: str, **more: str) -> AsyncIterator[Process]:
    """Play the demo in a clone; what is left of it at the end of the block is killed."""
    async with started(*AXIS, "demo", "--json", *options, env=environment(**more), cwd=root) as process:
        yield process


def state_of(root: Path) -> local.SetState:
    """Tell how the processes of a clone are."""
    state = local.set_state(root, SET_NAME)
    assert state is not None
    return state


@contextlib.contextmanager
def clone(name: str) -> Iterator[Path]:
    """Hold an empty folder; what was started in it ends with the block."""
    # Not pytest's own folder, which the services' users cannot enter.
    folder = open_folder(f"/tmp/axis-{name}-{os.getpid()}")
    try:
        yield folder
    finally:
        local.stop_set(folder, SET_NAME)
        local.down(folder)
        subprocess.run(["rm", "-rf", str(folder)], check=True)
