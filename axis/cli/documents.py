"""What commands say about a document, in the same words everywhere."""

from collections.abc import Sequence

from axis.cli.console import local_time, print_table, say_reasons
from schemas import Attachment, AttachmentRole, Envelope, Outcome, Receipt

OUTCOMES = {
    Outcome.ACCEPTED: "accepted: every recipient gets it",
    Outcome.PARTIAL: "accepted for some: not every recipient gets it",
    Outcome.REFUSED: "refused: nobody gets it",
}


def print_receipt(receipt: Receipt) -> None:
    """Print what the axis did, recipient by recipient, and what every reason means."""
    rows = [
        (each.recipient, each.outcome.value, each.resolved, each.mailbox, "; ".join(each.via), each.code, each.detail)
        for each in receipt.recipients
    ]
    if rows:
        print_table(("recipient", "outcome", "resolved", "mailbox", "by way of", "code", "detail"), rows)
    say_reasons([receipt.code, *(each.code for each in receipt.recipients)])


def _kind(attachment: Attachment) -> str:
    return ", the edXML package" if attachment.role is AttachmentRole.PACKAGE else ""


def lines_about(
    envelope: Envelope, recipients: tuple[str, ...], files: Sequence[Attachment] | None = None
) -> list[tuple[str, str]]:
    """Return label and value for people; `files` are those of a sealed document once it is opened."""
    document = envelope.document
    number = "/".join(part for part in (document.number, document.notation) if part)
    found = [
        ("envelope", envelope.id),
        ("from", envelope.sender),
        ("for", ", ".join(recipients)),
        ("document", document.document_id),
        ("number", number),
        ("subject", document.subject),
        (
            "action",
            envelope.action.value if envelope.concerns is None else f"{envelope.action.value} {envelope.concerns}",
        ),
        ("priority", document.priority.value),
        ("due", "" if document.due_on is None else document.due_on.isoformat()),
        ("sent", local_time(envelope.sent_at)),
        ("files", ", ".join(f"{each.name} ({each.size} bytes{_kind(each)})" for each in files or envelope.attachments)),
    ]
    return [(label, value) for label, value in found if value]
