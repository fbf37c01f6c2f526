"""Clones for commands that start nodes of their own."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from axis import local
from axis.cli.stack import SET_NAME
from axis.local.programs import find_postgres, find_rabbitmq
from tests.services import open_folder

PROGRAM = "from axis.cli import main; main()"
SECONDS = 170  # for one command

MARKS = [
    pytest.mark.timeout(400),
    pytest.mark.skipif(
        find_rabbitmq() is None or find_postgres() is None,
        reason="the demo starts nodes of its own, and there are no programs to start them with",
    ),
]


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
