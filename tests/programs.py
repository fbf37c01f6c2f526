"""Programs of the axis run as processes by tests: they end with the block, also when a deadline cut the test short.

A process left behind would be blamed on whichever test runs when its pipes are collected as garbage.
"""

import asyncio
import contextlib
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Mapping
from typing import Any

AXIS = ("-W", "error", "-c", "from axis.cli import main; main()")
SECONDS = 60


@contextlib.asynccontextmanager
async def started(*arguments: str, env: Mapping[str, str], **how: Any) -> AsyncIterator[Process]:
    """Start Python with these arguments, no input and two pipes unless `how` says otherwise; kill it at the end."""
    streams = {"stdin": DEVNULL, "stdout": PIPE, "stderr": PIPE} | how
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, env=env, **streams)
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        async with asyncio.timeout(SECONDS):
            await process.communicate()  # not wait(), which does not close the pipes


async def outcome(process: Process, *, seconds: float = SECONDS) -> tuple[int, bytes, bytes]:
    """Wait for the end; return the exit code, the output and the errors. TimeoutError after `seconds`."""
    async with asyncio.timeout(seconds):
        out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out, err


async def ran(*arguments: str, env: Mapping[str, str], **how: Any) -> tuple[int, bytes, bytes]:
    """Run Python with these arguments to its end; return the exit code, the output and the errors."""
    async with started(*arguments, env=env, **how) as process:
        return await outcome(process)
