import signal
import subprocess
import sys

import pytest

_PROGRAM = """
import asyncio, re, time
from workers.watchdog import watch

async def main():
    async with asyncio.TaskGroup() as group:
        watching = group.create_task(watch(0.4))
        await asyncio.sleep(0)
        {work}
        watching.cancel()
    print("done")

asyncio.run(main())
"""


def run(work: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", _PROGRAM.format(work=work)], capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.parametrize(
    "work",
    ["while True: pass", "re.match('(a+)+$', 'a' * 60 + 'b')"],
    ids=["in Python", "in C, which never lets Python run"],
)
def test_endless_work_ends_the_process_and_says_where_it_was(work: str) -> None:
    ended = run(work)
    assert ended.returncode == -signal.SIGPROF
    assert "Profiling timer expired" in ended.stderr or "most recent call first" in ended.stderr
    assert 'File "<string>", line 9 in main' in ended.stderr


@pytest.mark.parametrize(
    "work",
    [
        "time.sleep(1.5)",
        "for _ in range(60): sum(range(300_000)); await asyncio.sleep(0.03)",
    ],
    ids=["a pause is no work", "much work piece by piece"],
)
def test_nobody_else_is_ended(work: str) -> None:
    ended = run(work)
    assert (ended.returncode, ended.stdout) == (0, "done\n"), ended.stderr
