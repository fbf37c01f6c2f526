"""Blobs named by a state secret: they count no longer at once, and are removed when nobody else needs them."""

import datetime as dt

import pytest

from axis.errors import Unavailable
from axis.store import Store
from tests.unit.store.rows import accepted, quarantine_row, sha256

AT_ONCE = dt.timedelta(0)
AN_HOUR = dt.timedelta(hours=1)
ONE, TWO = sha256(b"one"), sha256(b"two")


async def refuse(store: Store, *digests: str, account: str | None = "G22") -> None:
    async with store.transaction() as tx:
        await tx.quarantine([quarantine_row(account=account, reason="secrecy/marked", body=b"", unwanted=digests)])


async def forgotten(store: Store, older_than: dt.timedelta = AT_ONCE) -> list[str]:
    """Forget all that is due; return what was to be removed."""
    removed: list[str] = []

    async def remove(sha256: str) -> None:
        removed.append(sha256)

    for digest in await store.blobs.unwanted(older_than, 10):
        assert await store.blobs.forget(digest, remove) == (digest in removed)
    return removed


async def test_it_counts_no_longer_at_once_and_is_removed_later(store: Store) -> None:
    await store.blobs.record_upload(ONE, 3, "G22")
    await store.blobs.record_upload(TWO, 3, "G22")
    await refuse(store, ONE)
    assert await store.blobs.known("G22", [ONE, TWO]) == {TWO: 3}
    assert not await store.blobs.may_read("G22", ONE)
    assert await forgotten(store, AN_HOUR) == []
    assert await forgotten(store) == [ONE]
    assert await forgotten(store) == []
    assert await store.blobs.known("G22", [ONE, TWO]) == {TWO: 3}


async def test_what_somebody_else_uploaded_stays_theirs(store: Store) -> None:
    await store.blobs.record_upload(ONE, 3, "G22")
    await store.blobs.record_upload(ONE, 3, "H37")
    await refuse(store, ONE)
    assert not await store.blobs.may_read("G22", ONE)
    assert await forgotten(store) == []
    assert await store.blobs.may_read("H37", ONE)
    assert not await store.blobs.may_read("G22", ONE)
    assert await store.blobs.unwanted(AT_ONCE, 10) == []


async def test_nobody_loses_a_blob_by_what_another_account_names(store: Store) -> None:
    await store.blobs.record_upload(ONE, 3, "H37")
    await refuse(store, ONE, account="G22")
    await refuse(store, ONE, account=None)
    assert await store.blobs.unwanted(AT_ONCE, 10) == []
    assert await store.blobs.may_read("H37", ONE)


async def test_what_an_envelope_names_stays(store: Store) -> None:
    await store.blobs.record_upload(ONE, 3, "G22")
    async with store.transaction() as tx:
        await tx.accept([accepted(["H37"], attachments=[ONE])])
    await refuse(store, ONE)
    assert await forgotten(store) == []
    assert await store.blobs.may_read("G22", ONE)
    assert await store.blobs.may_read("H37", ONE)


async def test_what_is_uploaded_again_for_another_document_counts(store: Store) -> None:
    await store.blobs.record_upload(ONE, 3, "G22")
    await refuse(store, ONE)
    await store.blobs.record_upload(ONE, 3, "G22")
    assert await store.blobs.may_read("G22", ONE)
    assert await forgotten(store) == []
    assert await store.blobs.may_read("G22", ONE)


async def test_a_removal_that_fails_is_tried_again(store: Store) -> None:
    await store.blobs.record_upload(ONE, 3, "G22")
    await refuse(store, ONE)

    async def fail(_: str) -> None:
        raise Unavailable("the blob store is away")

    with pytest.raises(Unavailable):
        await store.blobs.forget(ONE, fail)
    assert not await store.blobs.may_read("G22", ONE)
    assert await forgotten(store) == [ONE]


async def test_the_same_refusal_again_changes_nothing(store: Store) -> None:
    await store.blobs.record_upload(ONE, 3, "G22")
    await refuse(store, ONE, TWO, ONE)
    await refuse(store, ONE)
    assert await forgotten(store) == [ONE]
    (kept,) = await store.quarantined()
    assert (kept.count, kept.reason) == (2, "secrecy/marked")
