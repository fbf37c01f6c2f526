"""Real services for tests: one private pair for a whole run, a virtual host and a database for each test.

The pair belongs to the process that runs pytest (with pytest-xdist: the controller): it ends with it, whatever
ends it, and its folder is removed. `AXIS_AMQP_URL` and its two companions, if set, are used instead.
"""

import asyncio
import fcntl
import os
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg
import httpx

from axis import local
from axis.local import postgres, private
from axis.local.certified import ensure_authority
from axis.local.layout import service_user
from axis.local.process import ProcessSpec
from axis.local.programs import find_postgres, find_rabbitmq
from axis.local.record import Record
from axis.settings import Service

ROOT_VARIABLE = "AXIS_TEST_ROOT"
OWNER_VARIABLE = "AXIS_TEST_OWNER"
HTTP_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Vhost:
    """A virtual host of one's own; `api_url` is the whole broker's, the name says which host to ask about."""

    name: str
    amqp_url: str
    api_url: str


def begin_run() -> None:
    """Choose the run's folder; called by the process that runs pytest, before it starts any others."""
    root = tempfile.gettempdir() + f"/axis-tests-{os.getpid()}-{secrets.token_hex(4)}"
    os.environ[ROOT_VARIABLE] = root
    os.environ[OWNER_VARIABLE] = str(os.getpid())


def end_run() -> None:
    """Stop what the run started, and remove its folder."""
    root = Path(os.environ.pop(ROOT_VARIABLE))
    if root.exists():
        local.stop_set(root, private.SET_NAME)
        shutil.rmtree(root, ignore_errors=True)


def shared_services() -> local.Services:
    """Return the run's services, started by whoever asks first."""
    root = _run_folder()
    return local.up(
        root,
        progress=lambda _: None,
        assume_yes=True,
        durable=False,
        owner_pid=int(os.environ[OWNER_VARIABLE]),
        scratch=root,
    )


@contextmanager
def fresh_vhost(services: local.Services) -> Iterator[Vhost]:
    """Make a virtual host and remove it after use, queues and all."""
    name = f"t-{secrets.token_hex(6)}"
    user = urlsplit(services.amqp_url).username or "guest"
    with httpx.Client(base_url=services.api_url, timeout=HTTP_SECONDS, trust_env=False) as api:
        api.put(f"/api/vhosts/{name}").raise_for_status()
        everything = {"configure": ".*", "write": ".*", "read": ".*"}
        api.put(f"/api/permissions/{name}/{quote(user, safe='')}", json=everything).raise_for_status()
        yield Vhost(name, _with_path(services.amqp_url, name), services.api_url)
        # A test may have left its broker stopped; its virtual host then ends with the broker's folder.
        try:
            api.delete(f"/api/vhosts/{name}")
        except httpx.TransportError:
            return


def migrated_template(services: local.Services) -> str:
    """Return the name of a database with all migrations applied, made once for the whole run."""
    name = f"axis_template_{os.environ[OWNER_VARIABLE]}"
    with _locked(_run_folder() / "template.lock"):
        made = _run_folder() / "template.ready"
        if not made.exists():
            _in_thread(lambda: _make_template(services.database_url, name))
            made.touch()
    return name


@contextmanager
def fresh_database(services: local.Services, template: str) -> Iterator[str]:
    """Clone the template and drop the clone after use, whoever is still connected."""
    name = f"t_{secrets.token_hex(6)}"
    # By files: block by block, through the log, takes a quarter longer, a thousand times in a run.
    create = f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY'
    _in_thread(lambda: _execute(services.database_url, create))
    try:
        yield _with_path(services.database_url, name)
    finally:
        _in_thread(lambda: _execute(services.database_url, f'DROP DATABASE "{name}" WITH (FORCE)'))


class OwnBroker:
    """A broker that a test may kill, stop and start without disturbing others. The calls block until it is done.

    Inside a coroutine call them with `asyncio.to_thread`, or the event loop stands still meanwhile.
    """

    def __init__(self, root: Path, record: Record, specs: list[ProcessSpec]) -> None:
        self.root = root
        self._specs = specs
        self.data = Path(record.data) / "rabbitmq"
        self._data = self.data / "data"
        self.amqp_url = record.amqp_url
        self.api_url = record.api_url
        self.start_broker()

    @property
    def services(self) -> local.Services:
        """Its addresses; it has no database."""
        return local.Services(self.amqp_url, self.api_url, "", "private")

    @property
    def pid(self) -> int | None:
        """The broker's process, while it runs."""
        state = local.set_state(self.root, "broker")
        return state.process("rabbitmq").pid if state is not None else None

    def start_broker(self) -> None:
        """Start the broker, with the data it had; nothing happens when it runs."""
        if self.pid is not None:
            return
        local.stop_set(self.root, "broker")
        local.start_set(
            self.root,
            "broker",
            self._specs,
            owner_pid=int(os.environ[OWNER_VARIABLE]),
            deadline=90,
        )

    def kill_broker(self) -> None:
        """Kill the broker as a power cut would; it stays away until `start_broker`."""
        if self.pid is not None:
            self._await_registrations()
        local.stop_set(self.root, "broker")

    def restart_broker(self) -> None:
        """Kill the broker and start it again; what was confirmed is still there."""
        self.kill_broker()
        self.start_broker()

    def rabbitmqctl(self, *arguments: str) -> None:
        """Run rabbitmqctl against the broker, as the broker's own user."""
        broker = next(spec for spec in self._specs if spec.name == "rabbitmq")
        program = Path(broker.argv[0]).with_name("rabbitmqctl")
        subprocess.run(
            [str(program), *arguments],
            env=dict(broker.env),
            cwd=broker.cwd,
            user=broker.user,
            check=True,
            capture_output=True,
            timeout=60,
        )

    def _await_registrations(self) -> None:
        """Wait until the broker has written down which quorum queues it holds.

        BUG: RabbitMQ (seen on 3.10.8) writes that about a second after declaring a queue. Killed before, it comes
        back with the queue, but empty and without a leader for ever: confirmed messages are lost, consumers hang.
        """
        with httpx.Client(base_url=self.api_url, timeout=HTTP_SECONDS, trust_env=False) as api:
            listed = api.get("/api/queues", params={"columns": "vhost,name,type"}).raise_for_status().json()
        wanted = {f"{queue['vhost']}_{queue['name']}".encode() for queue in listed if queue["type"] == "quorum"}
        deadline = time.monotonic() + HTTP_SECONDS
        while wanted:
            written = b"".join(path.read_bytes() for path in self._data.glob("*/quorum/*/names.dets"))
            wanted = {name for name in wanted if name not in written}
            if wanted and time.monotonic() > deadline:
                raise TimeoutError(f"the broker has not written down {wanted}")
            time.sleep(0.02)

    def close(self) -> None:
        """Stop the broker and remove its folder."""
        local.stop_set(self.root, "broker")
        shutil.rmtree(self.root, ignore_errors=True)


def own_broker(*, tls: bool = False) -> OwnBroker | None:
    """Start a broker of one's own; None where there are no RabbitMQ programs on the machine.

    With `tls` it takes nobody without a certificate of the authority in its folder.
    """
    found = find_rabbitmq()
    if found is None:
        return None
    # In the run's folder, so that it goes with it when the run is killed.
    root = open_folder(f"{_run_folder()}/broker-{secrets.token_hex(6)}")
    record, specs = private.broker_specs(root, found, tls=tls)
    return OwnBroker(root, record, specs)


@dataclass(frozen=True, slots=True)
class OwnDatabase:
    """A PostgreSQL of one's own that takes nobody without TLS and a certificate of the authority in its folder."""

    root: Path
    record: Record

    @property
    def files(self) -> Path:
        """Where the server reads its certificate, its key and the revocation list."""
        return Path(self.record.data) / "postgres" / "tls"

    def close(self) -> None:
        """Stop it and remove its folder."""
        local.stop_set(self.root, "database")
        shutil.rmtree(self.root, ignore_errors=True)


def own_tls_database() -> OwnDatabase | None:
    """Start a PostgreSQL of one's own with TLS; None where there are no programs for it."""
    found = find_postgres()
    if found is None:
        return None
    root = open_folder(f"{_run_folder()}/database-{secrets.token_hex(6)}")
    record = private.new_record(root, "private", durable=False).with_free_ports(names=("postgres",))
    record = replace(record, pki=ensure_authority(root))
    user = service_user(Path(record.data) / "postgres", "postgres", "nobody")
    spec = postgres.prepare(found, record, user)
    local.start_set(root, "database", [spec], owner_pid=int(os.environ[OWNER_VARIABLE]), deadline=60)
    return OwnDatabase(root, record)


def open_folder(path: str) -> Path:
    """Make a folder that the service users can enter, which pytest's own temporary folders are not."""
    root = Path(path)
    root.mkdir(mode=0o711, exist_ok=True)
    root.chmod(0o711)
    return root


def as_role(database: str, role: str) -> str:
    """Return the address of a database in which everything is done with the rights of a role, and no others.

    Roles are the whole server's: their passwords would be shared by all tests, so the owner steps down instead.
    """
    return f"{database}{'&' if '?' in database else '?'}role={role}"


def role_variables(database: str) -> dict[str, str]:
    """Name each service's own address, as its role."""
    return {f"AXIS_{name.upper()}_DATABASE_URL": as_role(database, f"axis_{name}") for name in get_args(Service)}


def _run_folder() -> Path:
    return open_folder(os.environ[ROOT_VARIABLE])


def _with_path(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


async def _make_template(admin_url: str, name: str) -> None:
    await _execute(admin_url, f'DROP DATABASE IF EXISTS "{name}"')
    await _execute(admin_url, f'CREATE DATABASE "{name}"')
    try:
        from axis.store import ensure_roles, migrate
    except ImportError:
        return
    await migrate(_with_path(admin_url, name))
    await ensure_roles(_with_path(admin_url, name))


async def _execute(url: str, statement: str) -> None:
    async with asyncio.timeout(HTTP_SECONDS):
        connection = await asyncpg.connect(url)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


def _in_thread(work: Callable[[], Awaitable[None]]) -> None:
    """Run a coroutine in a thread with a loop of its own: the test's own loop must not be touched."""

    async def run() -> Any:
        return await work()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, run()).result()


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
