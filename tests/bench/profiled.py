"""Run a worker under a statistical profiler: every two milliseconds of its own processor time, what is it in?

A signal handler of Python runs between two byte codes, so the time of a call into C counts for the function that made
it. The kernel's time is left out: the timer that counts it belongs to the workers' watchdog. Written to the file named
by AXIS_BENCH_PROFILE when the worker ends; the production code knows nothing of this.
"""

import json
import os
import signal
from collections import Counter
from pathlib import Path
from types import FrameType

import typer

import workers.__main__ as program

_SECONDS = 0.002


class Profile:
    """Count samples by function: those that were in it, and those that were in it or in what it called."""

    def __init__(self) -> None:
        self.own: Counter[str] = Counter()
        self.within: Counter[str] = Counter()

    def sample(self, _number: int, frame: FrameType | None) -> None:
        """Take one sample."""
        if frame is None:
            return
        self.own[_name(frame)] += 1
        seen = set()
        while frame is not None:
            seen.add(_name(frame))
            frame = frame.f_back
        self.within.update(seen)

    def write(self, path: Path) -> None:
        """Write what was counted."""
        path.write_text(json.dumps({"own": self.own, "within": self.within}), encoding="utf-8")


def _name(frame: FrameType) -> str:
    return f"{frame.f_globals.get('__name__', '?')}.{frame.f_code.co_qualname}"


def main() -> None:
    profile = Profile()
    signal.signal(signal.SIGVTALRM, profile.sample)
    signal.setitimer(signal.ITIMER_VIRTUAL, _SECONDS, _SECONDS)
    try:
        typer.run(program.main)
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        profile.write(Path(os.environ["AXIS_BENCH_PROFILE"]))


if __name__ == "__main__":
    main()
