"""Why a delivery that is not at its end is not there yet, in words: is it us, or them, and since when?"""

import datetime as dt
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from axis.core.fate import Awaited, Fate
from axis.core.tracked import TrackedDelivery
from axis.core.workdays import VIETNAM_TIME
from schemas.reasons import REASONS

STALE = dt.timedelta(minutes=5)  # a mailbox that was not looked at for so long may be another by now


class Watched(Protocol):
    """What was seen of a mailbox at the broker; `axis.core.watching.MailboxWatch` is it."""

    @property
    def seen_at(self) -> dt.datetime:
        """When it was looked at."""

    @property
    def ready(self) -> int:
        """Messages that wait in it."""

    @property
    def unacked(self) -> int:
        """Messages that are handed out."""

    @property
    def consumers(self) -> int:
        """Who is connected to it."""

    @property
    def no_consumer_since(self) -> dt.datetime | None:
        """Since when nobody is."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Why it waits: a stable code, and the same in both languages."""

    code: str
    text_vi: str
    text_en: str


def waiting(fate: Fate, delivery: TrackedDelivery, watch: Watched | None, now: dt.datetime) -> Waiting | None:
    """Say why a delivery waits; None: it is at its end.

    `watch`: what was seen last of the queue it is in, None: nothing.
    """
    if fate.waiting_for is None:
        return None
    if fate.waiting_for is Awaited.TAKING:
        return _taking(fate, delivery, watch, now)
    code, text_vi, text_en = _WORDS[fate.waiting_for]
    whom = delivery.resolved or delivery.recipient
    since = _at(fate.since, now)
    text_vi, text_en = text_vi.format(whom=whom, since=since), text_en.format(whom=whom, since=since)
    if fate.waiting_for is Awaited.RELEASE and delivery.reason is not None:
        reason = REASONS.get(delivery.reason)
        text_vi += f" ({delivery.reason if reason is None else reason.title_vi.rstrip('.')})"
        text_en += f" ({delivery.reason if reason is None else reason.title.rstrip('.')})"
    return Waiting(code, text_vi, text_en)


_WORDS = MappingProxyType(
    {
        Awaited.CONFIRMATION: (
            "confirmation",
            "chờ: trục đã ghi nhận lúc {since}, máy chủ hàng đợi chưa xác nhận",
            "waiting: recorded {since}, not confirmed by the broker yet",
        ),
        Awaited.RELEASE: (
            "release",
            "chờ: trục đang giữ lại từ {since}",
            "waiting: held at the axis since {since}",
        ),
        Awaited.ACCEPTANCE: (
            "acceptance",
            "chờ: hệ thống của {whom} đã có văn bản từ {since}, chưa báo tiếp nhận (03) hay từ chối (02)",
            "waiting: the system of {whom} has it since {since}, and reported neither acceptance (03) nor refusal (02)",
        ),
        Awaited.FINISHING: (
            "finishing",
            "chờ: {whom} đang xử lý từ {since}, chưa báo hoàn thành (06)",
            "waiting: {whom} is handling it since {since} and has not reported the end (06)",
        ),
        Awaited.ANSWER: (
            "answer",
            "chờ: {whom} chưa trả lời đồng ý (15) hay từ chối (16) yêu cầu thu hồi, cập nhật hoặc thay thế",
            "waiting: {whom} has neither agreed (15) nor declined (16) to what was asked",
        ),
        Awaited.DESTRUCTION: (
            "destruction",
            "chờ: {whom} đã đồng ý thu hồi, chưa báo đã hủy văn bản",
            "waiting: {whom} has agreed to the recall and not shown yet that its copy is destroyed",
        ),
    }
)


def _taking(fate: Fate, delivery: TrackedDelivery, watch: Watched | None, now: dt.datetime) -> Waiting:
    mailbox, since = delivery.mailbox or delivery.recipient, _at(fate.since, now)
    if watch is None:
        return Waiting(
            "unwatched",
            f"chờ: ở hộp thư {mailbox} từ {since}, chưa có số liệu theo dõi hộp thư",
            f"waiting: in mailbox {mailbox} since {since}; nobody has looked at the mailbox",
        )
    code, text_vi, text_en = _seen(fate, mailbox, watch, now)
    if now - watch.seen_at > STALE:
        seen = _at(watch.seen_at, now)
        text_vi, text_en = f"{text_vi}; số liệu từ {seen}", f"{text_en}; last looked at {seen}"
    return Waiting(code, text_vi, text_en)


def _seen(fate: Fate, mailbox: str, watch: Watched, now: dt.datetime) -> tuple[str, str, str]:
    since = _at(fate.since, now)
    if watch.consumers == 0:
        gone = watch.no_consumer_since
        vi, en = ("", "") if gone is None else (f" từ {_at(gone, now)}", f" since {_at(gone, now)}")
        return (
            "no-consumer",
            f"chờ: không có hệ thống nào nhận từ hộp thư {mailbox}{vi}",
            f"waiting: mailbox {mailbox} has no consumer{en}",
        )
    if watch.ready + watch.unacked == 0:
        return (
            "no-status",
            f"chờ: hệ thống của {mailbox} đã lấy văn bản khỏi hộp thư, chưa gửi trạng thái nào",
            f"waiting: the system of {mailbox} took it out of its mailbox and has reported nothing",
        )
    return (
        "queue",
        f"chờ: ở hộp thư {mailbox} từ {since}; còn {watch.ready} văn bản chờ, {watch.unacked} đang được nhận",
        f"waiting: in mailbox {mailbox} since {since}; {watch.ready} documents wait there, {watch.unacked} in hand",
    )


def _at(moment: dt.datetime, now: dt.datetime) -> str:
    """Write a time in Vietnam as short as is clear: of today only the hour."""
    local, today = moment.astimezone(VIETNAM_TIME), now.astimezone(VIETNAM_TIME).date()
    return local.strftime("%H:%M" if local.date() == today else "%H:%M %d/%m/%Y")
