"""The bytes before they are XML: pieces, UTF-8 and positions."""

import codecs
from collections.abc import Iterator
from typing import BinaryIO

CHUNK = 64 * 1024
_CONTINUATION = bytes(range(0x80, 0xC0))  # UTF-8: every byte of a character but its first


class Place:
    """Count lines and columns over the bytes already passed (1-based, columns in characters)."""

    def __init__(self) -> None:
        self._line = 1
        self._column = 1

    def pass_over(self, data: bytes) -> None:
        """Move on by `data`."""
        self._line, self._column = self.after(data)

    def after(self, data: bytes) -> tuple[int, int]:
        """Return the line and column right after `data`, without moving."""
        lines = data.count(b"\n")
        last = data[data.rfind(b"\n") + 1 :]
        return self._line + lines, (1 if lines else self._column) + len(last.translate(None, _CONTINUATION))


def valid_prefix(utf8: codecs.IncrementalDecoder, piece: bytes) -> int:
    """Return how many bytes of the next piece may be parsed: all, or those before the first that is not UTF-8."""
    pending = len(utf8.getstate()[0])
    try:
        utf8.decode(piece)
    except UnicodeDecodeError as error:
        return max(0, error.start - pending)
    return len(piece)


def pieces(source: bytes | BinaryIO) -> Iterator[bytes]:
    """Yield the source in pieces of at most CHUNK bytes."""
    if isinstance(source, bytes):
        for start in range(0, len(source), CHUNK):
            yield source[start : start + CHUNK]
        return
    while piece := source.read(CHUNK):
        yield piece
