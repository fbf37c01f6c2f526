"""Where benches run: private nodes with the durability of production, and a fresh axis for each bench."""

import asyncio
import contextlib
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pamqp import commands

from axis import local
from axis.broker import Link, Publisher
from axis.broker.channel import Channel
from axis.core.messages import Outgoing
from axis.local import private
from axis.trust import DemonstrationCA, SigningKey, enrol, new_key
from schemas import Mailbox
from tests import services as real
from tests.bench.processes import cpu_seconds, quiet
from tests.bench.stored import fill
from tests.builders import LONG_AGO, organisation
from tests.rig import Rig, hash_of, now, rig

Progress = Callable[[str], None]

SENDER = "G22"
BODY_BYTES = 2048
FILLED_DAYS = 45.0  # reaches into last month, so that there is a month to detach
_AT_ONCE = 500
_PURGE_SECONDS = 60


class BenchFailed(Exception):
    """A bench could not measure what it promises; the text says why."""


@dataclass(frozen=True, slots=True)
class Servers:
    """The process trees of broker and database; None when they are not on this machine."""

    broker: int | None
    database: int | None

    def cpu(self) -> "Cpu":
        return Cpu(
            *(None if pid is None else cpu_seconds(pid) for pid in (self.broker, self.database)),
        )


@dataclass(frozen=True, slots=True)
class Cpu:
    """Seconds of processor time used so far."""

    broker: float | None
    database: float | None


@dataclass(slots=True)
class World:
    """A fresh axis on the run's servers."""

    axis: Rig
    servers: Servers
    progress: Progress
    channels: dict[str, Channel] = field(default_factory=dict)
    pem: dict[str, tuple[bytes, bytes]] = field(default_factory=dict)  # code -> key, certificate

    async def join(self, codes: Sequence[str], *, key_kind: str = "p256", mailboxes: bool = True) -> None:
        """Register organisations with mailboxes and accounts; all sign with one key of the kind, each its own cert."""
        directory = self.axis.store.directory
        await directory.put_organisations([organisation(code) for code in codes])
        for code in codes if mailboxes else ():
            await directory.put_mailbox(Mailbox(code=code, valid_from=LONG_AGO, password_hash=hash_of(code)))
        await self.axis.apply_topology()
        for code in codes[:2]:  # those who will sign: senders and reporters come first
            await self.certify(code, key_kind)

    async def certify(self, code: str, key_kind: str = "p256") -> None:
        """Enrol a certificate for a code."""
        authority = DemonstrationCA.open_or_create(self.axis.folder / "ca", now())
        key = new_key(key_kind)
        certificate = authority.issue(code, key, name=code, now=now())
        self.pem[code] = (key, certificate)
        self.axis.keys[code] = SigningKey.from_pem(key, certificate)
        await self.axis.store.directory.put_certificate(
            enrol(certificate, code, "agency", now(), allow_demonstration=True)
        )

    def envelopes(
        self, count: int, *, recipients: Sequence[str] = ("H37",), sender: str = SENDER, priority: str = "normal"
    ) -> list[Outgoing]:
        """Sign fresh envelopes of 2 KiB (more when the recipients alone need more)."""
        return [self._envelope(recipients, sender, priority) for _ in range(count)]

    def _envelope(self, recipients: Sequence[str], sender: str, priority: str) -> Outgoing:
        document = {"priority": priority, "abstract": ""}
        bare = self.axis.envelope(sender, recipients, document=document)
        missing = BODY_BYTES - len(self.axis.submission(bare).body)
        bare["document"]["abstract"] = "x" * max(1, missing)
        return self.axis.submission(bare)

    async def submit(self, messages: Sequence[Outgoing], account: str = SENDER) -> None:
        """Publish as an agency, and wait until the broker has done what that gives it to do."""
        async with Link(self.axis.url_of(account), "bench") as link:
            publisher = Publisher(link)
            for start in range(0, len(messages), _AT_ONCE):
                outcomes = await publisher.publish_many(messages[start : start + _AT_ONCE])
                if failed := [outcome for outcome in outcomes if outcome is not None]:
                    raise BenchFailed(f"filling the queue: {failed[0].detail}")
        await quiet(self.servers.broker)

    async def depth(self, queue: str) -> int:
        """Count what is ready in a queue, over one channel that stays open."""
        answer = await (await self._channel()).ask(commands.Queue.Declare(queue=queue, passive=True))
        if not isinstance(answer, commands.Queue.DeclareOk):
            raise BenchFailed(f"{queue}: the broker answered {answer.name}")
        return answer.message_count or 0

    async def empty(self, *queues: str) -> None:
        """Throw away what lies in queues."""
        for queue in queues:
            async with asyncio.timeout(_PURGE_SECONDS):
                await (await self._channel()).ask(commands.Queue.Purge(queue=queue))

    async def _channel(self) -> Channel:
        channel = self.channels.get("look")
        if channel is None or channel.closed is not None:
            channel = self.channels["look"] = await self.axis.link.channel(Channel)
        return channel


@dataclass(frozen=True, slots=True)
class Stage:
    """The servers of one run."""

    services: local.Services
    template: str
    servers: Servers
    versions: str
    kept: contextlib.ExitStack
    broker_data: Path | None = None
    filled: dict[str, int] = field(default_factory=dict)  # database -> envelopes in it

    @contextlib.asynccontextmanager
    async def world(self, progress: Progress, *, database: str | None = None) -> AsyncIterator[World]:
        """Make an axis without agencies, on a database of its own or on a given one; it is gone afterwards."""
        # In the run's folder, so that it goes with it when the run is killed.
        folder = Path(tempfile.mkdtemp(prefix="bench-", dir=os.environ[real.ROOT_VARIABLE]))
        try:
            with contextlib.ExitStack() as stack:
                vhost = stack.enter_context(real.fresh_vhost(self.services))
                if database is None:
                    database = stack.enter_context(real.fresh_database(self.services, self.template))
                async with rig(vhost, database, folder) as axis:
                    yield World(axis, self.servers, progress)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    async def grown(self, count: int, progress: Progress) -> str:
        """Return the run's one database that grows, with at least so many envelopes in it."""
        database = next(iter(self.filled), None)
        if database is None:
            database = self.kept.enter_context(real.fresh_database(self.services, self.template))
        missing = count - self.filled.get(database, 0)
        if missing > 0:
            progress(f"filling a store with {count:,} envelopes")
            await fill(database, missing, days=FILLED_DAYS, seed=str(count))
            self.filled[database] = count
        return database


@contextlib.contextmanager
def stage(progress: Progress) -> Iterator[Stage]:
    """Start broker and database for one run, durable as in production (fsync on), and stop them after it."""
    real.begin_run()
    try:
        root = real.open_folder(os.environ[real.ROOT_VARIABLE])
        services = local.up(root, progress=progress, assume_yes=True, owner_pid=os.getpid(), scratch=root)
        template = real.migrated_template(services)
        state = local.set_state(root, private.SET_NAME) if services.kind == "private" else None
        pids = [None if state is None else state.process(name).pid for name in ("rabbitmq", "postgres")]
        versions = ", ".join(f"{k.removeprefix('version of ')} {v}" for k, v in services.details.items() if "of" in k)
        with contextlib.ExitStack() as kept:
            data = services.details.get("data")
            folder = None if data is None else Path(data) / "rabbitmq"
            yield Stage(services, template, Servers(*pids), versions, kept, folder)
    finally:
        real.end_run()
