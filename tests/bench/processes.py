"""Processor time and memory of whole process trees, from /proc."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_QUIET_SHARE = 0.1  # of one processor
_LOOK_SECONDS = 0.3
_QUIET_SECONDS = 15.0


def tree(pid: int) -> list[int]:
    """List a process and everything below it."""
    found = [pid]
    for each in found:
        found.extend(_children(each))
    return found


def cpu_seconds(pid: int) -> float:
    """Add up the processor time of a process tree, those of its children that have ended with it."""
    total = 0
    for each in tree(pid):
        fields = _stat(each)
        if fields:
            # utime and stime; of the root also those of children that ended, whom it has waited for.
            total += sum(int(field) for field in (fields[11:15] if each == pid else fields[11:13]))
    return total / _TICKS


def memory_bytes(pid: int) -> int:
    """Add up the memory of a process tree; what processes share is counted once (PSS), where the kernel tells."""
    return sum(_memory(each) for each in tree(pid))


def forget_peak(pid: int) -> None:
    """Let the peak of a process's memory begin anew."""
    Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")


def peak_bytes(pid: int) -> int:
    """Return the most memory a process had since `forget_peak`."""
    return _status(pid, "VmHWM")


def resident_bytes(pid: int) -> int:
    """Return the memory a process has now, what it shares with others included, as the peak does."""
    return _status(pid, "VmRSS")


def _status(pid: int, name: str) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(name + ":")), 0)


def threads(pid: int) -> int:
    """Count the threads of a process."""
    fields = _stat(pid)
    return int(fields[17]) if fields else 0


async def quiet(pid: int | None) -> None:
    """Wait until a process tree has hardly anything to do; after a while go on all the same."""
    if pid is None:
        return
    before = cpu_seconds(pid)
    for _ in range(int(_QUIET_SECONDS / _LOOK_SECONDS)):
        await asyncio.sleep(_LOOK_SECONDS)
        now = cpu_seconds(pid)
        if now - before <= _QUIET_SHARE * _LOOK_SECONDS:
            return
        before = now


def _children(pid: int) -> Iterator[int]:
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            yield from (int(child) for child in (task / "children").read_text(encoding="ascii").split())
    except OSError:
        return


def _stat(pid: int) -> list[str]:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return text.rpartition(")")[2].split()


def _memory(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
        return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
    except (OSError, ValueError):
        pages = _stat(pid)
        return int(pages[21]) * os.sysconf("SC_PAGE_SIZE") if pages else 0
