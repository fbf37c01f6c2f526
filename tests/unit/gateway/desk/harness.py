"""A desk on fakes: H37's agency in memory (tests.unit.client.doubles), the store in memory, HTTP without a socket."""

import asyncio
import contextlib
import datetime as dt
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette

from axis.blobs import Blobs
from axis.client.building import File
from axis.core.directory import Directory
from axis.core.partners import Incoming, Kind, Partner, Profile, Wanted
from axis.core.reading import parse_envelope
from axis.core.records import Accepted
from axis.edxml import (
    Day,
    DocumentId,
    EdxmlDocument,
    EdxmlStatus,
    Organisation,
    Response,
    attach,
    build_document,
    build_status,
)
from axis.edxml.section import document_id_of
from axis.gateway import Enrolled, Limits, create_app
from axis.gateway.desk import Desk, DeskLimits, Secrets
from axis.gateway.desk.codes import Codes
from axis.gateway.desk.opening import make_desk
from axis.store import FakeStore
from schemas import Organisation as Registered
from tests.unit.client.doubles import NOW, World, world
from tests.unit.store.rows import delivery_row, envelope_row, notice_row
from tests.vxp_client import VxpClient

SYSTEM = "00.37.W00"
REST = "lgsp.37"
NAMES = {"G22": "Văn phòng Chính phủ", "H37": "UBND tỉnh Lạng Sơn", "H37.05": "Sở Tư pháp", "H53": "UBND tỉnh Tây Ninh"}
LONG_AGO = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


@dataclass
class Counter:
    """A clock of seconds, moved by hand."""

    seconds: float = 0.0

    def __call__(self) -> float:
        return self.seconds


@dataclass
class Rig:
    """The desk and what is around it."""

    world: World
    store: FakeStore
    desk: Desk
    app: Starlette
    http: httpx.AsyncClient
    secrets: Secrets
    folder: Path
    clock: Counter
    limits: DeskLimits
    secret: str = ""
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def vxp(self, **changes: Any) -> VxpClient:
        return VxpClient(**{"http": self.http, "system_id": SYSTEM, "secret": self.secret, "made": NOW, **changes})

    async def add(self, profile: Profile = Profile.VXP, system_id: str = SYSTEM, **changes: Any) -> str:
        """Have H37 served; return the secret."""
        codes = {"H37": "H37", "H37.05": "H37"}
        partner = Partner(system_id, **{"profile": profile, "codes": codes, "added_at": NOW, **changes})
        await self.store.partners.put(partner)
        self.secret = self.secrets.make(system_id, NOW)
        await self.desk.agencies.load()
        return self.secret

    def start(self) -> None:
        self.tasks.append(asyncio.create_task(self.desk.agencies.run()))

    async def connected(self) -> None:
        """Start serving, and wait until H37 is connected."""
        self.start()
        await self.until(lambda: self.desk.agencies.states.get("H37") is True)

    async def stop(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        self.tasks.clear()

    async def until(self, condition: Any) -> None:
        async with asyncio.timeout(20):
            while True:
                found = condition()
                if await found if asyncio.iscoroutine(found) else found:
                    return
                await asyncio.sleep(0.005)

    async def waiting(self, kind: Kind = Kind.EDOC, count: int = 1) -> list[Incoming]:
        """Wait until so many packages lie ready, and return them."""
        found: list[Incoming] = []

        async def there() -> bool:
            found[:] = await self.store.partners.listed(SYSTEM, Wanted(kind))
            return len(found) >= count

        await self.until(there)
        return found

    async def accept(self, body: bytes, *, mailbox: str = "H37") -> str:
        """Have the axis know an envelope, as if its router had accepted it."""
        envelope = parse_envelope(body)
        row = envelope_row(
            id=envelope.id,
            sender=envelope.sender,
            document_id=envelope.document.document_id,
            action=envelope.action.value,
            body=body,
        )
        deliveries = tuple(delivery_row(envelope.id, each, mailbox=mailbox) for each in envelope.recipients)
        async with self.store.transaction() as tx:
            await tx.accept([Accepted(row, deliveries, (), notice_row(about=envelope.id))])
        return envelope.id


@contextlib.asynccontextmanager
async def rig(folder: Path, limits: DeskLimits | None = None) -> AsyncIterator[Rig]:
    surroundings = world(folder / "state")
    store = FakeStore(surroundings.clock)
    directory = Directory.build(
        [Registered(code=code, name=name, valid_from=LONG_AGO) for code, name in NAMES.items()], []
    )
    secrets = Secrets(folder)
    counter = Counter()
    most = limits or DeskLimits(wait_seconds=0.2)

    def connect(code: str) -> Any:
        assert code == "H37"
        return surroundings.connect()

    desk = make_desk(
        folder / "desk",
        store.partners,
        connect,
        codes=Codes(lambda: directory, surroundings.clock),
        secrets=secrets,
        now=surroundings.clock,
        limits=most,
        clock=counter,
    )
    app = create_app(
        blobs=Blobs.open((folder / "blobs").as_uri()),
        store=store,
        enrolled=Enrolled(),
        now=surroundings.clock,
        limits=Limits(),
        desk=desk,
    )
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as http:
        made = Rig(surroundings, store, desk, app, http, secrets, folder, counter, most)
        try:
            yield made
        finally:
            await made.stop()


def organisation(code: str, name: str = "") -> Organisation:
    return Organisation(organ_id=code, name=name or code)


def package(
    number: str = "15",
    *,
    sender: str = "000.00.00.H37",
    recipients: tuple[str, ...] = ("000.00.00.G22",),
    content: bytes = b"%PDF-1.7 mot van ban",
    **changes: Any,
) -> bytes:
    """A document package as a provincial system builds it."""
    base: dict[str, Any] = {
        "sender": organisation(sender, "UBND tỉnh Lạng Sơn"),
        "recipients": tuple(organisation(each) for each in recipients),
        "document_id": document_id(f"{sender},2026/11/24,{number}/UBND-TTĐT"),
        "number": number,
        "notation": "UBND-TTĐT",
        "place": "Lạng Sơn",
        "issued_on": Day.of(dt.date(2026, 11, 24)),
        "subject": "Về việc triển khai trục liên thông",
        "content": "Về việc triển khai trục liên thông",
        "attachments": (attach(f"{number}.pdf", content),),
    }
    return build_document(EdxmlDocument(**{**base, **changes}))


def document_id(text: str) -> DocumentId:
    return document_id_of(text)


def status_package(
    code: str,
    *,
    reporter: str = "000.00.00.H37",
    about: str = "000.00.00.G22",
    document: str = "G22,2026/11/24,7816/VPCP-TTĐT",
    reason: str | None = None,
) -> bytes:
    return build_status(
        EdxmlStatus(
            sender=organisation(reporter, "UBND tỉnh Lạng Sơn"),
            response=Response(organ_id=about, code="7816/VPCP-TTĐT", document_id=document_id(document)),
            code=code,
            description=reason,
        )
    )


NORMAL = "mailbox.normal.H37"


def described(desk: Rig, *files: tuple[str, bytes, str]) -> list[dict[str, object]]:
    """Put files on the shelf; return how an envelope names them."""
    named = []
    for name, data, role in files:
        digest = hashlib.sha256(data).hexdigest()
        desk.world.shelf.files[digest] = data
        file = File(data, name, role=role)  # type: ignore[arg-type]  # as on the wire
        named.append(file.attachment(0, sha256=digest, size=len(data)))
    return named


async def came(desk: Rig, *documents: Any) -> None:
    for each in documents:
        await desk.accept(each.body)
    await desk.world.post.put(NORMAL, *documents)
