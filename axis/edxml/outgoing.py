"""The wire contract to packages: what an envelope or a status says to a system that speaks edXML."""

import uuid
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path

from axis.core.codes import to_qcvn102
from axis.edxml.errors import EdxmlError
from axis.edxml.model import (
    Attachment,
    Business,
    DocumentType,
    EdxmlDocument,
    EdxmlStatus,
    Organisation,
    OtherInfo,
    Replacement,
    Response,
    Signer,
    Staff,
    Trace,
)
from axis.edxml.packing import content_type_of
from axis.edxml.section import document_id_of
from axis.edxml.sources import Chunked, Content, Elsewhere, Source
from axis.edxml.values import Day, DocumentId, IdForm, Instant
from schemas.envelope import Action, AttachmentRole, Document, Envelope, Priority, Reply, Steering
from schemas.envelope import Attachment as WireAttachment
from schemas.status import Status, StatusCode

# A canonical code to the organisation as it is written: its code in the form the partner reads, and its name.
Naming = Callable[[str], Organisation]

_PRIORITIES = (Priority.NORMAL, Priority.URGENT, Priority.VERY_URGENT, Priority.EXPRESS, Priority.EXPRESS_TIMED)
_STEERING = {Steering.NONE: 1, Steering.STEERING: 2, Steering.REPORT: 3}
_TYPES = {Action.NEW: "0", Action.RECALL: "1", Action.UPDATE: "2", Action.REPLACE: "3"}
# All packages seen say 1; what else it could say is in no public table.
_TYPE = 1
# What the connection SDK writes where nobody wrote anything (its sample packages).
_DESCRIPTIONS = {
    StatusCode.ARRIVED: "Đã đến - Phần mềm QLVB đã nhận nhưng văn thư chưa xử lý",
    StatusCode.REFUSED: "Từ chối không tiếp nhận văn bản điện tử",
    StatusCode.ACCEPTED: "Tiếp nhận văn bản điện tử, vào sổ văn bản đến của đơn vị",
    StatusCode.ASSIGNED: "Lãnh đạo: Phân công xử lý",
    StatusCode.PROCESSING: "Đang xử lý văn bản đến",
    StatusCode.FINISHED: "Văn thư: Ban hành văn bản đến, hoàn thành xử lý",
    StatusCode.TAKE_BACK: "Văn thư yêu cầu lấy lại văn bản điện tử kèm lý do",
    StatusCode.AGREED: "Văn thư đồng ý yêu cầu cập nhật, lấy lại",
    StatusCode.DECLINED: "Văn thư từ chối yêu cầu cập nhật, lấy lại",
}


class CodeForm(StrEnum):
    """The form of codes that a partner reads."""

    QD20 = "qd20"  # H37.05, the canonical one
    QCVN102 = "qcvn102"  # 000.00.05.H37, where a code has that form


def naming_from(
    names: Mapping[str, str], *, form: CodeForm = CodeForm.QCVN102, legacy: Mapping[str, str] | None = None
) -> Naming:
    """Return a naming from canonical codes to names; `legacy` are the directory's 13-character forms, before the rule.

    A code without a 13-character form is written as it is, and one without a name under its code.
    """

    def naming(code: str) -> Organisation:
        written = code
        if form is CodeForm.QCVN102:
            written = (legacy or {}).get(code) or to_qcvn102(code) or code
        return Organisation(organ_id=written, name=names.get(code, code))

    return naming


def from_envelope(
    envelope: Envelope,
    contents: Mapping[str, bytes | Path | Chunked],
    *,
    naming: Naming,
    concerned: Envelope | None = None,
) -> EdxmlDocument:
    """Make the package of an envelope that did not come as one.

    `contents`: where the bytes of each attachment are, by SHA-256; the package among them (role `package`) is left
    out and needs none. A sealed envelope has to be opened first: `envelope.model_copy(update={"attachments": files,
    "sealed": None})`. `concerned` is the envelope acted on: packages name documents, never envelopes, so without it a
    recall names the document by its own identifier, and a replacement names none.

    What edXML asks for and an envelope need not say is taken from what it does say (number, notation and date from
    the document identifier, the content from the subject); nothing else is made up.

    Raises:
        EdxmlError: `edxml/conversion` for a sealed envelope, or an attachment whose content is not given.
    """
    if envelope.sealed is not None:
        raise EdxmlError("the envelope is sealed: open it first", code="edxml/conversion")
    document = envelope.document
    key = document_id_of(document.document_id)
    number, notation = _number(document, key)
    other_key = document_id_of(concerned.document.document_id) if concerned else None
    return EdxmlDocument(
        sender=naming(envelope.sender),
        recipients=tuple(naming(code) for code in envelope.recipients),
        # Whoever gets a recall looks for the document under the identifier in the header; there is no other place.
        document_id=other_key if other_key and envelope.action is Action.RECALL else key,
        number=number,
        notation=notation,
        place=document.place,
        issued_on=Day.of(document.issued_on) if document.issued_on else _day(key),
        kind=DocumentType(type=_TYPE, name=document.kind),
        subject=document.subject,
        content=document.abstract or document.subject,
        signer=_signer(document),
        due_on=Day.of(document.due_on) if document.due_on else None,
        other=OtherInfo(
            priority=_PRIORITIES.index(document.priority),
            sphere=document.sphere,
            copies=document.copies,
            pages=document.pages,
            appendices=tuple(document.appendices),
        ),
        replies=tuple(_reply(reply, naming) for reply in document.replies_to),
        steering=_STEERING.get(document.steering),
        to_places=tuple(document.places),
        trace=_trace(envelope, naming),
        business=_business(envelope, naming, key, other_key),
        attachments=tuple(
            _attachment(each, contents) for each in envelope.attachments if each.role is not AttachmentRole.PACKAGE
        ),
    )


def from_status(status: Status, about: Envelope, *, naming: Naming) -> EdxmlStatus:
    """Make the package of a status; `about` is the envelope that it is about."""
    document = about.document
    key = document_id_of(document.document_id)
    number, notation = _number(document, key)
    taken_back = status.code is StatusCode.TAKE_BACK
    # The sender's system looks for the receiver among those it addressed, so the delivery goes before the reporter.
    speaker = status.reporter if taken_back else status.recipient or status.reporter
    addressee = (status.recipient or about.sender) if taken_back else about.sender
    return EdxmlStatus(
        sender=naming(speaker),
        response=Response(
            organ_id=naming(addressee).organ_id,
            code="/".join(part for part in (number, notation) if part) or None,
            issued_on=Day.of(document.issued_on) if document.issued_on else _day(key),
            document_id=key,
        ),
        code=status.code.value,
        description=status.reason or _DESCRIPTIONS[status.code],
        at=Instant.of(status.at),
        staff=_staff(status),
    )


def _number(document: Document, key: DocumentId) -> tuple[str | None, str | None]:
    """Return number and notation, from the identifier where the document says neither."""
    if document.number or document.notation or key.form is not IdForm.TRIPLE:
        return document.number, document.notation
    number, _, notation = (key.notation or "").partition("/")
    return number or None, notation or None


def _day(key: DocumentId) -> Day | None:
    return Day.of(key.day.value) if key.day and key.day.value else None


def _signer(document: Document) -> Signer | None:
    signer = document.signer
    return Signer(name=signer.name, position=signer.position, competence=signer.competence) if signer else None


def _reply(reply: Reply, naming: Naming) -> Response:
    return Response(
        organ_id=naming(reply.organisation).organ_id if reply.organisation else None,
        code=reply.notation,
        issued_on=Day.of(reply.issued_on) if reply.issued_on else None,
        document_id=document_id_of(reply.document_id) if reply.document_id else None,
    )


def _trace(envelope: Envelope, naming: Naming) -> tuple[Trace, ...]:
    hops = [(step.organisation, step.at) for step in envelope.trace]
    if not hops or hops[-1][0] != envelope.sender:
        hops.append((envelope.sender, envelope.sent_at))
    return tuple(Trace(naming(code).organ_id, Instant.of(at)) for code, at in hops)


def _business(envelope: Envelope, naming: Naming, key: DocumentId, other_key: DocumentId | None) -> Business:
    action = envelope.action
    replacements: tuple[Replacement, ...] = ()
    if action is Action.REPLACE and other_key:
        replacements = (Replacement(other_key, tuple(naming(code).organ_id for code in envelope.recipients)),)
    return Business(
        kind=action,
        type=_TYPES[action],
        reason=envelope.reason,
        paper=int(envelope.document.paper_follows),
        document_id=(other_key or key) if action is Action.UPDATE else None,
        information_updated=True if action is Action.UPDATE else None,
        receivers_updated=False if action is Action.UPDATE else None,
        replacements=replacements,
    )


def _attachment(attachment: WireAttachment, contents: Mapping[str, bytes | Path | Chunked]) -> Attachment:
    source = contents.get(attachment.sha256)
    if source is None:
        raise EdxmlError(f"the content of {attachment.name!r} is not given", code="edxml/conversion")
    content: Source = Content.of(source) if isinstance(source, bytes) else Elsewhere(source)
    return Attachment(
        content_id=str(uuid.uuid5(uuid.NAMESPACE_OID, f"{attachment.sha256} {attachment.name}")),
        name=attachment.name,
        content_type=content_type_of(attachment.name),
        size=attachment.size,
        sha256=attachment.sha256,
        description=attachment.description or attachment.name,
        content=content,
    )


def _staff(status: Status) -> Staff | None:
    staff = status.staff
    if staff is None:
        return None
    return Staff(department=staff.department, name=staff.name, mobile=staff.mobile, email=staff.email)
