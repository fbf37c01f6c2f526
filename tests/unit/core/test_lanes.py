import pytest

from axis.core.lanes import LANES, lane_of, mailbox_queue, notices_queue, retry_name, route_queue, submit_key
from schemas import Priority


@pytest.mark.parametrize("priority", Priority)
def test_every_priority_but_normal_is_urgent_by_law(priority: Priority) -> None:
    assert lane_of(priority) == ("normal" if priority is Priority.NORMAL else "urgent")


def test_names_are_those_of_the_contract() -> None:
    assert LANES == ("urgent", "normal")
    assert submit_key("urgent", "H37.05") == "urgent.H37.05"
    assert route_queue("urgent") == "axis.route.urgent"
    assert mailbox_queue("normal", "H37.05") == "mailbox.normal.H37.05"
    assert notices_queue("H37.05") == "notices.H37.05"
    assert retry_name(60) == "axis.retry.60"
