"""The demo's story with exact counts, undisturbed and while every process of the axis is killed once."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from axis import local
from axis.cli.demo import cast
from axis.cli.stack import SET_NAME
from tests.acceptance.clones import MARKS, PROGRAM, SECONDS, clone

COUNTS = {"sent": 16, "delivered": 14, "acknowledged": 13, "refused": 3, "lost": 0}

pytestmark = MARKS


@pytest.fixture(scope="module")
def root() -> Iterator[Path]:
    with clone("demo") as folder:
        yield folder


def state_of(root: Path) -> local.SetState:
    state = local.set_state(root, SET_NAME)
    assert state is not None
    return state


async def play(root: Path, *options: str) -> asyncio.subprocess.Process:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("AXIS_")}
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PROGRAM, "demo", "--json", *options),
        env=environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        cwd=root,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


async def outcome(process: asyncio.subprocess.Process) -> dict[str, Any]:
    async with asyncio.timeout(SECONDS):
        out, err = await process.communicate()
    assert process.returncode == 0, err.decode() + out.decode()
    found: dict[str, Any] = json.loads(out)
    return found


async def test_existing_systems_among_the_others_change_no_count(root: Path) -> None:
    told = await outcome(await play(root, "--mixed"))
    assert (told["counts"], told["ok"]) == (COUNTS, True)
    document = {row["recipient"]: row for row in told["rows"] if row["document"].endswith("VPCP-KSTT")}
    for recipient in ("G12", "H37", "H37.02", "H53"):
        assert document[recipient]["statuses"] == ["01", "03", "05", "06"], recipient
    # What follows is played without them, in the same clone.


async def test_killing_every_process_in_mid_story_changes_nothing(root: Path) -> None:
    process = await play(root)
    assert process.stderr is not None
    async with asyncio.timeout(SECONDS):
        while b"agencies connected" not in (line := await process.stderr.readline()):
            assert line, "the demo ended before its story began"
    killed: set[str] = set()
    for each in state_of(root).processes:
        if each.pid is not None:
            os.kill(each.pid, signal.SIGKILL)
            killed.add(each.name)
    assert killed == {
        "router",
        "tracker",
        "relay",
        "notary",
        "papers",
        "auditor",
        "registrar",
        "herald",
        "gateway",
        "console",
    }
    told = await outcome(process)
    assert (told["counts"], told["ok"]) == (COUNTS, True)
    assert {each.name for each in state_of(root).processes if each.restarts} == killed


async def test_the_story_has_exactly_these_counts_whatever_a_killed_demo_left(root: Path) -> None:
    process = await play(root)
    assert process.stderr is not None
    async with asyncio.timeout(SECONDS):
        while b"sent an urgent" not in (line := await process.stderr.readline()):
            assert line, "the demo ended before its story began"
    process.kill()
    await process.communicate()
    assert process.returncode == -signal.SIGKILL
    told = await outcome(await play(root))
    assert (told["counts"], told["ok"]) == (COUNTS, True)
    rows = {(row["document"].rpartition("/")[2], row["recipient"]): row for row in told["rows"]}
    assert len(rows) == 16
    document = {recipient: row for (name, recipient), row in rows.items() if name == "VPCP-KSTT"}
    assert document.keys() == set(cast.RECIPIENTS)
    assert document["H37.02"]["mailbox"] == "H37"
    assert document[cast.CLOSED]["mailbox"] == cast.SUCCESSOR
    assert document[cast.UNKNOWN]["reason"] == "recipient/unknown"
    assert document[cast.REFUSER]["statuses"] == ["01", "02"]
    for recipient, row in document.items():
        if recipient not in {cast.UNKNOWN, cast.REFUSER}:
            assert row["statuses"] == ["01", "03", "05", "06"], recipient
    assert rows["forged", "H26"]["reason"] == "abuse/account"
    assert state_of(root).phase == "stopped"
