"""What the auditor finds: a cause, what it is about, and the words for it in both languages.

The store keeps the facts alone; the words are made when somebody reads them.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from axis.core.workdays import VIETNAM_TIME


class Kind(StrEnum):
    """What is wrong, coarsely."""

    STUCK = "stuck"
    MISSING = "missing"
    DOUBLED = "doubled"
    TOPOLOGY = "topology"


class Cause(StrEnum):
    """What exactly is wrong; the words for it are in `_WORDS`."""

    NO_CONSUMER = "no-consumer"
    NOT_TAKING = "not-taking"
    UNWORKED = "unworked"
    HELD = "held"
    UNMARKED = "unmarked"
    UNTOLD = "untold"
    SILENT = "silent"
    DOUBLED = "doubled"
    NOT_THERE = "not-there"

    @property
    def kind(self) -> Kind:
        """What it is, coarsely."""
        return _KINDS.get(self, Kind.STUCK)


_KINDS = {Cause.SILENT: Kind.MISSING, Cause.DOUBLED: Kind.DOUBLED, Cause.NOT_THERE: Kind.TOPOLOGY}


@dataclass(frozen=True, slots=True)
class _Words:
    detail: str
    detail_vi: str
    remedy: str
    remedy_vi: str


_WORDS: Mapping[Cause, _Words] = {
    Cause.NO_CONSUMER: _Words(
        "{count} messages wait in {subject}, and nobody has been connected to it since {since}",
        "{count} thông điệp đang chờ trong {subject}, không có hệ thống nào kết nối từ {since}",
        "ask {mailbox} whether its document system runs and can reach the broker",
        "Hỏi {mailbox}: hệ thống quản lý văn bản có đang chạy và kết nối được không.",
    ),
    Cause.NOT_TAKING: _Words(
        "{count} messages wait in {subject}: a consumer is connected, and has taken nothing since {since}",
        "{count} thông điệp đang chờ trong {subject}: có hệ thống kết nối nhưng không lấy gì từ {since}",
        "ask {mailbox} to look into its document system's log, and to start it anew",
        "Đề nghị {mailbox} xem nhật ký của hệ thống quản lý văn bản và khởi động lại.",
    ),
    Cause.UNWORKED: _Words(
        "{count} messages wait in {subject}, and no worker has taken anything since {since}",
        "{count} thông điệp đang chờ trong {subject}, không tiến trình nào lấy gì từ {since}",
        "`axis doctor` says which worker is not there",
        "Chạy `axis doctor` để biết tiến trình nào không hoạt động.",
    ),
    Cause.HELD: _Words(
        "{count} deliveries are held at the axis for {subject}, the first since {since}",
        "{count} lượt chuyển đang được giữ tại trục cho {subject}, sớm nhất từ {since}",
        "`axis track ID` says why; the relay releases them as soon as the queue takes documents",
        "Chạy `axis track ID` để biết lý do; trục tự chuyển tiếp ngay khi hàng đợi nhận được.",
    ),
    Cause.UNMARKED: _Words(
        "{count} accepted documents are not confirmed by the broker, the first since {since}",
        "{count} văn bản đã tiếp nhận chưa được bộ chuyển thông điệp xác nhận, sớm nhất từ {since}",
        "is the relay running, and does the broker take messages? `axis doctor`",
        "Kiểm tra tiến trình relay và bộ chuyển thông điệp: `axis doctor`.",
    ),
    Cause.UNTOLD: _Words(
        "{count} receipts and statuses are not confirmed by the broker, the first since {since}",
        "{count} biên nhận và trạng thái chưa được bộ chuyển thông điệp xác nhận, sớm nhất từ {since}",
        "is the relay running, and is a notices queue full? `axis doctor`",
        "Kiểm tra tiến trình relay và hàng đợi thông báo có đầy không: `axis doctor`.",
    ),
    Cause.SILENT: _Words(
        "suspicion: {count} documents are delivered and unanswered, are not in {subject}, and nobody is connected: "
        "lost, or taken in silence; the oldest, {about}, since {since}",
        "nghi vấn: {count} văn bản đã chuyển, chưa phản hồi, không còn trong {subject} và không ai kết nối: bị mất "
        "hoặc đã lấy mà không báo; cũ nhất {about}, từ {since}",
        "ask {mailbox} whether it has {about}; if not, `axis mailbox rebuild {mailbox}` puts them there again",
        "Hỏi {mailbox} đã có {about} chưa; nếu chưa, chạy `axis mailbox rebuild {mailbox}` để đặt lại.",
    ),
    Cause.DOUBLED: _Words(
        "{subject} holds at least {count} messages more than there are unanswered documents for it: repeats, dropped "
        "by their id when they are taken",
        "{subject} có nhiều hơn ít nhất {count} thông điệp so với số văn bản chưa phản hồi: bản lặp, bên nhận tự bỏ "
        "theo mã",
        "nothing to do; after a restore `axis audit plan` tells whether the store lacks some of them",
        "Không cần làm gì; sau khi phục hồi dữ liệu, chạy `axis audit plan` để biết kho có thiếu không.",
    ),
    Cause.NOT_THERE: _Words(
        "{subject} is not at the broker",
        "{subject} không có tại bộ chuyển thông điệp",
        "`axis topology apply`; what was in a lost queue comes back with `axis mailbox rebuild`",
        "Chạy `axis topology apply`; nội dung của hàng đợi đã mất được đặt lại bằng `axis mailbox rebuild`.",
    ),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it should be. `subject`: a queue, a binding, or what the store calls it.

    `about`: the id of one envelope it is about. `healed`: by whom, when `healed_at` is set: `auditor`, or `itself`.
    """

    cause: Cause
    subject: str
    since: dt.datetime
    mailbox: str | None = None
    count: int = 1
    about: str | None = None
    healed_at: dt.datetime | None = None
    healed: str | None = None

    @property
    def kind(self) -> Kind:
        """What it is, coarsely."""
        return self.cause.kind

    @property
    def detail(self) -> str:
        """What was found, in English."""
        return self._say(_WORDS[self.cause].detail)

    @property
    def detail_vi(self) -> str:
        """What was found, in Vietnamese."""
        return self._say(_WORDS[self.cause].detail_vi)

    @property
    def remedy(self) -> str:
        """What to do, in English."""
        return self._say(_WORDS[self.cause].remedy)

    @property
    def remedy_vi(self) -> str:
        """What to do, in Vietnamese."""
        return self._say(_WORDS[self.cause].remedy_vi)

    def _say(self, words: str) -> str:
        since = f"{self.since.astimezone(VIETNAM_TIME):%H:%M %d/%m/%Y}"
        mailbox = self.mailbox or "–"
        return words.format(
            count=self.count, subject=self.subject, since=since, mailbox=mailbox, about=self.about or "–"
        )
