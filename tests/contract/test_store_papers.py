"""Verdicts on files: each is looked at once, and every envelope that has the file is told."""

import datetime as dt
from dataclasses import replace

import pytest

from axis.core.ids import new_id
from axis.core.records import AttachmentRow
from axis.errors import Unavailable
from axis.store import FakeStore, FiledPaper, Store
from tests.builders import NOW
from tests.unit.store.rows import accepted, sha256

SINCE = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
VERDICT = {"standing": "signed", "signatures": [{"signer": "Trần Văn Thử"}], "detail": ""}


async def test_what_waits_is_pdfs_that_nobody_has_looked_at(store: Store) -> None:
    file = AttachmentRow(identifier := new_id(NOW), sha256(b"%PDF"), "7816.PDF", 4)
    sheet = AttachmentRow(identifier, sha256(b"PK"), "a.xlsx", 2)
    envelope = replace(accepted(id=identifier), attachments=(file, sheet))
    assert await store.papers.waiting(SINCE, 10, "t") == []
    async with store.transaction() as tx:
        await tx.accept([envelope])
    assert await store.papers.waiting(SINCE, 10, "t") == []  # its bytes are not here
    await store.blobs.record_upload(file.sha256, file.size, "G22")
    await store.blobs.record_upload(sheet.sha256, sheet.size, "G22")
    (found,) = await store.papers.waiting(SINCE, 10, "t")
    assert (found.sha256, found.size) == (file.sha256, file.size)
    assert await store.papers.waiting(SINCE, 0, "t") == []
    assert await store.papers.waiting(NOW + dt.timedelta(days=9_000), 10, "t") == []
    assert await store.papers.of(identifier) == [
        FiledPaper(file.name, file.sha256, None),
        FiledPaper(sheet.name, sheet.sha256, None),
    ]
    await store.papers.keep(file.sha256, VERDICT, "t")
    await store.papers.keep(file.sha256, {"standing": "broken"}, "u")
    assert await store.papers.waiting(SINCE, 10, "t") == []
    assert await store.papers.of(identifier) == [
        FiledPaper(file.name, file.sha256, VERDICT),
        FiledPaper(sheet.name, sheet.sha256, None),
    ]


async def test_what_was_not_trusted_waits_again_when_others_are_trusted(store: Store) -> None:
    file = AttachmentRow(identifier := new_id(NOW), sha256(b"%PDF-again"), "7816.pdf", 4)
    async with store.transaction() as tx:
        await tx.accept([replace(accepted(id=identifier), attachments=(file,))])
    await store.blobs.record_upload(file.sha256, file.size, "G22")

    async def waits(trust: str) -> bool:
        return any(each.sha256 == file.sha256 for each in await store.papers.waiting(SINCE, 10, trust))

    await store.papers.keep(file.sha256, {"standing": "not-looked-at"}, "one")
    assert not await waits("two")  # not so soon
    await store.papers.keep(file.sha256, {"standing": "not-trusted"}, "one")
    assert (await waits("one"), await waits("two")) == (False, True)
    await store.papers.keep(file.sha256, {"standing": "signed"}, "two")
    assert not await waits("three")
    await store.papers.keep(file.sha256, {"standing": "not-trusted"}, "three")
    assert [each.verdict for each in await store.papers.of(identifier)] == [{"standing": "signed"}]


async def test_without_a_store_nothing_is_known() -> None:
    store = FakeStore()
    store.available = False
    for call in (
        store.papers.waiting(SINCE, 1, "t"),
        store.papers.keep(sha256(b""), VERDICT, "t"),
        store.papers.of("x"),
    ):
        with pytest.raises(Unavailable):
            await call
