"""Packages to the wire contract: envelope and status. Attachments go to the blob store beside them."""

import datetime as dt
from collections.abc import Callable, Sequence

from pydantic import ValidationError

from axis.edxml.errors import EdxmlError
from axis.edxml.filenames import file_names, media_type
from axis.edxml.model import EdxmlDocument, EdxmlStatus, Response, Trace
from axis.errors import AxisError
from schemas.envelope import (
    Action,
    Attachment,
    AttachmentRole,
    Document,
    Envelope,
    Priority,
    Reply,
    Signer,
    Steering,
    TraceStep,
)
from schemas.status import Staff, Status, StatusCode

# Priority 5 is what one vendor's database calls "thường"; the format ends at 4.
_PRIORITIES = (Priority.NORMAL, Priority.URGENT, Priority.VERY_URGENT, Priority.EXPRESS, Priority.EXPRESS_TIMED)
_STEERING = {1: Steering.NONE, 2: Steering.STEERING, 3: Steering.REPORT}

ToCanonical = Callable[[str], str]


def to_envelope(
    document: EdxmlDocument,
    *,
    id: str,  # noqa: A002 - the envelope's own word
    sent_at: dt.datetime,
    to_canonical: ToCanonical,
    sender: str | None = None,
    recipients: Sequence[str] | None = None,
    concerns: str | None = None,
) -> Envelope:
    """Make the envelope of a document package.

    `sender` and `recipients` (canonical codes) take precedence over the package's own; `concerns` is the id of the
    envelope acted on, which a package cannot know and anything but a new document needs. `to_canonical` turns either
    code form into the canonical one, usually by the directory's mapping.

    Raises:
        EdxmlError: `edxml/code` for a code without canonical form, `edxml/conversion` for what an envelope cannot say.
    """
    if recipients is None:
        named = (_canonical(to.organ_id, to_canonical, "To/OrganId") for to in document.recipients)
        recipients = list(dict.fromkeys(named))
    try:
        return Envelope.model_validate(
            {
                "schema": "axis.envelope/1",
                "id": id,
                "sender": sender or _canonical(document.sender.organ_id, to_canonical, "From/OrganId"),
                "recipients": list(recipients),
                "action": document.action,
                "concerns": None if document.action is Action.NEW else concerns,
                "reason": document.business.reason if document.business else None,
                "sent_at": sent_at,
                "document": _document(document, to_canonical),
                "attachments": _attachments(document),
                "trace": [step for hop in document.trace if (step := _trace(hop, to_canonical))],
            }
        )
    except ValidationError as error:
        raise _conversion(error) from error


def to_status(
    status: EdxmlStatus,
    *,
    id: str,  # noqa: A002 - the status's own word
    envelope: str,
    to_canonical: ToCanonical,
    reporter: str | None = None,
    recipient: str | None = None,
    at: dt.datetime | None = None,
) -> Status:
    """Make the status of a status package; `envelope` is the id of the envelope that it is about.

    `at` stands in for a package without a readable time.

    Raises:
        EdxmlError: `edxml/code` for a code without canonical form, `edxml/conversion` for what a status cannot say.
    """
    if status.meaning is None:
        raise EdxmlError(f"status code {status.code[:20]!r} has no meaning on the axis", code="edxml/conversion")
    if recipient is None and status.meaning is StatusCode.TAKE_BACK:
        recipient = _canonical(status.response.organ_id or "", to_canonical, "ResponseFor/OrganId")
    moment = _utc(status.at.value if status.at else None) or at
    if moment is None:
        raise EdxmlError("the status has no readable time", code="edxml/conversion")
    try:
        return Status.model_validate(
            {
                "schema": "axis.status/1",
                "id": id,
                "reporter": reporter or _canonical(status.sender.organ_id, to_canonical, "From/OrganId"),
                "envelope": envelope,
                "recipient": recipient,
                "code": status.meaning,
                "at": moment,
                "reason": status.description,
                "staff": _staff(status),
            }
        )
    except ValidationError as error:
        raise _conversion(error) from error


def _document(document: EdxmlDocument, to_canonical: ToCanonical) -> Document:
    other, signer = document.other, document.signer
    known_priority = other.priority is not None and 0 <= other.priority < len(_PRIORITIES)
    return Document(
        document_id=document.document_id.text,
        number=document.number,
        notation=document.notation,
        issued_on=document.issued_on.value if document.issued_on else None,
        place=document.place,
        kind=document.kind.name,
        # Senders leave Subject empty now and then; the document still has to be called something.
        subject=document.subject or document.content or document.document_id.text,
        abstract=document.content,
        signer=Signer(name=signer.name, position=signer.position, competence=signer.competence)
        if signer and signer.name
        else None,
        priority=_PRIORITIES[other.priority] if other.priority is not None and known_priority else Priority.NORMAL,
        due_on=document.due_on.value if document.due_on else None,
        pages=other.pages,
        copies=other.copies,
        paper_follows=bool(document.business and document.business.paper),
        steering=_STEERING.get(document.steering or 0, Steering.UNSPECIFIED),
        sphere=other.sphere,
        appendices=list(other.appendices),
        places=list(document.to_places),
        replies_to=[_reply(reply, to_canonical) for reply in document.replies],
    )


def _reply(reply: Response, to_canonical: ToCanonical) -> Reply:
    return Reply(
        organisation=_canonical_or_none(reply.organ_id, to_canonical),
        document_id=reply.document_id.text if reply.document_id else None,
        notation=reply.code,
        issued_on=reply.issued_on.value if reply.issued_on else None,
    )


def _trace(hop: Trace, to_canonical: ToCanonical) -> TraceStep | None:
    organisation = _canonical_or_none(hop.organ_id, to_canonical)
    moment = _utc(hop.at.value if hop.at else None)
    return TraceStep(organisation=organisation, at=moment) if organisation and moment else None


def _utc(moment: dt.datetime | None) -> dt.datetime | None:
    try:
        return moment and moment.astimezone(dt.UTC)
    except OverflowError:  # the first hours of year 1 do not exist in UTC
        return None


def _staff(status: EdxmlStatus) -> Staff | None:
    staff = status.staff
    return (
        None
        if staff is None
        else Staff(department=staff.department, name=staff.name, mobile=staff.mobile, email=staff.email)
    )


def _attachments(document: EdxmlDocument) -> list[Attachment]:
    return [
        Attachment(
            name=name,
            media_type=media_type(name, attachment.content_type, unpacked=attachment.entry is not None),
            size=attachment.size,
            sha256=attachment.sha256,
            # The format does not tell a document's main file from the rest; builders write it first.
            role=AttachmentRole.MAIN if number == 0 else AttachmentRole.RELATED,
            description=attachment.description,
        )
        for number, (name, attachment) in enumerate(zip(file_names(document), document.attachments, strict=True))
    ]


def _canonical(text: str, to_canonical: ToCanonical, where: str) -> str:
    try:
        return to_canonical(text)
    except AxisError as error:
        raise EdxmlError(f"`{where}` {text[:60]!r}: {error.detail}", code="edxml/code") from error


def _canonical_or_none(text: str | None, to_canonical: ToCanonical) -> str | None:
    """Codes that nothing is routed on may be anything in real packages; they are left out, not refused."""
    if not text:
        return None
    try:
        return to_canonical(text)
    except AxisError:
        return None


def _conversion(error: ValidationError) -> EdxmlError:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return EdxmlError(f"{where}: {first['msg']}" if where else first["msg"], code="edxml/conversion")
