"""What a package says, as frozen values. None: the element is absent or empty."""

from dataclasses import dataclass, field
from enum import StrEnum

from axis.edxml.deviations import Deviation
from axis.edxml.sources import Content, Source
from axis.edxml.values import Day, DocumentId, Instant
from schemas.envelope import Action
from schemas.status import StatusCode


@dataclass(frozen=True, slots=True)
class Organisation:
    """A sender or receiver; only `organ_id` is ever routed on, names do not always fit it."""

    organ_id: str
    name: str | None = None
    in_charge: str | None = None
    address: str | None = None
    email: str | None = None
    telephone: str | None = None
    fax: str | None = None
    website: str | None = None


@dataclass(frozen=True, slots=True)
class DocumentType:
    """Loại văn bản: opaque numbers and a name in words."""

    type: int | None = None
    detail: int | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signed the document, as text; no proof of anything."""

    name: str | None = None
    position: str | None = None
    competence: str | None = None


@dataclass(frozen=True, slots=True)
class OtherInfo:
    """OtherInfo; `priority` 0 to 4 as in domain use, other numbers are kept and reported."""

    priority: int | None = None
    sphere: str | None = None
    typist: str | None = None
    copies: int | None = None
    pages: int | None = None
    direction: bool | None = None
    appendices: tuple[str, ...] = ()
    reply_fors: str | None = None
    reference_codes: str | None = None


@dataclass(frozen=True, slots=True)
class Response:
    """The document that is answered (ResponseFor)."""

    organ_id: str | None = None
    code: str | None = None
    issued_on: Day | None = None
    document_id: DocumentId | None = None


@dataclass(frozen=True, slots=True)
class Staff:
    """The person who acted (StaffInfo)."""

    department: str | None = None
    name: str | None = None
    mobile: str | None = None
    email: str | None = None


@dataclass(frozen=True, slots=True)
class ReceiverChange:
    """One change of the receiver list by an update; `added` is None where ReceiverType is neither 0 nor 1."""

    organ_id: str
    added: bool | None = None


@dataclass(frozen=True, slots=True)
class Replacement:
    """A document that is replaced, and the receivers it concerns."""

    document_id: DocumentId | None = None
    organ_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Business:
    """What the package does; `kind` is None where BussinessDocType (`type`) is not 0 to 3."""

    kind: Action | None
    type: str | None = None
    reason: str | None = None
    paper: int | None = None
    document_id: DocumentId | None = None
    information_updated: bool | None = None
    receivers_updated: bool | None = None
    receiver_changes: tuple[ReceiverChange, ...] = ()
    replacements: tuple[Replacement, ...] = ()
    staff: tuple[Staff, ...] = ()


@dataclass(frozen=True, slots=True)
class Trace:
    """One hop (TraceHeader)."""

    organ_id: str
    at: Instant | None = None


class SignatureState(StrEnum):
    """What is known of the XML signature: reading judges its shape, `axis.signatures.xml` verifies what has one."""

    ABSENT = "absent"
    PLACEHOLDER = "placeholder"  # empty, outside the xmldsig namespace, or with a certificate that is none
    PRESENT = "present"  # it looks real, and nobody has verified it
    INVALID = "invalid"  # verified, and it does not count: broken, weak, partial, or of nobody who is trusted
    VALID = "valid"  # verified: the whole package, signed by somebody who is trusted


@dataclass(frozen=True, slots=True)
class Attachment:
    """One file: `content` holds its bytes, already decoded and, where the SDK had packed them, unpacked.

    `name` is as written and may be anything, a path included; `entry` is the packed entry's name.
    """

    content_id: str | None
    name: str
    content_type: str | None
    size: int
    sha256: str
    description: str | None = None
    content: Source = field(default_factory=Content, compare=False, repr=False)
    entry: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Extra:
    """An element we have no place for, kept verbatim: its path below the envelope and its text."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class EdxmlDocument:
    """A document package."""

    sender: Organisation
    recipients: tuple[Organisation, ...]
    document_id: DocumentId
    number: str | None = None
    notation: str | None = None
    place: str | None = None
    issued_on: Day | None = None
    kind: DocumentType = field(default_factory=DocumentType)
    subject: str | None = None
    content: str | None = None
    signer: Signer | None = None
    due_on: Day | None = None
    other: OtherInfo = field(default_factory=OtherInfo)
    replies: tuple[Response, ...] = ()
    steering: int | None = None
    to_places: tuple[str, ...] = ()
    response_for_task: str | None = None
    application_type: str | None = None
    trace: tuple[Trace, ...] = ()
    business: Business | None = None
    signature: SignatureState = SignatureState.ABSENT
    attachments: tuple[Attachment, ...] = ()
    extras: tuple[Extra, ...] = ()
    warnings: tuple[Deviation, ...] = field(default=(), compare=False)

    @property
    def action(self) -> Action:
        """What the package does; without Bussiness, or with an unknown type, it is a new document."""
        return (self.business and self.business.kind) or Action.NEW


@dataclass(frozen=True, slots=True)
class EdxmlStatus:
    """A status package; `code` is kept as written, private codes (103, 104) are seen in the wild."""

    sender: Organisation
    response: Response
    code: str
    description: str | None = None
    at: Instant | None = None
    staff: Staff | None = None
    extras: tuple[Extra, ...] = ()
    warnings: tuple[Deviation, ...] = field(default=(), compare=False)

    @property
    def meaning(self) -> StatusCode | None:
        """The business code, or None where it is not one of the nine."""
        return StatusCode(self.code) if self.code in set(StatusCode) else None
