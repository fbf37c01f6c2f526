"""What only a local folder can show: durability, crash remains, corruption, permissions."""

import asyncio
import hashlib
import os
import stat
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from axis.blobs import Blobs, Corrupted
from axis.errors import Unavailable

MEBIBYTE = 1024 * 1024
DATA = bytes(range(256)) * 4096 * 3  # 3 MiB
SHA256 = hashlib.sha256(DATA).hexdigest()


async def chunks_of(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), 65_536):
        yield data[start : start + 65_536]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "blobs"


@pytest.fixture
def blobs(root: Path) -> Blobs:
    return Blobs.open(root.as_uri())


async def until_corrupted(chunks: AsyncIterator[bytes]) -> int:
    got = 0
    try:
        async for chunk in chunks:
            got += len(chunk)
    except Corrupted:
        return got
    pytest.fail("handed out as whole")


def path_of(root: Path, sha256: str = SHA256) -> Path:
    return root / sha256[:2] / sha256[2:4] / sha256


async def test_layout_and_permissions(blobs: Blobs, root: Path) -> None:
    await blobs.put(SHA256, chunks_of(DATA), MEBIBYTE * 4)
    assert path_of(root).read_bytes() == DATA
    assert list((root / "staging").iterdir()) == []
    for made in (root, root / "staging", path_of(root).parent, path_of(root).parent.parent):
        assert stat.S_IMODE(made.stat().st_mode) == 0o700


async def test_bytes_are_on_disk_before_they_are_visible(
    blobs: Blobs, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[tuple[str, bool]] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        synced.append((str(Path(f"/proc/self/fd/{descriptor}").readlink()), path_of(root).exists()))
        real(descriptor)

    monkeypatch.setattr("axis.blobs.folder.os.fsync", fsync)
    await blobs.put(SHA256, chunks_of(DATA), MEBIBYTE * 4)
    assert synced[0][0].startswith(str(root / "staging"))
    assert synced[0][1] is False
    assert synced[1:] == [
        (str(path_of(root).parent), True),
        (str(path_of(root).parent.parent), True),
        (str(root), True),
    ]


async def test_a_disk_that_fails_to_sync_stores_nothing(
    blobs: Blobs, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fsync(descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("axis.blobs.folder.os.fsync", fsync)
    with pytest.raises(Unavailable, match="Input/output error"):
        await blobs.put(SHA256, chunks_of(DATA), MEBIBYTE * 4)
    assert await blobs.size(SHA256) is None
    assert list((root / "staging").iterdir()) == []


@pytest.mark.parametrize("position", [0, MEBIBYTE, len(DATA) - 1])
async def test_one_changed_byte_ends_the_stream_before_its_last_chunk(blobs: Blobs, root: Path, position: int) -> None:
    await blobs.put(SHA256, chunks_of(DATA), MEBIBYTE * 4)
    damaged = bytearray(DATA)
    damaged[position] ^= 1
    path_of(root).write_bytes(damaged)
    size, chunks = await blobs.get(SHA256)
    assert await until_corrupted(chunks) < size == len(DATA)


@pytest.mark.parametrize("kept", [0, 1, MEBIBYTE, len(DATA) - 1])
async def test_a_cut_off_file_is_not_handed_out_as_whole(blobs: Blobs, root: Path, kept: int) -> None:
    await blobs.put(SHA256, chunks_of(DATA), MEBIBYTE * 4)
    path_of(root).write_bytes(DATA[:kept])
    size, chunks = await blobs.get(SHA256)
    assert await until_corrupted(chunks) <= max(0, size - 1)


async def test_a_file_cut_off_while_it_is_read(blobs: Blobs, root: Path) -> None:
    await blobs.put(SHA256, chunks_of(DATA), MEBIBYTE * 4)
    _, chunks = await blobs.get(SHA256)
    await anext(chunks)
    os.truncate(path_of(root), MEBIBYTE + 1)
    with pytest.raises((Corrupted, Unavailable)):
        async for _ in chunks:
            pass


async def test_a_file_removed_while_it_is_read(blobs: Blobs, root: Path) -> None:
    await blobs.put(SHA256, chunks_of(DATA), MEBIBYTE * 4)
    _, chunks = await blobs.get(SHA256)
    await anext(chunks)
    path_of(root).unlink()
    with pytest.raises(Corrupted):
        async for _ in chunks:
            pass


async def test_putting_again_heals_a_damaged_blob(blobs: Blobs, root: Path) -> None:
    await blobs.put(SHA256, chunks_of(DATA), MEBIBYTE * 4)
    path_of(root).write_bytes(b"rubbish")
    await blobs.put(SHA256, chunks_of(DATA), MEBIBYTE * 4)
    assert path_of(root).read_bytes() == DATA


_UPLOADER = """
import asyncio, sys
from axis.blobs import Blobs

async def chunks():
    for _ in range(80):
        yield bytes(65536)
    print("half", flush=True)
    await asyncio.sleep(60)

asyncio.run(Blobs.open(sys.argv[1]).put("0" * 64, chunks(), 1 << 30))
"""


async def test_a_killed_upload_is_invisible_and_swept(blobs: Blobs, root: Path) -> None:
    uploader = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _UPLOADER, root.as_uri(), stdout=asyncio.subprocess.PIPE
    )
    assert uploader.stdout is not None
    async with asyncio.timeout(60):
        assert await uploader.stdout.readline() == b"half\n"
        uploader.kill()
        await uploader.wait()
    remains = list((root / "staging").iterdir())
    assert len(remains) == 1
    assert await blobs.size("0" * 64) is None
    assert await blobs.sweep(timedelta(hours=1)) == 0
    assert remains[0].exists()
    os.utime(remains[0], (0, 0))
    assert await blobs.sweep(timedelta(hours=1)) == 1
    assert list((root / "staging").iterdir()) == []


async def test_a_sweep_leaves_blobs_alone(blobs: Blobs, root: Path) -> None:
    await blobs.put(SHA256, chunks_of(DATA), MEBIBYTE * 4)
    os.utime(path_of(root), (0, 0))
    assert await blobs.sweep(timedelta(0)) == 0
    assert path_of(root).exists()


async def test_a_folder_taken_away(blobs: Blobs, root: Path) -> None:
    (root / "staging").rmdir()
    with pytest.raises(Unavailable):
        await blobs.check()
