"""A status package's elements to an EdxmlStatus."""

from axis.edxml.model import EdxmlStatus
from axis.edxml.package import Package, read_organisation, read_response, read_staff
from schemas.status import StatusCode


def is_status(package: Package) -> bool:
    """Tell a status package from a document: only a status has a StatusCode."""
    return package.message.node.find("StatusCode") is not None


def read_status(package: Package) -> EdxmlStatus:
    """Read a status package; it has no `To`, its addressee is `ResponseFor/OrganId`.

    Raises:
        EdxmlError: `edxml/missing-field` without reporter, code, or the document and organisation it answers.
    """
    message = package.message
    sender = message.section("From")
    if sender is None:
        raise message.missing("From")
    answered = message.section("ResponseFor")
    if answered is None:
        raise message.missing("ResponseFor")
    answered.required("OrganId")
    response = read_response(answered)
    if response is None or response.document_id is None:
        raise answered.missing("DocumentId")
    staff = message.section("StaffInfo")
    code = message.required("StatusCode")
    if code not in set(StatusCode):
        package.report.add("status-unknown", f"StatusCode {code[:20]!r} is none of the nine", message.node)
    return EdxmlStatus(
        sender=read_organisation(sender),
        response=response,
        code=code,
        description=message.text("Description"),
        at=message.instant("Timestamp"),
        staff=read_staff(staff) if staff else None,
        extras=package.extras(),
    )
