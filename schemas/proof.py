"""A receipt with the proof that it is in the log: a file to keep, verified without asking anybody."""

from typing import Annotated, Literal

from pydantic import Field

from schemas.base import Wire

_BASE64_PATTERN = r"^[A-Za-z0-9+/]+={0,2}$"


class Proof(Wire):
    """Everything that verifies one receipt, but for the public keys, which come another way."""

    schema_: Literal["axis.proof/1"] = Field(alias="schema")
    receipt: Annotated[str, Field(max_length=4_000_000, description="The receipt's exact text, as it was signed.")]
    signature: Annotated[str, Field(max_length=4_000, description="The receipt's `axis-signature` header.")]
    log: Annotated[
        str,
        Field(
            max_length=80_000,
            description="c2sp.org/tlog-proof: index, inclusion proof (RFC 6962 section 2.1.1) and signed checkpoint.",
        ),
    ]
    timestamp: Annotated[
        str | None,
        Field(
            max_length=100_000,
            pattern=_BASE64_PATTERN,
            description="TimeStampResp (RFC 3161, DER, base64) over the checkpoint's first three lines, each with its "
            "newline, in SHA-256; null while there is none.",
        ),
    ] = None
