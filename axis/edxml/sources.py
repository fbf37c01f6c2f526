"""Where bytes are kept: one spooled file for all attachments of a package, or wherever their owner has them."""

import hashlib
import io
import tempfile
import threading
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from axis.edxml.limits import DEFAULT_LIMITS, Limits

PIECE = 64 * 1024


class Chunked(Protocol):
    """Bytes kept anywhere that can be read from the start as often as needed."""

    def chunks(self, size: int) -> Iterator[bytes]:
        """Yield the bytes from the start in pieces of at most `size`."""
        ...


class Source(Protocol):
    """What an attachment's bytes are read from."""

    def chunks(self, size: int = PIECE) -> Iterator[bytes]:
        """Yield the bytes from the start in pieces of at most `size`."""
        ...

    def read(self) -> bytes:
        """Return all bytes at once."""
        ...


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Bytes that stay where they are: in a file, or behind somebody's `chunks`."""

    source: Path | Chunked

    def chunks(self, size: int = PIECE) -> Iterator[bytes]:
        """Yield the bytes from the start in pieces of at most `size`; raise OSError when the file cannot be read."""
        if not isinstance(self.source, Path):
            yield from self.source.chunks(size)
            return
        with self.source.open("rb") as file:
            while piece := file.read(size):
                yield piece

    def read(self) -> bytes:
        """Return all bytes at once."""
        return b"".join(self.chunks())


class Spool:
    """Hold the bytes of many contents one after the other, in memory while they are few, then in an anonymous file.

    One file for a whole package: a thousand attachments cost neither a thousand buffers nor a thousand descriptors.
    It disappears with the last content that lies in it. Several threads may read at once.
    """

    def __init__(self, limits: Limits = DEFAULT_LIMITS) -> None:
        self._file: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=limits.spool)  # noqa: SIM115 - lives with self
        self._lock = threading.Lock()
        self.size = 0
        weakref.finalize(self, self._file.close)

    def append(self, data: bytes) -> None:
        """Write at the end."""
        with self._lock:
            self._file.seek(self.size)
            self._file.write(data)
            self.size += len(data)

    def read(self, at: int, size: int) -> bytes:
        """Read from a position."""
        with self._lock:
            self._file.seek(at)
            return self._file.read(size)


class Content:
    """Hold one attachment's bytes, a part of a spool: its own, or its package's."""

    def __init__(self, spool: Spool | None = None) -> None:
        self.spool = spool or Spool()
        self._start = self.spool.size
        self._digest = hashlib.sha256()
        self.size = 0

    @classmethod
    def of(cls, data: bytes) -> "Content":
        """Wrap bytes that are already in memory."""
        content = cls()
        content.write(data)
        return content

    def write(self, data: bytes) -> None:
        """Append; only while the content is being made, and no other one in the same spool is."""
        if self._start + self.size != self.spool.size:
            raise ValueError("another content was begun before this one was finished")
        self._digest.update(data)
        self.size += len(data)
        self.spool.append(data)

    @property
    def sha256(self) -> str:
        """SHA-256 as 64 lower-case hexadecimal digits."""
        return self._digest.hexdigest()

    def chunks(self, size: int = PIECE) -> Iterator[bytes]:
        """Yield the bytes from the start in pieces of at most `size`."""
        for at in range(0, self.size, size):
            yield self.part(at, size)

    def part(self, at: int, size: int) -> bytes:
        """Return at most `size` bytes from a position."""
        return self.spool.read(self._start + at, max(0, min(size, self.size - at)))

    def read(self) -> bytes:
        """Return all bytes at once."""
        return self.part(0, self.size)

    def seekable(self) -> IO[bytes]:
        """Give the bytes as a file, at its start, to a library that needs one."""
        return io.BufferedReader(_Window(self), PIECE)


class _Window(io.RawIOBase):
    """A content as a file."""

    def __init__(self, content: Content) -> None:
        self._content = content
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._content.size}[whence]
        if base + offset < 0:
            raise ValueError("a position before the start")
        self._at = base + offset
        return self._at

    def readinto(self, buffer: "memoryview | bytearray") -> int:  # type: ignore[override] # any buffer, in fact
        data = self._content.part(self._at, len(buffer))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)
