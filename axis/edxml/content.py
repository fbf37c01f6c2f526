"""Attachment bytes: base64 in pieces, and the ZIP rule of the connection SDK."""

import binascii
import struct
import zipfile
import zlib
from dataclasses import dataclass

from axis.edxml.errors import EdxmlError
from axis.edxml.limits import Limits
from axis.edxml.sources import PIECE, Content, Spool

_SPACES = b" \t\r\n"
_QUANTUM = 4
_UNREADABLE_ZIP = (
    zipfile.BadZipFile,
    zlib.error,
    NotImplementedError,  # a way of packing, or a version, that zipfile does not know
    RuntimeError,  # encrypted
    EOFError,
    ValueError,
    struct.error,
)


@dataclass(slots=True)
class Budget:
    """What all attachments of one package may still take, in bytes."""

    left: int

    def spend(self, size: int, code: str) -> None:
        """Take `size` bytes off, or refuse the package."""
        self.left -= size
        if self.left < 0:
            raise EdxmlError("the attachments together are over the limit", code=code)


class Base64Sink:
    """Decode base64 text as it arrives: white space is dropped, anything else that is not base64 is refused."""

    def __init__(self, spool: Spool, limits: Limits, budget: Budget) -> None:
        self.content = Content(spool)
        self._limits = limits
        self._budget = budget
        self._rest = b""
        self._ended = False

    def feed(self, text: str) -> None:
        """Take the next piece of text, cut anywhere."""
        try:
            data = self._rest + text.encode("ascii").translate(None, _SPACES)
        except UnicodeEncodeError as error:
            raise EdxmlError(
                "an attachment is not base64: a character outside ASCII", code="edxml/bad-base64"
            ) from error
        cut = len(data) - len(data) % _QUANTUM
        self._rest = data[cut:]
        self._decode(data[:cut])

    def close(self) -> Content:
        """Check that the text ended on a whole group and return the bytes."""
        if self._rest:
            raise EdxmlError("base64 text does not end on a group of four characters", code="edxml/bad-base64")
        return self.content

    def _decode(self, text: bytes) -> None:
        if not text:
            return
        if self._ended:
            raise EdxmlError("base64 text goes on after its padding", code="edxml/bad-base64")
        try:
            data = binascii.a2b_base64(text, strict_mode=True)
        except binascii.Error as error:
            raise EdxmlError(f"an attachment is not base64: {error}", code="edxml/bad-base64") from error
        self._ended = text.endswith(b"=")
        self._budget.spend(len(data), "edxml/too-large")
        self.content.write(data)
        if self.content.size > self._limits.max_attachment:
            raise EdxmlError("an attachment is over the limit", code="edxml/too-large")


@dataclass(frozen=True, slots=True)
class Unpacked:
    """What the ZIP rule made of an attachment; `deviation` is set where the bytes were kept as they are."""

    content: Content
    entry: str | None = None
    deviation: str | None = None


def unpack(packed: Content, limits: Limits, budget: Budget, growth: Budget) -> Unpacked:
    """Unpack a ZIP of exactly one entry; keep any other bytes as they are and say why.

    The caller decides by ContentType and file name whether the SDK packed the file at all.
    """
    entries = _count_entries(packed)
    if entries is None:
        return Unpacked(packed, deviation="attachment-not-zip")
    if entries != 1:
        return Unpacked(packed, deviation="attachment-zip-entries")
    content = Content(packed.spool)
    try:
        with zipfile.ZipFile(packed.seekable()) as archive:
            (entry,) = archive.infolist()
            with archive.open(entry) as source:
                while piece := source.read(PIECE):
                    content.write(piece)
                    _guard(content.size, packed.size, limits)
                    budget.spend(len(piece), "edxml/zip-bomb")
                    growth.spend(min(len(piece), max(0, content.size - packed.size)), "edxml/zip-bomb")
    except _UNREADABLE_ZIP:
        # Broken, encrypted or compressed in a way we do not know: nothing is lost by keeping the bytes.
        return Unpacked(packed, deviation="attachment-zip-unreadable")
    return Unpacked(content, entry=entry.filename)


def _guard(size: int, packed: int, limits: Limits) -> None:
    if size > limits.max_attachment or (size > limits.zip_free and size > packed * limits.zip_ratio):
        raise EdxmlError("an attachment unpacks to more than the limit", code="edxml/zip-bomb")


_END = struct.Struct("<4s4H2LH")  # APPNOTE 4.3.16, end of central directory record
_LONGEST_COMMENT = 65_535
_LONGEST_ENTRY = 46 + 3 * 65_535  # APPNOTE 4.3.12, a central header with the longest name, extra field and comment
_ZIP64_LOCATOR = b"PK\x06\x07"
_ZIP64_LOCATOR_SIZE = 20
_MANY = 2


def _count_entries(content: Content) -> int | None:
    """Count what the ZIP claims to hold before `zipfile` reads it; None if it is no ZIP.

    `zipfile` builds an object per entry of the central directory: 50 MB of it would cost gigabytes of memory.
    """
    size = content.size
    if size < _END.size:
        return None
    file = content.seekable()
    window = min(size, _END.size + _LONGEST_COMMENT + _ZIP64_LOCATOR_SIZE)
    file.seek(size - window)
    tail = file.read(window)
    at = len(tail) - _END.size
    if not (tail[at:].startswith(b"PK\x05\x06") and tail.endswith(b"\0\0")):
        at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < _END.size:
        return None
    _, _, _, here, entries, directory, _, _ = _END.unpack_from(tail, at)
    if _ZIP64_LOCATOR in tail[max(0, at - _ZIP64_LOCATOR_SIZE) : at] or directory > _LONGEST_ENTRY:
        return _MANY
    return int(max(here, entries))
