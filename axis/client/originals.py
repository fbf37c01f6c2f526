"""The package that a document came as, held against the envelope it came in.

Only the envelope is signed for everybody to see. A package inside it that names another sender, document or files
would be believed by the system that reads it, so whoever hands one on looks first.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from axis.client.papers import spelled
from axis.edxml import DocumentId, EdxmlDocument, EdxmlError, read
from axis.errors import AxisError
from schemas import Action, AttachmentRole, Envelope


def difference(
    path: Path, envelope: Envelope, to_canonical: Callable[[str], str], *, concerned: str | None
) -> str | None:
    """Name the first thing that a package says otherwise than the envelope it came with; None when they agree.

    Recipients may differ: a sender may address a package to others than it was written for. `to_canonical` reads codes
    in either form. `concerned` is the DocumentId of the document that the envelope acts on, None where it is not known
    here; what else the package acts on has to be the sender's own.
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
    for what, one, other in said:
        if one != other:
            return what
    return None if _acts_on_its_own(package, envelope, to_canonical, concerned) else "concerned document"


def _acts_on_its_own(
    package: EdxmlDocument, envelope: Envelope, to_canonical: Callable[[str], str], concerned: str | None
) -> bool:
    business = package.business
    if business is None or envelope.action is Action.NEW:
        return True
    replaced = [each.document_id for each in business.replacements] if envelope.action is Action.REPLACE else []
    named = [each for each in replaced or [business.document_id] if each is not None]
    if not named and envelope.action is not Action.REPLACE:
        named = [package.document_id]  # a recall that names nothing else is about the document in its header
    known = None if concerned is None else spelled(concerned)
    if known is not None and named and known not in {spelled(each.text) for each in named}:
        return False
    others = [*named, business.document_id, package.document_id]
    return all(
        _is_of(each, envelope.sender, to_canonical)
        for each in others
        if each is not None and spelled(each.text) != known
    )


def _is_of(document_id: DocumentId, sender: str, to_canonical: Callable[[str], str]) -> bool:
    """Say whether a document may be a sender's; only the official form says whose it is."""
    if document_id.organ_id is None:
        return True
    try:
        return to_canonical(document_id.organ_id) == sender
    except AxisError:
        return False
