"""Programs of the field: killed, ended, paused, and gone with whoever started them."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from axis.errors import Unavailable
from axis.faults.processes import Program, until
from axis.local.pids import named
from axis.local.process import ProcessSpec

_SLEEP = "import time; print('up', flush=True); time.sleep(600)"
_PARENT = """
import sys, time
from pathlib import Path
from axis.faults.processes import Program
from axis.local.process import ProcessSpec
spec = ProcessSpec("child", (sys.executable, "-c", "import time; time.sleep(600)"), {}, "/")
program = Program(spec, Path(sys.argv[1]))
program.start()
print(program.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
async def program(tmp_path: Path) -> AsyncIterator[Program]:
    spec = ProcessSpec("sleeper", (sys.executable, "-c", _SLEEP), {}, str(tmp_path))
    made = Program(spec, tmp_path / "log")
    made.start()
    assert await until(lambda: made.log.exists() and b"up" in made.log.read_bytes(), 30)
    yield made
    await made.close()


async def test_killed_it_is_gone_and_can_be_started_again(program: Program) -> None:
    first = program.pid
    program.kill()
    assert await program.wait() == -signal.SIGKILL
    assert not program.alive
    assert program.pid is None
    program.start()
    assert program.pid not in {None, first}


async def test_asked_to_end_it_says_how_it_ended(program: Program) -> None:
    program.terminate()
    assert await program.wait() == -signal.SIGTERM


async def test_paused_it_lives_and_does_not_end_before_the_deadline(program: Program) -> None:
    program.pause()
    program.terminate()
    assert not await until(lambda: not program.alive, 0.1)
    program.resume()
    assert await program.wait() == -signal.SIGTERM


async def test_one_that_does_not_end_is_said_with_the_end_of_its_log(program: Program) -> None:
    with pytest.raises(Unavailable, match=r"sleeper has not ended within 0\.05 s") as caught:
        await program.wait(0.05)
    assert "up" in caught.value.detail


async def test_what_it_started_dies_with_a_killed_parent(tmp_path: Path) -> None:
    out = asyncio.subprocess.PIPE
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", _PARENT, str(tmp_path / "log"), stdout=out)
    assert parent.stdout is not None
    child = named(int(await parent.stdout.readline()))
    assert child.alive
    parent.kill()
    await parent.wait()
    assert await until(lambda: not child.alive, 30)
