"""Processes named by pid and start time, since a pid alone is soon given to somebody else."""

import os
import signal
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Process:
    """Name one process for good: its pid and the clock ticks since boot at which it started (0: not known)."""

    pid: int
    started: int

    @property
    def alive(self) -> bool:
        """Whether this very process still runs; a zombie is dead."""
        found = _stat(self.pid)
        if found is None:
            return False
        state, started = found
        return state not in "ZX" and self.started in (0, started)

    def signal(self, number: int) -> bool:
        """Send a signal if the process is still the one named; tell whether it was sent."""
        if not self.alive:
            return False
        try:
            os.kill(self.pid, number)
        except ProcessLookupError:
            return False
        return True


def named(pid: int) -> Process:
    """Name the process that now has this pid."""
    found = _stat(pid)
    return Process(pid, found[1] if found else 0)


def program_of(pid: int) -> str:
    """Return the name of the program a living process runs; empty when none lives or it cannot be told."""
    if not named(pid).alive:
        return ""
    try:
        return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def await_end(process: Process, seconds: float) -> bool:
    """Wait until the process has ended; False when it still runs at the deadline."""
    deadline = time.monotonic() + seconds
    while process.alive:
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.02)
    return True


def kill_group(process: Process) -> None:
    """Kill the process and the group it leads, at once."""
    if not process.alive:
        return
    with suppress(ProcessLookupError, PermissionError):
        if os.getpgid(process.pid) == process.pid:
            os.killpg(process.pid, signal.SIGKILL)
    process.signal(signal.SIGKILL)


def reap(leftovers: Iterable[Process], seconds: float = 10.0) -> None:
    """End what an earlier, killed keeper may have left, and wait for it: it holds ports and data folders."""
    found = [process for process in leftovers if process.alive]
    for process in found:
        kill_group(process)
    for process in found:
        await_end(process, seconds)


def _stat(pid: int) -> tuple[str, int] | None:
    """Read state letter and start time of a process; None when there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        if Path("/proc/self/stat").exists():
            return None
        return _stat_without_proc(pid)
    # The command name stands in parentheses and may itself hold parentheses and blanks.
    fields = text.rpartition(")")[2].split()
    return fields[0], int(fields[19])


def _stat_without_proc(pid: int) -> tuple[str, int] | None:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass
    return "R", 0
