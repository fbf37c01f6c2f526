"""A package in Vietnamese words, line by line, for people."""

import unicodedata
from collections.abc import Iterable, Iterator

from axis.edxml.model import EdxmlDocument, EdxmlStatus, Organisation
from schemas.status import StatusCode

_PRIORITIES = ("thường", "khẩn", "thượng khẩn", "hỏa tốc", "hỏa tốc hẹn giờ")
_ACTIONS = {"new": "văn bản mới", "recall": "thu hồi", "update": "cập nhật", "replace": "thay thế"}
_STEERING = {0: "không xác định", 1: "không phải văn bản chỉ đạo", 2: "văn bản chỉ đạo", 3: "báo cáo chỉ đạo"}
_MEANINGS = {
    StatusCode.ARRIVED: "đã đến",
    StatusCode.REFUSED: "từ chối tiếp nhận",
    StatusCode.ACCEPTED: "đã tiếp nhận",
    StatusCode.ASSIGNED: "phân công xử lý",
    StatusCode.PROCESSING: "đang xử lý",
    StatusCode.FINISHED: "hoàn thành",
    StatusCode.TAKE_BACK: "lấy lại",
    StatusCode.AGREED: "đồng ý cập nhật, lấy lại",
    StatusCode.DECLINED: "từ chối cập nhật, lấy lại",
}
_Rows = Iterator[tuple[str, str | None]]


def summary(package: EdxmlDocument | EdxmlStatus) -> Iterator[tuple[str, str]]:
    """Yield label and text of everything that the package says, safe to print."""
    rows = _document_rows(package) if isinstance(package, EdxmlDocument) else _status_rows(package)
    for label, value in rows:
        if value:
            yield label, printable(value)


def printable(text: str) -> str:
    """Replace what could steer a terminal or reorder its text: control characters and bidirectional overrides."""
    return "".join("\ufffd" if unicodedata.category(sign) in {"Cc", "Cf"} else sign for sign in text)


def _join(separator: str, parts: Iterable[str | None]) -> str:
    return separator.join(part for part in parts if part)


def _organisation(organisation: Organisation) -> str:
    return _join("  ", (organisation.organ_id, organisation.name))


def _document_rows(document: EdxmlDocument) -> _Rows:
    yield "Văn bản", document.document_id.text
    yield "Nghiệp vụ", f"{_ACTIONS[document.action]} ({document.action.value})"
    if document.business:
        yield "Lý do", document.business.reason
        for replacement in document.business.replacements:
            yield "Thay thế", replacement.document_id.text if replacement.document_id else None
    yield "Số, ký hiệu", _join("/", (document.number, document.notation))
    yield "Nơi, ngày ban hành", _join(", ", (document.place, document.issued_on.text if document.issued_on else None))
    yield "Loại", document.kind.name
    yield "Trích yếu", document.subject
    yield from _handling_rows(document)
    yield "Gửi từ", _organisation(document.sender)
    for recipient in document.recipients:
        yield "Gửi đến", _organisation(recipient)
    for reply in document.replies:
        yield "Trả lời", (reply.document_id.text if reply.document_id else None) or reply.code or reply.organ_id
    yield "Nơi nhận", _join("; ", document.to_places)
    for hop in document.trace:
        yield "Đã qua", _join("  ", (hop.organ_id, hop.at.text if hop.at else None))
    yield "Chữ ký XML", document.signature.value
    for attachment in document.attachments:
        yield "Tệp", f"{attachment.name}  {attachment.size:,} bytes  sha256 {attachment.sha256}"
    for extra in document.extras:
        yield "Khác", f"{extra.path}: {extra.text}"


def _handling_rows(document: EdxmlDocument) -> _Rows:
    if document.signer:
        yield "Người ký", _join(", ", (document.signer.name, document.signer.competence, document.signer.position))
    priority, steering = document.other.priority, document.steering
    if priority is not None:
        yield "Độ khẩn", f"{priority} {_PRIORITIES[priority] if 0 <= priority < len(_PRIORITIES) else '?'}"
    yield "Hạn trả lời", document.due_on.text if document.due_on else None
    if steering is not None:
        yield "Chỉ đạo", _STEERING.get(steering, str(steering))


def _status_rows(status: EdxmlStatus) -> _Rows:
    yield "Trạng thái", f"{status.code} {_MEANINGS[status.meaning] if status.meaning else '?'}"
    yield "Mô tả", status.description
    yield "Lúc", status.at.text if status.at else None
    yield "Báo từ", _organisation(status.sender)
    yield "Gửi đến", status.response.organ_id
    yield "Văn bản", status.response.document_id.text if status.response.document_id else None
    yield "Số, ký hiệu", status.response.code
    if status.staff:
        staff = status.staff
        yield "Cán bộ", _join(", ", (staff.name, staff.department, staff.mobile, staff.email))
    for extra in status.extras:
        yield "Khác", f"{extra.path}: {extra.text}"
