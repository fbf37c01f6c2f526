"""Killed before each single thing that lasts, and started again: nothing is lost, nothing is sent or written twice."""

import asyncio
import functools
import os
from collections import Counter
from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import pytest

from axis.client import SqliteLedger
from axis.client.mail import Mail
from axis.edxml import read
from axis.folder import What
from axis.folder.register import Register
from schemas import StatusCode
from tests.unit.client import doubles
from tests.unit.folder.desk import MAILBOX, NOTICES, Desk, package, status_package
from tests.unit.folder.test_incoming import submission

ABOUT = "000.00.00.G22,2026/11/24,7/UBND"
_AT_ONCE = 8
_LASTING: tuple[tuple[type, str], ...] = (
    (Path, "rename"),
    (Path, "replace"),
    (Path, "unlink"),
    (Register, "_do"),
    (SqliteLedger, "write"),
    (doubles.Post, "publish_many"),
    (Mail, "ack"),
)


class Killed(BaseException):
    """The process ends here; nothing after it happens."""


class Life:
    """So many lasting things a process does before it is killed; None: it lives on."""

    def __init__(self, left: int | None) -> None:
        self.left = left
        self.happened: list[str] = []

    def do(self, name: str) -> None:
        if self.left is not None and self.left <= len(self.happened):
            raise Killed
        self.happened.append(name)


# The process that this is a part of; what the axis and the agency's system do is none of it.
LIFE: ContextVar[Life | None] = ContextVar("LIFE", default=None)


@pytest.fixture(autouse=True)
def mortal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have everything lasting counted, and not done when the process is dead."""

    def before(original: Callable[..., Any], name: str) -> Callable[..., Any]:
        @functools.wraps(original)
        def wrapped(*arguments: Any, **named: Any) -> Any:
            if (life := LIFE.get()) is not None and (name != "Path.open" or "x" in str(arguments[1:2])):
                life.do(name)
            return original(*arguments, **named)

        return wrapped

    for owner, name in (*_LASTING, (Path, "open")):
        monkeypatch.setattr(owner, name, before(getattr(owner, name), f"{owner.__name__}.{name}"))


class Story:
    """A document, a status each way, and a system that takes away what arrives at once."""

    def __init__(self, folder: Path) -> None:
        for name in ("out", "in"):
            (folder / name).mkdir(parents=True)
        self.desk = Desk(doubles.world(folder / "state"), folder / "out", folder / "in")
        self.fetched: list[bytes] = []
        self.answered, self.reported = 0, False

    async def begin(self) -> None:
        desk = self.desk
        desk.put("a.edxml", package())
        data = package(sender="000.00.00.G22", to=("000.00.00.H37",))
        await desk.world.post.put(MAILBOX, submission(desk, data))

    async def answer(self) -> None:
        """Answer as the axis does, let G22 report what was sent to it, and report what came from there."""
        desk = self.desk
        while True:
            self.fetch()
            if not self.reported and any(b"AttachmentName" in each for each in self.fetched):
                desk.put("tt.edxml", status_package(ABOUT))
                self.reported = True
            documents = desk.documents()
            for each in documents[self.answered :]:
                status = desk.world.status(each["id"], StatusCode.ACCEPTED)
                await desk.world.post.put(NOTICES, desk.receipt(each["id"]), status)
            self.answered = len(documents)
            await asyncio.sleep(0.02)

    def fetch(self) -> None:
        for name in self.desk.arrived():
            path = self.desk.incoming / name
            self.fetched.append(path.read_bytes())
            os.remove(path)  # noqa: PTH107 - Path.unlink is what the watcher does, and is counted

    @property
    def is_over(self) -> bool:
        done = {"a.edxml", "tt.edxml"} <= set(self.desk.names("sent")) and not self.desk.names("sending")
        codes = {each[0] for each in self.desk.world.post.statuses()}
        return done and len(self.fetched) >= 2 and codes == {"01", "03"} and not self.desk.world.post.unacked

    async def run(self, life: Life) -> bool:
        """Watch until all is done; say whether it was not killed before."""
        answering = asyncio.create_task(self.answer())
        LIFE.set(life)
        try:
            async with self.desk.open(patience=3600, poll=0.05) as watcher:
                running = asyncio.create_task(watcher.run())
                try:
                    await self.desk.until(lambda: self.is_over or running.done())
                finally:
                    running.cancel()
                    # Unlike wait() it takes note of how it ended, also when the agency was killed besides.
                    await asyncio.gather(running, return_exceptions=True)
                if not running.cancelled():
                    running.result()
        except (Killed, BaseExceptionGroup):
            return False
        finally:
            LIFE.set(None)
            answering.cancel()
            await asyncio.wait([answering])
        return True

    def check(self) -> None:
        desk = self.desk
        self.fetch()
        (document,) = desk.documents()
        ids = Counter(m.message_id for m in desk.world.post.published if m.type == "document")
        assert set(ids) == {document["id"]}
        kinds = sorted(type(read(each)).__name__ for each in self.fetched)
        assert kinds == ["EdxmlDocument", "EdxmlStatus"]
        statuses = {m.message_id: m.body for m in desk.world.post.published if m.type == "status"}
        assert len(statuses) == 2
        ends = ("", ".receipt.json", ".receipt.txt")
        assert desk.names("sent") == sorted(f"{name}.edxml{end}" for name in ("a", "tt") for end in ends)
        assert desk.names() == desk.names("sending") == desk.names("refused") == []
        assert not [each for each in desk.events if each.what in {What.REPEATED, What.REFUSED, What.GONE}]
        parts = [path for folder in (desk.out, desk.incoming) for path in folder.rglob("*.part")]
        assert parts == []


async def test_a_watcher_killed_at_any_point(tmp_path: Path) -> None:
    whole = Life(None)
    story = Story(tmp_path / "whole")
    await story.begin()
    assert await story.run(whole)
    story.check()
    points = range(len(whole.happened))
    assert len(points) > 30
    for start in range(0, len(points), _AT_ONCE):
        await asyncio.gather(*(_kill(tmp_path / str(point), point) for point in points[start : start + _AT_ONCE]))


async def _kill(folder: Path, point: int) -> None:
    story, life = Story(folder), Life(point)
    await story.begin()
    if not await story.run(life):  # else it was done with less, this time
        await story.desk.world.post.cut()
        assert await story.run(Life(None))
    try:
        story.check()
    except AssertionError as error:
        error.add_note(f"killed after {life.happened}")
        raise
