"""A gateway on a real socket, agencies with keys, and a raw client that may misbehave."""

import asyncio
import datetime as dt
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette

from axis.blobs import Blobs
from axis.errors import Unavailable
from axis.gateway import Enrolled, Limits, create_app
from axis.gateway.quotas import UploadQuotas
from axis.store import FakeStore
from axis.trust import DemonstrationCA, SigningKey, enrol, issue_token, new_key
from axis.web.certificate import ServerCertificate
from axis.web.serving import http_server, listen
from schemas import Quota

DEADLINE_SECONDS = 30


def digest_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def path_of(data: bytes) -> str:
    return f"/v1/blobs/{digest_of(data)}"


async def until(met: Callable[[], bool | Awaitable[bool]]) -> None:
    """Let everything else run until the condition is met."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while True:
            outcome = met()
            if outcome is True or (outcome is not False and await outcome):
                return
            await asyncio.sleep(0.01)


class Clock:
    """The axis's time, moved by hand."""

    def __init__(self) -> None:
        self.time = dt.datetime(2026, 11, 24, 9, tzinfo=dt.UTC)

    def __call__(self) -> dt.datetime:
        return self.time


@dataclass
class Rights:
    """Whose blobs are whose, decided by the test."""

    readers: dict[str, set[str]] = field(default_factory=dict)  # digest -> accounts
    uploads: list[tuple[str, int, str]] = field(default_factory=list)
    away: bool = False

    async def record_upload(self, sha256: str, size: int, account: str) -> None:
        self._reach()
        self.uploads.append((sha256, size, account))
        self.let(account, sha256)

    async def may_read(self, account: str, sha256: str) -> bool:
        self._reach()
        return account in self.readers.get(sha256, set())

    def let(self, account: str, sha256: str) -> None:
        self.readers.setdefault(sha256, set()).add(account)

    def _reach(self) -> None:
        if self.away:
            raise Unavailable("The database is away.")


@dataclass
class Store:
    """The part of the store the gateway uses."""

    blobs: Rights = field(default_factory=Rights)


@dataclass(frozen=True)
class Answer:
    """What came over a raw connection until the server closed it."""

    status: int
    headers: dict[str, str]
    body: bytes


class Raw:
    """A connection on which anything can be sent."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        async with asyncio.timeout(DEADLINE_SECONDS):
            await self.writer.drain()

    async def head(self) -> tuple[int, dict[str, str]]:
        """Read a status line and headers."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            block = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = block.rstrip().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        return int(first.split(" ")[1]), headers

    async def rest(self) -> bytes:
        """Read until the server closes."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            return await self.reader.read()

    async def answer(self) -> Answer:
        status, headers = await self.head()
        async with asyncio.timeout(DEADLINE_SECONDS):
            body = await self.reader.readexactly(int(headers["content-length"]))
        return Answer(status, headers, body)

    async def closed(self) -> bool:
        """Wait until the server has closed without another word."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            try:
                return await self.reader.read() == b""
            except ConnectionResetError:
                return True


@asynccontextmanager
async def raw_connection(port: int) -> AsyncIterator[Raw]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Raw(reader, writer)
    finally:
        writer.transport.abort()


@asynccontextmanager
async def serving(app: Starlette, limits: Limits, tls: ServerCertificate | None = None) -> AsyncIterator[int]:
    """Serve on a port of our own as long as the block lasts."""
    listener = listen("127.0.0.1", 0)
    port: int = listener.getsockname()[1]
    started = asyncio.Event()
    server = http_server(app, limits, started.set, tls)
    async with asyncio.TaskGroup() as group:
        group.create_task(server.serve([listener]))
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                await started.wait()
            yield port
        finally:
            server.should_exit = True


@asynccontextmanager
async def http(port: int) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}", timeout=DEADLINE_SECONDS, trust_env=False
    ) as client:
        yield client


def request_bytes(method: str, path: str, headers: Iterable[tuple[str, str]]) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "host: gateway", *(f"{name}: {value}" for name, value in headers)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


class Agency:
    """An agency with a key and an enrolled certificate."""

    def __init__(self, code: str, folder: Path, at: dt.datetime) -> None:
        self.code = code
        key_pem = new_key("ed25519")
        authority = DemonstrationCA.open_or_create(folder, at)
        certificate_pem = authority.issue(code, key_pem, name=f"Agency {code}", now=at, days=30)
        self.key = SigningKey.from_pem(key_pem, certificate_pem)
        self.certificate = enrol(certificate_pem, code, "agency", at, allow_demonstration=True)

    def bearer(self, method: str, path: str, now: dt.datetime) -> dict[str, str]:
        token = issue_token(self.key, code=self.code, method=method, path=path, now=now)
        return {"authorization": f"Bearer {token}"}


@dataclass
class Gateway:
    """A running gateway and everything around it."""

    port: int
    client: httpx.AsyncClient
    folder: Path
    blobs: Blobs
    rights: Rights
    enrolled: Enrolled
    clock: Clock
    sender: Agency
    recipient: Agency
    stranger: Agency

    async def ask(self, agency: Agency, method: str, path: str, **more: Any) -> httpx.Response:
        headers = agency.bearer(method, path, self.clock()) | more.pop("headers", {})
        return await self.client.request(method, path, headers=headers, **more)

    async def upload(self, agency: Agency, data: bytes) -> httpx.Response:
        return await self.ask(agency, "PUT", path_of(data), content=data)

    def put_head(self, data: bytes, *headers: tuple[str, str]) -> bytes:
        """The sender's request for an upload, up to its body."""
        path = path_of(data)
        return request_bytes("PUT", path, [*self.sender.bearer("PUT", path, self.clock()).items(), *headers])

    def staged(self) -> list[Path]:
        return list((self.folder / "staging").iterdir())

    def stored(self) -> list[Path]:
        return [path for path in self.folder.glob("??/??/*") if path.is_file()]

    async def metric(self, name: str) -> float:
        """The sum of a metric's samples over all labels."""
        text = (await self.client.get("/metrics")).text
        samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
        return sum(sample.value for sample in samples if sample.name == name)


@asynccontextmanager
async def gateway(tmp_path: Path, limits: Limits, quota: Quota | None = None) -> AsyncIterator[Gateway]:
    """Run a gateway with a sender, a recipient and a stranger enrolled; `quota` holds for each of them."""
    clock = Clock()
    agencies = [Agency(code, tmp_path / "authority", clock()) for code in ("G22", "H37.05", "H99")]
    enrolled = Enrolled([agency.certificate for agency in agencies], default=quota)
    blobs = Blobs.open((tmp_path / "blobs").as_uri())
    store = Store()
    quotas = UploadQuotas(FakeStore(clock).quotas, enrolled.quota_of)
    app = create_app(blobs=blobs, store=store, enrolled=enrolled, now=clock, limits=limits, quotas=quotas)
    async with serving(app, limits) as port, http(port) as client:
        yield Gateway(port, client, tmp_path / "blobs", blobs, store.blobs, enrolled, clock, *agencies)
