"""The frame of a package: where header, body and attachments are, and the parts both kinds have in common."""

from dataclasses import dataclass

from axis.edxml.errors import EdxmlError
from axis.edxml.model import Extra, Organisation, Response, Staff
from axis.edxml.names import ROOTS, SIGNATURES
from axis.edxml.section import Section
from axis.edxml.tree import Node, Report

_PREFIX = "cid:"


@dataclass(slots=True)
class Package:
    """A package's frame; every part is read by name wherever senders put it."""

    root: Section
    envelope: Section
    header: Section
    message: Section
    report: Report

    def take_signatures(self) -> list[Node]:
        """Return the signature elements of the header, the envelope or the root."""
        frames = {id(part.node): part for part in (self.header, self.envelope, self.root)}
        return [found.node for part in frames.values() for name in SIGNATURES for found in part.opaque(name)]

    def references(self) -> dict[str, dict[str, str | None]]:
        """Return the manifest: ContentId without `cid:` to the other fields of its Reference."""
        body = self.envelope.section("edXMLBody")
        manifest = body.section("edXMLManifest") if body else None
        listed: dict[str, dict[str, str | None]] = {}
        for reference in manifest.sections("Reference") if manifest else []:
            content_id = (reference.text("ContentId") or "").removeprefix(_PREFIX)
            fields = {name: reference.text(name) for name in ("AttachmentName", "ContentType", "Description")}
            if content_id:
                listed.setdefault(content_id, fields)
        return listed

    def attachments(self) -> list[Section]:
        """Return all Attachment elements."""
        frames = {id(part.node): part for part in (self.root, self.envelope)}
        return [
            attachment
            for part in frames.values()
            for encoded in part.sections("AttachmentEncoded")
            for attachment in encoded.sections("Attachment")
        ]

    def extras(self) -> tuple[Extra, ...]:
        """Return what was not understood; ask last."""
        return tuple(self.root.extras())


def open_package(root: Node, report: Report) -> Package:
    """Find the frame.

    Raises:
        EdxmlError: `edxml/not-edxml` for another root element, `edxml/missing-field` without a MessageHeader.
    """
    if root.name not in ROOTS:
        raise EdxmlError(
            f"the root element is `{root.name[:60]}`, not `edXML`",
            code="edxml/not-edxml",
            line=root.line,
            column=root.column,
        )
    top = Section(root, report)
    if root.name != "edXML":
        report.add("root-name", f"the root element is `{root.name}`, not `edXML`", root)
        envelope = top
    else:
        envelope = top.section("edXMLEnvelope") or top
    header = envelope.section("edXMLHeader")
    if header is None:
        raise envelope.missing("edXMLHeader")
    message = header.section("MessageHeader")
    if message is None:
        raise header.missing("MessageHeader")
    return Package(top, envelope, header, message, report)


def read_organisation(section: Section) -> Organisation:
    """Read a sender or receiver; only its code is required."""
    return Organisation(
        organ_id=section.required("OrganId"),
        name=section.text("OrganName"),
        in_charge=section.text("OrganizationInCharge"),
        address=section.text("OrganAdd"),
        email=section.text("Email"),
        telephone=section.text("Telephone"),
        fax=section.text("Fax"),
        website=section.text("Website"),
    )


def read_response(section: Section) -> Response | None:
    """Read a ResponseFor; None if all its children are empty, as some builders write it."""
    response = Response(
        organ_id=section.text("OrganId"),
        code=_read_code(section),
        issued_on=section.day("PromulgationDate"),
        document_id=section.document_id(),
    )
    if response == Response():
        section.report.add("response-empty", "a ResponseFor without content is left out", section.node)
        return None
    return response


def _read_code(section: Section) -> str | None:
    node = section.node.find("Code")
    if node is None or not node.children:
        return section.text("Code")
    code = section.section("Code")
    parts = (code.text("CodeNumber"), code.text("CodeNotation")) if code else ()
    return "/".join(part for part in parts if part) or None


def read_staff(section: Section) -> Staff | None:
    """Read a StaffInfo; None if all its children are empty."""
    staff = Staff(section.text("Department"), section.text("Staff"), section.text("Mobile"), section.text("Email"))
    return None if staff == Staff() else staff
