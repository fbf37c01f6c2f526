from dataclasses import replace

from axis.core.conversation import Kind, Talk
from axis.core.timeline import Plane, timeline
from tests.unit.core.histories import ENVELOPE, ORIGINAL, History, delivery, envelope, minute, reported, status, talk

RECEIPT = "01995f1c-7a3e-7c21-9f5e-3b7d9c0a4e33"


def told(history: History) -> list[tuple[float, str, str, Plane, str | None]]:
    return [
        ((each.at - minute(0)).total_seconds() / 60, each.who, each.what, each.plane, each.evidence)
        for each in timeline(history.tracked())
    ]


def test_the_ordinary_way_with_what_proves_it() -> None:
    history = reported("01", "03")
    assert told(replace(history, delivery=replace(history.delivery, fetched_at=minute(3)))) == [
        (0, "G22", "sent", Plane.TRANSPORT, ENVELOPE),
        (0, "axis", "accepted", Plane.TRANSPORT, RECEIPT),
        (1, "axis", "in mailbox H37", Plane.TRANSPORT, None),
        (3, "H37", "fetched from the gateway", Plane.TRANSPORT, None),
        (5, "H37", "01 arrived", Plane.BUSINESS, history.statuses[0].id),
        (10, "H37", "03 accepted", Plane.BUSINESS, history.statuses[1].id),
    ]


def test_what_was_held_refused_or_came_late() -> None:
    held = History(delivery("held", reason="mailbox/full", detail="50,000 wait"))
    assert [(each.what, each.detail) for each in timeline(held.tracked())][2:] == [("held", "50,000 wait")]
    released = History(delivery("delivered", held_since=minute(1), released_at=minute(4), delivered_at=minute(4)))
    assert [(each.what, each.detail) for each in timeline(released.tracked())][2:] == [
        ("held", None),
        ("in mailbox H37", None),
    ]
    refused = History(delivery("refused", mailbox=None, reason="recipient/unknown"))
    assert told(refused)[2] == (0, "axis", "undeliverable", Plane.TRANSPORT, RECEIPT)
    late = History(delivery("delivered"), (status("01", 5, effect="late"), status("77", 6, effect="repeated")))
    assert [each.what for each in timeline(late.tracked())][3:] == ["01 arrived, late", "77 unknown here, again"]


def test_what_was_asked_about_it_and_answered() -> None:
    recalled = History(
        delivery("delivered"), talks=(talk(Kind.RECALL, Talk.DESTROYED, reason="sai số", answer="đã thu"),)
    )
    assert [(each[0], each[2], each[3]) for each in told(recalled)][3:] == [
        (20, "recall requested", Plane.CONVERSATION),
        (30, "recall agreed", Plane.CONVERSATION),
        (40, "copy destroyed", Plane.CONVERSATION),
    ]
    untaken = History(delivery("withdrawn"), talks=(talk(Kind.RECALL, Talk.WITHDRAWN),))
    assert [each.what for each in timeline(untaken.tracked())][2:] == ["recall requested", "withdrawn unseen"]
    declined = History(delivery("delivered"), talks=(talk(Kind.UPDATE, Talk.DECLINED),))
    assert [each.what_vi for each in timeline(declined.tracked())][3:] == ["yêu cầu cập nhật", "từ chối cập nhật"]


def test_an_answer_is_told_once_whether_it_is_a_status_or_about_another_envelope() -> None:
    own = talk(Kind.RECALL, Talk.AGREED, request=ENVELOPE, about=ORIGINAL)
    recall = History(delivery("delivered"), (status("15", 30),), (own,), envelope(action="recall", concerns=ORIGINAL))
    assert [each.what for each in timeline(recall.tracked())][3:] == ["recall requested", "15 agreed"]
    taken_back = talk(Kind.TAKE_BACK, Talk.AGREED, request=ENVELOPE)
    history = History(delivery("delivered"), (status("13", 20), status("15", 30)), (taken_back,))
    assert [each.what for each in timeline(history.tracked())][3:] == ["13 asked to give it back", "15 agreed"]
