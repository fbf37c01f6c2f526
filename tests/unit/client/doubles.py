"""An agency without a broker: a post office in memory that can fail at any step, and a gateway that is a dict."""

import asyncio
import datetime as dt
import hashlib
import json
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from pydantic import SecretStr

from axis.broker import FakeBroker, Received
from axis.broker.fake import FakeBatch, FakeConsumer
from axis.client import AgencySettings
from axis.client.addressing import Way, Ways
from axis.client.building import Author, File
from axis.client.gateway import Uploaded
from axis.core.ids import new_id
from axis.core.lanes import replay_queue
from axis.core.messages import Outgoing, Submission
from axis.core.topology import WorkerUser, desired, replay_place
from axis.errors import NotFound, Refused, Unavailable
from axis.trust import SealingKey, SigningKey, thumbprint
from schemas import Action, Certificate, Document, Mailbox, Priority, Receipt, StatusCode
from schemas.wire import RECEIPT_MEDIA_TYPE, SIGNATURE_HEADER

NOW = dt.datetime(2026, 11, 24, 8, 0, tzinfo=dt.UTC)


class Clock:
    """A clock that moves a millisecond each time it is read."""

    def __init__(self) -> None:
        self.time = NOW

    def __call__(self) -> dt.datetime:
        self.time += dt.timedelta(milliseconds=1)
        return self.time


@dataclass(frozen=True)
class Identity:
    """A key with a certificate, as it is enrolled."""

    key: SigningKey
    certificate: Certificate
    key_pem: bytes
    certificate_pem: bytes


def identity(code: str, role: str = "agency", *, not_after: dt.datetime = NOW + dt.timedelta(days=365)) -> Identity:
    """Make one."""
    key = Ed25519PrivateKey.generate()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, code)])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - dt.timedelta(days=365))
        .not_valid_after(not_after)
        .sign(key, None)
    )
    pem = made.public_bytes(Encoding.PEM)
    key_pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    der = made.public_bytes(Encoding.DER)
    certificate = Certificate.model_validate(
        {
            "thumbprint": thumbprint(der),
            "organisation": code,
            "role": role,
            "subject": code,
            "not_before": made.not_valid_before_utc,
            "not_after": made.not_valid_after_utc,
            "der": der,
        }
    )
    return Identity(SigningKey.from_pem(key_pem, pem), certificate, key_pem, pem)


class TappedBatch:
    """A batch of the broker's whose channel can be lost under the holder."""

    def __init__(self, batch: FakeBatch) -> None:
        self._batch = batch
        self.messages = batch.messages
        self.open = {received.tag: received.submission for received in batch.messages}
        self.gone = False

    async def ack_some(self, *received: Received) -> None:
        if self.gone:
            raise Unavailable("the channel is gone")
        await self._batch.ack_some(*received)
        for each in received:
            self.open.pop(each.tag, None)

    async def release(self) -> None:
        self.open.clear()
        await self._batch.release()

    async def lose(self) -> None:
        self.gone = True
        await self.release()


class Tap:
    """A consumer that shows what it has handed over."""

    def __init__(self, consumer: FakeConsumer, batches: list[TappedBatch]) -> None:
        self._consumer = consumer
        self._batches = batches

    async def batches(self) -> AsyncGenerator[TappedBatch, None]:
        mine: list[TappedBatch] = []
        try:
            async with aclosing(self._consumer.batches()) as batches:
                async for batch in batches:
                    mine.append(TappedBatch(batch))
                    self._batches.append(mine[-1])
                    yield mine[-1]
        finally:
            for tapped in mine:
                tapped.open.clear()  # what was unsettled went back with the channel


class Post:
    """The broker in memory, with what was published and switches for what goes wrong."""

    def __init__(self) -> None:
        mailbox = Mailbox(code="H37", valid_from=NOW, password_hash="x")
        wanted = desired([mailbox], worker_user=WorkerUser("axis-worker", "x"), at=NOW)
        self.broker = FakeBroker(replace(wanted, queues=(*wanted.queues, replay_place(replay_queue("H37")))))
        self.published: list[Outgoing] = []
        self.deaf = False  # publishes get through, their confirms do not
        self._batches: list[TappedBatch] = []

    @property
    def away(self) -> bool:
        """Whether nothing gets through."""
        return self.broker.away

    @away.setter
    def away(self, away: bool) -> None:
        self.broker.away = away

    @property
    def publisher(self) -> "Post":
        return self

    @property
    def unacked(self) -> list[Submission]:
        return [submission for batch in self._batches for submission in batch.open.values()]

    def waiting(self, queue: str) -> list[str | None]:
        """The ids that wait in a queue."""
        return [submission.message_id for submission in self.broker.messages(queue)]

    def source(self, queue: str) -> Tap:
        return Tap(self.broker.consumer(queue, batch=4), self._batches)

    async def publish_many(self, messages: Sequence[Outgoing]) -> list[Unavailable | None]:
        outcomes = await self.broker.publisher().publish_many(messages)
        self.published += [message for message, outcome in zip(messages, outcomes, strict=True) if outcome is None]
        return [Unavailable("no confirm") if self.deaf else outcome for outcome in outcomes]

    async def put(self, queue: str, *submissions: Submission) -> None:
        """Deliver, as the axis does."""
        for each in submissions:
            headers = {key: str(value) for key, value in each.headers.items()}
            message = Outgoing(
                "" if queue.startswith("replay.") else "axis.deliver",
                queue,
                each.body,
                each.type or "",
                each.content_type or "",
                each.message_id or "",
                headers,
            )
            (outcome,) = await self.broker.publisher().publish_many([message])
            assert outcome is None, outcome

    async def cut(self) -> None:
        """Lose every channel: what is unacked comes again, and acks of before are too late."""
        for batch in self._batches:
            await batch.lose()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something to be so; the test's own timeout ends a wait in vain."""
        async with asyncio.timeout(10):
            while not condition():  # noqa: ASYNC110 - any condition at all
                await asyncio.sleep(0.005)

    def statuses(self) -> list[tuple[str, str, str | None, str | None]]:
        """What was reported: code, reporter, recipient, reason."""
        bodies = [json.loads(message.body) for message in self.published if message.type == "status"]
        return [(each["code"], each["reporter"], each.get("recipient"), each.get("reason")) for each in bodies]


@dataclass
class Shelf:
    """The gateway: files and certificates by name."""

    certificates: dict[str, Certificate] = field(default_factory=dict)
    mailboxes: dict[str, str] = field(default_factory=dict)  # recipient -> mailbox, where they differ
    for_sealing: list[Certificate] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    proofs: dict[str, str] = field(default_factory=dict)  # receipt -> c2sp.org/tlog-proof
    away: bool = False
    refuses: str | None = None
    asked: int = 0

    def enrol(self, *identities: Identity) -> None:
        for each in identities:
            self.certificates[each.certificate.thumbprint] = each.certificate

    async def upload(self, file: File) -> Uploaded:
        self._check()
        data = b"".join(file.chunks(1000))
        digest = hashlib.sha256(data).hexdigest()
        self.files[digest] = data
        return Uploaded(digest, len(data))

    async def download(self, sha256: str, size: int) -> AsyncGenerator[bytes, None]:
        self._check()
        data = self.files[sha256]
        if hashlib.sha256(data).hexdigest() != sha256 or len(data) != size:
            yield data[:-1]
            raise Refused("blob/digest")
        yield data

    async def certificate(self, thumbprint: str) -> Certificate | None:
        self.asked += 1
        self._check()
        return self.certificates.get(thumbprint)

    async def ways(self, recipients: Sequence[str]) -> Ways:
        self._check()
        ways = tuple(Way(recipient=code, mailbox=self.mailboxes.get(code, code)) for code in recipients)
        reached = {way.mailbox for way in ways}
        return Ways(ways, tuple(each for each in self.for_sealing if each.organisation in reached))

    async def proof(self, receipt_id: str) -> tuple[str, bytes | None]:
        self._check()
        if receipt_id not in self.proofs:
            raise NotFound(receipt_id, code="log/not-logged")
        return self.proofs[receipt_id], None

    def _check(self) -> None:
        if self.away:
            raise Unavailable("the gateway is away")
        if self.refuses:
            raise Refused(self.refuses)


@dataclass
class World:
    """H37's surroundings: its settings, the post office, the gateway, and G22 that writes to it."""

    settings: AgencySettings
    post: Post
    shelf: Shelf
    clock: Clock
    axis: Identity
    sender: Identity
    own: Identity

    def connect(self, **changes: Any) -> Any:
        from axis.client import Agency

        arguments = {"transport": self.post, "gateway": self.shelf, "now": self.clock, **changes}
        return Agency.connect(self.settings, **arguments)

    def document(
        self,
        *,
        sender: str = "G22",
        recipients: Sequence[str] = ("H37",),
        by: Identity | None = None,
        urgent: bool = False,
        routes: Mapping[str, list[int]] | None = None,
        attachments: Sequence[dict[str, object]] = (),
        sealed: dict[str, object] | None = None,
        identifier: str | None = None,
        action: Action = Action.NEW,
        concerns: str | None = None,
        reason: str | None = None,
        document_id: str | None = None,
        body: Callable[[bytes], bytes] = lambda body: body,
    ) -> Submission:
        author = Author(sender, (by or self.sender).key, self.clock)
        document = paper(Priority.URGENT if urgent else Priority.NORMAL)
        entry = author.envelope(
            sender=sender,
            recipients=recipients,
            document=document.model_copy(update={"document_id": document_id or document.document_id}),
            attachments=attachments,
            sealed=sealed,
            identifier=identifier,
            action=action,
            concerns=concerns,
            reason=reason,
        )
        headers: dict[str, object] = {SIGNATURE_HEADER: entry.signature}
        if routes is not None:
            headers["axis-routes"] = json.dumps(routes)
        return Submission(body(entry.body), "axis.deliver", "", None, "document", entry.media_type, entry.id, headers)

    def status(self, envelope: str, code: StatusCode, *, by: Identity | None = None) -> Submission:
        entry = Author("G22", (by or self.sender).key, self.clock).status(envelope, code)
        headers: dict[str, object] = {SIGNATURE_HEADER: entry.signature}
        return Submission(entry.body, "axis.deliver", "", None, "status", entry.media_type, entry.id, headers)

    def receipt(
        self,
        message_id: str,
        *,
        by: Identity | None = None,
        account: str = "H37",
        retry_after: int | None = None,
        also: Mapping[str, object] | None = None,
    ) -> Submission:
        receipt = Receipt.model_validate(
            {
                "schema": "axis.receipt/1",
                "id": new_id(self.clock()),
                "message_type": "document",
                "message_id": message_id,
                "message_sha256": "0" * 64,
                "account": account,
                "outcome": "refused",
                "code": "recipient/unknown" if retry_after is None else "limit/messages",
                "retry_after": retry_after,
                "at": self.clock(),
            },
            strict=False,
        )
        body = json.dumps({**receipt.model_dump(mode="json", by_alias=True), **(also or {})}).encode()
        headers: dict[str, object] = {SIGNATURE_HEADER: (by or self.axis).key.sign(body)}
        return Submission(body, "axis.deliver", "", None, "receipt", RECEIPT_MEDIA_TYPE, receipt.id, headers)


def keys(*made: tuple[SealingKey, Any, bytes, bytes]) -> dict[str, SealingKey]:
    return {each[0].thumbprint: each[0] for each in made}


def paper(priority: Priority = Priority.NORMAL) -> Document:
    return Document(
        document_id="G22,2026/11/24,7816/VPCP-TTĐT", subject="Về việc triển khai trục liên thông", priority=priority
    )


def world(folder: Path) -> World:
    axis, sender, own = identity("W00", "axis"), identity("G22"), identity("H37")
    settings = AgencySettings(
        code="H37",
        amqp_url=SecretStr("amqps://H37:secret@broker.invalid/axis"),
        gateway_url="https://gateway.invalid",
        key=own.key,
        axis_certificate=axis.certificate_pem,
        state_folder=folder,
        deadline=5.0,
    )
    shelf = Shelf()
    shelf.enrol(axis, sender, own)
    return World(settings, Post(), shelf, Clock(), axis, sender, own)
