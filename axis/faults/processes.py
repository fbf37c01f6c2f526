"""Processes of ours that can be killed, paused and started again; nothing outlives the command."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from axis.errors import Unavailable
from axis.local.children import Child
from axis.local.process import ProcessSpec

_LOOK_SECONDS = 0.01
_LAST_BYTES = 4096


class Program:
    """One process, a direct child: it dies with this process, whatever ends that. Start it in the main thread."""

    def __init__(self, spec: ProcessSpec, log_folder: Path) -> None:
        self.spec = spec
        self.log = log_folder / f"{spec.name}.log"
        self._child = Child(spec, log_folder)
        self._paused = False

    @property
    def pid(self) -> int | None:
        """The process, while it runs."""
        return self._child.pid or None if self.alive else None

    @property
    def alive(self) -> bool:
        """Whether it runs; a paused one does."""
        self._child.reaped()
        return self._child.running

    def start(self) -> None:
        """Start it; nothing happens when it runs."""
        if not self.alive:
            self._child.start()

    def send(self, number: int) -> None:
        """Send a signal; nothing happens when it does not run."""
        if (pid := self.pid) is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def kill(self) -> None:
        """SIGKILL, as a crash or a power cut would."""
        self.send(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask it to end, as an operator would."""
        self.send(self.spec.stop_signal)

    def pause(self) -> None:
        """SIGSTOP: its connections stay open and nothing answers. It stands still when this returns."""
        if (pid := self.pid) is not None:
            self.send(signal.SIGSTOP)
            os.waitid(os.P_PID, pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        self._paused = True

    def resume(self) -> None:
        """SIGCONT."""
        self.send(signal.SIGCONT)
        self._paused = False

    async def wait(self, deadline: float = 30.0) -> int:
        """Wait until it has ended and return its exit code, negative for a signal; raise Unavailable at the deadline.

        A process that was paused goes on first.
        """
        if self._paused:
            self.resume()
        if not await until(lambda: not self.alive, deadline):
            raise Unavailable(f"{self.spec.name} has not ended within {deadline:g} s{self.last_words()}")
        return self._child.exit_code

    async def close(self) -> None:
        """End it within its stop seconds, by SIGKILL if need be."""
        if self.alive:
            self.resume()
            self.terminate()
            await until(lambda: not self.alive, self.spec.stop_seconds)
        self._child.end()

    def last_words(self) -> str:
        """Return the end of its log, to append to an error."""
        try:
            text = self.log.read_bytes()[-_LAST_BYTES:].decode("utf-8", "replace")
        except FileNotFoundError:
            text = ""
        return f"; the end of {self.log}:\n{text}"


async def until(condition: Callable[[], bool], deadline: float, *, look: float = _LOOK_SECONDS) -> bool:
    """Wait for a condition by looking again and again; False when it is not met within the deadline (seconds)."""
    end = time.monotonic() + deadline
    while not condition():
        if time.monotonic() >= end:
            return False
        await asyncio.sleep(look)
    return True


async def accepts(host: str, port: int) -> bool:
    """Say whether a port takes a connection."""
    try:
        async with asyncio.timeout(1.0):
            _, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True
