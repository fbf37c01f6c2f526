"""The status: what a recipient says it did with a document, signed by it."""

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from schemas.base import Code, MessageId, Moment, Sha256, Text200, Text2000, Wire
from schemas.envelope import MAX_ATTACHMENTS

MAX_STATUS_BYTES = 16 * 1024


class StatusCode(StrEnum):
    """Business codes of the connection guide; QĐ 28/2018 article 10.2.h lists the states they stand for."""

    ARRIVED = "01"  # đã đến
    REFUSED = "02"  # từ chối tiếp nhận
    ACCEPTED = "03"  # đã tiếp nhận
    ASSIGNED = "04"  # phân công xử lý
    PROCESSING = "05"  # đang xử lý
    FINISHED = "06"  # hoàn thành
    TAKE_BACK = "13"  # lấy lại: asked by the sender of the document
    AGREED = "15"  # đồng ý cập nhật, lấy lại
    DECLINED = "16"  # từ chối cập nhật, lấy lại


class Staff(Wire):
    """The person who acted (StaffInfo)."""

    department: Text200 | None = None
    name: Text200 | None = None
    mobile: Text200 | None = None
    email: Text200 | None = None


class Destroyed(Wire):
    """Proof that a copy was destroyed after a recall or a take-back (QĐ 28/2018 article 9.2)."""

    at: Annotated[Moment, Field(description="When it was destroyed.")]
    files: list[Sha256] = Field(
        default_factory=list,
        max_length=MAX_ATTACHMENTS,
        description="The files destroyed, as the attachments of the recalled envelope name them.",
    )
    untaken: Annotated[
        bool,
        Field(
            description="The document had not been taken out of the mailbox: nothing was kept or had to be destroyed."
        ),
    ] = False


class Status(Wire):
    """One step of one recipient; at most 16 KiB as bytes."""

    model_config = ConfigDict(
        json_schema_extra={
            "allOf": [
                {
                    "if": {"properties": {"code": {"enum": ["02", "13", "16"]}}},
                    "then": {"required": ["reason"], "properties": {"reason": {"type": "string", "pattern": r"\S"}}},
                },
                {
                    "if": {"properties": {"code": {"const": "13"}}},
                    "then": {"required": ["recipient"], "properties": {"recipient": {"type": "string"}}},
                },
                {
                    "if": {"required": ["destroyed"], "properties": {"destroyed": {"type": "object"}}},
                    "then": {"properties": {"code": {"const": "15"}}},
                },
            ]
        }
    )

    schema_: Literal["axis.status/1"] = Field(alias="schema")
    id: MessageId
    reporter: Annotated[Code, Field(description="Who says so: the recipient; for code 13 the sender of the document.")]
    envelope: MessageId
    recipient: Annotated[
        Code | None,
        Field(
            description="The delivery meant, as addressed, where it is not the reporter's own code: "
            "a mailbox that speaks for a unit below, or (13) the recipient the document is taken back from."
        ),
    ] = None
    code: StatusCode
    at: Moment
    reason: Annotated[Text2000 | None, Field(description="Required, and not only spaces, with 02, 13 and 16.")] = None
    staff: Staff | None = None
    destroyed: Annotated[
        Destroyed | None,
        Field(
            description="Only with 15, for a recall or a take-back, in a status of its own after the plain 15: readers "
            "of an earlier version have understood the agreement then, and keep this one apart."
        ),
    ] = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        # QĐ 28/2018 article 5.4: who refuses says why; a take-back and its refusal likewise.
        needs_reason = {StatusCode.REFUSED, StatusCode.TAKE_BACK, StatusCode.DECLINED}
        if self.code in needs_reason and not (self.reason or "").strip():
            raise ValueError(f"code {self.code.value} needs a reason")
        if self.code is StatusCode.TAKE_BACK and self.recipient is None:
            raise ValueError("code 13 names in `recipient` whom the document is taken back from")
        if self.destroyed is not None and self.code is not StatusCode.AGREED:
            raise ValueError("`destroyed` comes with code 15 only")
        return self
