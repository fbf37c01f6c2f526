"""What the keeper is told: processes, how to see that one is ready, and where its files lie. Plain JSON on disk."""

import json
import signal
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, Self

from axis.local.layout import hand_over


@dataclass(frozen=True, slots=True)
class Probe:
    """Tell how to see that a process is ready: a port that accepts, a page that answers 2xx, a command that exits 0."""

    kind: Literal["tcp", "http", "command"]
    target: tuple[str, ...]

    @classmethod
    def tcp(cls, port: int, host: str = "127.0.0.1") -> Self:
        """Be ready when the port accepts a connection."""
        return cls("tcp", (host, str(port)))

    @classmethod
    def http(cls, url: str, *, user: str = "", password: str = "", tls: Sequence[Path] = ()) -> Self:
        """Be ready when the page answers 2xx, asked with basic authentication if a user is given.

        `tls`: for https, whom to trust, and the client's certificate and key (PEM).
        """
        return cls("http", (url, user, password, *map(str, tls)))

    @classmethod
    def command(cls, *argv: str) -> Self:
        """Be ready when the command exits 0."""
        return cls("command", argv)


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """Describe one process the keeper starts.

    `env` is the whole environment, not an addition. `user` is a name or uid to become (only as root). `ready`
    None means ready as soon as it runs. After `stop_signal` a process has `stop_seconds` before SIGKILL.
    """

    name: str
    argv: Sequence[str]
    env: Mapping[str, str]
    cwd: str
    restart: bool = True
    ready: Probe | None = None
    user: str | None = None
    stop_signal: int = signal.SIGTERM
    stop_seconds: float = 10.0


@dataclass(frozen=True, slots=True)
class SetSpec:
    """Describe a set of processes; what `python -m axis.local.keeper` reads.

    The set stops when the process `owner_pid` (started at `owner_started`) ends; the folders `scratch` are
    removed after everything has stopped.
    """

    name: str
    processes: tuple[ProcessSpec, ...]
    state_file: str
    log_folder: str
    deadline: float
    owner_pid: int | None = None
    owner_started: int = 0
    scratch: tuple[str, ...] = ()

    def to_json(self) -> str:
        """Write the description as JSON."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=1, default=dict)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read a description written by `to_json`."""
        fields: dict[str, Any] = json.loads(text)
        fields["processes"] = tuple(_process(item) for item in fields["processes"])
        fields["scratch"] = tuple(fields["scratch"])
        return cls(**fields)


def _process(fields: dict[str, Any]) -> ProcessSpec:
    ready = fields["ready"]
    probe = None if ready is None else Probe(ready["kind"], tuple(ready["target"]))
    return ProcessSpec(**{**fields, "argv": tuple(fields["argv"]), "ready": probe})


Phase = Literal["starting", "ready", "stopping", "stopped", "failed"]
Condition = Literal["waiting", "starting", "ready", "resting", "ended"]


@dataclass(frozen=True, slots=True)
class ProcessState:
    """Show one process: waiting for its turn, starting, ready, resting before a restart, or ended."""

    name: str
    condition: Condition
    pid: int | None
    started: int
    restarts: int
    since: str


@dataclass(frozen=True, slots=True)
class SetState:
    """Show a set: the phase, its keeper, why it failed, and each process. Times are ISO 8601 in UTC."""

    name: str
    phase: Phase
    keeper_pid: int
    keeper_started: int
    since: str
    processes: tuple[ProcessState, ...]
    error: str = ""

    def process(self, name: str) -> ProcessState:
        """Return the state of one process of the set."""
        return next(process for process in self.processes if process.name == name)

    def write(self, path: Path) -> None:
        """Replace the state file in one step, so that a reader never sees half of it."""
        fresh = path.with_name(path.name + ".new")
        fresh.write_text(json.dumps(asdict(self), ensure_ascii=False, indent=1), encoding="utf-8")
        hand_over(fresh)
        fresh.replace(path)

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """Read a state file; None when there is none or it is not ours."""
        try:
            fields: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            fields["processes"] = tuple(ProcessState(**item) for item in fields["processes"])
            return cls(**fields)
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None
