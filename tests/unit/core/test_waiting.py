import datetime as dt
from dataclasses import dataclass, replace

import pytest

from axis.core.conversation import Kind, Talk
from axis.core.waiting import Waiting, waiting
from tests.unit.core.histories import History, delivery, minute, reported, talk

JUST_NOW = minute(59)


@dataclass(frozen=True)
class Seen:
    """What the auditor sees of a queue."""

    consumers: int = 1
    ready: int = 0
    unacked: int = 0
    no_consumer_since: dt.datetime | None = None
    seen_at: dt.datetime = JUST_NOW


def why(history: History, seen: Seen | None = None, at: float = 60) -> Waiting:
    found = waiting(history.fate(), history.delivery, seen, minute(at))
    assert found is not None
    return found


def test_what_is_at_its_end_waits_for_nothing() -> None:
    history = reported("06")
    assert waiting(history.fate(), history.delivery, None, minute(60)) is None


@pytest.mark.parametrize(
    ("seen", "code", "vi", "en"),
    [
        (None, "unwatched", "chưa có số liệu", "nobody has looked"),
        (
            Seen(0, 3, no_consumer_since=minute(12)),
            "no-consumer",
            "chờ: không có hệ thống nào nhận từ hộp thư H37 từ 15:12",
            "waiting: mailbox H37 has no consumer since 15:12",
        ),
        (Seen(0), "no-consumer", "hộp thư H37", "has no consumer"),
        (Seen(1, 312, 4), "queue", "còn 312 văn bản chờ", "since 15:01; 312 documents wait there, 4 in hand"),
        (Seen(1), "no-status", "chưa gửi trạng thái nào", "has reported nothing"),
        (Seen(1, 1, seen_at=minute(50)), "queue", "số liệu từ 15:50", "last looked at 15:50"),
    ],
)
def test_why_it_is_still_in_its_mailbox(seen: Seen | None, code: str, vi: str, en: str) -> None:
    found = why(History(delivery("delivered")), seen)
    assert found.code == code
    assert vi in found.text_vi
    assert en in found.text_en


@pytest.mark.parametrize(
    ("history", "code", "en"),
    [
        (History(delivery("routed")), "confirmation", "recorded 15:00"),
        (History(delivery("held", reason="mailbox/full")), "release", "held at the axis since 15:00 ("),
        (History(delivery("held", reason="to/come")), "release", "(to/come)"),
        (reported("01"), "acceptance", "neither acceptance (03) nor refusal (02)"),
        (reported("03"), "finishing", "H37 is handling it since 15:05"),
        (
            History(delivery("delivered"), talks=(talk(Kind.RECALL, Talk.REQUESTED),)),
            "answer",
            "neither agreed",
        ),
        (History(delivery("delivered"), talks=(talk(Kind.RECALL, Talk.AGREED),)), "destruction", "destroyed"),
    ],
)
def test_what_else_is_waited_for(history: History, code: str, en: str) -> None:
    found = why(history)
    assert found.code == code
    assert en in found.text_en
    assert found.text_vi.startswith("chờ: ")
    assert "{" not in found.text_vi + found.text_en


def test_of_another_day_the_date_is_said_and_the_successor_is_named() -> None:
    history = replace(reported("01"), delivery=delivery("delivered", resolved="H60", last_status="01"))
    assert "the system of H60 has it since 15:05 24/11/2026" in why(history, at=60 * 24).text_en
