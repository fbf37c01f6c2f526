"""A notary over a store and files that a test may interrupt, change and look into."""

import asyncio
import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import structlog
from structlog.testing import LogCapture

from axis.blobs import Objects
from axis.blobs.opening import open_store
from axis.core.ids import new_id
from axis.proving import Checkpoint, LogReader, NoteSigner, leaf_hash, read_checkpoint, verify_inclusion
from axis.store import Store
from axis.trust import new_key
from tests.unit.store.rows import notice_row
from workers.metrics import Metrics
from workers.notary import Notary, entry_of

ORIGIN = "axis.example/log"
KEY = NoteSigner.from_pem(ORIGIN, new_key("ed25519"))


class Killed(BaseException):
    """The notary's process ends here."""


@dataclass(slots=True)
class Steps:
    """Counts what a notary does to the outside, and kills it before or after one of these steps."""

    last: int = -1
    done: bool = False  # whether the last step still has its effect
    names: list[str] = field(default_factory=list)

    async def step(self, name: str, action: Callable[[], Any]) -> Any:
        self.names.append(name)
        dying = len(self.names) - 1 == self.last
        if dying and not self.done:
            raise Killed
        result = await action()
        if dying:
            raise Killed
        return result


class SteppedFiles:
    """The log's files in memory, each change a step."""

    def __init__(self, steps: Steps, objects: Objects | None = None) -> None:
        self.steps = steps
        self.objects = objects or Objects(open_store("memory://"), "log")

    async def get(self, path: str) -> bytes | None:
        return await self.objects.get(path)

    async def put(self, path: str, content: bytes) -> None:
        await self.steps.step(f"put {path}", lambda: self.objects.put(path, content))

    async def drop(self, folder: str) -> int:
        dropped: int = await self.steps.step(f"drop {folder}", lambda: self.objects.drop(folder))
        return dropped


@dataclass(slots=True)
class Scene:
    """A store, the log's files, and notaries over them."""

    store: Store
    files: SteppedFiles
    capture: LogCapture = field(default_factory=LogCapture)

    @property
    def log(self) -> Any:
        return structlog.wrap_logger(
            structlog.testing.ReturnLogger(),
            processors=[self.capture],
            wrapper_class=structlog.make_filtering_bound_logger(0),
        )

    def notary(self, *keys: NoteSigner) -> Notary:
        return Notary(
            store=self.store.log,
            files=self.files,
            signers=keys or (KEY,),
            stop=asyncio.Event(),
            log=self.log,
            metrics=Metrics("notary"),
        )

    async def commit(self, count: int) -> list[str]:
        rows = [notice_row(id=new_id(dt.datetime.now(dt.UTC)), body=b"receipt %d" % number) for number in range(count)]
        async with self.store.transaction() as tx:
            await tx.notices(rows)
        return [row.id for row in rows]

    async def published(self, *keys: NoteSigner) -> Checkpoint | None:
        content = await self.files.get("checkpoint")
        return None if content is None else read_checkpoint(content.decode(), [key.public for key in keys or (KEY,)])

    async def check(self) -> Checkpoint:
        """Prove every place under the published checkpoint, out of the files alone."""
        checkpoint = await self.published()
        assert checkpoint is not None
        reader = LogReader(self.files)
        bundles = [await reader.bundle(index, checkpoint.size) for index in range(-(-checkpoint.size // 256))]
        published = [data for bundle in bundles for data in bundle]
        for placed in await self.store.log.entries(0, checkpoint.size):
            assert placed.logged is not None
            data = entry_of(placed.logged).data
            assert published[placed.position] == data
            if placed.position % 37 == 0 or placed.position == checkpoint.size - 1:
                proof = await reader.inclusion(placed.position, checkpoint.size)
                verify_inclusion(leaf_hash(data), placed.position, checkpoint.size, proof, checkpoint.root)
        return checkpoint

    def complaints(self) -> list[str]:
        return [str(entry["detail"]) for entry in self.capture.entries if entry["event"] == "the log stands still"]
