"""The files of state secrets are removed from the blob store."""

import datetime as dt
from collections.abc import AsyncIterator
from pathlib import Path

from axis.blobs import Blobs
from axis.gateway import Limits
from axis.gateway.forgetting import forget_unwanted
from axis.store import FakeStore
from tests.unit.gateway.harness import digest_of, gateway, path_of
from tests.unit.store.rows import quarantine_row

FILE, OTHER = b"of a state secret", b"of another document"
AT_ONCE = dt.timedelta(0)


async def chunks(data: bytes) -> AsyncIterator[bytes]:
    yield data


async def test_the_bytes_go_with_the_record(tmp_path: Path) -> None:
    store, blobs = FakeStore(), Blobs.open((tmp_path / "blobs").as_uri())
    for data in (FILE, OTHER):
        await blobs.put(digest_of(data), chunks(data), 1_000)
        await store.blobs.record_upload(digest_of(data), len(data), "G22")
    async with store.transaction() as tx:
        await tx.quarantine([quarantine_row(account="G22", body=b"", unwanted=(digest_of(FILE),))])
    assert await forget_unwanted(store.blobs, blobs) == 0, "a router may still be at work on what it decided before"
    assert await forget_unwanted(store.blobs, blobs, AT_ONCE) == 1
    assert await blobs.size(digest_of(FILE)) is None
    assert await blobs.size(digest_of(OTHER)) == len(OTHER)
    assert await forget_unwanted(store.blobs, blobs, AT_ONCE) == 0


async def test_an_upload_that_is_removed_before_it_is_recorded_is_told_to_come_again(tmp_path: Path) -> None:
    async with gateway(tmp_path, Limits()) as axis:
        record = axis.rights.record_upload

        async def removed_meanwhile(sha256: str, size: int, account: str) -> None:
            await axis.blobs.remove(sha256)
            await record(sha256, size, account)

        axis.rights.record_upload = removed_meanwhile  # type: ignore[method-assign]
        answer = await axis.client.put(
            path_of(FILE), content=FILE, headers=axis.sender.bearer("PUT", path_of(FILE), axis.clock())
        )
        assert (answer.status_code, answer.headers["axis-code"]) == (503, "axis/unavailable")
        axis.rights.record_upload = record  # type: ignore[method-assign]
        await axis.upload(axis.sender, FILE)
        assert await axis.blobs.size(digest_of(FILE)) == len(FILE)
