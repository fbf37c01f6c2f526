"""What is told at a glance of many queues."""

import datetime as dt

import pytest

from axis.core.glance import Untaken, is_stale, totals, untaken
from axis.core.watching import QueueCount, look
from tests.builders import NOW

MINUTE = dt.timedelta(minutes=1)


@pytest.mark.parametrize(
    ("every", "ago", "stale"),
    [(15, 119, False), (15, 121, True), (1, 59, False), (1, 61, True), (300, 2_399, False), (300, 2_401, True)],
)
def test_nobody_is_looking_after_eight_looks_were_missed_and_a_minute_at_least(
    every: float, ago: int, *, stale: bool
) -> None:
    assert is_stale(NOW - dt.timedelta(seconds=ago), NOW, every) is stale


def test_who_has_never_looked_is_not_looking() -> None:
    assert is_stale(None, NOW, 15)


def test_queues_are_summed_up_and_a_name_without_any_is_shown() -> None:
    first, second = (
        look(None, QueueCount(f"mailbox.{lane}.H37", n, n + 1, 1), NOW) for n, lane in ((2, "urgent"), (5, "normal"))
    )
    both, none = totals({"H37": [first, second], "G22": []})
    assert (both.name, both.queues, both.ready, both.unacked, both.consumers) == ("H37", 2, 7, 9, 2)
    assert both.oldest_at == min(each.oldest_at for each in (first, second) if each.oldest_at is not None)
    assert (none.queues, none.ready, none.oldest_at) == (0, 0, None)


def test_who_has_documents_waiting_and_nobody_connected_keeps_them() -> None:
    counts = [
        QueueCount("mailbox.normal.H37", 3, 0, 0),
        QueueCount("mailbox.urgent.H37", 1, 0, 0),
        QueueCount("mailbox.normal.H29", 3, 0, 1),  # somebody is there
        QueueCount("mailbox.normal.G12", 0, 0, 0),  # nothing waits
        QueueCount("notices.G09", 4, 0, 0),  # nobody else's documents
        QueueCount("axis.track", 4, 0, 0),
    ]
    earlier = {count.queue: look(None, count, NOW - MINUTE) for count in counts[:1]}
    watches = [look(earlier.get(count.queue), count, NOW) for count in counts]
    assert untaken(watches) == {"H37": Untaken("H37", 4, NOW - MINUTE)}
