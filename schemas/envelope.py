"""The envelope: what an agency says about one document, and to whom it goes."""

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from schemas.base import TEXT_PATTERN, Code, Day, MessageId, Moment, Sha256, Text50, Text200, Text500, Text2000, Wire
from schemas.sealing import Sealed

MAX_ENVELOPE_BYTES = 256 * 1024
MAX_RECIPIENTS = 5_000
MAX_ATTACHMENTS = 200
MAX_BLOB_BYTES = 16 * 1024**3
_CONTROL = r"\u0000-\u001f\u007f\ufffe\uffff"  # as in TEXT_PATTERN, and of one line


class Priority(StrEnum):
    """Độ khẩn, NĐ 30/2020 article 4.2.c and edXML Priority 0 to 4; all but `normal` are urgent by law."""

    NORMAL = "normal"  # thường
    URGENT = "urgent"  # khẩn
    VERY_URGENT = "very_urgent"  # thượng khẩn
    EXPRESS = "express"  # hỏa tốc
    EXPRESS_TIMED = "express_timed"  # hỏa tốc hẹn giờ


class Action(StrEnum):
    """What the package does (edXML BussinessDocType 0 to 3)."""

    NEW = "new"
    RECALL = "recall"
    UPDATE = "update"
    REPLACE = "replace"


class Steering(StrEnum):
    """Văn bản chỉ đạo (edXML SteeringType)."""

    UNSPECIFIED = "unspecified"
    NONE = "none"
    STEERING = "steering"
    REPORT = "report"


class AttachmentRole(StrEnum):
    """Which part of the document a file is."""

    MAIN = "main"
    APPENDIX = "appendix"
    RELATED = "related"
    PACKAGE = "package"


class Attachment(Wire):
    """Names one file of the document; its bytes are in the blob store under `sha256`."""

    name: Annotated[
        str,
        Field(
            min_length=1,
            max_length=200,
            # A name, never a path: a recipient may save under it. Leading dots hide files, trailing ones
            # vanish on Windows.
            pattern=rf"^[^{_CONTROL}/\\.:]([^{_CONTROL}/\\:]*[^{_CONTROL}/\\:. ])?$",
            description="A file name without any path.",
            examples=["7816-VPCP-TTĐT.pdf"],
        ),
    ]
    media_type: Annotated[str, Field(max_length=100, pattern=r"^[a-z0-9.+-]+/[A-Za-z0-9.+_-]+$")]
    size: Annotated[int, Field(ge=0, le=MAX_BLOB_BYTES, description="Bytes.")]
    sha256: Sha256
    role: AttachmentRole = AttachmentRole.MAIN
    description: Text500 | None = None


class Signer(Wire):
    """Who signed the document itself (SignerInfo)."""

    name: Text200
    position: Text200 | None = None
    competence: Annotated[Text200 | None, Field(description="TM., KT., TL., TUQ. …")] = None


class Reply(Wire):
    """A document this one answers (ResponseFor)."""

    organisation: Code | None = None
    document_id: Text200 | None = None
    notation: Text200 | None = None
    issued_on: Day | None = None


class Document(Wire):
    """What is said about the document (QĐ 28/2018 article 10)."""

    document_id: Annotated[
        str,
        Field(
            min_length=1,
            max_length=200,
            pattern=TEXT_PATTERN,
            description="The sender's key: `<code>,<yyyy/MM/dd>,<number>/<notation>`, or what the sender uses.",
            examples=["G22,2026/11/24,7816/VPCP-TTĐT"],
        ),
    ]
    number: Text50 | None = None
    notation: Text200 | None = None
    issued_on: Day | None = None
    place: Text200 | None = None
    kind: Annotated[Text200 | None, Field(description="Loại văn bản: Công văn, Quyết định, …")] = None
    subject: Annotated[str, Field(min_length=1, max_length=2000, pattern=TEXT_PATTERN, description="Trích yếu.")]
    abstract: Text2000 | None = None
    signer: Signer | None = None
    priority: Priority = Priority.NORMAL
    due_on: Day | None = None
    pages: Annotated[int, Field(ge=0, le=1_000_000)] | None = None
    copies: Annotated[int, Field(ge=0, le=1_000_000)] | None = None
    paper_follows: bool = False
    steering: Steering = Steering.UNSPECIFIED
    sphere: Annotated[Text500 | None, Field(description="SphereOfPromulgation.")] = None
    appendices: list[Text500] = Field(default_factory=list, max_length=100)
    places: list[Text500] = Field(
        default_factory=list, max_length=500, description="Nơi nhận, as text; never routed on."
    )
    replies_to: list[Reply] = Field(default_factory=list, max_length=100)


class TraceStep(Wire):
    """One system the document passed on its way to the axis (TraceHeader)."""

    organisation: Code
    at: Moment


class Envelope(Wire):
    """The signed JSON message about one document; at most 256 KiB as bytes."""

    model_config = ConfigDict(
        json_schema_extra={
            "if": {"properties": {"action": {"const": "new"}}},
            "then": {"properties": {"concerns": {"type": "null"}}},
            "else": {"required": ["concerns"], "properties": {"concerns": {"type": "string"}}},
        }
    )

    schema_: Literal["axis.envelope/1"] = Field(alias="schema")
    id: MessageId
    sender: Code
    recipients: Annotated[
        list[Code], Field(min_length=1, max_length=MAX_RECIPIENTS, json_schema_extra={"uniqueItems": True})
    ]
    action: Action = Action.NEW
    concerns: Annotated[
        MessageId | None, Field(description="The envelope acted on; required unless action is new.")
    ] = None
    reason: Annotated[Text2000 | None, Field(description="Why it is recalled, updated or replaced.")] = None
    sent_at: Moment
    document: Document
    attachments: list[Attachment] = Field(
        default_factory=list,
        max_length=MAX_ATTACHMENTS,
        description="No two of the same name, upper and lower case being the same. Only the last can be a `package`.",
    )
    sealed: Annotated[
        Sealed | None,
        Field(description="End-to-end encryption: the attachments are ciphertext, and their names say nothing."),
    ] = None
    trace: list[TraceStep] = Field(default_factory=list, max_length=100)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if len(set(self.recipients)) != len(self.recipients):
            raise ValueError("a recipient is named twice")
        if (self.action is Action.NEW) != (self.concerns is None):
            raise ValueError("`concerns` names the envelope acted on: required unless action is new, and only then")
        names = [attachment.name.casefold() for attachment in self.attachments]
        if len(set(names)) != len(names):
            raise ValueError("two attachments have the same name")
        # Recipients do not save it unasked, so nothing else may hide behind the role.
        if any(attachment.role is AttachmentRole.PACKAGE for attachment in self.attachments[:-1]):
            raise ValueError("only the last attachment can be the edXML package")
        return self
