"""Start, stop and look at sets of processes from outside; the keeper does the work."""

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import axis
from axis.errors import Misconfigured, Unavailable
from axis.local.layout import folder, open_lock, open_log, place, write_private
from axis.local.pids import Process, await_end, kill_group, named, reap
from axis.local.process import ProcessSpec, SetSpec, SetState

GRACE_SECONDS = 10.0
_LAUNCH_SECONDS = 60.0  # it takes a third of a second, but not beside whatever else wants the processors


def start_set(
    root: Path,
    set_name: str,
    specs: Sequence[ProcessSpec],
    *,
    owner_pid: int | None = None,
    deadline: float = 60.0,
    scratch: Sequence[Path] = (),
    watch: Callable[[SetState], None] | None = None,
) -> SetState:
    """Start the set under a keeper of its own and return when every process is ready.

    A set that already runs is returned as it is, whatever `specs` says. With `owner_pid` the set stops when that
    process ends; without it, it lives until `stop_set`. `deadline` is in seconds, for all processes together.
    The folders `scratch` are removed after the set has stopped. `watch` is told every change while starting.

    Raises:
        Unavailable: `local/start` with the failing process and the end of its log; nothing is left running.
    """
    home = folder(root)
    spec = SetSpec(
        name=set_name,
        processes=tuple(replace(process, env=dict(process.env), argv=tuple(process.argv)) for process in specs),
        state_file=str(_state_file(root, set_name)),
        log_folder=str(home / "log"),
        deadline=deadline,
        owner_pid=owner_pid,
        owner_started=named(owner_pid).started if owner_pid is not None else 0,
        scratch=tuple(str(path) for path in scratch),
    )
    until = time.monotonic() + deadline + GRACE_SECONDS
    with _locked(root, set_name, until) as lock:
        if lock is None:
            return _await_ready(root, set_name, until, watch)
        try:
            _launch(root, spec, lock)
            return _await_ready(root, set_name, until, watch)
        except BaseException:
            # Ctrl-C while starting: what has started must not stay behind.
            stop_set(root, set_name)
            raise


def stop_set(root: Path, set_name: str) -> SetState | None:
    """Stop the set and wait until nothing of it runs; return its last state, None when there never was one.

    Raises:
        Misconfigured: `local/folder` when another user started it.
    """
    state = SetState.read(_state_file(root, set_name))
    if state is None:
        return None
    keeper = Process(state.keeper_pid, state.keeper_started)
    try:
        asked = keeper.signal(signal.SIGTERM)
    except PermissionError as error:
        raise Misconfigured(
            f"{set_name} was started by another user: stop it as that user", code="local/folder"
        ) from error
    if asked and not await_end(keeper, _stop_seconds(root, set_name) + GRACE_SECONDS):
        kill_group(keeper)
        await_end(keeper, GRACE_SECONDS)
    reap(_processes(state))
    return set_state(root, set_name)


def set_state(root: Path, set_name: str) -> SetState | None:
    """Return the set's state, as `stopped` when its keeper was killed; None when there never was one."""
    state = SetState.read(_state_file(root, set_name))
    if state is None or Process(state.keeper_pid, state.keeper_started).alive:
        return state
    ended = tuple(replace(process, condition="ended", pid=None, started=0) for process in state.processes)
    return replace(state, phase="failed" if state.phase == "failed" else "stopped", processes=ended)


def _launch(root: Path, spec: SetSpec, lock: int) -> None:
    """Start a keeper and hand it the locked descriptor, which it holds until it ends."""
    last = SetState.read(Path(spec.state_file))
    if last is not None:
        reap(_processes(last))
        Path(spec.state_file).unlink()
    spec_file = folder(root) / f"{spec.name}.spec.json"
    log_file = folder(root) / "log" / f"keeper-{spec.name}.log"
    write_private(spec_file, spec.to_json())
    with open_log(log_file) as log:
        launched = subprocess.run(
            [sys.executable, "-P", "-m", "axis.local.keeper", str(spec_file), str(lock)],
            env={**os.environ, "PYTHONPATH": _module_path()},
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[lock],
            timeout=_LAUNCH_SECONDS,
            check=False,
        )
    if launched.returncode != 0:
        raise Unavailable(f"the keeper of {spec.name} did not start; see {log_file}", code="local/start")


def _await_ready(root: Path, set_name: str, until: float, watch: Callable[[SetState], None] | None) -> SetState:
    seen: SetState | None = None
    while True:
        state = set_state(root, set_name)
        if state is not None:
            if watch is not None and state != seen:
                watch(state)
            seen = state
            if state.phase == "ready":
                return state
            if state.phase in ("failed", "stopped"):
                raise Unavailable(state.error or f"{set_name} was stopped while starting", code="local/start")
        if time.monotonic() >= until:
            raise Unavailable(f"{set_name} is not ready in time", code="local/start")
        time.sleep(0.03)


@contextmanager
def _locked(root: Path, set_name: str, until: float) -> Iterator[int | None]:
    """Take the set's lock; None when a living keeper that is not about to end holds it.

    Of two starters at once one launches, the other waits for the same set.
    """
    lock = open_lock(folder(root) / f"{set_name}.lock")
    try:
        while True:
            with suppress(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            state = set_state(root, set_name)
            if state is not None and state.phase in ("starting", "ready"):
                yield None
                return
            if time.monotonic() >= until:
                raise Unavailable(f"another process holds {set_name} and does not finish", code="local/busy")
            time.sleep(0.03)
        yield lock
    finally:
        os.close(lock)


def _module_path() -> str:
    """Let the keeper, whose current folder is /, find this very package and what the caller's own path adds."""
    inherited = os.environ.get("PYTHONPATH")
    ours = str(Path(axis.__path__[0]).resolve().parent)
    return os.pathsep.join([ours, inherited] if inherited else [ours])


def _processes(state: SetState) -> list[Process]:
    return [Process(process.pid, process.started) for process in state.processes if process.pid is not None]


def _stop_seconds(root: Path, set_name: str) -> float:
    with suppress(OSError, ValueError):
        text = (place(root) / f"{set_name}.spec.json").read_text(encoding="utf-8")
        return sum(process.stop_seconds for process in SetSpec.from_json(text).processes)
    return GRACE_SECONDS


def _state_file(root: Path, set_name: str) -> Path:
    return place(root) / f"{set_name}.state.json"
