"""The axis under fire: broker, database, workers and traffic of one scenario."""

import asyncio
import contextlib
import json
import logging
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

from pydantic import SecretStr

from axis.core.lanes import LANES, mailbox_queue, notices_queue, route_queue
from axis.errors import Unavailable
from axis.faults import networks
from axis.faults.brokers import Broker, Node
from axis.faults.clusters import Cluster
from axis.faults.databases import Database
from axis.faults.fleet import WorkerProcess
from axis.faults.members import WORKER, account_url, apply_topology, enrol_all, utc_now
from axis.faults.processes import accepts
from axis.faults.scenario import DEFAULT_SETTINGS, Budget, Shape
from axis.faults.traffic import Place, Traffic
from axis.faults.wires import Wires
from axis.local.ports import LOOPBACK, free_port
from axis.local.private import new_record
from axis.local.programs import Rabbitmq, find_postgres, find_rabbitmq
from axis.local.record import Record
from axis.settings import Settings
from axis.store import Store, migrate
from schemas.wire import QUARANTINE_QUEUE, TRACK_QUEUE

_FLOWING_SECONDS = 60.0
_LOOK_SECONDS = 0.05


class Field:
    """Get it with `async with Field.open(…)`; everything of it ends with the block."""

    def __init__(
        self, folder: Path, broker: Broker, database: Database, settings: Settings, environment: Mapping[str, str]
    ) -> None:
        self.folder = folder
        self.broker = broker
        self.database = database
        self.settings = settings
        self.environment = dict(environment)
        self.workers: list[WorkerProcess] = []
        self.gateway: WorkerProcess | None = None
        self.wires: Wires | None = None
        self.traffic: Traffic
        self.events: Counter[str] = Counter()
        self.unexplained: list[str] = []
        self.expected_quarantine: set[str] = set()  # message ids that a scenario wants there
        self.expected_receipts: set[tuple[str, str]] = set()  # (envelope, code) of refusals that a scenario provokes
        self.rounds = 0
        self._budget = Budget(events=0)

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, shape: Shape, *, seed: int, folder: Path | None = None) -> AsyncIterator["Field"]:
        """Start an axis of this shape in a folder of its own, with traffic flowing. `folder`: kept afterwards."""
        rabbitmq, postgres = find_rabbitmq(), find_postgres()
        if rabbitmq is None or postgres is None:
            raise Unavailable("RabbitMQ or PostgreSQL is not on this machine; `make demo` installs them")
        async with contextlib.AsyncExitStack() as stack:
            place = folder or _temporary(stack)
            # The nodes run as users of their own, who have to enter.
            place.chmod(0o711)
            (place / "log").mkdir()
            stack.enter_context(_logging(place / "log" / "agencies.log"))
            record = new_record(place, "private").with_free_ports()
            record.write(place)
            if not Path(record.data).is_relative_to(place):
                stack.callback(shutil.rmtree, record.data, ignore_errors=True)
            broker = _broker(record, rabbitmq, place / "log", shape)
            stack.push_async_callback(broker.close)
            database = await Database.make(record, postgres, place / "log")
            stack.push_async_callback(database.close)
            async with asyncio.TaskGroup() as group:
                group.create_task(broker.start())
                group.create_task(database.start())
            field = cls(place, broker, database, *_settings(place, broker, database, shape))
            if shape.wires:
                field.wires = await stack.enter_async_context(Wires.laid(broker.amqp_url, database.url))
                field.environment["AXIS_WORKER_AMQP_URL"] = account_url(field.wires.workers_url, WORKER)
                field.environment["AXIS_DATABASE_URL"] = field.wires.database_url
            stack.push_async_callback(field._close_workers)
            await field._prepare(shape, seed)
            async with field.traffic.running():
                yield field

    # What scenarios ask

    def begin(self, budget: Budget) -> None:
        """Start counting anew: another scenario, or the same once more."""
        self._budget = budget
        self.events.clear()
        self.rounds = 0
        self._budget.used_up(0)

    @property
    def is_long(self) -> bool:
        """Whether there is time for what takes a minute or two."""
        return self._budget.is_long

    def over(self) -> bool:
        """Say whether the budget is used up; counts one round a call."""
        self.rounds += 1
        return self._budget.used_up(self.events.total())

    def event(self, kind: str, **detail: Any) -> None:
        """Note one fault event."""
        self.events[kind] += 1
        self.note(kind, **detail)

    def explain(self, finding: str) -> None:
        """Note that something went wrong which nothing explains."""
        self.unexplained.append(finding)
        self.note("unexplained", finding=finding)

    def note(self, kind: str, **detail: Any) -> None:
        """Add a line to `events.jsonl`, to be read beside the logs; it counts nothing."""
        at = utc_now().isoformat(timespec="milliseconds")
        with (self.folder / "events.jsonl").open("a", encoding="utf-8") as journal:
            journal.write(json.dumps({"at": at, "kind": kind, **detail}, ensure_ascii=False, default=str) + "\n")

    async def calm(self, seconds: float) -> None:
        """Let traffic flow for a while."""
        await asyncio.sleep(seconds)

    async def flowing(self, deadline: float = _FLOWING_SECONDS, *, without: Sequence[str] = ()) -> bool:
        """Wait until documents begun from now on arrive in every mailbox and lane; not doing so is a finding."""
        since = self.traffic.records.tick()
        wanted = [(lane, code) for lane in LANES for code in self.traffic.codes if code not in without]
        arrived = self.traffic.records.arrived
        end = time.monotonic() + deadline
        try:
            while missing := [place for place in wanted if arrived.get(place, 0) < since]:
                if time.monotonic() >= end:
                    self.explain(f"nothing new arrives within {deadline:g} s in {missing}")
                    return False
                self.traffic.sought = missing  # chance alone takes three times as long to come to all of them
                await asyncio.sleep(_LOOK_SECONDS)
        finally:
            self.traffic.sought = ()
        return True

    async def eventually(self, look: Callable[[], Awaitable[bool]], deadline: float) -> bool:
        """Wait for something to be so by asking again and again; False when it is not within the deadline."""
        end = time.monotonic() + deadline
        while not await look():
            if time.monotonic() >= end:
                return False
            await asyncio.sleep(_LOOK_SECONDS)
        return True

    def kind(self, name: str) -> list[WorkerProcess]:
        """Return the workers of one kind."""
        return [worker for worker in self.workers if worker.kind == name]

    async def start_worker(self, kind: str, *, argv: Sequence[str] | None = None, **settings: str) -> WorkerProcess:
        """Start a worker and return when it works."""
        (worker,) = await self.start_workers([kind], argv=argv, **settings)
        return worker

    async def start_workers(
        self, kinds: Sequence[str], *, argv: Sequence[str] | None = None, **settings: str
    ) -> list[WorkerProcess]:
        """Start workers side by side and return when all of them work."""
        environment = self.environment | {f"AXIS_{key.upper()}": value for key, value in settings.items()}
        started = [WorkerProcess.start(kind, environment, self.folder, argv=argv) for kind in kinds]
        self.workers.extend(started)
        for worker in started:
            await worker.ready()
        return started

    async def stop_worker(self, worker: WorkerProcess) -> int:
        """Ask a worker to end and return its exit code."""
        worker.terminate()
        code = await worker.wait()
        self.workers.remove(worker)
        return code

    async def kill_worker(self, worker: WorkerProcess) -> None:
        """SIGKILL a worker."""
        worker.kill()
        await worker.wait()
        self.workers.remove(worker)

    @property
    def queues(self) -> dict[str, int]:
        """Every queue that somebody has to consume from, and how many have to."""
        number = Counter(worker.kind for worker in self.workers)
        wanted = {route_queue(lane): number["router"] for lane in LANES}
        wanted |= {TRACK_QUEUE: number["tracker"], QUARANTINE_QUEUE: number["relay"]}
        for code in self.traffic.codes:
            wanted |= {mailbox_queue(lane, code): 1 for lane in LANES} | {notices_queue(code): 1}
        return wanted

    async def consumed(self, deadline: float = _FLOWING_SECONDS) -> bool:
        """Wait until every queue has the consumers it has to have, as the broker says; not doing so is a finding."""
        end = time.monotonic() + deadline
        wanted = self.queues
        while True:
            try:
                states = await self.broker.states(list(wanted))
                missing = {name: state[0] for name, state in states.items() if state[0] != wanted[name]}
                said = f"the broker counts other consumers than there have to be: {missing}"
            except Unavailable as error:
                missing, said = {"": 0}, f"the broker does not tell who consumes: {error}"
            if not missing:
                return True
            if time.monotonic() >= end:
                self.explain(f"{said} (after {deadline:g} s)")
                return False
            await asyncio.sleep(_LOOK_SECONDS)

    async def _prepare(self, shape: Shape, seed: int) -> None:
        await migrate(self.database.url)
        async with Store.connect(self.database.url, name="faults") as store:
            await store.ensure_partitions(utc_now())
            members = await enrol_all(store, self.folder)
            await apply_topology(store, self.broker.amqp_url, self.broker.api_url)
        kinds = ["router"] * shape.routers + ["tracker"] * shape.trackers + ["relay"] * shape.relays
        async with asyncio.TaskGroup() as group:
            group.create_task(self.start_workers(kinds))
            group.create_task(self.broker.settled())
        place = Place(
            self.wires.agencies_url if self.wires else self.broker.amqp_url,
            (self.folder / "axis-key" / "certificate.pem").read_bytes(),
            self.folder,
            self.settings.gateway_url if shape.gateway else None,
        )
        if shape.gateway:
            await self.start_gateway()
        self.traffic = Traffic(place, members, Random(seed), self.explain)
        self.traffic.rate = shape.rate or self.traffic.rate
        self.traffic.limit = shape.limit or self.traffic.limit

    async def start_gateway(self, deadline: float = _FLOWING_SECONDS) -> WorkerProcess:
        """Start the gateway and return when it takes connections."""
        argv = (sys.executable, "-m", "axis.gateway")
        self.gateway = WorkerProcess.start("gateway", self.environment, self.folder, argv=argv)
        end = time.monotonic() + deadline
        while not await accepts(LOOPBACK, self.settings.gateway_port):
            if not self.gateway.alive or time.monotonic() > end:
                raise Unavailable(f"the gateway is not ready: {self.gateway.log}")
            await asyncio.sleep(_LOOK_SECONDS)
        return self.gateway

    async def _close_workers(self) -> None:
        gateway = [] if self.gateway is None else [self.gateway]
        for worker in [*self.workers, *gateway]:
            await worker.close()


def _temporary(stack: contextlib.AsyncExitStack) -> Path:
    place = Path(tempfile.mkdtemp(prefix="axis-faults-"))
    stack.callback(shutil.rmtree, place, ignore_errors=True)
    return place


def _broker(record: Record, found: Rabbitmq, log_folder: Path, shape: Shape) -> Broker:
    if shape.broker_nodes == 1:
        return Node(record, found, log_folder)
    # Where there can be no networks the nodes share the loopback, and no cable between them can be cut.
    network = None if networks.impossible() else networks.Network(shape.broker_nodes)
    return Cluster(record, found, log_folder, network)


@contextlib.contextmanager
def _logging(path: Path) -> Iterator[None]:
    """Keep what the SDK says: it is told of every fault, thousands of times."""
    log, handler = logging.getLogger("axis"), logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    log.addHandler(handler)
    before, log.propagate = log.propagate, False
    try:
        yield
    finally:
        log.propagate = before
        log.removeHandler(handler)
        handler.close()


def _settings(place: Path, broker: Broker, database: Database, shape: Shape) -> tuple[Settings, dict[str, str]]:
    port = free_port()
    worker_url = account_url(broker.amqp_url, WORKER)
    named = {
        "home": str(place),
        "amqp_url": broker.amqp_url,
        "worker_amqp_url": worker_url,
        "rabbitmq_api_url": broker.api_url,
        "database_url": database.url,
        "key_folder": str(place / "axis-key"),
        "gateway_port": str(port),
        "gateway_url": f"http://127.0.0.1:{port}",
        "allow_plaintext": "true",  # networks of our own, on this machine
        "log_format": "json",
        **DEFAULT_SETTINGS,
        **shape.settings,
    }
    settings = Settings.model_validate({**named, "worker_amqp_url": SecretStr(worker_url)})
    return settings, {f"AXIS_{name.upper()}": value for name, value in named.items()}
