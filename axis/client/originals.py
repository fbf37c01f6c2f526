"""The package that a document came as, held against the envelope it came in.

Only the envelope is signed for everybody to see. A package inside it that names another sender, document or files
would be believed by the system that reads it, so whoever hands one on looks first.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from axis.client.papers import spelled
from axis.edxml import EdxmlDocument, EdxmlError, read
from axis.errors import AxisError
from schemas import AttachmentRole, Envelope


def difference(path: Path, envelope: Envelope, to_canonical: Callable[[str], str]) -> str | None:
    """Name the first thing that a package says otherwise than the envelope it came with; None when they agree.

    Recipients may differ: a sender may address a package to others than it was written for. `to_canonical` reads the
    sender's code in either form.
    """
    try:
        with path.open("rb") as file:
            package = read(file)
        sender = to_canonical(package.sender.organ_id) if isinstance(package, EdxmlDocument) else None
    except (EdxmlError, AxisError):
        return "format"
    if not isinstance(package, EdxmlDocument):
        return "kind"
    said: Sequence[tuple[str, object, object]] = (
        ("sender", sender, envelope.sender),
        ("document", spelled(package.document_id.text), spelled(envelope.document.document_id)),
        ("action", package.action, envelope.action),
        (
            "list of files",
            sorted(each.sha256 for each in package.attachments),
            sorted(each.sha256 for each in envelope.attachments if each.role is not AttachmentRole.PACKAGE),
        ),
    )
    return next((what for what, one, other in said if one != other), None)
