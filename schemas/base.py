"""What every model of the wire contract has in common."""

import datetime as dt
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

# PostgreSQL cannot store NUL, and control characters forge terminal output and log lines;
# tab, line feed and carriage return are ordinary text.
TEXT_PATTERN = r"^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]*$"
UUID7_PATTERN = r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"
CODE_PATTERN = r"^[A-Z][0-9]{2}(\.[A-Z0-9]{1,20})*$"
SHA256_PATTERN = r"^[0-9a-f]{64}$"
THUMBPRINT_PATTERN = r"^[A-Za-z0-9_-]{43}$"
REASON_PATTERN = r"^[a-z0-9]+/[a-z0-9-]+$"


class Wire(BaseModel):
    """Parse strictly, accept one spelling, and never change after parsing."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, ser_json_temporal="iso8601")


Text50 = Annotated[str, Field(max_length=50, pattern=TEXT_PATTERN)]
Text200 = Annotated[str, Field(max_length=200, pattern=TEXT_PATTERN)]
Text500 = Annotated[str, Field(max_length=500, pattern=TEXT_PATTERN)]
Text2000 = Annotated[str, Field(max_length=2000, pattern=TEXT_PATTERN)]

Code = Annotated[
    str,
    Field(
        max_length=35,
        pattern=CODE_PATTERN,
        description="Identifier code (mã định danh) in its canonical form, highest level first (QĐ 20/2020).",
        examples=["G22", "H37", "H37.05.02"],
    ),
]
MessageId = Annotated[
    str,
    Field(
        pattern=UUID7_PATTERN,
        description="UUIDv7 (RFC 9562), lower case with dashes; its time is the moment of creation.",
        examples=["01995f1c-7a3e-7c21-9f5e-3b7d9c0a4e11"],
    ),
]
Sha256 = Annotated[str, Field(pattern=SHA256_PATTERN, description="SHA-256, 64 lower-case hexadecimal digits.")]
Thumbprint = Annotated[
    str,
    Field(
        pattern=THUMBPRINT_PATTERN,
        description="SHA-256 of the DER certificate, base64url without padding (RFC 7515, x5t#S256).",
    ),
]
ReasonCode = Annotated[
    str,
    Field(max_length=60, pattern=REASON_PATTERN, description="A stable code; schemas.reasons lists them all."),
]
# Years that every calendar, database and time zone conversion can hold.
_EARLIEST, _LATEST = dt.datetime(1900, 1, 1, tzinfo=dt.UTC), dt.datetime(2200, 1, 1, tzinfo=dt.UTC)
Moment = Annotated[
    AwareDatetime,
    Field(ge=_EARLIEST, lt=_LATEST, description="ISO 8601 with an offset, 1900 to 2199; the axis writes UTC."),
]
