"""One child of the keeper, and the orphans it may leave."""

import ctypes
import grp
import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from axis.local.layout import open_log
from axis.local.pids import Process, named
from axis.local.process import Condition, ProcessSpec, ProcessState

FIRST_REST_SECONDS = 0.1
LONGEST_REST_SECONDS = 5.0
STEADY_SECONDS = 30.0
LARGEST_LOG_BYTES = 16 * 1024 * 1024

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_LIBC = ctypes.CDLL(None, use_errno=True)


class Child:
    """Start, watch and end one process."""

    def __init__(self, spec: ProcessSpec, log_folder: Path) -> None:
        self.spec = spec
        self.ready = False
        self.ending = ""
        self.exit_code = 0  # of the last ending; negative: the signal
        self._log = log_folder / f"{spec.name}.log"
        self._popen: subprocess.Popen[bytes] | None = None
        self._process = Process(0, 0)
        self._condition: Condition = "waiting"
        self._since = ""
        self._restarts = 0
        self._rest = FIRST_REST_SECONDS
        self._started_at = 0.0
        self._due = 0.0

    @property
    def running(self) -> bool:
        """Whether the process has been started and not yet collected."""
        return self._popen is not None

    @property
    def pid(self) -> int:
        """The pid while running, else 0."""
        return self._process.pid if self.running else 0

    @property
    def settled(self) -> bool:
        """Whether nothing is to be done until a signal comes."""
        return self.ready if self.running else not self.spec.restart

    @property
    def state(self) -> ProcessState:
        """What the state file shows of it."""
        condition: Condition = self._condition
        if self.running:
            condition = "ready" if self.ready else "starting"
        return ProcessState(
            name=self.spec.name,
            condition=condition,
            pid=self._process.pid if self.running else None,
            started=self._process.started if self.running else 0,
            restarts=self._restarts,
            since=self._since,
        )

    def start(self) -> None:
        """Start the process in a session of its own, its output appended to its log."""
        self.ready = False
        if self._log.exists() and self._log.stat().st_size > LARGEST_LOG_BYTES:
            self._log.replace(self._log.with_suffix(".log.1"))
        uid, gid, groups = _identity(self.spec.user)
        with open_log(self._log) as log:
            self._popen = subprocess.Popen(
                list(self.spec.argv),
                env=dict(self.spec.env),
                cwd=self.spec.cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                user=uid,
                group=gid,
                extra_groups=groups,
                start_new_session=True,
                # Runs after the change of user, which would clear the death signal again.
                preexec_fn=_DieWithParent(os.getpid()),  # noqa: PLW1509 - the keeper has one thread
            )
        self._process = named(self._popen.pid)
        self._started_at = time.monotonic()
        self._since = datetime.now(UTC).isoformat(timespec="milliseconds")

    def reaped(self) -> bool:
        """Collect the process if it has ended; True once, at that moment."""
        if self._popen is None or self._popen.poll() is None:
            return False
        code = self.exit_code = self._popen.returncode
        self.ending = f"exit {code}" if code >= 0 else signal.Signals(-code).name
        self._bury()
        if time.monotonic() - self._started_at >= STEADY_SECONDS:
            self._rest = FIRST_REST_SECONDS
        self._rest_again()
        return True

    def revive(self) -> None:
        """Start the process again if it has ended, is to be restarted, and has rested."""
        if not self.running and self.spec.restart and time.monotonic() >= self._due:
            self._restarts += 1
            try:
                self.start()
            except (OSError, subprocess.SubprocessError) as error:
                self.ending = str(error)
                self._rest_again()

    def ask_end(self) -> None:
        """Send the stop signal."""
        if self._popen is not None:
            self._popen.send_signal(self.spec.stop_signal)

    def end(self) -> None:
        """Kill what still runs, and its group."""
        if self._popen is not None:
            self._popen.kill()
            self._popen.wait()
            self._bury()
        self._condition = "ended"

    def last_words(self, lines: int = 12) -> str:
        """Return the end of the log, as a text to append to an error."""
        try:
            with self._log.open("rb") as log:
                log.seek(max(0, self._log.stat().st_size - 8192))
                found = log.read().decode("utf-8", errors="replace").splitlines()[-lines:]
        except FileNotFoundError:
            found = []
        return "\n".join([f" ({self.ending or 'still running'}); the end of {self._log}:", *found])

    def _rest_again(self) -> None:
        self._due = time.monotonic() + self._rest
        self._rest = min(self._rest * 2, LONGEST_REST_SECONDS)
        self._condition = "resting" if self.spec.restart else "ended"

    def _bury(self) -> None:
        """Kill the rest of the group: a worker's or server's own children must not hold its port or data."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._popen = None
        self.ready = False


class _DieWithParent:
    """Ask the kernel, between fork and exec, to kill this process when the keeper ends."""

    def __init__(self, keeper: int) -> None:
        self._keeper = keeper

    def __call__(self) -> None:
        if sys.platform != "linux":
            return
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        # The keeper may have died before the call: then no signal would ever come.
        if os.getppid() != self._keeper:
            os._exit(1)


def _identity(user: str | None) -> tuple[int | None, int | None, list[int] | None]:
    if user is None or os.geteuid() != 0:
        return None, None, None
    try:
        entry = pwd.getpwuid(int(user)) if user.isdecimal() else pwd.getpwnam(user)
    except KeyError:
        return int(user), int(user), []
    groups = [group.gr_gid for group in grp.getgrall() if entry.pw_name in group.gr_mem]
    return entry.pw_uid, entry.pw_gid, groups


def adopt_orphans() -> None:
    """Become the parent of what children split off, so that it can be ended with the set."""
    if sys.platform == "linux":
        _LIBC.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def collect_orphans(own: Iterable[int]) -> None:
    """Collect adopted processes that have ended; children of the set are left to `Child.reaped`."""
    known = set(own)
    while True:
        try:
            found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return
        if found is None or found.si_pid in known:
            return
        os.waitpid(found.si_pid, 0)


def kill_orphans() -> None:
    """Kill and collect every child there is; called when the set itself has ended."""
    while True:
        for pid in _children_of(os.getpid()):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _children_of(parent: int) -> list[int]:
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with suppress(FileNotFoundError, ProcessLookupError):
            fields = entry.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            if int(fields[1]) == parent:
                found.append(int(entry.parent.name))
    return found
