"""A small axis for tests: agencies with keys and accounts on a real broker and database, workers as real processes."""

import asyncio
import base64
import contextlib
import datetime as dt
import hashlib
import json
import os
import secrets
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiormq
import httpx
from aiormq.abc import AbstractChannel
from pamqp.commands import Basic
from prometheus_client.parser import text_string_to_metric_families

from axis.broker import Consumer, Link, ManagementApi, Publisher
from axis.core.hybrid import headers_of
from axis.core.lanes import lane_of, mailbox_queue, notices_queue, submit_key
from axis.core.messages import Outgoing, Submission
from axis.core.reading import parse_envelope
from axis.core.topology import WorkerUser, desired, difference
from axis.store import Store
from axis.trust import DemonstrationCA, SigningKey, enrol, new_key
from schemas import Mailbox, Priority, Quota, Receipt
from schemas.wire import ENVELOPE_MEDIA_TYPE, STATUS_EXCHANGE, STATUS_MEDIA_TYPE, SUBMIT_EXCHANGE
from tests.builders import LONG_AGO, as_bytes, envelope_dict, organisation, status_dict
from tests.services import Vhost, role_variables

# Accounts are the broker's, not the virtual host's: the same password everywhere keeps tests out of each other's way.
_SALT = b"rig!"
WORKER = "axis-worker"
DEADLINE_SECONDS = 60.0


def password_of(user: str) -> str:
    return f"secret-{user}"


def hash_of(user: str) -> str:
    digest = hashlib.sha256(_SALT + password_of(user).encode()).digest()
    return base64.b64encode(_SALT + digest).decode()


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@dataclass(slots=True)
class Process:
    """One worker process and its metrics page."""

    process: asyncio.subprocess.Process
    log: Path
    page: str = ""  # known when it is ready

    def kill(self) -> None:
        self.process.kill()

    def events(self, since: int = 0) -> list[dict[str, Any]]:
        """Read what it logged from an offset on; every line has to be JSON."""
        complete, _, _ = self.log.read_bytes()[since:].rpartition(b"\n")  # the last line may be half written
        return [json.loads(line) for line in complete.splitlines()]

    async def counted(self, name: str, **labels: str) -> float:
        """Add up the samples of its metrics page with these labels."""
        async with httpx.AsyncClient(trust_env=False) as client:
            page = (await client.get(self.page)).text
        samples = [sample for family in text_string_to_metric_families(page) for sample in family.samples]
        return sum(each.value for each in samples if each.name == name and labels.items() <= each.labels.items())

    async def stop(self) -> int:
        """Ask it to end and return its exit code."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(DEADLINE_SECONDS):
            return await self.process.wait()

    async def died(self) -> int:
        async with asyncio.timeout(DEADLINE_SECONDS):
            return await self.process.wait()


@dataclass(slots=True)
class Rig:
    """Use `async with rig(...)`; agencies are named by code."""

    vhost: Vhost
    database: str
    folder: Path
    store: Store
    publisher: Publisher
    link: Link
    keys: dict[str, SigningKey] = field(default_factory=dict)
    pems: dict[str, bytes] = field(default_factory=dict)  # their certificates
    axis_key: SigningKey | None = None

    # Making it

    async def connect(self, codes: Iterable[str], *, without_mailbox: Iterable[str] = ()) -> None:
        """Register organisations, give them mailboxes, certificates and broker accounts."""
        codes, bare = list(codes), list(without_mailbox)
        boxes = [Mailbox(code=code, valid_from=LONG_AGO, password_hash=hash_of(code)) for code in codes]
        await self.store.directory.put_organisations([organisation(code) for code in (*codes, *bare)])
        for box in boxes:
            await self.store.directory.put_mailbox(box)
        for code in (*codes, *bare):
            await self.certify(code)
        await self.apply_topology()

    async def certify(self, code: str, *, named: str | None = None, enrolled: bool = True, **changes: Any) -> None:
        """Make a key for a code, kept as `keys[named or code]`; `changes` are made to the enrolled record."""
        authority = DemonstrationCA.open_or_create(self.folder / "ca", now())
        key = new_key("ed25519")
        certificate = authority.issue(code, key, name=code, now=now())
        self.keys[named or code] = SigningKey.from_pem(key, certificate)
        self.pems[named or code] = certificate
        record = enrol(certificate, code, "agency", now(), allow_demonstration=True)
        if enrolled:
            await self.store.directory.put_certificate(record.model_copy(update=changes))

    async def make_axis_key(self) -> None:
        authority = DemonstrationCA.open_or_create(self.folder / "ca", now())
        key = new_key("p256")
        certificate = authority.issue("W00", key, name="axis", now=now())
        folder = self.folder / "axis-key"
        folder.mkdir()
        (folder / "key.pem").write_bytes(key)
        (folder / "certificate.pem").write_bytes(certificate)
        self.axis_key = SigningKey.load(folder)

    async def apply_topology(self) -> None:
        _, mailboxes, _ = await self.store.directory.load()
        worker = WorkerUser(WORKER, hash_of(WORKER))
        wanted = desired(mailboxes, worker_user=worker, at=now(), default=Quota())
        async with ManagementApi(self.vhost.api_url, self.vhost.name) as api:
            await api.apply(difference(wanted, await api.actual()), lambda _: None)

    # Workers

    @contextlib.asynccontextmanager
    async def worker(self, name: str, *, script: str | None = None, **settings: str) -> AsyncIterator[Process]:
        """Run a worker as a process of its own until the block ends.

        `script`: a program of tests/ in its place, which may be gone before it is ready.
        """
        log = self.folder / f"{name}-{secrets.token_hex(4)}.log"
        # Any free port: it says in its log which one it took. One chosen here may be another's by then.
        env = {**os.environ, **self.environment(), "AXIS_METRICS_PORT": "0"}
        env |= {f"AXIS_{key.upper()}": value for key, value in settings.items()}
        argv = [sys.executable, "-m", "workers", name] if script is None else [sys.executable, script, name]
        with log.open("wb") as out:
            process = await asyncio.create_subprocess_exec(*argv, env=env, stdout=out, stderr=out)
        running = Process(process, log)
        try:
            if script is None:
                await until(lambda: _ready(running))
            yield running
        except BaseException:
            if process.returncode is None:
                await running.stop()
            raise
        if process.returncode is None:
            assert await running.stop() == 0, log.read_text()

    def environment(self) -> dict[str, str]:
        """Name the settings of a worker process."""
        return {
            "AXIS_HOME": str(self.folder),
            "AXIS_AMQP_URL": self.vhost.amqp_url,
            "AXIS_WORKER_AMQP_URL": self.url_of(WORKER),
            "AXIS_RABBITMQ_API_URL": self.vhost.api_url,
            "AXIS_DATABASE_URL": self.database,
            **role_variables(self.database),
            "AXIS_KEY_FOLDER": str(self.folder / "axis-key"),
            "AXIS_LOG_FORMAT": "json",
        }

    def url_of(self, user: str) -> str:
        """Write the AMQP address of an account."""
        scheme, _, rest = self.vhost.amqp_url.partition("://")
        return f"{scheme}://{user}:{password_of(user)}@{rest.rpartition('@')[2]}"

    # What agencies do

    def envelope(self, sender: str = "G22", recipients: Sequence[str] = ("H37",), **changes: Any) -> dict[str, Any]:
        """Build a valid envelope made now."""
        from axis.core.ids import new_id

        fresh = {"id": new_id(now()), "sent_at": now().isoformat()}
        return envelope_dict(**{"sender": sender, "recipients": list(recipients), **fresh, **changes})

    def submission(self, body: bytes | dict[str, Any], *, key: str | None = None, **changes: Any) -> Outgoing:
        """Sign an envelope (by the key of its sender, or of `key`) and address it as its sender would."""
        raw = body if isinstance(body, bytes) else as_bytes(body)
        identifier = sender = ""
        routing_key = ""
        if isinstance(body, dict):
            identifier, sender = body["id"], body["sender"]
            routing_key = submit_key(lane_of(Priority(body["document"].get("priority", "normal"))), sender)
        base: dict[str, Any] = {
            "exchange": SUBMIT_EXCHANGE,
            "routing_key": routing_key,
            "body": raw,
            "type": "document",
            "content_type": ENVELOPE_MEDIA_TYPE,
            "message_id": identifier,
            "headers": headers_of(self.keys[key or sender].sign(raw)) if (key or sender) else {},
            "user_id": sender,
        }
        return Outgoing(**{**base, **changes})

    def status(self, reporter: str, envelope: str, code: str, **changes: Any) -> Outgoing:
        """Sign a status made now and address it as its reporter would."""
        from axis.core.ids import new_id

        fields = {k: v for k, v in changes.items() if k in {"reason", "recipient", "id", "destroyed"}}
        body = status_dict(**{"id": new_id(now()), "reporter": reporter, "envelope": envelope, "code": code, **fields})
        raw = as_bytes(body)
        base: dict[str, Any] = {
            "exchange": STATUS_EXCHANGE,
            "routing_key": reporter,
            "body": raw,
            "type": "status",
            "content_type": STATUS_MEDIA_TYPE,
            "message_id": body["id"],
            "headers": headers_of(self.keys[reporter].sign(raw)),
            "user_id": reporter,
        }
        return Outgoing(**{**base, **{k: v for k, v in changes.items() if k not in fields}})

    async def send_as(self, account: str, *messages: Outgoing) -> None:
        """Publish under an agency's own account, one right behind the other; headers may be anything AMQP can say."""
        await self.send_through(self.url_of(account), *messages)

    async def send_through(self, url: str, *messages: Outgoing) -> None:
        """Publish under the account of an address."""
        # Through a client of somebody else's: ours would not say everything that AMQP can.
        async with asyncio.timeout(DEADLINE_SECONDS), aiormq.connect(url) as connection:
            channel = await connection.channel(publisher_confirms=True)
            await asyncio.gather(*(publish(channel, message) for message in messages))

    async def take(self, queue: str, count: int, *, settle: float = 0.0) -> list[Submission]:
        """Take and ack `count` messages, and whatever more comes within `settle` seconds after them."""
        consumer = Consumer(self.link, queue)
        found: list[Submission] = []
        batches = consumer.batches()
        async with contextlib.aclosing(batches):
            while True:
                try:
                    async with asyncio.timeout(DEADLINE_SECONDS if len(found) < count else settle):
                        batch = await anext(batches)
                except TimeoutError:
                    if len(found) < count:
                        state = (await self.link.queue_states([queue]))[queue]
                        raise AssertionError(f"{queue}: {len(found)} of {count} came; it is now {state}") from None
                    return found
                found.extend(received.submission for received in batch.messages)
                await batch.ack()

    async def waiting(self, queue: str) -> int:
        """Count what is ready in a queue; what a consumer holds is not."""
        state = (await self.link.queue_states([queue]))[queue]
        return 0 if state is None else state.messages

    async def mail(self, code: str, count: int, lane: str = "normal") -> list[Submission]:
        """Take documents from a mailbox."""
        return await self.take(mailbox_queue("urgent" if lane == "urgent" else "normal", code), count)

    async def notices(self, code: str, count: int) -> list[Submission]:
        """Take notices."""
        return await self.take(notices_queue(code), count)

    async def receipts(self, code: str, count: int) -> list[Receipt]:
        """Take notices that are receipts."""
        found = await self.notices(code, count)
        return [Receipt.model_validate_json(each.body) for each in found]


def _ready(running: Process) -> bool:
    if running.process.returncode is not None:
        raise AssertionError(running.log.read_text())
    if b'"ready"' in running.log.read_bytes():
        running.page = next((each["metrics"] for each in running.events() if each["event"] == "ready"), "")
    return bool(running.page)


async def publish(channel: AbstractChannel, message: Outgoing) -> None:
    """Publish through a client of somebody else's, mandatory, and await the confirm where the channel has them."""
    properties = Basic.Properties(
        content_type=message.content_type,
        headers=dict(message.headers),
        delivery_mode=2,
        message_id=message.message_id,
        message_type=message.type,
        user_id=message.user_id,
    )
    await channel.basic_publish(
        message.body, exchange=message.exchange, routing_key=message.routing_key, properties=properties, mandatory=True
    )


@contextlib.asynccontextmanager
async def rig(vhost: Vhost, database: str, folder: Path) -> AsyncIterator[Rig]:
    """Make an axis without agencies and workers."""
    async with Store.connect(database, name="rig") as store, Link(vhost.amqp_url, "rig") as link:
        made = Rig(vhost, database, folder, store, Publisher(link), link)
        await made.make_axis_key()
        yield made


async def until(condition: Callable[[], Any], seconds: float = DEADLINE_SECONDS) -> None:
    """Await a condition (a function or coroutine function) by asking again."""
    async with asyncio.timeout(seconds):
        while True:
            result = condition()
            if await result if asyncio.iscoroutine(result) else result:
                return
            await asyncio.sleep(0.05)


def envelope_id(message: Submission) -> str:
    """Read the id in the body of a delivered envelope."""
    return parse_envelope(message.body).id
