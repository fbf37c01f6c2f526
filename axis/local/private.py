"""Private nodes: RabbitMQ and PostgreSQL from programs on this machine, for one clone."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from axis.errors import Unavailable
from axis.local import ports, postgres, rabbitmq
from axis.local.certified import ensure_authority
from axis.local.layout import data_folder, folder, service_user
from axis.local.process import ProcessSpec, SetState
from axis.local.programs import Postgres, Rabbitmq, find_postgres
from axis.local.record import BROKER_PORTS, PORTS, Record, read_record
from axis.local.services import Services
from axis.local.sets import set_state, start_set

SET_NAME = "nodes"
START_SECONDS = 120.0
ATTEMPTS = 3
# What RabbitMQ and PostgreSQL say when somebody took the port between our looking and their listening, or when the
# last backend of a killed PostgreSQL is still on its way out.
_PASSING = ("eaddrinuse", "address already in use", "could not bind", "shared memory block")

TITLES = {"epmd": "Erlang port mapper", "rabbitmq": "RabbitMQ", "postgres": "PostgreSQL"}


def running(root: Path) -> Record | None:
    """Return the record of private nodes that run and are ready; None otherwise."""
    state = set_state(root, SET_NAME)
    return read_record(root) if state is not None and state.phase == "ready" else None


def start(
    root: Path,
    broker: Rabbitmq,
    database: Postgres,
    *,
    progress: Callable[[str], None],
    durable: bool = True,
    owner_pid: int | None = None,
    scratch: Path | None = None,
    tls: bool = False,
) -> Record:
    """Start both nodes and return where they are; data and passwords of last time are kept.

    Raises:
        Unavailable: `local/start` with the end of the failing node's log.
    """
    record = replace(new_record(root, "private", durable=durable), pki=ensure_authority(root) if tls else "")
    database = _fitting(database, record)
    record = replace(record, versions={"rabbitmq": broker.version, "postgres": str(database.major)})
    for attempt in range(1, ATTEMPTS + 1):
        record = record.with_free_ports(afresh=attempt > 1)
        record.write(root)
        specs = _specs(record, broker, database, progress)
        try:
            start_set(
                root,
                SET_NAME,
                specs,
                owner_pid=owner_pid,
                deadline=START_SECONDS,
                scratch=() if scratch is None else (Path(record.data), scratch),
                watch=_Narrator(progress, record),
            )
        except Unavailable as error:
            if attempt == ATTEMPTS or not any(sign in error.detail for sign in _PASSING):
                raise
            progress("a port was taken meanwhile: trying again with others")
        else:
            break
    return record


def broker_specs(root: Path, broker: Rabbitmq, *, tls: bool = False) -> tuple[Record, list[ProcessSpec]]:
    """Return a broker alone, never restarted by itself: for tests that kill and start one of their own."""
    record = new_record(root, "private", durable=False).with_free_ports(names=BROKER_PORTS)
    record = replace(record, pki=ensure_authority(root) if tls else "")
    record.write(root)
    user, _ = _users(Path(record.data))
    return record, [replace(spec, restart=False) for spec in rabbitmq.prepare(broker, record, user)]


def services(record: Record) -> Services:
    """Return the record as what other parts need to know."""
    return Services(
        amqp_url=record.amqp_url,
        api_url=record.api_url,
        database_url=record.database_url,
        kind="private",
        prometheus_url=record.prometheus_url,
        details={"data": record.data, **{f"version of {name}": value for name, value in record.versions.items()}},
    )


def new_record(root: Path, kind: str, *, durable: bool = True) -> Record:
    """Return the record of last time if it is of this kind and its data is still there, else a new one."""
    last = read_record(root)
    if last is not None and last.kind != kind:
        last = None
    if kind == "docker":
        return last or Record(kind=kind, data="", ports=ports.choose(PORTS))
    inside = str(folder(root) / "data")
    # Data beside its clone moves with the clone, so where it was recorded then does not matter.
    moved = last is not None and Path(last.data).parts[-2:] == (".axis", "data")
    recorded = None if last is None or moved else last.data
    users = {user for user in _users(Path(recorded or inside)) if user is not None}
    data = str(data_folder(root, recorded, users))
    if last is None or data != (inside if moved else last.data):
        # New data needs new passwords: those of other data do not open it.
        return Record(kind=kind, data=data, ports=ports.choose(PORTS), durable=durable)
    return replace(last, data=data, durable=durable)


def _users(data: Path) -> tuple[str | None, str | None]:
    return (
        service_user(data / "rabbitmq", "rabbitmq"),
        service_user(data / "postgres", "postgres", "nobody"),
    )


def _fitting(database: Postgres, record: Record) -> Postgres:
    """Keep to the major version that wrote the data: another one cannot read it."""
    major = postgres.data_major(record)
    if major is None or major == database.major:
        return database
    fitting = find_postgres(major)
    if fitting is None:
        raise Unavailable(
            f"the data in {record.data} was written by PostgreSQL {major}, which is not on this machine any more: "
            f"install it again, or remove that folder to start afresh",
            code="local/version",
        )
    return fitting


def _specs(record: Record, broker: Rabbitmq, database: Postgres, progress: Callable[[str], None]) -> list[ProcessSpec]:
    broker_user, database_user = _users(Path(record.data))
    if postgres.data_major(record) is None:
        progress(f"PostgreSQL {database.major}: making the data folder in {record.data}")
    served = postgres.prepare(database, record, database_user)
    return [served, *rabbitmq.prepare(broker, record, broker_user)]


class _Narrator:
    """Turn changes of the set into lines a person can follow."""

    def __init__(self, progress: Callable[[str], None], record: Record) -> None:
        self._progress = progress
        self._record = record
        self._told: set[tuple[str, str]] = set()

    def __call__(self, state: SetState) -> None:
        for process in state.processes:
            mark = (process.name, process.condition)
            if process.name == "epmd" or process.condition not in ("starting", "ready") or mark in self._told:
                continue
            self._told.add(mark)
            version = self._record.versions.get(process.name, "")
            port = self._record.ports["amqp" if process.name == "rabbitmq" else process.name]
            word = "starting" if process.condition == "starting" else "ready"
            self._progress(f"{TITLES[process.name]} {version}: {word} on 127.0.0.1:{port}")
