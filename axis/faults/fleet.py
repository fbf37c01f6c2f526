"""The workers of the axis as processes: killed, paused, drained and started again."""

import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families

from axis.errors import Unavailable
from axis.faults.processes import Program, until
from axis.local.process import ProcessSpec

READY_SECONDS = 60.0
_DRAIN_SECONDS = 30.0
_PASSED_ON = ("PATH", "HOME", "LANG", "TZ", "TMPDIR", "VIRTUAL_ENV", "PYTHONPATH")
_NUMBERS = count(1)


class WorkerProcess:
    """One worker, with a log of its own."""

    def __init__(self, kind: str, program: Program) -> None:
        self.kind = kind
        self.log = program.log
        self._program = program
        self._page = ""

    @classmethod
    def start(
        cls, kind: str, environment: Mapping[str, str], folder: Path, *, argv: Sequence[str] | None = None
    ) -> "WorkerProcess":
        """Start it; `ready` says when it works. `argv`: another program in its place."""
        name = f"{kind}-{next(_NUMBERS)}"
        passed = {key: os.environ[key] for key in _PASSED_ON if key in os.environ}
        spec = ProcessSpec(
            name=name,
            argv=tuple(argv or (sys.executable, "-m", "workers", kind)),
            # Any free port: it says in its log which one it took.
            env={**passed, **environment, "AXIS_METRICS_PORT": "0", "PYTHONUNBUFFERED": "1"},
            cwd=str(folder),
            stop_seconds=_DRAIN_SECONDS,
        )
        program = Program(spec, folder / "log")
        program.start()
        return cls(kind, program)

    def __repr__(self) -> str:
        return f"<{self.log.stem} {self.pid}>"

    @property
    def pid(self) -> int | None:
        """The process, while it runs."""
        return self._program.pid

    @property
    def alive(self) -> bool:
        """Whether it runs; a paused one does."""
        return self._program.alive

    def kill(self) -> None:
        """SIGKILL."""
        self._program.kill()

    def terminate(self) -> None:
        """SIGTERM: it finishes what it took, and ends."""
        self._program.terminate()

    def pause(self) -> None:
        """SIGSTOP."""
        self._program.pause()

    def resume(self) -> None:
        """SIGCONT."""
        self._program.resume()

    async def wait(self, deadline: float = _DRAIN_SECONDS) -> int:
        """Wait until it has ended; return its exit code, negative for a signal. Raises Unavailable at the deadline."""
        return await self._program.wait(deadline)

    async def ready(self, deadline: float = READY_SECONDS) -> None:
        """Wait until it works; raise Unavailable when it ends before, or at the deadline."""
        if not await until(lambda: bool(self._find_page()) or not self.alive, deadline, look=0.03) or not self._page:
            raise Unavailable(f"{self.log.stem} is not ready{self._program.last_words()}")

    async def counted(self, metric: str, **labels: str) -> float:
        """Add up the samples of its metrics page with these labels."""
        async with httpx.AsyncClient(trust_env=False, timeout=10.0) as client:
            page = (await client.get(self._page)).text
        samples = [sample for family in text_string_to_metric_families(page) for sample in family.samples]
        return sum(each.value for each in samples if each.name == metric and labels.items() <= each.labels.items())

    def said(self, event: str) -> list[dict[str, Any]]:
        """Read the lines of its log about one kind of event."""
        return [line for line in self._lines() if line.get("event") == event]

    def said_with(self, part: str) -> list[str]:
        """Read the events in its log that contain this."""
        return [line["event"] for line in self._lines() if part in line.get("event", "")]

    async def close(self) -> None:
        """End it."""
        if self.alive:
            self.resume()
            self.kill()
        await self._program.close()

    def _find_page(self) -> str:
        if not self._page and b'"ready"' in self.log.read_bytes():
            ready = self.said("ready")
            self._page = ready[-1]["metrics"] if ready else ""
        return self._page

    def _lines(self) -> list[dict[str, Any]]:
        found = []
        for line in self.log.read_bytes().splitlines():
            try:
                found.append(json.loads(line))
            except ValueError:
                continue  # killed in the middle of a line
        return found


async def drained(workers: Sequence[WorkerProcess], deadline: float = _DRAIN_SECONDS) -> dict[WorkerProcess, int]:
    """Ask workers to end, all at once, and return their exit codes."""
    end = time.monotonic() + deadline
    for worker in workers:
        worker.terminate()
    return {worker: await worker.wait(max(end - time.monotonic(), 0.1)) for worker in workers}
