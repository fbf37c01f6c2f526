"""edXML packages: a document as an envelope and its files, a status as what is reported of which document.

The last file of a document is the package itself, byte for byte: a system that reads edXML gets it as it was written.
"""

import contextlib
import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import BinaryIO, cast

from axis.client.building import File, envelope_bytes
from axis.client.papers import spelled
from axis.core.codes import canonical
from axis.core.secrecy import refuse_declared
from axis.edxml.convert import to_envelope
from axis.edxml.errors import EdxmlError
from axis.edxml.filenames import file_names, media_type, package_name
from axis.edxml.model import EdxmlDocument, EdxmlStatus
from axis.edxml.reader import read
from axis.errors import Malformed
from schemas import Action, Attachment, AttachmentRole, Envelope
from schemas.envelope import MAX_ATTACHMENTS


@dataclass(frozen=True, slots=True)
class Package:
    """An envelope as the bytes to sign, and the files it names."""

    envelope: Envelope
    body: bytes
    files: tuple[File, ...]


@dataclass(frozen=True, slots=True)
class Original:
    """A package as it was read; a file that is written meanwhile must not become two documents."""

    source: bytes | Path
    size: int
    sha256: str


def read_document(source: bytes | Path) -> tuple[EdxmlDocument, Original]:
    """Read a document package, and say of which bytes; raise EdxmlError."""
    document, original = _read(source)
    if not isinstance(document, EdxmlDocument):
        raise EdxmlError("this is a status package; report a status instead", code="edxml/conversion")
    return document, original


def read_status(source: bytes | Path) -> tuple[EdxmlStatus, Original]:
    """Read a status package, and say of which bytes; raise EdxmlError."""
    status, original = _read(source)
    if not isinstance(status, EdxmlStatus):
        raise EdxmlError("this is a document package; send it instead", code="edxml/conversion")
    return status, original


def acted_on(document: EdxmlDocument) -> str | None:
    """Return the DocumentId that a recall, an update or a replacement is about; None for a new document.

    A recall names it in its own header, as the packages of the guide do. Raises EdxmlError for a replacement of
    several documents: an envelope acts on one.
    """
    business = document.business
    if business is None or document.action is Action.NEW:
        return None
    if document.action is Action.REPLACE:
        replaced = {spelled(each.document_id.text) for each in business.replacements if each.document_id is not None}
        if len(replaced) > 1:
            told = f"it replaces {len(replaced)} documents: send a package for each, or name one as `concerns`"
            raise EdxmlError(told, code="edxml/conversion")
        if replaced:
            return replaced.pop()
    return (business.document_id or document.document_id).text


def receivers_changed(document: EdxmlDocument) -> tuple[list[str], list[str]]:
    """Return the codes that an update adds to the receivers, and those it removes; raise EdxmlError."""
    if document.business is None or document.action is not Action.UPDATE:
        return [], []
    changes = document.business.receiver_changes
    try:
        codes = [canonical(each.organ_id, tolerant=True) for each in changes]
    except Malformed as error:
        raise EdxmlError(f"`ReceiverList`: {error.detail}", code="edxml/code") from error
    added = [code for code, each in zip(codes, changes, strict=True) if each.added]
    return added, [code for code, each in zip(codes, changes, strict=True) if each.added is False]


def package_of(
    document: EdxmlDocument,
    original: Original,
    *,
    identifier: str,
    sent_at: datetime,
    recipients: list[str] | None,
    sender: str | None,
    concerns: str | None,
) -> Package:
    """Make of a package what is sent for it; raise EdxmlError, or Refused secrecy/marked."""
    refuse_declared((extra.path.rpartition("/")[2], extra.text) for extra in document.extras)
    envelope = to_envelope(
        document,
        id=identifier,
        sent_at=sent_at,
        # Codes as they are in real packages; the axis's directory decides whether they exist.
        to_canonical=partial(canonical, tolerant=True),
        recipients=recipients,
        sender=sender,
        concerns=concerns,
    )
    if len(envelope.attachments) >= MAX_ATTACHMENTS:
        raise EdxmlError(f"attachments: an envelope holds {MAX_ATTACHMENTS} with the package", code="edxml/conversion")
    whole = Attachment(
        name=(name := package_name(document)),
        media_type=media_type(name, None, unpacked=False),
        size=original.size,
        sha256=original.sha256,
        role=AttachmentRole.PACKAGE,
    )
    envelope = envelope.model_copy(update={"attachments": [*envelope.attachments, whole]})
    names = file_names(document)
    files = [File(attachment.content, name) for name, attachment in zip(names, document.attachments, strict=True)]
    files.append(File(original.source, whole.name, sha256=original.sha256))
    return Package(envelope, envelope_bytes(envelope), tuple(files))


def _read(source: bytes | Path) -> tuple[EdxmlDocument | EdxmlStatus, Original]:
    with _opened(source) as file:
        counted = _Counted(file)
        return read(cast("BinaryIO", counted)), Original(source, counted.size, counted.digest.hexdigest())


@contextlib.contextmanager
def _opened(source: bytes | Path) -> Iterator[BinaryIO]:
    if isinstance(source, bytes):
        yield io.BytesIO(source)
        return
    try:
        with source.open("rb") as file:
            yield file
    except OSError as error:
        raise Malformed(f"{source}: {error.strerror}", code="file/unreadable") from error


class _Counted:
    """Read on, and remember what was read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.digest = hashlib.sha256()
        self.size = 0

    def read(self, size: int) -> bytes:
        piece = self._file.read(size)
        self.digest.update(piece)
        self.size += len(piece)
        return piece
