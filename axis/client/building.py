"""What an agency says, as the exact bytes that are signed and sent."""

import datetime as dt
import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import orjson

from axis.client.ledger import Entry
from axis.core.ids import new_id
from axis.core.lanes import lane_of, submit_key
from axis.core.reading import parse_envelope, parse_status
from axis.core.secrecy import refuse_marked
from axis.edxml.filenames import media_type
from axis.errors import Malformed
from schemas import Action, AttachmentRole, Destroyed, Document, Envelope, Staff, StatusCode
from schemas.wire import ENVELOPE_MEDIA_TYPE, STATUS_EXCHANGE, STATUS_MEDIA_TYPE, SUBMIT_EXCHANGE


class Signs(Protocol):
    """A key that signs for the agency."""

    def sign(self, body: bytes) -> str:
        """Return the detached JWS over the exact bytes."""
        ...


class Chunked(Protocol):
    """Bytes kept elsewhere, an edXML attachment for one."""

    def chunks(self, size: int) -> Iterator[bytes]:
        """Yield the bytes from the start in pieces of at most `size`."""
        ...


@dataclass(frozen=True, slots=True)
class File:
    """A file to send along; what is not given is derived from the name.

    `source` is a path, the bytes themselves, or something whose `chunks()` gives the bytes from the start each time.
    `sha256`: what the bytes have to be, where somebody has read them before.
    """

    source: "Path | bytes | Chunked"
    name: str
    media_type: str | None = None
    role: AttachmentRole | None = None
    description: str | None = None
    sha256: str | None = None

    @classmethod
    def of(cls, source: "Path | File") -> "File":
        """Take a path as a file of the same name."""
        return source if isinstance(source, File) else cls(source, source.name)

    @classmethod
    def of_bytes(cls, name: str, data: bytes) -> "File":
        """Take bytes in memory as a file of this name."""
        return cls(data, name)

    def chunks(self, size: int) -> Iterator[bytes]:
        """Yield the bytes from the start in pieces of at most `size`; raise Malformed when the file cannot be read."""
        if isinstance(self.source, bytes):
            yield from (self.source[at : at + size] for at in range(0, len(self.source), size))
        elif isinstance(self.source, Path):
            try:
                with self.source.open("rb") as file:
                    while piece := file.read(size):
                        yield piece
            except OSError as error:
                raise Malformed(f"{self.source}: {error.strerror}", code="file/unreadable") from error
        else:
            yield from self.source.chunks(size)

    def check(self, sha256: str) -> None:
        """Raise Malformed `file/changed` when the bytes that were read are not those that somebody has read before."""
        if self.sha256 not in {None, sha256}:
            raise Malformed(f"{self.name} changed while it was being sent", code="file/changed")

    def attachment(self, number: int, *, sha256: str, size: int) -> dict[str, object]:
        """Describe the file as the envelope does; the first is the document itself unless said otherwise."""
        default = AttachmentRole.MAIN if number == 0 else AttachmentRole.APPENDIX
        return _said(
            {
                "name": self.name,
                "media_type": self.media_type or media_type(self.name, None, unpacked=False),
                "size": size,
                "sha256": sha256,
                "role": self.role or default,
                "description": self.description,
            }
        )


@dataclass(frozen=True, slots=True)
class Author:
    """Write and sign an agency's messages; `now` is the clock that ids and times are taken from."""

    code: str
    key: Signs
    now: Callable[[], dt.datetime]

    def envelope(
        self,
        *,
        sender: str | None,
        recipients: Sequence[str],
        document: Document,
        attachments: Sequence[dict[str, object]] = (),
        action: Action = Action.NEW,
        concerns: str | None = None,
        reason: str | None = None,
        identifier: str | None = None,
        sealed: dict[str, object] | None = None,
    ) -> Entry:
        """Write an envelope; raise Refused with the code the axis would refuse it with."""
        at = self.now()
        return self.signed_envelope(
            _bytes(
                {
                    "schema": "axis.envelope/1",
                    "id": identifier or new_id(at),
                    "sender": sender or self.code,
                    "recipients": list(recipients),
                    "action": action,
                    "concerns": concerns,
                    "reason": reason,
                    "sent_at": at,
                    "document": document.model_dump(mode="json", exclude_none=True),
                    "attachments": list(attachments),
                    "sealed": sealed,
                }
            )
        )

    def signed_envelope(self, body: bytes) -> Entry:
        """Sign the bytes of an envelope, after reading them as strictly as the axis will."""
        envelope = parse_envelope(body)
        refuse_marked(envelope)  # here, so that nothing of it leaves this machine
        return Entry(
            id=envelope.id,
            key=envelope.id,
            kind="document",
            about=envelope.id,
            exchange=SUBMIT_EXCHANGE,
            routing_key=submit_key(lane_of(envelope.document.priority), envelope.sender),
            media_type=ENVELOPE_MEDIA_TYPE,
            body=body,
            signature=self.key.sign(body),
        )

    def status(
        self,
        envelope_id: str,
        code: StatusCode,
        *,
        recipient: str | None = None,
        reason: str | None = None,
        staff: Staff | None = None,
        reporter: str | None = None,
        at: dt.datetime | None = None,
        destroyed: Destroyed | None = None,
    ) -> Entry:
        """Write a status; `at` is when it came about, if not now.

        `recipient` is left out where it is the reporter itself. The same status written again has the same key, so
        the ledger keeps the first and its id.
        """
        now = self.now()
        reporter = reporter or self.code
        said: dict[str, object] = {
            "reporter": reporter,
            "envelope": envelope_id,
            "recipient": None if recipient == reporter else recipient,
            "code": code,
            "reason": reason,
            "staff": staff and staff.model_dump(mode="json", exclude_none=True),
        }
        proof = None if destroyed is None else destroyed.model_dump(mode="json")
        body = _bytes({"schema": "axis.status/1", "id": new_id(now), **said, "destroyed": proof, "at": at or now})
        if proof is not None:
            said["destroyed"] = {**proof, "at": None}  # whenever it was: a copy is destroyed once
        status = parse_status(body)
        digest = hashlib.sha256(_bytes(said)).hexdigest()
        return Entry(
            id=status.id,
            key=f"{envelope_id} {code.value} {digest}",
            kind="status",
            about=envelope_id,
            exchange=STATUS_EXCHANGE,
            routing_key=reporter,
            media_type=STATUS_MEDIA_TYPE,
            body=body,
            signature=self.key.sign(body),
        )


def same_document(one: bytes, other: bytes) -> bool:
    """Whether two envelopes differ in nothing but the moment they were written.

    A document sealed twice has other ciphertext each time: of its files the number, sizes and roles are compared.
    """
    first, second = parse_envelope(one), parse_envelope(other)
    if first.sealed is not None and second.sealed is not None:
        sizes = [(each.size, each.role) for each in first.attachments]
        if sizes == [(each.size, each.role) for each in second.attachments]:
            second = second.model_copy(update={"attachments": first.attachments, "sealed": first.sealed})
    return first == second.model_copy(update={"sent_at": first.sent_at})


def envelope_bytes(envelope: Envelope) -> bytes:
    """Write an envelope as bytes to sign."""
    return _bytes(envelope.model_dump(mode="json", by_alias=True, exclude_none=True))


def _bytes(message: dict[str, object]) -> bytes:
    return orjson.dumps(_said(message))


def _said(members: dict[str, object]) -> dict[str, object]:
    return {key: value for key, value in members.items() if value is not None}


_PRINTABLE = re.compile(r"[^\x20-\x7e\u00a0-\U0010ffff]")


def reason_text(code: str, detail: str) -> str:
    """Put a refusal in words for a status: the stable code first, then what exactly."""
    return _PRINTABLE.sub(" ", f"{code}: {detail}")[:2000]
