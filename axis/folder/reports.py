"""What is put beside a file: JSON for machines, Vietnamese for people, English where something is to be done.

Of a document that is marked as a state secret nothing is said but that it is.
"""

import datetime as dt
import json
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from axis.core.secrecy import CODE as SECRET
from axis.edxml import VIETNAM_TIME, Finding, Report, Severity
from axis.errors import AxisError
from schemas import Envelope, Outcome, Receipt, RecipientOutcome
from schemas.reasons import REASONS, Fault, Reason

_FAULTS = {
    Fault.SENDER: ("bên gửi (cơ quan này)", "the sender (this agency)"),
    Fault.AXIS: ("trục liên thông", "the axis"),
    Fault.NETWORK: ("đường truyền hoặc dịch vụ", "the network or a service"),
}
_OUTCOMES = {
    Outcome.ACCEPTED: "Trục liên thông đã nhận và chuyển văn bản đến mọi nơi nhận.",
    Outcome.PARTIAL: "Trục liên thông đã nhận văn bản nhưng chỉ chuyển được đến một số nơi nhận.",
    Outcome.REFUSED: "Trục liên thông từ chối văn bản.",
}
_RECIPIENTS = {
    RecipientOutcome.ROUTED: "đã chuyển",
    RecipientOutcome.HELD: "đã nhận, chờ hộp thư của nơi nhận",
    RecipientOutcome.REFUSED: "từ chối",
}
_UNKNOWN = Reason(
    code="axis/internal",
    title="A reason that this version does not know.",
    title_vi="Lý do mà phiên bản này chưa biết.",
    remedy="Bring this program up to date.",
    remedy_vi="Cập nhật phần mềm.",
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a file was refused: by us (`error`, or the errors of `report`), or by the axis (`receipt`)."""

    code: str
    detail: str
    line: int | None = None
    column: int | None = None
    report: Report | None = None
    receipt: Receipt | None = None

    @classmethod
    def of_error(cls, error: AxisError, report: Report | None = None) -> "Refusal":
        """Take an error of ours."""
        place = {name: getattr(error, name, None) for name in ("line", "column")}
        return cls(error.code, error.detail, report=report, **place)

    @classmethod
    def of_report(cls, report: Report) -> "Refusal":
        """Take the first error that a check has found; a mark of secrecy goes before all others."""
        errors = [each for each in report.findings if each.severity is Severity.ERROR]
        # Findings over the limit are left out from behind, so there is an error wherever one was found.
        first = next((each for each in errors if each.code == SECRET), errors[0])
        return cls(first.code, first.detail, first.line, first.column, report)

    @classmethod
    def of_receipt(cls, receipt: Receipt) -> "Refusal":
        """Take what the axis said."""
        told = [(receipt.code, receipt.detail), *((each.code, each.detail) for each in receipt.recipients)]
        code, detail = next((each for each in told if each[0] is not None), ("axis/internal", None))
        return cls(code or "axis/internal", detail or "", receipt=receipt)

    @property
    def is_secret(self) -> bool:
        """Whether nothing of the content may be kept here."""
        return self.code == SECRET

    @property
    def reason(self) -> Reason:
        """What the catalogue says."""
        return REASONS.get(self.code, _UNKNOWN)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All that a check has found."""
        return () if self.report is None or self.is_secret else self.report.findings


def refusal_json(refusal: Refusal, name: str, at: dt.datetime) -> bytes:
    """Write a refusal for machines."""
    reason, receipt = refusal.reason, refusal.receipt
    return _json(
        {
            "schema": "axis.folder-refusal/1",
            "file": shown(name),
            "at": at.isoformat(),
            "code": refusal.code,
            "fault": reason.fault.value,
            "retry": reason.retry,
            "title": {"vi": reason.title_vi, "en": reason.title},
            "remedy": {"vi": reason.remedy_vi, "en": reason.remedy},
            "detail": refusal.detail,
            "line": refusal.line,
            "column": refusal.column,
            "findings": [each.as_json() for each in refusal.findings],
            "receipt": None if receipt is None else receipt.model_dump(mode="json", by_alias=True, exclude_none=True),
        }
    )


def refusal_text(refusal: Refusal, name: str, at: dt.datetime) -> bytes:
    """Write a refusal for people."""
    return _text(_refusal_lines(refusal, name, at))


def aside_json(refusal: Refusal, name: str, envelope: Envelope, at: dt.datetime) -> bytes:
    """Write for machines why a document that arrived is not in the folder yet."""
    reason = refusal.reason
    return _json(
        {
            "schema": "axis.folder-aside/1",
            "file": shown(name),
            "at": at.isoformat(),
            "envelope": envelope.id,
            "sender": envelope.sender,
            "code": refusal.code,
            "title": {"vi": reason.title_vi, "en": reason.title},
            "remedy": {"vi": reason.remedy_vi, "en": reason.remedy},
            "detail": refusal.detail,
        }
    )


def aside_text(refusal: Refusal, name: str, envelope: Envelope, at: dt.datetime) -> bytes:
    """Write for people why a document that arrived is not in the folder yet."""
    reason = refusal.reason
    return _text(
        [
            f"CHƯA MỞ ĐƯỢC: {reason.title_vi}",
            f"Văn bản: {shown(name)}",
            f"Nơi gửi: {envelope.sender}",
            f"Mã gói tin: {envelope.id}",
            f"Thời điểm: {_local(at)}",
            f"Mã lý do: {refusal.code}",
            f"Cần làm: {reason.remedy_vi}",
            f"Chi tiết: {refusal.detail}",
            "Văn bản được giữ trong sổ của cơ quan và tự được đưa vào thư mục khi mở được; bên gửi không cần gửi lại.",
            "",
            f"NOT OPENED YET: {reason.title}",
            f"What to do: {reason.remedy}",
            "The document is kept in the agency's ledger and comes into the folder by itself once it can be opened.",
        ]
    )


def receipt_json(receipt: Receipt | None, name: str, said: Mapping[str, object]) -> bytes:
    """Write what became of a file for machines; `said` is what is known beside the receipt."""
    told = None if receipt is None else receipt.model_dump(mode="json", by_alias=True, exclude_none=True)
    return _json({"schema": "axis.folder-receipt/1", "file": shown(name), **said, "receipt": told})


def receipt_text(receipt: Receipt | None, name: str, envelope: str, *, repeats: str | None) -> bytes:
    """Write what became of a document for people."""

    def lines() -> Iterator[str]:
        yield f"Tệp: {shown(name)}"
        if repeats is not None:
            yield f"Văn bản này đã được gửi trước đó (tệp {shown(repeats)}); lần này không gửi lại."
        yield f"Mã gói tin: {envelope}"
        if receipt is not None:
            yield _OUTCOMES[receipt.outcome]
            yield f"Thời điểm: {_local(receipt.at)}"
            yield from _recipients(receipt)

    return _text(lines())


def handed_text(name: str, at: dt.datetime, *, count: int) -> bytes:
    """Write for people that a status was handed over."""
    return _text(
        [
            f"Tệp: {shown(name)}",
            f"Đã chuyển trạng thái lên trục liên thông ({count}) lúc {_local(at)}.",
            "Nếu trục từ chối, tệp sẽ được chuyển sang thư mục refused kèm lý do.",
        ]
    )


def shown(name: str) -> str:
    """Write a file's name as text for anybody: in NFC, without what moves a cursor or turns the line around."""
    text = unicodedata.normalize("NFC", name.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)


def _refusal_lines(refusal: Refusal, name: str, at: dt.datetime) -> Iterator[str]:
    reason = refusal.reason
    fault_vi, fault = _FAULTS[reason.fault]
    yield f"TỪ CHỐI: {reason.title_vi}"
    yield f"Tệp: {shown(name)}"
    yield f"Thời điểm: {_local(at)}"
    yield f"Mã lý do: {refusal.code}"
    yield f"Trách nhiệm: {fault_vi}"
    yield f"Cần làm: {reason.remedy_vi}"
    yield f"Chi tiết: {_place(refusal.line, refusal.column)}{refusal.detail}"
    if refusal.is_secret:
        yield "Tệp vẫn nằm trong thư mục này của cơ quan; trục liên thông không giữ lại nội dung nào của văn bản."
    if refusal.receipt is not None:
        yield from _recipients(refusal.receipt)
    for each in refusal.findings:
        yield f"- {_place(each.line, each.column)}{each.path or ''} {each.message_vi} {each.detail} ({each.code})"
    yield ""
    yield f"REFUSED: {reason.title}"
    yield f"Fault: {fault}"
    yield f"What to do: {reason.remedy}"
    if refusal.is_secret:
        yield "The file is the agency's own and stays in this folder; the axis keeps nothing of its content."
    for each in refusal.findings:
        yield f"- {_place(each.line, each.column)}{each.path or ''} {each.message} {each.detail} ({each.code})"


def _recipients(receipt: Receipt) -> Iterator[str]:
    for each in receipt.recipients:
        via = "" if not each.via else f" ({'; '.join(each.via)})"
        why = ""
        if each.code is not None:
            reason = REASONS.get(each.code, _UNKNOWN)
            why = f": {reason.title_vi} {reason.remedy_vi} ({each.code})"
        yield f"- {each.recipient}: {_RECIPIENTS[each.outcome]}{via}{why}"


def _place(line: int | None, column: int | None) -> str:
    return "" if line is None else f"[{line}:{column}] "


def _local(at: dt.datetime) -> str:
    return f"{at.astimezone(VIETNAM_TIME):%d/%m/%Y %H:%M:%S}"


def _json(value: Mapping[str, object]) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode()


def _text(lines: Iterator[str] | list[str]) -> bytes:
    # With a byte order mark and CRLF: the editor of every Windows shows the Vietnamese letters then.
    return ("\r\n".join(_printable(line) for line in lines) + "\r\n").encode("utf-8-sig")


def _printable(line: str) -> str:
    return "".join(each if each.isprintable() else " " for each in line)
