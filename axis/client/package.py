"""An edXML document package as an envelope and its files."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from axis.client.building import File, envelope_bytes
from axis.core.codes import canonical
from axis.core.secrecy import refuse_declared
from axis.edxml.convert import to_envelope
from axis.edxml.errors import EdxmlError
from axis.edxml.filenames import file_names
from axis.edxml.model import EdxmlDocument
from axis.edxml.reader import read
from axis.errors import Malformed
from schemas import Envelope


@dataclass(frozen=True, slots=True)
class Package:
    """An envelope as the bytes to sign, and the files it names."""

    envelope: Envelope
    body: bytes
    files: tuple[File, ...]


def read_package(
    source: bytes | Path,
    *,
    identifier: str,
    sent_at: datetime,
    recipients: list[str] | None,
    sender: str | None,
    concerns: str | None,
) -> Package:
    """Read a package into what is sent for it; raise EdxmlError, or Refused secrecy/marked."""
    if isinstance(source, bytes):
        document = read(source)
    else:
        try:
            with source.open("rb") as file:
                document = read(file)
        except OSError as error:
            raise Malformed(f"{source}: {error.strerror}", code="file/unreadable") from error
    if not isinstance(document, EdxmlDocument):
        raise EdxmlError("this is a status package; report a status instead", code="edxml/conversion")
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
    names = file_names(document)
    files = tuple(File(attachment.content, name) for name, attachment in zip(names, document.attachments, strict=True))
    return Package(envelope, envelope_bytes(envelope), files)
