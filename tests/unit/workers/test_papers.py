"""The worker that looks at stored PDFs: each once, beside the way, and never in anybody's way."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from axis.blobs import Blobs
from axis.core.ids import new_id
from axis.core.records import AttachmentRow
from axis.errors import Unavailable
from axis.signatures.pdf import MAX_BYTES
from axis.signatures.trust import Trust
from axis.signatures.verdict import Standing, Verdict
from axis.store import FakeStore
from tests.authority import TestAuthority
from tests.builders import NOW
from tests.unit.store.rows import accepted, sha256
from workers.metrics import Metrics
from workers.papers import Papers
from workers.runtime import Log

PDF = b"%PDF-1.7"


class Desk:
    """A store, its blobs, and a worker that notes what it was shown."""

    def __init__(self, log: Log) -> None:
        self.at, self.trust = NOW, Trust()
        self.store, self.blobs, self.stop = FakeStore(lambda: self.at), Blobs.open("memory://"), asyncio.Event()
        self.shown: list[bytes] = []
        self.answer: Verdict | Exception = Verdict(Standing.SIGNED)
        self.papers = Papers(
            store=self.store.papers,
            blobs=self.blobs,
            look=self.look,
            trusted=lambda: self.trust,
            now=lambda: NOW,
            stop=self.stop,
            log=log,
            metrics=Metrics("papers"),
        )

    async def look(self, path: Path, _at: dt.datetime, _trust: Trust) -> Verdict:
        self.shown.append(path.read_bytes())  # noqa: ASYNC240 - a few bytes
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    async def file(self, data: bytes, name: str = "a.pdf", *, stored: bool = True, size: int | None = None) -> str:
        row = AttachmentRow(new_id(NOW), sha256(data), name, size or len(data))
        async with self.store.transaction() as tx:
            await tx.accept([replace(accepted(id=row.envelope_id), attachments=(row,))])
        await self.store.blobs.record_upload(row.sha256, row.size, "G22")
        if stored:

            async def pieces() -> AsyncIterator[bytes]:
                yield data

            await self.blobs.put(row.sha256, pieces(), 10**6)
        return row.envelope_id

    async def standing(self, envelope_id: str) -> str | None:
        (file,) = await self.store.papers.of(envelope_id)
        return None if file.verdict is None else file.verdict["standing"]


@pytest.fixture
def desk() -> Desk:
    import structlog

    return Desk(structlog.get_logger())


async def test_each_pdf_is_looked_at_once(desk: Desk) -> None:
    first, sheet = await desk.file(PDF), await desk.file(b"PK", "a.xlsx")
    await desk.papers.work()
    again = await desk.file(PDF)
    await desk.papers.work()
    assert desk.shown == [PDF]
    assert [await desk.standing(each) for each in (first, again, sheet)] == ["signed", "signed", None]


async def test_more_than_one_helping(desk: Desk) -> None:
    for number in range(55):
        await desk.file(PDF + str(number).encode())
    await desk.papers.work()
    assert len(desk.shown) == 55


async def test_a_file_that_is_gone_or_too_large_is_told_and_does_not_come_at_once(desk: Desk) -> None:
    gone, large = await desk.file(PDF, stored=False), await desk.file(b"%PDF-2", size=MAX_BYTES + 1)
    await desk.papers.work()
    await desk.papers.work()
    assert [await desk.standing(each) for each in (gone, large)] == ["not-looked-at", "not-looked-at"]
    assert desk.shown == []


async def test_what_fails_on_our_side_comes_again(desk: Desk) -> None:
    envelope = await desk.file(PDF)
    desk.answer = OSError("no space left")
    with pytest.raises(Unavailable, match="no space"):
        await desk.papers.work()
    assert await desk.standing(envelope) is None
    desk.store.available = False
    with pytest.raises(Unavailable):
        await desk.papers.work()
    desk.store.available, desk.answer = True, Verdict(Standing.BROKEN)
    await desk.papers.work()
    assert await desk.standing(envelope) == "broken"


async def test_what_could_not_be_looked_at_is_tried_a_few_times_later_each_time(desk: Desk) -> None:
    envelope = await desk.file(PDF)
    desk.answer = Verdict(Standing.NOT_LOOKED_AT, detail="looking at it took more than 240 s")
    tried: list[int] = []
    for hour in range(24):
        desk.at = NOW + dt.timedelta(hours=hour, seconds=hour)
        shown = len(desk.shown)
        await desk.papers.work()
        if len(desk.shown) > shown:
            tried.append(hour)
    assert tried == [0, 1, 3, 6, 10]
    assert await desk.standing(envelope) == "not-looked-at"


async def test_a_file_that_comes_late_is_looked_at_then(desk: Desk) -> None:
    envelope = await desk.file(PDF, stored=False)
    await desk.papers.work()
    await desk.file(PDF)
    desk.at = NOW + dt.timedelta(hours=1)
    await desk.papers.work()
    assert await desk.standing(envelope) == "signed"


async def test_what_was_not_trusted_is_looked_at_when_others_are_trusted(desk: Desk) -> None:
    envelope = await desk.file(PDF)
    desk.answer = Verdict(Standing.NOT_TRUSTED)
    await desk.papers.work()
    await desk.papers.work()
    assert len(desk.shown) == 1
    desk.trust, desk.answer = Trust(TestAuthority().authorities), Verdict(Standing.SIGNED)
    await desk.papers.work()
    assert await desk.standing(envelope) == "signed"
    desk.trust = Trust()
    await desk.papers.work()
    assert len(desk.shown) == 2


async def test_it_stops_between_two_files(desk: Desk) -> None:
    await desk.file(PDF)
    desk.stop.set()
    await desk.papers.work()
    assert desk.shown == []
