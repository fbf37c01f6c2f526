"""Write packages exactly in the order and spelling of the connection SDK, which every reader in the field takes."""

import io
from typing import BinaryIO

from axis.edxml.lines import DECLARED, PREFIX, Element, Lines
from axis.edxml.model import (
    Attachment,
    Business,
    EdxmlDocument,
    EdxmlStatus,
    Organisation,
    OtherInfo,
    ReceiverChange,
    Replacement,
    Response,
    Staff,
)
from axis.edxml.names import NAMESPACE
from axis.edxml.packing import encoded, travels_as

_TYPES = {"new": "0", "recall": "1", "update": "2", "replace": "3"}


def build_document(document: EdxmlDocument) -> bytes:
    """Return a document package as bytes; for big attachments see `write_document`, which raises the same."""
    target = io.BytesIO()
    write_document(document, target)
    return target.getvalue()


def write_document(document: EdxmlDocument, target: BinaryIO) -> None:
    """Write a document package to a binary file: UTF-8, CRLF, no signature.

    Attachments are encoded by the SDK's rule, piece by piece; `extras`, `warnings` and the signature state are not
    written. What was written when it raises is no package.

    Raises:
        EdxmlError: `edxml/conversion` for a character that XML cannot carry, and for an attachment whose content has
            not the size and digest that it says.
        OSError: when a content cannot be read, or the target not written.
    """
    header: list[Element] = [
        ("From", _organisation(document.sender)),
        *[("To", _organisation(recipient)) for recipient in document.recipients],
        ("DocumentId", document.document_id),
        ("Code", (("CodeNumber", document.number or ""), ("CodeNotation", document.notation or ""))),
        ("PromulgationInfo", (("Place", document.place or ""), ("PromulgationDate", document.issued_on or ""))),
        (
            "DocumentType",
            (
                ("Type", document.kind.type),
                ("TypeDetail", document.kind.detail),
                ("TypeName", document.kind.name or ""),
            ),
        ),
        ("Subject", document.subject or ""),
        ("Content", document.content or ""),
        ("SignerInfo", _signer(document)),
        ("DueDate", document.due_on),
        ("OtherInfo", _other(document.other)),
        *[("ResponseFor", _response(reply)) for reply in document.replies],
        ("SteeringType", document.steering),
        ("ToPlaces", [("Place", place) for place in document.to_places]),
        ("ResponseForTask", document.response_for_task),
        ("ApplicationType", document.application_type),
    ]
    trace: list[Element] = [
        *[("TraceHeader", (("OrganId", hop.organ_id), ("Timestamp", hop.at))) for hop in document.trace],
        ("Bussiness", _business(document.business) if document.business else None),
    ]
    out = Lines(target)
    out.start(f'<edXML xmlns="{NAMESPACE}">')
    out.start(f"<{PREFIX}edXMLEnvelope{DECLARED}>")
    out.start(f"<{PREFIX}edXMLHeader>")
    out.element("MessageHeader", header)
    out.element("TraceHeaderList", trace)
    out.end(f"</{PREFIX}edXMLHeader>")
    out.start(f"<{PREFIX}edXMLBody>")
    out.start(f'<{PREFIX}edXMLManifest version="1.0">')
    for attachment in document.attachments:
        out.element("Reference", _reference(attachment))
    out.end(f"</{PREFIX}edXMLManifest>")
    out.end(f"</{PREFIX}edXMLBody>")
    out.end(f"</{PREFIX}edXMLEnvelope>")
    out.start("<AttachmentEncoded>")
    for attachment in document.attachments:
        out.start("<Attachment>")
        for name, value in _attachment(attachment):
            out.element(name, value, prefix="")
        name = f"{PREFIX}ContentTransferEncoded"
        out.long_line(f"<{name}{DECLARED}>", encoded(attachment), f"</{name}>")
        out.end("</Attachment>")
    out.end("</AttachmentEncoded>")
    out.end("</edXML>")


def build_status(status: EdxmlStatus) -> bytes:
    """Write a status package: UTF-8, CRLF.

    Raises:
        EdxmlError: `edxml/conversion` for a character that XML cannot carry.
    """
    target = io.BytesIO()
    out = Lines(target)
    out.start(f'<edXML xmlns="{NAMESPACE}">')
    out.start(f"<{PREFIX}edXMLEnvelope{DECLARED}>")
    out.start(f"<{PREFIX}edXMLHeader>")
    out.element(
        "MessageHeader",
        [
            ("From", _organisation(status.sender)),
            ("ResponseFor", _response(status.response)),
            ("StaffInfo", _staff(status.staff) if status.staff else None),
            ("StatusCode", status.code),
            ("Description", status.description),
            ("Timestamp", status.at),
        ],
    )
    out.end(f"</{PREFIX}edXMLHeader>")
    out.end(f"</{PREFIX}edXMLEnvelope>")
    out.end("</edXML>")
    return target.getvalue()


def _organisation(organisation: Organisation) -> list[Element]:
    return [
        ("OrganId", organisation.organ_id),
        ("OrganizationInCharge", organisation.in_charge),
        ("OrganName", organisation.name or ""),
        ("OrganAdd", organisation.address),
        ("Email", organisation.email),
        ("Telephone", organisation.telephone),
        ("Fax", organisation.fax),
        ("Website", organisation.website),
    ]


def _signer(document: EdxmlDocument) -> list[Element]:
    signer = document.signer
    if signer is None:
        return [("FullName", "")]
    return [("Competence", signer.competence), ("Position", signer.position), ("FullName", signer.name or "")]


def _other(other: OtherInfo) -> list[Element]:
    appendices: list[Element] = [("Appendix", appendix) for appendix in other.appendices]
    return [
        ("Priority", other.priority),
        ("SphereOfPromulgation", other.sphere),
        ("TyperNotation", other.typist),
        ("PromulgationAmount", other.copies),
        ("PageAmount", other.pages),
        ("Direction", other.direction),
        ("Appendixes", appendices or None),
        ("ReplyFors", other.reply_fors),
        ("ReferenceCodes", other.reference_codes),
    ]


def _response(response: Response) -> list[Element]:
    return [
        ("OrganId", response.organ_id),
        ("Code", response.code),
        ("PromulgationDate", response.issued_on),
        ("DocumentId", response.document_id),
    ]


def _staff(staff: Staff) -> list[Element]:
    return [("Department", staff.department), ("Staff", staff.name), ("Mobile", staff.mobile), ("Email", staff.email)]


def _business(business: Business) -> list[Element]:
    replacements: list[Element] = [("ReplacementInfo", _replacement(one)) for one in business.replacements]
    return [
        ("DocumentId", business.document_id),
        ("BussinessDocType", _TYPES.get(business.kind or "") or business.type or ""),
        ("BussinessDocReason", business.reason),
        ("Paper", business.paper),
        ("BussinessDocumentInfo", _changes(business)),
        ("ReplacementInfoList", replacements or None),
        *[("StaffInfo", _staff(staff)) for staff in business.staff],
    ]


def _changes(business: Business) -> list[Element] | None:
    if business.information_updated is None and business.receivers_updated is None and not business.receiver_changes:
        return None
    receivers: list[Element] = [("Receiver", _receiver(change)) for change in business.receiver_changes]
    return [
        ("DocumentInfo", _digit(business.information_updated)),
        ("DocumentReceiver", _digit(business.receivers_updated)),
        ("ReceiverList", receivers or None),
    ]


def _receiver(change: ReceiverChange) -> list[Element]:
    return [("OrganId", change.organ_id), ("ReceiverType", _digit(change.added))]


def _replacement(replacement: Replacement) -> list[Element]:
    organs: list[Element] = [("OrganId", organ_id) for organ_id in replacement.organ_ids]
    return [("DocumentId", replacement.document_id), ("OrganIdList", organs)]


def _digit(flag: bool | None) -> int | None:
    return None if flag is None else int(flag)


def _reference(attachment: Attachment) -> list[Element]:
    return [
        ("ContentId", f"cid:{attachment.content_id or ''}"),
        ("ContentType", travels_as(attachment)),
        ("Description", attachment.description),
        ("AttachmentName", attachment.name),
    ]


def _attachment(attachment: Attachment) -> list[Element]:
    return [
        ("ContentId", f"cid:{attachment.content_id or ''}"),
        ("AttachmentName", attachment.name),
        ("Description", attachment.description),
        ("ContentType", travels_as(attachment)),
    ]
