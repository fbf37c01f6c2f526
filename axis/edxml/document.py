"""A document package's elements to an EdxmlDocument."""

from collections.abc import Callable
from functools import partial

from axis.edxml.content import Budget, Unpacked, unpack
from axis.edxml.limits import Limits
from axis.edxml.model import (
    Attachment,
    Business,
    DocumentType,
    EdxmlDocument,
    OtherInfo,
    ReceiverChange,
    Replacement,
    Signer,
    Trace,
)
from axis.edxml.package import Package, read_organisation, read_response, read_staff
from axis.edxml.section import Section
from axis.edxml.signature import judge_signature
from axis.edxml.sources import Content
from axis.edxml.tree import Report
from schemas.envelope import Action

_KINDS = {"0": Action.NEW, "1": Action.RECALL, "2": Action.UPDATE, "3": Action.REPLACE}
_PRIORITIES = range(5)
_ZIP_TYPE = "application/zip"


def read_document(package: Package, limits: Limits) -> EdxmlDocument:
    """Read a document package.

    Raises:
        EdxmlError: `edxml/missing-field` without a sender, a recipient or a document identifier; `edxml/zip-bomb`.
    """
    message, report = package.message, package.report
    code = message.section("Code")
    promulgation = message.section("PromulgationInfo")
    places = message.section("ToPlaces")
    number = code.text("CodeNumber") if code else None
    notation = code.text("CodeNotation") if code else None
    issued_on = promulgation.day("PromulgationDate") if promulgation else None
    sender_section = message.section("From")
    if sender_section is None:
        raise message.missing("From")
    document_id = message.document_id()
    if document_id is None:
        raise message.missing("DocumentId")
    if document_id.day and issued_on and document_id.day.value != issued_on.value:
        report.add("document-id-date", "DocumentId and PromulgationDate name different days", message.node)
    trace_list = package.header.section("TraceHeaderList")
    document = EdxmlDocument(
        sender=read_organisation(sender_section),
        recipients=tuple(read_organisation(section) for section in message.sections("To")),
        document_id=document_id,
        number=number,
        notation=notation,
        place=promulgation.text("Place") if promulgation else None,
        issued_on=issued_on,
        kind=_read_type(message.section("DocumentType")),
        subject=message.text("Subject"),
        content=message.text("Content"),
        signer=_read_signer(message.section("SignerInfo")),
        due_on=message.day("DueDate"),
        other=_read_other(message.section("OtherInfo"), report),
        replies=tuple(reply for section in message.sections("ResponseFor") if (reply := read_response(section))),
        steering=message.integer("SteeringType"),
        to_places=places.texts("Place") if places else (),
        response_for_task=message.text("ResponseForTask"),
        application_type=message.text("ApplicationType"),
        trace=_read_trace(trace_list) if trace_list else (),
        business=_read_business(trace_list.section("Bussiness"), report) if trace_list else None,
        signature=judge_signature(package.take_signatures(), report),
        attachments=_read_attachments(package, limits),
        extras=package.extras(),
        warnings=(),
    )
    if not document.recipients:
        raise message.missing("To")
    codes = [recipient.organ_id for recipient in document.recipients]
    if len(set(codes)) != len(codes):
        report.add("recipient-repeated", "an organisation is named twice among the receivers", message.node)
    return document


def _read_type(section: Section | None) -> DocumentType:
    if section is None:
        return DocumentType()
    return DocumentType(section.integer("Type"), section.integer("TypeDetail"), section.text("TypeName"))


def _read_signer(section: Section | None) -> Signer | None:
    if section is None:
        return None
    signer = Signer(section.text("FullName"), section.text("Position"), section.text("Competence"))
    return None if signer == Signer() else signer


def _read_other(section: Section | None, report: Report) -> OtherInfo:
    if section is None:
        return OtherInfo()
    appendices = section.section("Appendixes")
    other = OtherInfo(
        priority=section.integer("Priority"),
        sphere=section.text("SphereOfPromulgation"),
        typist=section.text("TyperNotation"),
        copies=section.integer("PromulgationAmount"),
        pages=section.integer("PageAmount"),
        direction=section.flag("Direction"),
        appendices=appendices.texts("Appendix") if appendices else (),
        reply_fors=section.text("ReplyFors"),
        reference_codes=section.text("ReferenceCodes"),
    )
    if other.priority is not None and other.priority not in _PRIORITIES:
        report.add("priority-unknown", f"Priority is {other.priority}, not 0 to 4", section.node)
    return other


def _read_trace(section: Section) -> tuple[Trace, ...]:
    hops = []
    for hop in section.sections("TraceHeader"):
        organ_id, at = hop.text("OrganId"), hop.instant("Timestamp")
        if organ_id or at:
            hops.append(Trace(organ_id or "", at))
    return tuple(hops)


def _read_business(section: Section | None, report: Report) -> Business | None:
    if section is None:
        return None
    kind_text = section.text("BussinessDocType")
    kind = _KINDS.get(kind_text or "")
    if kind is None:
        report.add("business-type-unknown", f"BussinessDocType is {(kind_text or '')[:20]!r}, not 0 to 3", section.node)
    changes: list[ReceiverChange] = []
    information = receivers = None
    for info in section.sections("BussinessDocumentInfo"):
        information = info.flag("DocumentInfo") if information is None else information
        receivers = info.flag("DocumentReceiver") if receivers is None else receivers
        for receiver_list in info.sections("ReceiverList"):
            changes += [
                ReceiverChange(receiver.required("OrganId"), receiver.flag("ReceiverType"))
                for receiver in receiver_list.sections("Receiver")
            ]
    return Business(
        kind=kind,
        type=kind_text,
        reason=section.text("BussinessDocReason"),
        paper=section.integer("Paper"),
        document_id=section.document_id(),
        information_updated=information,
        receivers_updated=receivers,
        receiver_changes=tuple(changes),
        replacements=tuple(
            _read_replacement(info)
            for replaced in section.sections("ReplacementInfoList")
            for info in replaced.sections("ReplacementInfo")
        ),
        staff=tuple(staff for info in section.sections("StaffInfo") if (staff := read_staff(info))),
    )


def _read_replacement(section: Section) -> Replacement:
    organs = section.section("OrganIdList")
    return Replacement(section.document_id(), organs.texts("OrganId") if organs else ())


def _read_attachments(package: Package, limits: Limits) -> tuple[Attachment, ...]:
    references = package.references()
    opened = partial(unpack, limits=limits, budget=Budget(limits.max_content), growth=Budget(limits.max_growth))
    attachments = []
    for section in package.attachments():
        raw_id = section.text("ContentId")
        content_id = (raw_id or "").removeprefix("cid:") or None
        if raw_id and raw_id == content_id:
            package.report.add("content-id", "ContentId without `cid:`", section.node, once="")
        listed = references.pop(content_id or "", {})
        if not listed:
            package.report.add("attachment-unlisted", f"attachment {content_id!r} is not in the manifest", section.node)
        attachments.append(_read_attachment(section, content_id, listed, opened))
        for name in ("AttachmentName", "ContentType"):
            said = section.text(name)
            if said and listed.get(name) not in {None, said}:
                told = f"`{name}` is {said[:60]!r} here and {(listed[name] or '')[:60]!r} in the manifest"
                package.report.add("manifest-differs", told, section.node)
    for content_id in references:
        package.report.add("attachment-absent", f"the manifest lists {content_id!r}, which is not there")
    return tuple(attachments)


def _read_attachment(
    section: Section, content_id: str | None, listed: dict[str, str | None], opened: Callable[[Content], Unpacked]
) -> Attachment:
    name = section.text("AttachmentName") or listed.get("AttachmentName")
    content_type = section.text("ContentType") or listed.get("ContentType")
    description = section.text("Description") or listed.get("Description")
    encoded = section.node.find("ContentTransferEncoded")
    section.text("ContentTransferEncoded")
    if encoded is None or encoded.content is None:
        raise section.missing("ContentTransferEncoded")
    if name is None:
        name = f"{content_id or 'attachment'}.bin"
        section.report.add("attachment-name-missing", f"an attachment without name is called {name!r}", section.node)
    unpacked = Unpacked(encoded.content)
    # The SDK packs every file but pdf, doc, docx, xsl, xslx and zip, and marks it so; `PK` alone proves nothing,
    # docx and xlsx are ZIPs as well.
    if (content_type or "").lower() == _ZIP_TYPE and not name.lower().endswith(".zip"):
        with section.located():
            unpacked = opened(encoded.content)
        if unpacked.deviation:
            section.report.add(unpacked.deviation, f"{name!r} is kept as it is", section.node)
    content = unpacked.content
    return Attachment(
        content_id=content_id,
        name=name,
        content_type=content_type,
        size=content.size,
        sha256=content.sha256,
        description=description,
        content=content,
        entry=unpacked.entry,
    )
