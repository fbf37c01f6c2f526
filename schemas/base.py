"""What every model of the wire contract has in common."""

import datetime as dt
import re
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo

# PostgreSQL cannot store NUL, and control characters forge terminal output and log lines;
# tab, line feed and carriage return are ordinary text. The last two are no characters, and XML cannot carry them.
TEXT_PATTERN = r"^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\ufffe\uffff]*$"
UUID7_PATTERN = r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"
CODE_PATTERN = r"^[A-Z][0-9]{2}(\.[A-Z0-9]{1,20})*$"
SHA256_PATTERN = r"^[0-9a-f]{64}$"
THUMBPRINT_PATTERN = r"^[A-Za-z0-9_-]{43}$"
REASON_PATTERN = r"^[a-z0-9]+/[a-z0-9-]+$"
DAY_PATTERN = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
MOMENT_PATTERN = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})$"


class Wire(BaseModel):
    """Parse strictly, accept one spelling, and never change after parsing."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, ser_json_temporal="iso8601")


def _spelled(kind: type[dt.date], pattern: str, form: str) -> BeforeValidator:
    # The parser behind the model also reads "1764000000", "2026-11-24_15:00Z" and a Unicode minus; two readers of the
    # same signed bytes would then not agree what they say, or whether they are valid. What comes out of this check is
    # no JSON any more to the parser, so the field behind it cannot be strict; this is.
    fits = re.compile(pattern.removesuffix("$")).fullmatch

    def check(value: object, info: ValidationInfo) -> object:
        if info.mode == "json":
            if not (isinstance(value, str) and fits(value)):
                raise ValueError(f"must be written as {form}")
        elif type(value) is not kind:
            raise ValueError(f"must be a {kind.__name__}, not {type(value).__name__}")
        return value

    return BeforeValidator(check)


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
    Field(
        max_length=60,
        pattern=REASON_PATTERN,
        description="A stable code; x-reasons in axis.asyncapi.json lists them all.",
    ),
]
# Years that every calendar, database and time zone conversion can hold.
_EARLIEST, _LATEST = dt.datetime(1900, 1, 1, tzinfo=dt.UTC), dt.datetime(2200, 1, 1, tzinfo=dt.UTC)
Moment = Annotated[
    AwareDatetime,
    Field(
        strict=False,
        ge=_EARLIEST,
        lt=_LATEST,
        description="RFC 3339 with seconds and an offset, 1900 to 2199; the axis writes UTC.",
        examples=["2026-11-24T08:00:00Z", "2026-11-24T15:00:00.250+07:00"],
        json_schema_extra={"pattern": MOMENT_PATTERN},
    ),
    _spelled(dt.datetime, MOMENT_PATTERN, "2026-11-24T15:00:00+07:00 or 2026-11-24T08:00:00Z"),
]
Day = Annotated[
    dt.date,
    Field(strict=False, json_schema_extra={"pattern": DAY_PATTERN}),
    _spelled(dt.date, DAY_PATTERN, "2026-11-24"),
]
