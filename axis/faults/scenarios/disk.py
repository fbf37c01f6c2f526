"""The disk of the database is full, or that of its write-ahead log, or that of the blob store."""

import contextlib
import hashlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from random import Random

import asyncpg
import httpx

from axis.blobs.folder import STAGING
from axis.client import File
from axis.client.gateway import Gateway
from axis.errors import AxisError, Unavailable
from axis.faults.disks import Disk, moved_to_disk, no_disks
from axis.faults.field import Field
from axis.faults.fleet import WorkerProcess
from axis.faults.members import utc_now
from axis.faults.processes import until
from axis.faults.replicas import with_options
from axis.faults.scenario import Scenario, Shape
from axis.store.reaching import reaching
from axis.trust import issue_token

_DATA_MEGABYTES, _LOG_MEGABYTES, _BLOBS_MEGABYTES = 4096, 512, 64
_FILE_BYTES = 1_000_000
_NOTICED_SECONDS = 30.0
_HELD_SECONDS = (0.5, 3.0)
_LOOK_SECONDS = 0.1
_BREATH_SECONDS = 0.3
_HTTP_SECONDS = 20.0
_FAILED = 500
# What a request may meet while the disk is full; the server may also have gone down over it.
_AWAY = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


class Siege:
    """One run: the three disks."""

    def __init__(self, field: Field, random: Random, data: Disk, log: Disk, blobs: Disk) -> None:
        self.field = field
        self.random = random
        self.data = data
        self.log = log
        self.blobs = blobs

    async def hold(self) -> None:
        """Let it last a moment, in which agencies must be able to submit."""
        field, sent = self.field, self.field.traffic.sent
        await field.calm(self.random.uniform(*_HELD_SECONDS))
        busy = field.traffic.records.open >= field.traffic.limit
        if not busy and not await until(lambda: field.traffic.sent > sent, _NOTICED_SECONDS):
            field.explain("nobody could submit while the database's disk was full")

    async def noticed(self, what: str) -> None:
        """Wait until a worker says that it waits."""
        end = time.monotonic() + _NOTICED_SECONDS
        while not any([await _waits(worker) for worker in self.field.workers]):
            if time.monotonic() >= end:
                self.field.explain(f"no worker said that it waits, with {what} full")
                return
            await self.field.calm(_LOOK_SECONDS)


async def _waits(worker: WorkerProcess) -> bool:
    try:
        return bool(await worker.counted("axis_unavailable"))
    except httpx.HTTPError:
        return False  # too busy to say so; asked again


async def _fill_data(siege: Siege) -> None:
    siege.field.event("data full")
    siege.data.fill()
    try:
        await siege.noticed("the disk of the data")
        await siege.hold()
    finally:
        siege.data.free()
    await siege.field.database.start()


async def _fill_log(siege: Siege) -> None:
    siege.field.event("write-ahead log full")
    siege.log.fill()
    try:
        # Uses up the segments that are there already; the server goes down over the first that it cannot make.
        with contextlib.suppress(*_AWAY):
            while siege.field.database.alive:
                await siege.field.database.execute(
                    "SELECT pg_logical_emit_message(false, 'faults', 'x'), pg_switch_wal()"
                )
        await siege.noticed("the disk of the write-ahead log")
        await siege.hold()
    finally:
        siege.log.free()
    await siege.field.database.start()


async def _fill_blobs(siege: Siege) -> None:
    field = siege.field
    field.event("blobs full")
    file = File.of_bytes("phu-luc.bin", siege.random.randbytes(_FILE_BYTES))
    content = b"".join(file.chunks(_FILE_BYTES))
    digest = hashlib.sha256(content).hexdigest()
    code = siege.random.choice(field.traffic.codes)
    async with _gateway(field, code) as gateway:
        siege.blobs.fill()
        try:
            await _is_refused_with_a_code(field, code, digest, content)
            if _visible(siege.blobs.folder, digest):
                field.explain(f"half of the blob {digest} is visible")
            if siege.random.random() < 0.5:  # noqa: PLR2004 - in every other round the SDK is left to the end
                await _sdk_gives_up(field, gateway, file)
            left = _staged(siege.blobs)
        finally:
            siege.blobs.free()
        await gateway.upload(file)
        if not await until(lambda: left.isdisjoint(_staged(siege.blobs)), _NOTICED_SECONDS):
            field.explain(f"uploads that failed still take up room: {len(left & _staged(siege.blobs))} files")
        back = b"".join([piece async for piece in gateway.download(digest, len(content))])
        if back != content:
            field.explain(f"the blob {digest} came back as other bytes")


async def _is_refused_with_a_code(field: Field, code: str, digest: str, content: bytes) -> None:
    path = f"/v1/blobs/{digest}"
    async with httpx.AsyncClient(base_url=_url(field), timeout=_HTTP_SECONDS, trust_env=False) as http:
        token = issue_token(field.traffic.member(code).key, code=code, method="PUT", path=path, now=utc_now())
        answer = await http.put(path, content=content, headers={"authorization": f"Bearer {token}"})
    if answer.status_code < _FAILED or answer.json().get("code") != Unavailable.code:
        field.explain(f"the gateway answered {answer.status_code} {answer.text[:200]} with its disk full")


async def _sdk_gives_up(field: Field, gateway: Gateway, file: File) -> None:
    try:
        await gateway.upload(file)
    except Unavailable:
        return
    except AxisError as error:
        field.explain(f"the SDK told its caller {error} with the gateway's disk full")
        return
    field.explain("the SDK told its caller that a file is stored for which there is no room")


def _visible(folder: Path, digest: str) -> bool:
    return any(folder.rglob(f"*{digest}*"))


def _staged(disk: Disk) -> set[str]:
    return {path.name for path in (disk.folder / STAGING).iterdir()}


@contextlib.asynccontextmanager
async def _gateway(field: Field, code: str) -> AsyncIterator[Gateway]:
    key = field.traffic.member(code).key
    async with Gateway(_url(field), code=code, key=key, now=utc_now, deadline=_HTTP_SECONDS) as gateway:
        yield gateway


def _url(field: Field) -> str:
    return field.settings.gateway_url or ""


_FAULTS: tuple[Callable[[Siege], Awaitable[None]], ...] = (_fill_data, _fill_log, _fill_blobs)


async def _play(field: Field, random: Random) -> None:
    database = field.database
    # No room is kept for more segments than are needed, so that a full disk is felt at once.
    await with_options(database, "fsync=off", "max_wal_size=64MB", "min_wal_size=32MB")
    await database.stop()
    blobs = field.folder / "blobs"
    try:
        async with (
            moved_to_disk(database.data, _DATA_MEGABYTES) as data,
            moved_to_disk(database.data / "pg_wal", _LOG_MEGABYTES) as log,
            moved_to_disk(blobs, _BLOBS_MEGABYTES) as files,
        ):
            await database.start()
            try:
                await _besiege(Siege(field, random, data, log, files))
            finally:
                # Whoever has a file open keeps the disk.
                for disk in (data, log, files):
                    disk.free()
                await database.start()
                await database.stop()
    finally:
        await database.start()


async def _besiege(siege: Siege) -> None:
    faults: list[Callable[[Siege], Awaitable[None]]] = []
    await siege.field.flowing()
    while not siege.field.over():
        if not faults:
            faults = siege.random.sample(_FAULTS, len(_FAULTS))
        with reaching("stand a fault of the harness"):
            await faults.pop()(siege)
        await siege.field.flowing()
        await siege.field.calm(_BREATH_SECONDS)


SCENARIO = Scenario(
    number=6,
    name="disk",
    title="The disk of the database, of its write-ahead log, of the blobs is full",
    play=_play,
    shape=Shape(gateway=True),
    impossible=no_disks,
)
