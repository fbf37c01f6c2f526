"""Directory records: organisations, mailboxes and certificates, each with its validity."""

from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from schemas.base import Code, Moment, Text500, Thumbprint, Wire


class UnknownBelow(StrEnum):
    """What happens to a code that is unknown below a known organisation."""

    REGISTERED = "registered"  # refuse with a hint
    OPEN = "open"  # take the nearest known ancestor


class Organisation(Wire):
    """What a code names for a period: `valid_from` inclusive, `valid_to` exclusive."""

    code: Code
    name: Annotated[Text500, Field(min_length=1)]
    valid_from: Moment
    valid_to: Moment | None = None
    successor: Annotated[Code | None, Field(description="Who takes its documents once closed.")] = None
    forwarding: Annotated[bool, Field(description="May documents for the closed code go to the successor?")] = True
    unknown_below: UnknownBelow = UnknownBelow.REGISTERED
    code102: Annotated[
        str | None,
        Field(max_length=20, pattern=r"^[0-9A-Z.]+$", description="The QCVN 102:2016 form, lowest level first."),
    ] = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.valid_to is not None and self.valid_to <= self.valid_from:
            raise ValueError("valid_to must be after valid_from")
        if self.successor == self.code:
            raise ValueError("an organisation cannot succeed itself")
        return self


def _most(of: str) -> Any:
    return Field(ge=0, le=2**62, description=f"{of}; null: the axis's default; 0: no limit.")


class Quota(Wire):
    """How much of what all agencies share one account may take; refused beyond it, with the time to come back."""

    messages_per_minute: Annotated[int | None, _most("Messages, for each lane and for statuses")] = None
    bytes_per_minute: Annotated[int | None, _most("Bytes of their bodies, likewise")] = None
    uploads_per_day: Annotated[int | None, _most("Files brought to the gateway")] = None
    upload_bytes_per_day: Annotated[int | None, _most("Bytes of them")] = None
    connections: Annotated[int | None, _most("Connections at the broker, at once")] = None
    channels: Annotated[int | None, _most("Channels of all its connections, at once")] = None

    def or_else(self, default: Self) -> Self:
        """Return what holds: each of its own limits, or else the default one; None where there is none."""
        own = self.model_dump(exclude_none=True)
        return type(self)(**{name: most for name, most in (default.model_dump() | own).items() if most})


class Mailbox(Wire):
    """A connection point: an organisation that holds queues and a broker account of the same name."""

    code: Code
    valid_from: Moment
    valid_to: Moment | None = None
    password_hash: Annotated[
        str, Field(repr=False, description="RabbitMQ's salted form (rabbit_password_hashing_sha256), base64.")
    ]
    quota: Quota = Quota()


def _in_base64(schema: dict[str, Any]) -> None:
    del schema["format"]  # pydantic's word for bytes, which no validator knows
    schema.update(contentEncoding="base64", contentMediaType="application/pkix-cert")


# What an enrolled key is for. `sealing`: documents are sealed for it; it signs nothing.
CertificateRole = Literal["agency", "gateway", "axis", "sealing"]


class Certificate(Wire):
    """A certificate enrolled for an organisation: it may sign for that code and every unit below, or is for sealing."""

    thumbprint: Thumbprint
    organisation: Code
    role: CertificateRole = "agency"
    subject: Text500
    not_before: Moment
    not_after: Moment
    revoked_at: Moment | None = None
    der: Annotated[
        bytes,
        Field(
            repr=False,
            description="The X.509 certificate: DER, in JSON as base64 (RFC 4648 section 4).",
            json_schema_extra=_in_base64,
        ),
    ]
