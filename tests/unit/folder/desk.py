"""H37's two folders on a broker in memory, with the axis's answers to what is sent."""

import asyncio
import contextlib
import datetime as dt
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from axis.edxml import (
    Business,
    DocumentId,
    EdxmlDocument,
    EdxmlStatus,
    Organisation,
    OtherInfo,
    Replacement,
    Response,
    attach,
    build_document,
    build_status,
    naming_from,
)
from axis.folder import Event, Options, Watcher, What
from schemas import Action, Outcome
from tests.unit.client.doubles import World

NOTICES = "notices.H37"
MAILBOX = "mailbox.normal.H37"
DAY = dt.date(2026, 11, 24)


def package(
    number: str = "7/UBND",
    *,
    sender: str = "000.00.00.H37",
    to: Sequence[str] = ("000.00.00.G22",),
    action: Action = Action.NEW,
    subject: str = "Về việc triển khai trục liên thông",
    priority: int = 0,
    about: str | None = None,
    files: Mapping[str, bytes] | None = None,
) -> bytes:
    key = DocumentId.of(sender, DAY, number)
    other = DocumentId.of(sender, DAY, about) if about else key
    replaced = (Replacement(other, tuple(to)),) if action is Action.REPLACE else ()
    return build_document(
        EdxmlDocument(
            sender=Organisation(organ_id=sender, name="Lạng Sơn"),
            recipients=tuple(Organisation(organ_id=each) for each in to),
            document_id=other if action is Action.RECALL else key,
            number=number.partition("/")[0],
            notation=number.partition("/")[2],
            subject=subject,
            other=OtherInfo(priority=priority),
            business=Business(kind=action, reason="Sai số liệu", document_id=other, replacements=replaced),
            attachments=tuple(attach(name, data) for name, data in (files or {"a.pdf": b"%PDF-1.7"}).items()),
        )
    )


def status_package(
    document_id: str, code: str = "03", *, sender: str = "000.00.00.H37", to: str = "000.00.00.G22"
) -> bytes:
    organ_id, day, notation = document_id.split(",")
    year, month, date = map(int, day.split("/"))
    return build_status(
        EdxmlStatus(
            sender=Organisation(organ_id=sender),
            response=Response(organ_id=to, document_id=DocumentId.of(organ_id, dt.date(year, month, date), notation)),
            code=code,
            description="Đã tiếp nhận",
        )
    )


@dataclass
class Desk:
    """What a test sees: the folders, what was told, and the axis that answers."""

    world: World
    out: Path
    incoming: Path
    events: list[Event] = field(default_factory=list)
    outcome: Outcome = Outcome.ACCEPTED
    code: str | None = None
    receipts: dict[str, Any] = field(default_factory=dict)

    def put(self, name: str, data: bytes) -> Path:
        path = self.out / name
        path.write_bytes(data)
        return path

    @contextlib.asynccontextmanager
    async def open(self, **changes: Any) -> AsyncIterator[Watcher]:
        named = {
            "out": self.out,
            "incoming": self.incoming,
            "quiet": 0.0,
            "patience": 0.2,
            "poll": 0.01,
            "naming": naming_from({"G22": "Văn phòng Chính phủ"}),
        }
        options = Options(**{**named, **changes})
        connect: Any = lambda _: self.world.connect()  # noqa: E731 - as short as it is
        async with Watcher.open(
            self.world.settings, options, self.events.append, connect=connect, now=self.world.clock
        ) as watcher:
            yield watcher

    @contextlib.asynccontextmanager
    async def watching(self, *, answered: bool = True, **changes: Any) -> AsyncIterator[Watcher]:
        """Watch, with an axis that answers, until the block ends."""
        async with self.open(**changes) as watcher:
            tasks = [asyncio.create_task(watcher.run())]
            if answered:
                tasks.append(asyncio.create_task(self.answer()))
            try:
                yield watcher
            finally:
                for task in tasks:
                    task.cancel()
                done = await asyncio.gather(*tasks, return_exceptions=True)
            for each in done:
                if isinstance(each, Exception):
                    raise each

    async def answer(self) -> None:
        """Answer each document that was published, the same one with the same receipt."""
        seen = 0
        while True:
            for message in self.world.post.published[seen:]:
                seen += 1
                if message.type == "document":
                    await self.world.post.put(NOTICES, self.receipt(message.message_id))
            await asyncio.sleep(0.005)

    def receipt(self, message_id: str, **also: object) -> Any:
        said = {"outcome": self.outcome.value, "code": self.code, **also}
        if message_id not in self.receipts:
            self.receipts[message_id] = self.world.receipt(message_id, also=said)
        return self.receipts[message_id]

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(60):
            while not condition():  # noqa: ASYNC110 - any condition at all
                await asyncio.sleep(0.01)

    async def told(self, what: What, count: int = 1) -> list[Event]:
        await self.until(lambda: len([each for each in self.events if each.what is what]) >= count)
        return [each for each in self.events if each.what is what]

    async def told_in_time(self, what: What, count: int = 1) -> list[Event]:
        """Wait for what comes only after some time: here a minute goes by with each look."""

        def later() -> bool:
            self.world.clock.time += dt.timedelta(minutes=1)
            return len([each for each in self.events if each.what is what]) >= count

        await self.until(later)
        return await self.told(what, count)

    def documents(self) -> list[Any]:
        """The envelopes that were published, each once."""
        sent = {m.message_id: m.body for m in self.world.post.published if m.type == "document"}
        return [json.loads(body) for body in sent.values()]

    def names(self, part: str = "") -> list[str]:
        """The files in a part of OUT, those of ours left out."""
        return sorted(e.name for e in (self.out / part).iterdir() if e.is_file() and not e.name.startswith("."))

    def arrived(self) -> list[str]:
        return sorted(each.name for each in self.incoming.iterdir() if not each.name.startswith("."))
