"""The attachment rule of the connection SDK for writing: which files travel as they are and which inside a ZIP."""

import binascii
import hashlib
import tempfile
import uuid
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import IO, cast

from axis.edxml.bytestream import CHUNK
from axis.edxml.errors import EdxmlError
from axis.edxml.limits import DEFAULT_LIMITS
from axis.edxml.model import Attachment
from axis.edxml.sources import Content

ZIP_TYPE = "application/zip"
# The list is the SDK's own; `xsl` and `xslx` are its misspellings, so real Excel files travel packed.
_UNPACKED = {"pdf", "doc", "docx", "xsl", "xslx", "zip"}
_TRIPLE = 3  # bytes that become four characters of base64


def attach(name: str, data: bytes, *, content_id: str | None = None, description: str | None = None) -> Attachment:
    """Make an attachment of a file's bytes, with the content type that the SDK gives it.

    `content_id` (without `cid:`) is a UUID from the bytes and the name if not given, so that the same file always
    makes the same package.
    """
    content = Content.of(data)
    return Attachment(
        content_id=content_id or str(uuid.uuid5(uuid.NAMESPACE_OID, f"{content.sha256} {name}")),
        name=name,
        content_type=content_type_of(name),
        size=content.size,
        sha256=content.sha256,
        description=description or name,
        content=content,
    )


def content_type_of(name: str) -> str:
    """Return the ContentType that the SDK writes for a file name."""
    suffix = suffix_of(name)
    return f"application/{suffix}" if suffix in _UNPACKED else ZIP_TYPE


def suffix_of(name: str) -> str:
    """Return a file name's extension, lower case and without the dot; empty if there is none."""
    _, dot, suffix = name.rpartition(".")
    return suffix.lower() if dot else ""


def travels_as(attachment: Attachment) -> str | None:
    """Return the ContentType to write: what the package said, unless a reader would then not find the file.

    Readers unpack what is called a ZIP and has no name of one, and nothing else. A file that is packed here, and is
    called something else, would arrive as the ZIP; one that is not packed, and is called a ZIP, could be unpacked.
    """
    said = attachment.content_type
    packed, named_zip = suffix_of(attachment.name) not in _UNPACKED, suffix_of(attachment.name) == "zip"
    misleading = packed or ((said or "").lower() == ZIP_TYPE and not named_zip)
    return content_type_of(attachment.name) if misleading else said


def encoded(attachment: Attachment) -> Iterator[bytes]:
    """Yield what goes into ContentTransferEncoded: base64 on one line, of the file or of a ZIP of one entry.

    Raises:
        EdxmlError: `edxml/conversion` when the content has not the size and digest that the attachment says.
    """
    with _travelling(attachment) as pieces:
        rest = b""
        for piece in pieces:
            data = rest + piece
            whole = len(data) - len(data) % _TRIPLE
            rest = data[whole:]
            yield binascii.b2a_base64(data[:whole], newline=False)
        yield binascii.b2a_base64(rest, newline=False)


@contextmanager
def _travelling(attachment: Attachment) -> Iterator[Iterator[bytes]]:
    if suffix_of(attachment.name) in _UNPACKED:
        yield _checked(attachment)
        return
    with tempfile.SpooledTemporaryFile(max_size=DEFAULT_LIMITS.spool) as packed:
        _pack(attachment, cast("IO[bytes]", packed))
        packed.seek(0)
        yield iter(partial(packed.read, CHUNK), b"")


def _pack(attachment: Attachment, target: IO[bytes]) -> None:
    # As in the SDK the entry has a name of its own; the time is fixed so that equal input makes equal bytes.
    suffix = suffix_of(attachment.name)
    entry = zipfile.ZipInfo(
        str(uuid.uuid5(uuid.NAMESPACE_OID, attachment.sha256)) + (f".{suffix}" if suffix.isalnum() else "")
    )
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.file_size = attachment.size
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive, archive.open(entry, "w") as out:
        for piece in _checked(attachment):
            out.write(piece)


def _checked(attachment: Attachment) -> Iterator[bytes]:
    digest, size = hashlib.sha256(), 0
    for piece in attachment.content.chunks(CHUNK):
        size += len(piece)
        if size > attachment.size:
            break
        digest.update(piece)
        yield piece
    if size != attachment.size or digest.hexdigest() != attachment.sha256:
        raise EdxmlError(f"the bytes of {attachment.name!r} are not the ones it names", code="edxml/conversion")
