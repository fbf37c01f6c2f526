"""What the wrapped keys of a sealed document open to."""

from typing import Annotated, Literal

from pydantic import Field

from schemas.base import Code, MessageId, Wire
from schemas.envelope import MAX_ATTACHMENTS, Attachment

CONTENT_KEY_PATTERN = r"^[A-Za-z0-9_-]{43}$"


class SealContents(Wire):
    """The content key, and the files as they are; bound to one envelope, so that it opens no other."""

    schema_: Literal["axis.seal/1"] = Field(alias="schema")
    envelope: Annotated[MessageId, Field(description="The id of the envelope it was made for.")]
    sender: Annotated[Code, Field(description="The sender of that envelope.")]
    key: Annotated[
        str, Field(pattern=CONTENT_KEY_PATTERN, repr=False, description="32 bytes, base64url: the files' content key.")
    ]
    files: Annotated[
        list[Attachment],
        Field(
            min_length=1,
            max_length=MAX_ATTACHMENTS,
            description="In the order of the envelope's attachments; name, size and SHA-256 are of the opened file.",
        ),
    ]
