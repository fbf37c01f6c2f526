"""One contract for every blob store: memory (the fake), a local folder, and S3 as moto speaks it."""

import asyncio
import hashlib
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from axis.blobs import Blobs
from axis.errors import Misconfigured, NotFound, Refused, Unavailable

MEBIBYTE = 1024 * 1024
LIMIT = 64 * MEBIBYTE
READ = 128 * 1024
# Empty, one byte, around the local and the remote read size, one S3 part (5 MiB) and more.
SIZES = [0, 1, READ - 1, READ, READ + 1, MEBIBYTE, MEBIBYTE + 1, 5 * MEBIBYTE, 12 * MEBIBYTE + 7]


class Interrupted(Exception):
    """What a chunk source may raise."""


def content(size: int) -> bytes:
    return (bytes(range(251)) * (size // 251 + 1))[:size]


def digest_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


async def chunks_of(data: bytes, chunk: int = 64 * 1024, error: Exception | None = None) -> AsyncIterator[bytes]:
    for start in range(0, len(data), chunk):
        yield data[start : start + chunk]
    if error is not None:
        raise error


async def read(blobs: Blobs, sha256: str) -> bytes:
    _, chunks = await blobs.get(sha256)
    return b"".join([chunk async for chunk in chunks])


@pytest.fixture(scope="session")
def moto() -> Iterator[str]:
    """The address of a private S3; skip where moto_server is not on PATH (it is not in our lock)."""
    program = shutil.which("moto_server")
    if program is None:
        pytest.skip("moto_server is not on PATH, so there is no S3 to try")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    server = subprocess.Popen(
        [program, "-H", "127.0.0.1", "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        transport = httpx.HTTPTransport(retries=8)  # connects again with growing pauses until it listens
        with httpx.Client(base_url=url, transport=transport, timeout=30, trust_env=False) as client:
            authorization = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, SignedHeaders=host"
            client.put("/axis-blobs", headers={"authorization": f"{authorization}, Signature=0"}).raise_for_status()
        yield url
    finally:
        server.terminate()
        server.wait(10)


@pytest.fixture(params=["memory", "local", "s3"])
def url(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "memory":
        return "memory:///"
    if request.param == "local":
        return (tmp_path / "blobs").as_uri()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    endpoint = request.getfixturevalue("moto")
    # A prefix of its own for each test, in one bucket.
    return f"s3://axis-blobs/{tmp_path.name}?endpoint={endpoint}&region=us-east-1&virtual_hosted_style_request=false"


@pytest.fixture
def blobs(url: str) -> Blobs:
    return Blobs.open(url)


@pytest.mark.parametrize("size", SIZES)
async def test_what_was_put_comes_back(blobs: Blobs, size: int) -> None:
    data = content(size)
    sha256 = digest_of(data)
    assert await blobs.put(sha256, chunks_of(data), LIMIT) == size
    assert await blobs.size(sha256) == size
    assert (await blobs.get(sha256))[0] == size
    assert await read(blobs, sha256) == data


async def test_an_absent_blob(blobs: Blobs) -> None:
    sha256 = digest_of(b"never stored")
    assert await blobs.size(sha256) is None
    with pytest.raises(NotFound) as caught:
        await blobs.get(sha256)
    assert caught.value.code == "blob/not-found"


@pytest.mark.parametrize("size", [1, 12 * MEBIBYTE])
async def test_other_bytes_than_announced_never_show(blobs: Blobs, size: int) -> None:
    data = content(size)
    announced = digest_of(data + b"!")
    with pytest.raises(Refused) as caught:
        await blobs.put(announced, chunks_of(data), LIMIT)
    assert caught.value.code == "blob/digest"
    assert digest_of(data) in caught.value.detail
    assert await blobs.size(announced) is None
    assert await blobs.size(digest_of(data)) is None


@pytest.mark.parametrize("size", [100, 12 * MEBIBYTE])
async def test_an_upload_that_breaks_off_never_shows(blobs: Blobs, size: int) -> None:
    data = content(size)
    with pytest.raises(Interrupted):
        await blobs.put(digest_of(data), chunks_of(data, error=Interrupted()), LIMIT)
    assert await blobs.size(digest_of(data)) is None


async def test_a_cancelled_upload_never_shows(blobs: Blobs) -> None:
    data = content(7 * MEBIBYTE)
    everything_sent = asyncio.Event()

    async def stalling() -> AsyncIterator[bytes]:
        async for chunk in chunks_of(data):
            yield chunk
        everything_sent.set()
        await asyncio.Event().wait()

    upload = asyncio.create_task(blobs.put(digest_of(data), stalling(), LIMIT))
    await everything_sent.wait()
    upload.cancel()
    with pytest.raises(asyncio.CancelledError):
        await upload
    assert await blobs.size(digest_of(data)) is None


async def test_the_limit_is_exact(blobs: Blobs) -> None:
    data = content(1000)
    with pytest.raises(Refused) as caught:
        await blobs.put(digest_of(data), chunks_of(data, 100), 999)
    assert caught.value.code == "blob/too-large"
    assert "999" in caught.value.detail
    assert await blobs.size(digest_of(data)) is None
    assert await blobs.put(digest_of(data), chunks_of(data, 100), 1000) == 1000


async def test_nothing_is_read_past_the_limit(blobs: Blobs) -> None:
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        while True:
            taken += 1
            yield bytes(1000)

    with pytest.raises(Refused):
        await blobs.put(digest_of(b""), endless(), 10_000)
    assert taken == 11


async def test_putting_again_needs_the_bytes_again(blobs: Blobs) -> None:
    data = content(300_000)
    sha256 = digest_of(data)
    await blobs.put(sha256, chunks_of(data), LIMIT)
    with pytest.raises(Refused) as caught:
        await blobs.put(sha256, chunks_of(b"I only know the digest"), LIMIT)
    assert caught.value.code == "blob/digest"
    assert await read(blobs, sha256) == data
    assert await blobs.put(sha256, chunks_of(data), LIMIT) == 300_000


async def test_many_put_the_same_blob_at_once(blobs: Blobs) -> None:
    data = content(2 * MEBIBYTE)
    sha256 = digest_of(data)
    async with asyncio.TaskGroup() as group:
        puts = [group.create_task(blobs.put(sha256, chunks_of(data), LIMIT)) for _ in range(5)]
        bad = group.create_task(_refused(blobs, sha256))
    assert {put.result() for put in puts} == {len(data)}
    assert bad.result() == "blob/digest"
    assert await read(blobs, sha256) == data


async def _refused(blobs: Blobs, sha256: str) -> str:
    with pytest.raises(Refused) as caught:
        await blobs.put(sha256, chunks_of(content(2 * MEBIBYTE - 1)), LIMIT)
    return caught.value.code


@pytest.mark.parametrize(("start", "stop"), [(0, 1), (0, 700_000), (300_000, 700_000), (699_999, 700_000), (5, 5)])
async def test_a_part(blobs: Blobs, start: int, stop: int) -> None:
    data = content(700_000)
    await blobs.put(digest_of(data), chunks_of(data), LIMIT)
    part = b"".join([chunk async for chunk in blobs.get_part(digest_of(data), start, stop)])
    assert part == data[start:stop]


@pytest.mark.parametrize(
    "name",
    ["", "ab", "../../etc/passwd", "A" * 64, "g" * 64, "a" * 63, "a" * 65, "a" * 64 + "\n", "a" * 63 + "/", "٣" * 64],
)
async def test_only_a_digest_names_a_blob(blobs: Blobs, name: str) -> None:
    for attempt in (blobs.size(name), blobs.get(name), blobs.put(name, chunks_of(b""), LIMIT)):
        with pytest.raises(Refused) as caught:
            await attempt
        assert caught.value.code == "blob/digest"


async def test_the_store_answers(blobs: Blobs) -> None:
    await blobs.check()
    assert await blobs.sweep(timedelta(0)) == 0


async def test_a_bucket_that_is_not_there(moto: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    blobs = Blobs.open(f"s3://no-such-bucket?endpoint={moto}&region=us-east-1&virtual_hosted_style_request=false")
    with pytest.raises(Unavailable):
        await blobs.check()
    with pytest.raises(Unavailable):
        await blobs.put(digest_of(b"x"), chunks_of(b"x"), LIMIT)


@pytest.mark.parametrize(
    "url", ["nonsense", "ftp://x/y", "s3://bucket?no_such_option=1", "s3://bucket?junk", "file:///proc/axis"]
)
def test_a_url_that_cannot_work(url: str) -> None:
    with pytest.raises(Misconfigured):
        Blobs.open(url)


async def test_what_is_removed_is_gone_and_can_be_put_again(blobs: Blobs) -> None:
    data = b"of a state secret"
    sha256 = digest_of(data)
    await blobs.put(sha256, chunks_of(data), LIMIT)
    await blobs.remove(sha256)
    assert await blobs.size(sha256) is None
    await blobs.remove(sha256)
    await blobs.put(sha256, chunks_of(data), LIMIT)
    assert await read(blobs, sha256) == data
