"""The story of an envelope: what happened when, who says so, and what proves it."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from axis.core.conversation import Conversation, Talk
from axis.core.records import DeliveryState
from axis.core.tracked import Tracked, TrackedDelivery, TrackedStatus

AXIS = "axis"

# Status codes in the words of the connection guide.
_SAID = {
    "01": ("arrived", "đã đến"),
    "02": ("refused", "từ chối tiếp nhận"),
    "03": ("accepted", "đã tiếp nhận"),
    "04": ("assigned", "phân công xử lý"),
    "05": ("processing", "đang xử lý"),
    "06": ("finished", "hoàn thành"),
    "13": ("asked to give it back", "yêu cầu lấy lại"),
    "15": ("agreed", "đồng ý"),
    "16": ("declined", "từ chối yêu cầu"),
}


def words_of(code: str) -> tuple[str, str]:
    """Say in English and Vietnamese what a status code stands for."""
    return _SAID.get(code, ("unknown here", "mã không rõ"))


class Plane(StrEnum):
    """Which of the planes of docs/statuses.md something happened on."""

    TRANSPORT = "transport"
    BUSINESS = "business"
    CONVERSATION = "conversation"


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened. `recipient`: as addressed; None: it is about all of them.

    `evidence` is the id of what proves it: the signed envelope, the axis's signed receipt, a signed status, or the
    envelope that asks.
    """

    at: dt.datetime
    who: str
    what: str
    what_vi: str
    plane: Plane
    recipient: str | None = None
    evidence: str | None = None
    detail: str | None = None


def timeline(tracked: Tracked) -> tuple[Moment, ...]:
    """Tell what happened to an envelope, in the order of time; that it was sent comes first, by whatever clock."""
    envelope = tracked.envelope
    receipt = next((each.id for each in tracked.notices if each.kind == "receipt"), None)
    sent = Moment(envelope.sent_at, envelope.sender, "sent", "đã gửi", Plane.TRANSPORT, evidence=envelope.id)
    accepted = Moment(envelope.accepted_at, AXIS, "accepted", "trục tiếp nhận", Plane.TRANSPORT, evidence=receipt)
    later = [moment for each in tracked.deliveries for moment in _carried(each, envelope.accepted_at, receipt)]
    later += [moment for each in tracked.statuses for moment in _reported(each)]
    later += [moment for each in tracked.conversations for moment in _talked(each, envelope.id)]
    return (sent, accepted, *sorted(later, key=lambda each: each.at))


def _carried(delivery: TrackedDelivery, accepted_at: dt.datetime, receipt: str | None) -> Iterator[Moment]:
    whom = delivery.recipient
    why = delivery.reason if delivery.detail is None else delivery.detail
    if delivery.state is DeliveryState.REFUSED:
        what, vi = "undeliverable", "không chuyển được"
        yield Moment(accepted_at, AXIS, what, vi, Plane.TRANSPORT, whom, receipt, why)
        return
    if delivery.held_since is not None:
        held = why if delivery.state is DeliveryState.HELD else None
        yield Moment(delivery.held_since, AXIS, "held", "giữ lại tại trục", Plane.TRANSPORT, whom, None, held)
    if delivery.delivered_at is not None:
        to, to_vi = f"in mailbox {delivery.mailbox}", f"đã vào hộp thư {delivery.mailbox}"
        yield Moment(
            delivery.delivered_at, AXIS, to, to_vi, Plane.TRANSPORT, whom, None, "; ".join(delivery.via) or None
        )
    if delivery.fetched_at is not None:
        who = delivery.mailbox or whom
        what, vi = "fetched from the gateway", "hệ thống lấy từ cổng kết nối"
        yield Moment(delivery.fetched_at, who, what, vi, Plane.TRANSPORT, whom)


def _reported(status: TrackedStatus) -> Iterator[Moment]:
    said, said_vi = words_of(status.code)
    late = {"late": (", late", ", đến muộn"), "repeated": (", again", ", nhắc lại")}.get(status.effect, ("", ""))
    for recipient in status.recipients:
        yield Moment(
            status.received_at,
            status.reporter,
            f"{status.code} {said}{late[0]}",
            f"{status.code} {said_vi}{late[1]}",
            Plane.CONVERSATION if status.code in {"13", "15", "16"} else Plane.BUSINESS,
            recipient,
            status.id,
            status.reason,
        )


def _talked(talk: Conversation, envelope_id: str) -> Iterator[Moment]:
    """Tell what was asked and done; answers about this envelope itself are statuses, and told as such."""
    whom = talk.recipient if talk.request == envelope_id else talk.original or talk.recipient
    own = talk.request == envelope_id
    kinds = {"recall": "thu hồi", "update": "cập nhật", "replace": "thay thế", "take back": "lấy lại"}
    kind_vi = kinds[talk.kind.value]
    if talk.request != talk.about:
        yield Moment(
            talk.requested_at,
            talk.requested_by,
            f"{talk.kind.value} requested",
            f"yêu cầu {kind_vi}",
            Plane.CONVERSATION,
            whom,
            talk.request,
            talk.reason,
        )
    if not own and talk.answered_at is not None:
        declined = talk.state is Talk.DECLINED
        yield Moment(
            talk.answered_at,
            talk.answered_by or whom,
            f"{talk.kind.value} {'declined' if declined else 'agreed'}",
            f"{'từ chối' if declined else 'đồng ý'} {kind_vi}",
            Plane.CONVERSATION,
            whom,
            talk.request,
            talk.answer,
        )
    if talk.state is Talk.WITHDRAWN:
        at = talk.destroyed_at or talk.requested_at
        yield Moment(at, AXIS, "withdrawn unseen", "rút lại khi chưa ai xem", Plane.TRANSPORT, whom, talk.request)
    elif talk.destroyed_at is not None:
        who = talk.answered_by or whom
        what, vi = "copy destroyed", "đã hủy bản nhận"
        yield Moment(talk.destroyed_at, who, what, vi, Plane.CONVERSATION, whom, talk.request)
