"""What a sealed document demands: of the axis, which cannot read it, and of whoever opens it.

The axis routes, stores and checks ciphertext; the one thing it can do for a sealed document is to refuse, with a reason
and at once, a recipient whose documents now go to a mailbox that no key was wrapped for. Otherwise it would arrive
where nobody can open it.
"""

from collections.abc import Collection
from dataclasses import replace

from axis.core.resolving import Resolution
from axis.errors import Refused
from schemas import SEAL_SCHEME, AttachmentRole, Envelope, SealContents

KEYS_NAME = "keys.jwe"  # under which the wrapped keys are recorded beside the attachments


def sealed_for(mailboxes: Collection[str], resolution: Resolution) -> Resolution:
    """Refuse a recipient that leads to a mailbox which the document was not sealed for."""
    if resolution.mailbox is None or resolution.mailbox in mailboxes:
        return resolution
    led = "; ".join((*resolution.via, f"{resolution.recipient} receives through {resolution.mailbox}"))
    detail = f"{led}, and no key was wrapped for that mailbox"
    return replace(resolution, mailbox=None, reason="seal/other-mailbox", detail=detail)


def associated_data(number: int) -> bytes:
    """Name the file of a sealed document, from 0, in what its segments are bound to."""
    return f"{SEAL_SCHEME}/{number}".encode("ascii")


def check_contents(contents: SealContents, envelope: Envelope) -> None:
    """Check that opened keys were made for this envelope by its sender; raise Refused seal/*.

    Whoever signs an envelope over keys that another one wrapped would be taken for the author of what they open, and
    could have a recipient open for him what he cannot read.
    """
    if contents.envelope != envelope.id or contents.sender != envelope.sender:
        raise Refused(
            "seal/other-envelope",
            f"they were made for {contents.envelope} of {contents.sender}, this is {envelope.id} of {envelope.sender}",
        )
    if len(contents.files) != len(envelope.attachments):
        raise Refused(
            "seal/malformed", f"{len(contents.files)} files are described, {len(envelope.attachments)} are attached"
        )
    if any(file.role is AttachmentRole.PACKAGE for file in contents.files[:-1]):
        raise Refused("seal/malformed", "a file that is not the last is called the edXML package")
    names = [file.name.casefold() for file in contents.files]
    if len(set(names)) != len(names):
        raise Refused("seal/malformed", "two files have the same name")
