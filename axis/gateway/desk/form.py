"""A multipart form with one file, streamed to a spool file."""

import asyncio
import contextlib
import hashlib
import os
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from axis.errors import Refused

_FIELD_BYTES = 4096  # of a text field
_FIELDS = 16
_HEADER_BYTES = 1024
_AROUND_BYTES = 64 * 1024  # of everything around the file
_BOUNDARY = 70  # RFC 2046 section 5.1.1


@dataclass(frozen=True, slots=True)
class Form:
    """The one file, on disk until the block ends, with its size and SHA-256; and the text fields by name."""

    path: Path
    size: int
    sha256: str
    fields: Mapping[str, str]


@contextlib.asynccontextmanager
async def receive_form(
    content_type: str, body: AsyncGenerator[bytes, None], *, file: str, folder: Path, limit: int
) -> AsyncIterator[Form]:
    """Read a form whose file is in the field named `file`; `limit` is of the file, in bytes.

    Raises Refused partner/form or partner/too-large as soon as it is sure; nothing of it stays on disk then.
    """
    kind, options = parse_options_header(content_type)
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not 0 < len(boundary) <= _BOUNDARY:
        raise Refused("partner/form", "the content type is not multipart/form-data with a boundary")
    await asyncio.to_thread(folder.mkdir, mode=0o700, parents=True, exist_ok=True)
    handle, name = await asyncio.to_thread(tempfile.mkstemp, dir=folder, suffix=".edxml")
    path = Path(name)
    try:
        reading = _Reading(handle, boundary, file, limit)
        try:
            async with contextlib.aclosing(body) as pieces:
                async for piece in pieces:
                    await asyncio.to_thread(reading.feed, piece)
            await asyncio.to_thread(reading.finish)
        finally:
            await asyncio.to_thread(os.close, handle)
        yield Form(path, reading.size, reading.digest.hexdigest(), reading.fields)
    finally:
        await asyncio.to_thread(path.unlink, missing_ok=True)


class _Reading:
    """Takes a form apart as its bytes come; runs in a thread."""

    def __init__(self, handle: int, boundary: bytes, file: str, limit: int) -> None:
        self.size = 0
        self.digest = hashlib.sha256()
        self.fields: dict[str, str] = {}
        self._handle = handle
        self._file = file
        self._limit = limit
        self._left = limit + _AROUND_BYTES
        self._parts = 0
        self._last = b"\r\n--" + boundary + b"--"
        self._tail = b""
        self._found = False
        self._ended = False
        self._field: str | None = None
        self._is_file = False
        self._value = bytearray()
        self._header = (bytearray(), bytearray())
        self._headers: dict[bytes, bytes] = {}
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": lambda data, start, end: self._gather(0, data[start:end]),
                "on_header_value": lambda data, start, end: self._gather(1, data[start:end]),
                "on_header_end": self._end_header,
                "on_headers_finished": self._end_headers,
                "on_part_data": lambda data, start, end: self._take(data[start:end]),
                "on_part_end": self._end_part,
                "on_end": self._end,
            },
            max_header_size=_HEADER_BYTES,
        )

    def feed(self, piece: bytes) -> None:
        self._left -= len(piece)
        if self._left < 0:
            raise Refused("partner/too-large", f"the limit is {self._limit} bytes, and {_AROUND_BYTES} around the file")
        after = piece
        if not self._ended:
            try:
                self._parser.write(piece)
            except FormParserError as error:
                raise Refused("partner/form", f"the form cannot be read: {error}"[:200]) from error
            joined = self._tail + piece
            after = joined.partition(self._last)[2] if self._ended else b""
            self._tail = joined[-len(self._last) :]
        if after.strip(b"\r\n\t "):
            raise Refused("partner/form", "something comes after the end of the form")

    def finish(self) -> None:
        if not self._ended:
            raise Refused("partner/form", "the form ends in the middle")
        if not self._found:
            raise Refused("partner/form", f"there is no file in a field “{self._file}”")

    def _begin(self) -> None:
        self._parts += 1
        if self._parts > _FIELDS + 1:
            raise Refused("partner/form", f"more than {_FIELDS} fields")
        self._headers, self._value, self._field, self._is_file = {}, bytearray(), None, False

    def _gather(self, part: int, data: bytes) -> None:
        self._header[part].extend(data)

    def _end_header(self) -> None:
        name, value = self._header
        self._headers[bytes(name).lower()] = bytes(value)
        self._header = (bytearray(), bytearray())

    def _end_headers(self) -> None:
        kind, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        if kind != b"form-data" or b"name" not in options:
            raise Refused("partner/form", "a part without a name")
        self._field = options[b"name"].decode("utf-8", "replace")
        self._is_file = self._field == self._file
        if self._headers.get(b"content-transfer-encoding", b"binary").strip().lower() not in {
            b"binary",
            b"8bit",
            b"7bit",
        }:
            raise Refused("partner/form", "a part that is encoded; send the bytes as they are")
        if self._is_file:
            if self._found:
                raise Refused("partner/form", f"two files in “{self._file}”")
            self._found = True

    def _take(self, data: bytes) -> None:
        if not self._is_file:
            self._value += data
            if len(self._value) > _FIELD_BYTES:
                raise Refused("partner/form", f"the field “{(self._field or '')[:60]}” is over {_FIELD_BYTES} bytes")
            return
        self.size += len(data)
        if self.size > self._limit:
            raise Refused("partner/too-large", f"the limit is {self._limit} bytes")
        self.digest.update(data)
        view = memoryview(data)
        while view:
            view = view[os.write(self._handle, view) :]

    def _end_part(self) -> None:
        if not self._is_file and self._field is not None:
            try:
                self.fields[self._field] = self._value.decode("utf-8")
            except UnicodeDecodeError as error:
                raise Refused("partner/form", f"the field “{self._field[:60]}” is not UTF-8") from error

    def _end(self) -> None:
        self._ended = True
