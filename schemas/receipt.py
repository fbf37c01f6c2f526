"""The receipt: what the axis says it did with a message, signed by the axis."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from schemas.base import Code, MessageId, Moment, ReasonCode, Sha256, Text2000, Wire


class Outcome(StrEnum):
    """What became of the whole message."""

    ACCEPTED = "accepted"  # every recipient has a mailbox that will get it
    PARTIAL = "partial"  # some recipients were refused; the others get it
    REFUSED = "refused"  # nobody gets it; `code` or every recipient's code says why


class RecipientOutcome(StrEnum):
    """What became of it for one recipient."""

    ROUTED = "routed"
    REFUSED = "refused"
    HELD = "held"


class RecipientReceipt(Wire):
    """How one recipient was resolved."""

    recipient: Code
    outcome: RecipientOutcome
    resolved: Annotated[Code | None, Field(description="The organisation in force that the code led to.")] = None
    mailbox: Annotated[Code | None, Field(description="Whose mailbox it was put in.")] = None
    via: list[Text2000] = Field(default_factory=list, description="One sentence a step, where the way was not direct.")
    code: ReasonCode | None = None
    detail: Text2000 | None = None


class Receipt(Wire):
    """Answers one submitted message; the same message sent again gets the same receipt again."""

    schema_: Literal["axis.receipt/1"] = Field(alias="schema")
    id: MessageId
    message_type: Annotated[Literal["document", "status", "unknown"], Field(description="What was submitted.")]
    message_id: Annotated[str | None, Field(max_length=200, description="The id it claimed; null when unreadable.")] = (
        None
    )
    message_sha256: Annotated[Sha256, Field(description="Of the exact body bytes the axis received.")]
    signature_sha256: Annotated[
        Sha256 | None,
        Field(description="Of the characters of the `axis-signature` header it came with; null when it had none."),
    ] = None
    account: Annotated[Code, Field(description="The account that submitted it, to whose notices this goes.")]
    outcome: Outcome
    code: ReasonCode | None = None
    detail: Text2000 | None = None
    retry_after: Annotated[
        int | None,
        Field(ge=1, le=86_400, description="Over a limit: send the same bytes again after so many seconds."),
    ] = None
    recipients: list[RecipientReceipt] = Field(default_factory=list)
    at: Moment
