"""Blobs by their SHA-256."""

import asyncio
import contextlib
import hashlib
import uuid
from collections.abc import AsyncGenerator, AsyncIterator
from datetime import timedelta
from types import TracebackType
from typing import Protocol, Self

import obstore
from obstore.exceptions import BaseError
from obstore.store import AzureStore, GCSStore, S3Store

from axis.blobs.folder import STAGING
from axis.blobs.keys import key_of
from axis.blobs.opening import Opened, open_store
from axis.errors import AxisError, NotFound, Refused, Unavailable

# One request each, with the retries below included. No deadline spans a whole transfer: its length is the caller's.
_REQUEST_SECONDS = 60
_ABORT_SECONDS = 10
_PARTS_IN_FLIGHT = 2


class Corrupted(AxisError):
    """Report stored bytes that do not fit their digest: the disk or somebody behind our back changed them."""


class Blobs:
    """A content-addressed store of immutable bytes.

    Contract: a digest is visible only when all of its bytes are stored, fit it, and (local file system) are on disk;
    whatever interrupts a `put` leaves nothing visible. A `put` always takes and stores all bytes, even of a blob that
    is there already: knowing a digest is no proof of having the document, and writing again heals a damaged object.
    Memory stays flat in both directions.
    """

    def __init__(self, opened: Opened) -> None:
        self._store = opened.store
        self._part = opened.part
        self._read = opened.read
        self._folder = opened.folder

    @classmethod
    def open(cls, url: str) -> Self:
        """Open file:///folder, memory://, s3://bucket/prefix?option=value, …; raise Misconfigured."""
        return cls(open_store(url))

    async def put(self, sha256: str, chunks: AsyncIterator[bytes], limit: int) -> int:
        """Store the bytes under their digest and return their number; more than `limit` bytes are refused.

        Raises Refused blob/digest and blob/too-large, Unavailable, and whatever `chunks` raises.
        """
        key = key_of(sha256)
        target = key if self._folder is None else f"{STAGING}/{uuid.uuid4().hex}"
        digest = hashlib.sha256()
        size = 0
        # The writer completes an object only in `close`: up to there an S3 multipart upload or a part file is
        # invisible, and leaving with an error aborts it.
        writer = obstore.open_writer_async(
            self._store, target, buffer_size=self._part, max_concurrency=_PARTS_IN_FLIGHT
        )
        async with _aborted_on_error(writer):
            async for chunk in chunks:
                size += len(chunk)
                if size > limit:
                    raise Refused("blob/too-large", f"The limit is {limit} bytes.")
                digest.update(chunk)
                async with outside("write"):
                    await writer.write(chunk)
            if digest.hexdigest() != sha256:
                raise Refused("blob/digest", f"The {size} bytes received have the SHA-256 {digest.hexdigest()}.")
            async with outside("complete"):
                await writer.close()
        if self._folder is not None:
            async with outside("settle"):
                await asyncio.to_thread(self._folder.settle, target, key)
        return size

    async def size(self, sha256: str) -> int | None:
        """Return the number of bytes; None when there is no such blob."""
        key = key_of(sha256)
        async with outside("look up"):
            try:
                return (await obstore.head_async(self._store, key))["size"]
            except FileNotFoundError:
                return None

    async def get(self, sha256: str) -> tuple[int, AsyncGenerator[bytes]]:
        """Return the size and the bytes, or raise NotFound.

        The last chunk is handed out only when all bytes fit the digest: corruption ends the stream with Corrupted.
        """
        size = await self.size(sha256)
        if size is None:
            raise NotFound(f"There is no blob {sha256}.", code="blob/not-found")
        return size, self._verified(sha256, size)

    async def get_part(self, sha256: str, start: int, stop: int) -> AsyncGenerator[bytes]:
        """Yield the bytes from `start` up to `stop` (exclusive).

        A part cannot be held against the digest: the reader who joins the parts has to do that.
        """
        key = key_of(sha256)
        for position in range(start, stop, self._read):
            until = min(position + self._read, stop)
            async with outside("read"):
                try:
                    piece = await obstore.get_range_async(self._store, key, start=position, end=until)
                except FileNotFoundError as error:
                    raise Corrupted(f"The blob {sha256} vanished while it was read.") from error
            if len(piece) != until - position:
                raise Corrupted(f"The blob {sha256} lost its end while it was read.")
            yield bytes(piece)

    async def signed_url(self, sha256: str, valid: timedelta) -> str | None:
        """Return an address of the store's own from which the blob can be read for so long; None where it has none."""
        if not isinstance(self._store, (S3Store, GCSStore, AzureStore)):
            return None
        async with outside("sign an address"):
            return await obstore.sign_async(self._store, "GET", key_of(sha256), valid)

    async def remove(self, sha256: str) -> None:
        """Remove a blob; one that is not there is no error. Backups and versions that the store keeps are its own."""
        key = key_of(sha256)
        async with outside("remove"):
            with contextlib.suppress(FileNotFoundError):
                await obstore.delete_async(self._store, key)

    async def check(self) -> None:
        """Raise Unavailable unless the store answers."""
        async with outside("look"):
            if self._folder is not None:
                await asyncio.to_thread(self._folder.check)
            else:
                await obstore.list_with_delimiter_async(self._store, STAGING)

    async def sweep(self, older_than: timedelta) -> int:
        """Remove what interrupted uploads left in a local folder and return how many files that were.

        Remote stores keep interrupted multipart uploads out of sight; a lifecycle rule of the bucket
        (AbortIncompleteMultipartUpload) removes them.
        """
        if self._folder is None:
            return 0
        async with outside("sweep"):
            return await asyncio.to_thread(self._folder.sweep, older_than)

    async def _verified(self, sha256: str, size: int) -> AsyncGenerator[bytes]:
        digest = hashlib.sha256()
        held = b""
        async for piece in self.get_part(sha256, 0, size):
            if held:
                yield held
            digest.update(piece)
            held = piece
        if digest.hexdigest() != sha256:
            raise Corrupted(f"The {size} bytes stored as {sha256} have the SHA-256 {digest.hexdigest()}.")
        if held:
            yield held


class _Writer(Protocol):
    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...


@contextlib.asynccontextmanager
async def _aborted_on_error(writer: _Writer) -> AsyncIterator[None]:
    try:
        yield
    except BaseException as error:
        # Aborting is a courtesy: what it cannot remove is invisible, and swept later.
        with contextlib.suppress(BaseError, OSError, TimeoutError):
            async with asyncio.timeout(_ABORT_SECONDS):
                await writer.__aexit__(type(error), error, error.__traceback__)
        raise


@contextlib.asynccontextmanager
async def outside(verb: str) -> AsyncIterator[None]:
    """Give a request to the store its deadline, and turn failures of the store into Unavailable."""
    try:
        async with asyncio.timeout(_REQUEST_SECONDS):
            yield
    except TimeoutError as error:
        raise Unavailable(f"The blob store took over {_REQUEST_SECONDS} s to {verb}.") from error
    except (BaseError, OSError) as error:
        raise Unavailable(f"The blob store failed to {verb}: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    # obstore appends a dump of its own structures, which belongs in no message to an agency.
    return str(error).partition("\n")[0]
