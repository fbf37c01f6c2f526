"""What each value of an enumeration means: generated into the schemas, for readers of other languages."""

from collections.abc import Mapping
from enum import StrEnum

from schemas.directory import UnknownBelow
from schemas.envelope import Action, AttachmentRole, Priority, Steering
from schemas.receipt import Outcome, RecipientOutcome
from schemas.status import StatusCode

MEANINGS: Mapping[type[StrEnum], Mapping[StrEnum, str]] = {
    Priority: {
        Priority.NORMAL: "Thường. Lane normal.",
        Priority.URGENT: "Khẩn. Lane urgent.",
        Priority.VERY_URGENT: "Thượng khẩn. Lane urgent.",
        Priority.EXPRESS: "Hỏa tốc. Lane urgent.",
        Priority.EXPRESS_TIMED: "Hỏa tốc hẹn giờ: due at a stated time. Lane urgent.",
    },
    Action: {
        Action.NEW: "A document sent for the first time.",
        Action.RECALL: "Thu hồi: takes back the envelope in `concerns`.",
        Action.UPDATE: "Cập nhật: corrects what the envelope in `concerns` said.",
        Action.REPLACE: "Thay thế: stands in for the document of the envelope in `concerns`.",
    },
    Steering: {
        Steering.UNSPECIFIED: "Nothing was said about it.",
        Steering.NONE: "Not about steering.",
        Steering.STEERING: "Văn bản chỉ đạo: steers the recipients' work.",
        Steering.REPORT: "Văn bản báo cáo: reports on such work.",
    },
    AttachmentRole: {
        AttachmentRole.MAIN: "The document itself.",
        AttachmentRole.APPENDIX: "Phụ lục: an appendix of it.",
        AttachmentRole.RELATED: "Another file that goes along.",
        AttachmentRole.PACKAGE: "The edXML package the document came as, byte for byte; only ever the last.",
    },
    StatusCode: {
        StatusCode.ARRIVED: "Đã đến: the document is safe in the recipient's own system; sent by the software.",
        StatusCode.REFUSED: "Từ chối tiếp nhận: not taken in; needs `reason`. Ends the delivery, from any step but 06.",
        StatusCode.ACCEPTED: "Đã tiếp nhận: taken in by the clerk.",
        StatusCode.ASSIGNED: "Phân công xử lý: somebody is to handle it.",
        StatusCode.PROCESSING: "Đang xử lý: being handled.",
        StatusCode.FINISHED: "Hoàn thành: handled. Ends the delivery.",
        StatusCode.TAKE_BACK: "Lấy lại: the sender asks the `recipient` to give the document back; needs `reason`.",
        StatusCode.AGREED: "Đồng ý cập nhật, lấy lại: the recipient agrees; with `destroyed`, its copy is gone.",
        StatusCode.DECLINED: "Từ chối cập nhật, lấy lại: the recipient declines; needs `reason`.",
    },
    Outcome: {
        Outcome.ACCEPTED: "Every recipient has a mailbox that gets it or will get it.",
        Outcome.PARTIAL: "Some recipients are refused, each with its code; the others get it.",
        Outcome.REFUSED: "Nobody gets it: `code` says why, or the code of every recipient.",
    },
    RecipientOutcome: {
        RecipientOutcome.ROUTED: "Put into the mailbox of `mailbox`; with `concerns/withdrawn` nothing had to be.",
        RecipientOutcome.HELD: "Kept at the axis for the reason in `code`; put into the mailbox later, by itself.",
        RecipientOutcome.REFUSED: "Not delivered; `code` and `detail` say why. Final.",
    },
    UnknownBelow: {
        UnknownBelow.REGISTERED: "A code that is not in the directory is refused, with a hint.",
        UnknownBelow.OPEN: "A code that is not in the directory goes to the nearest known organisation above it.",
    },
}


def meanings_of(name: str) -> dict[str, str]:
    """Return value to meaning for an enumeration by its name; empty for what is none."""
    for enumeration, meanings in MEANINGS.items():
        if enumeration.__name__ == name:
            return {value.value: meaning for value, meaning in meanings.items()}
    return {}
