"""Keep a set of processes running: `python -m axis.local.keeper SPEC.json LOCK_FD`.

Started by `axis.local.start_set`. It starts the processes in order, each after the one before is ready; heals the
ones that die; stops them in reverse order on SIGTERM, or when their owner ends. Nothing outlives it:

- SIGTERM, Ctrl-C or the owner's end: every process is stopped in order, with a deadline each.
- SIGKILL of the keeper: the kernel kills each child (PR_SET_PDEATHSIG). A daemon a child has split off (Erlang's
  epmd does that) is not covered, so epmd is a process of the set in its own right, started before the broker.
- SIGKILL of a child: its process group is killed, and it is started again after a rest.

Only the standard library, one thread: `preexec_fn` and `fork` are safe for that reason alone.
"""

import fcntl
import os
import select
import shutil
import signal
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from subprocess import SubprocessError

from axis.local.children import Child, adopt_orphans, collect_orphans, kill_orphans
from axis.local.pids import Process, named
from axis.local.probes import is_ready
from axis.local.process import Phase, Probe, ProcessSpec, SetSpec, SetState

__all__ = ["Keeper", "Probe", "ProcessSpec", "main"]

TICK_SECONDS = 0.05
IDLE_SECONDS = 5.0
POLL_OWNER_SECONDS = 0.5


class Keeper:
    """Run one set from start to stop."""

    def __init__(self, spec: SetSpec) -> None:
        self._spec = spec
        self._me = named(os.getpid())
        self._children = [Child(process, Path(spec.log_folder)) for process in spec.processes]
        self._phase: Phase = "starting"
        self._since = _now()
        self._error = ""
        self._told: SetState | None = None
        self._stop_asked = False
        self._wake, wake_writer = os.pipe()
        for end in (self._wake, wake_writer):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(wake_writer, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask_stop)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        adopt_orphans()
        self._owner = None if spec.owner_pid is None else Process(spec.owner_pid, spec.owner_started)
        self._owner_end = _watch(self._owner)

    def tell(self) -> None:
        """Write the state file if anything has changed."""
        state = SetState(
            name=self._spec.name,
            phase=self._phase,
            keeper_pid=self._me.pid,
            keeper_started=self._me.started,
            since=self._since,
            processes=tuple(child.state for child in self._children),
            error=self._error,
        )
        if state != self._told:
            state.write(Path(self._spec.state_file))
            self._told = state

    def run(self) -> int:
        """Start, keep and stop the set; 0 after a stop that was asked for, 1 when it could not start."""
        try:
            if self._start():
                self._enter("ready")
                self._keep()
        finally:
            self._stop()
        return 1 if self._error else 0

    def _start(self) -> bool:
        deadline = time.monotonic() + self._spec.deadline
        for child in self._children:
            try:
                child.start()
            except (OSError, SubprocessError) as error:
                self._error = f"{child.spec.name} cannot be started: {error}"
                return False
            while not child.ready:
                self.tell()
                self._wait(TICK_SECONDS)
                if self._stop_asked:
                    return False
                ended = [earlier for earlier in self._children if earlier.reaped()]
                if ended:
                    self._error = f"{ended[0].spec.name} ended while starting{ended[0].last_words()}"
                    return False
                if time.monotonic() >= deadline:
                    self._error = (
                        f"{child.spec.name} was not ready within {self._spec.deadline:g} s{child.last_words()}"
                    )
                    return False
                child.ready = is_ready(child.spec.ready)
            if self._stop_asked:
                return False
        return True

    def _keep(self) -> None:
        while not self._stop_asked:
            for child in self._children:
                if child.reaped():
                    _log(f"{child.spec.name} ended ({child.ending})")
                child.revive()
                if child.running and not child.ready:
                    child.ready = is_ready(child.spec.ready)
            collect_orphans(child.pid for child in self._children)
            self.tell()
            settled = all(child.settled for child in self._children)
            self._wait(IDLE_SECONDS if settled else TICK_SECONDS)

    def _stop(self) -> None:
        self._enter("stopping")
        for child in reversed(self._children):
            child.ask_end()
            deadline = time.monotonic() + child.spec.stop_seconds
            while child.running and not child.reaped() and time.monotonic() < deadline:
                self._wait(TICK_SECONDS)
            if child.running:
                _log(f"{child.spec.name} did not stop within {child.spec.stop_seconds:g} s: killed")
            child.end()
            self.tell()
        kill_orphans()
        self._enter("failed" if self._error else "stopped")
        for folder in self._spec.scratch:
            shutil.rmtree(folder, ignore_errors=True)

    def _wait(self, seconds: float) -> None:
        """Sleep until a signal, the owner's end or the time; note the owner's end."""
        watched = [self._wake]
        if self._owner is not None and not self._stop_asked:
            if self._owner_end is None:
                seconds = min(seconds, POLL_OWNER_SECONDS)
            else:
                watched.append(self._owner_end)
        ready, _, _ = select.select(watched, [], [], seconds)
        if self._wake in ready:
            with suppress(BlockingIOError):
                os.read(self._wake, 4096)
        if self._owner is not None and not self._stop_asked and not self._owner.alive:
            _log("the owner has ended")
            self._stop_asked = True

    def _enter(self, phase: Phase) -> None:
        self._phase, self._since = phase, _now()
        _log(f"{phase}{': ' + self._error if self._error else ''}")
        self.tell()

    def _ask_stop(self, number: int, _frame: object) -> None:
        _log(f"asked to stop ({signal.Signals(number).name})")
        self._stop_asked = True


def _watch(owner: Process | None) -> int | None:
    """Open a descriptor that wakes the keeper when the owner ends; None where only asking again and again helps."""
    if owner is None or sys.platform != "linux":
        return None
    with suppress(OSError):
        return os.pidfd_open(owner.pid)
    return None


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _log(text: str) -> None:
    sys.stderr.write(f"{_now()} keeper: {text}\n")
    sys.stderr.flush()


def main(argv: list[str]) -> int:
    """Split off from the starter, take over its lock, and keep the set; the starter returns once state is written."""
    spec = SetSpec.from_json(Path(argv[1]).read_text(encoding="utf-8"))
    lock = int(argv[2])
    os.set_inheritable(lock, False)  # noqa: FBT003 - the standard library's signature
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    told, tell = os.pipe()
    if os.fork():
        os.close(tell)
        # One byte when the state file names the keeper; end of file when it has died before that.
        return 0 if os.read(told, 1) else 1
    os.close(told)
    os.setsid()
    os.umask(0o077)
    keeper = Keeper(spec)
    keeper.tell()
    os.write(tell, b"1")
    os.close(tell)
    return keeper.run()


if __name__ == "__main__":
    sys.exit(main(sys.argv))
