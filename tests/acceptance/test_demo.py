"""The demo's story with exact counts: with existing document systems in it, while every process is killed once."""

import asyncio
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.clones import COUNTS, MARKS, SECONDS, clone, playing, state_of
from tests.programs import outcome

pytestmark = MARKS
# In the mixed story these are existing document systems, each by its own profile (docs/integrators).
EXISTING = {"G12", "H37", "H37.02", "H53"}


@pytest.fixture(scope="module")
def root() -> Iterator[Path]:
    with clone("demo") as folder:
        yield folder


async def test_killing_every_process_in_mid_story_changes_nothing_for_existing_systems_either(root: Path) -> None:
    async with playing(root, "--mixed") as process:
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
        code, out, err = await outcome(process, seconds=SECONDS)
    assert code == 0, err.decode() + out.decode()
    told: dict[str, Any] = json.loads(out)
    assert (told["counts"], told["ok"]) == (COUNTS, True)
    document = {row["recipient"]: row for row in told["rows"] if row["document"].endswith("VPCP-KSTT")}
    assert document.keys() > EXISTING
    for recipient in EXISTING:
        assert document[recipient]["statuses"] == ["01", "03", "05", "06"], recipient
    assert {each.name for each in state_of(root).processes if each.restarts} == killed
