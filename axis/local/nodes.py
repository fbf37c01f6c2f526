"""`axis local`: where a broker and a database come from, first that fits."""

import fcntl
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from axis.errors import Misconfigured, Unavailable
from axis.local import docker, packages, private
from axis.local.layout import folder, open_lock, place
from axis.local.programs import find_postgres, find_rabbitmq
from axis.local.record import Record, read_record
from axis.local.services import Services, from_environment
from axis.local.sets import set_state, stop_set

_PACKAGES = {"RabbitMQ 3.10 or newer": "rabbitmq-server", "PostgreSQL 15 or newer": "postgresql"}


@dataclass(frozen=True, slots=True)
class NodeStatus:
    """Show one node: whether it runs, where, since when (ISO 8601, UTC), and how often it had to be restarted."""

    name: str
    running: bool
    version: str
    ports: tuple[tuple[str, int], ...]
    pid: int | None
    since: str
    restarts: int
    data: str
    log: str


@dataclass(frozen=True, slots=True)
class LocalStatus:
    """Show where broker and database come from and what runs; `services` None when nothing does."""

    services: Services | None
    nodes: tuple[NodeStatus, ...]

    @property
    def running(self) -> bool:
        """Whether a broker and a database can be used."""
        return self.services is not None


def up(
    root: Path,
    *,
    progress: Callable[[str], None],
    assume_yes: bool,
    durable: bool = True,
    owner_pid: int | None = None,
    scratch: Path | None = None,
    tls: bool = False,
) -> Services:
    """Provide a broker and a database, and write `.axis/axis.env`; at once when they already run.

    First that fits: the environment; programs on this machine as private nodes; the same after installing the
    packages (Debian, Ubuntu, as root; asks on a terminal unless `assume_yes`); a Docker engine. `durable=False`
    is for tests: what is written may be lost with the power. With `owner_pid` private nodes end with that process,
    and `scratch` is removed after them. With `tls` private nodes take nobody without TLS and a certificate of the
    clone's own authority, `.axis/pki`.

    Raises:
        Unavailable: `local/nothing` (one sentence on what to install), `local/install`, `local/start`.
        Misconfigured: `local/environment`, `local/folder`, `local/tls` when what runs is of the other kind.
    """
    given = from_environment()
    if given is not None:
        return given
    with _one_at_a_time(root, progress):
        found = _running(root)
        if found is None:
            found = _provide(
                root, progress, assume_yes=assume_yes, durable=durable, owner_pid=owner_pid, scratch=scratch, tls=tls
            )
        elif found.tls != tls:
            way = "with TLS" if found.tls else "without TLS"
            raise Misconfigured(
                f"the nodes of this clone run {way}: `axis down` (or `axis local down`) first, or use them as they are",
                code="local/tls",
            )
        found.write(root)
        return found


def down(root: Path) -> bool:
    """Stop what `up` started, keeping the data; False when nothing ran."""
    record = read_record(root)
    if record is None:
        return False
    if record.kind == "docker":
        ran = docker.running(record)
        docker.stop(record)
        return ran
    before = set_state(root, private.SET_NAME)
    stop_set(root, private.SET_NAME)
    return before is not None and before.phase in ("starting", "ready", "stopping")


def status(root: Path) -> LocalStatus:
    """Say what runs where."""
    given = from_environment()
    record = read_record(root)
    nodes = () if record is None else _nodes(root, record)
    return LocalStatus(given or _running(root), nodes)


def _running(root: Path) -> Services | None:
    record = read_record(root)
    if record is None:
        return None
    if record.kind == "docker":
        return _docker_services(record) if docker.running(record) else None
    alive = private.running(root)
    return None if alive is None else private.services(alive)


def _provide(
    root: Path,
    progress: Callable[[str], None],
    *,
    assume_yes: bool,
    durable: bool,
    owner_pid: int | None,
    scratch: Path | None,
    tls: bool,
) -> Services:
    missing = _missing()
    if missing and packages.can_install() and _agreed(missing, progress, assume_yes=assume_yes):
        packages.install([_PACKAGES[title] for title in missing], progress=progress)
        missing = _missing()
    broker, database = find_rabbitmq(), find_postgres()
    if broker is not None and database is not None:
        record = private.start(
            root,
            broker,
            database,
            progress=progress,
            durable=durable,
            owner_pid=owner_pid,
            scratch=scratch,
            tls=tls,
        )
        return private.services(record)
    if docker.engine() and not tls:
        record = private.new_record(root, "docker")
        record.write(root)
        docker.start(record, progress=progress)
        return _docker_services(record)
    if tls:
        raise Unavailable(
            f"nodes with TLS need the programs on this machine: {_sentence(missing)}", code="local/nothing"
        )
    raise Unavailable(_sentence(missing), code="local/nothing")


def _missing() -> list[str]:
    absent = [find_rabbitmq() is None, find_postgres() is None]
    return [title for title, gone in zip(_PACKAGES, absent, strict=True) if gone]


def _agreed(missing: list[str], progress: Callable[[str], None], *, assume_yes: bool) -> bool:
    """Say what would be installed; ask only where somebody can answer."""
    names = " ".join(_PACKAGES[title] for title in missing)
    progress(f"not on this machine: {', '.join(missing)}; will install the packages: {names}")
    if assume_yes or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return True
    sys.stderr.write("Install them with apt-get? [Y/n] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("", "y", "yes")


def _sentence(missing: list[str]) -> str:
    how = "install them"
    if packages.is_debian():
        how = f"run `apt-get install {' '.join(_PACKAGES[title] for title in missing)}` as root"
    return (
        f"{' and '.join(missing)} not found on this machine and no Docker engine answers: {how}, "
        "or set AXIS_AMQP_URL, AXIS_RABBITMQ_API_URL and AXIS_DATABASE_URL to servers elsewhere."
    )


def _docker_services(record: Record) -> Services:
    return Services(
        amqp_url=record.amqp_url,
        api_url=record.api_url,
        database_url=record.database_url,
        kind="docker",
        prometheus_url=record.prometheus_url,
        details={f"container of {name}": docker.container(record, name) for name in docker.IMAGES},
    )


def _nodes(root: Path, record: Record) -> tuple[NodeStatus, ...]:
    state = None if record.kind == "docker" else set_state(root, private.SET_NAME)
    alive = docker.running(record) if record.kind == "docker" else False
    owned = {
        "postgres": ("postgres",),
        "rabbitmq": ("amqp", "management", "prometheus", "epmd", "distribution"),
    }
    found = []
    for name, port_names in owned.items():
        process = state.process(name) if state is not None else None
        found.append(
            NodeStatus(
                name=name,
                running=alive if process is None else process.condition == "ready",
                version=record.versions.get(name, ""),
                ports=tuple((port, record.ports[port]) for port in port_names),
                pid=None if process is None else process.pid,
                since="" if process is None else process.since,
                restarts=0 if process is None else process.restarts,
                data=docker.container(record, name) if record.kind == "docker" else str(Path(record.data) / name),
                log="" if record.kind == "docker" else str(place(root) / "log" / f"{name}.log"),
            )
        )
    return tuple(found)


@contextmanager
def _one_at_a_time(root: Path, progress: Callable[[str], None]) -> Iterator[None]:
    """Let one `up` of a clone work at a time; the others wait for it, and then find everything running."""
    lock = open_lock(folder(root) / "up.lock")
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress("another `axis local up` of this clone is at work; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)
