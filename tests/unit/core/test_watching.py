"""What the auditor concludes from numbers: each conclusion, and each thing that must not lead to one."""

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from axis.core.broker_objects import Binding, Topology
from axis.core.topology import places
from axis.core.watching import (
    GAP,
    Arrivals,
    Cause,
    Copies,
    Counted,
    Finding,
    HeldQueue,
    Kind,
    MailboxWatch,
    QueueCount,
    Unmarked,
    absent,
    aged,
    compare,
    judge,
    look,
    not_there,
)
from tests.builders import NOW

PATIENCE = dt.timedelta(minutes=15)
QUEUE = "mailbox.normal.H37"
STEP = dt.timedelta(seconds=15)


def minutes(count: float) -> dt.timedelta:
    return dt.timedelta(minutes=count)


def counted(queue: str = QUEUE, ready: int = 0, unacked: int = 0, consumers: int = 0, taken: int = 0) -> QueueCount:
    return QueueCount(queue, ready, unacked, consumers, taken)


def after(first: QueueCount, *others: QueueCount, every: dt.timedelta = STEP) -> MailboxWatch:
    watch = look(None, first, NOW)
    for place, count in enumerate(others, 1):
        watch = look(watch, count, NOW + place * every)
    return watch


def judged(*watches: MailboxWatch) -> list[Finding]:
    return judge(watches, [], Unmarked(), patience=PATIENCE)


def stood(count: QueueCount, long: dt.timedelta = PATIENCE) -> MailboxWatch:
    return after(*[count] * (long // STEP + 1))


def test_who_takes_something_between_two_looks_was_there() -> None:
    watch = after(counted(ready=9), counted(ready=9), counted(ready=5, taken=4), counted(ready=5, taken=4))
    assert watch.no_consumer_since == NOW + 2 * STEP


def test_a_look_says_whose_queue_it_is_and_in_which_lane() -> None:
    names = {"mailbox.urgent.H37": "urgent", QUEUE: "normal", "notices.H37": "notices", "axis.track": "axis"}
    for name, lane in names.items():
        watch = look(None, counted(name), NOW)
        assert (watch.mailbox, watch.lane) == (None if lane == "axis" else "H37", lane)


def test_messages_that_nobody_is_there_to_take_are_stuck_and_say_since_when() -> None:
    watch = stood(counted(ready=3))
    (finding,) = judged(watch)
    assert (finding.cause, finding.kind) == (Cause.NO_CONSUMER, Kind.STUCK)
    assert (finding.subject, finding.mailbox, finding.count) == (QUEUE, "H37", 3)
    assert finding.since == NOW
    assert watch.oldest_at == NOW
    assert judged(stood(counted(ready=3), PATIENCE - STEP)) == []


def test_a_consumer_that_takes_nothing_is_told_from_one_that_is_away() -> None:
    (finding,) = judged(stood(counted(ready=1, unacked=2, consumers=1)))
    assert (finding.cause, finding.count) == (Cause.NOT_TAKING, 3)


@pytest.mark.parametrize("numbers", [{"ready": 2, "taken": 0}, {"ready": 3, "taken": 1}])
def test_whoever_takes_something_now_and_then_is_not_stuck(numbers: dict[str, Any]) -> None:
    """Fewer wait than before, or as many and something was taken: documents come as fast as they go."""
    watch = look(stood(counted(ready=3)), counted(**numbers), NOW + PATIENCE + STEP)
    assert judged(watch) == []
    assert watch.still_since == watch.moved_at == NOW + PATIENCE + STEP


def test_what_came_just_now_into_a_queue_nobody_reads_is_not_stuck_yet() -> None:
    empty = stood(counted())
    assert empty.no_consumer_since == NOW
    watch = look(empty, counted(ready=1), NOW + PATIENCE + STEP)
    assert (watch.oldest_at, judged(watch)) == (NOW + PATIENCE + STEP, [])
    later = NOW + 2 * PATIENCE
    assert judged(replace(watch, seen_at=later)) == []
    (finding,) = judged(replace(watch, seen_at=later + STEP))
    assert finding.since == NOW  # since when nobody is connected, which is what people ask


def test_a_consumer_that_was_there_begins_the_wait_anew() -> None:
    watch = after(counted(ready=1), counted(ready=1, consumers=1), counted(ready=1))
    assert watch.no_consumer_since == NOW + 2 * STEP
    assert watch.still_since == NOW


def test_after_a_gap_nothing_is_claimed_of_the_time_between() -> None:
    watch = look(look(None, counted(ready=1), NOW), counted(ready=1), NOW + GAP + STEP)
    assert watch.no_consumer_since == watch.still_since == NOW + GAP + STEP


def test_the_axis_own_queues_are_waited_for_shortly_and_retry_queues_never() -> None:
    (finding,) = judged(stood(counted("axis.track", ready=5), minutes(2)))
    assert (finding.cause, finding.mailbox) == (Cause.UNWORKED, None)
    assert judged(stood(counted("axis.track", ready=5), minutes(1.5))) == []
    for name in ("axis.retry.600", "replay.H37", "somebody's"):
        assert judged(stood(counted(name, ready=5), minutes(60))) == []


def test_what_is_held_and_what_is_unmarked_is_stuck_too() -> None:
    held, notices = HeldQueue("mailbox.urgent.G12", 7, NOW), HeldQueue("notices.G12", 1, NOW)
    unmarked = Unmarked(young=3, envelopes=2, envelopes_since=NOW, notices=4, notices_since=NOW)
    found = judge([], [held, notices], unmarked, patience=PATIENCE)
    assert [(each.cause, each.mailbox, each.count) for each in found] == [
        (Cause.HELD, "G12", 7),
        (Cause.HELD, "G12", 1),
        (Cause.UNMARKED, None, 2),
        (Cause.UNTOLD, None, 4),
    ]
    assert {each.kind for each in found} == {Kind.STUCK}


class Pass:
    """A pass begun at NOW, over one queue that stood as said; `compare` looks a minute later."""

    def __init__(self, then: QueueCount, **copies: int) -> None:
        self.watch = stood(then)
        self.begun = self.watch.seen_at
        found = {QUEUE: Copies(copies["count"], copies["old"], NOW, "e1")} if copies else {}
        self.counted = Counted(self.begun, {QUEUE: self.watch}, found)

    def compare(
        self, now: QueueCount | None = None, *, unmarked: Unmarked | None = None, later: float = 1
    ) -> list[Cause]:
        watch = look(self.watch, now or counted(ready=self.watch.ready), self.begun + minutes(later))
        return [each.cause for each in compare(self.counted, {QUEUE: watch}, unmarked or Unmarked())]


def test_more_unanswered_copies_than_the_queue_holds_are_a_suspicion() -> None:
    one = Pass(counted(ready=2), count=5, old=5)
    later = {QUEUE: look(one.watch, counted(ready=2), one.begun + minutes(1))}
    (finding,) = compare(one.counted, later, Unmarked())
    assert (finding.cause, finding.kind, finding.count, finding.about) == (Cause.SILENT, Kind.MISSING, 3, "e1")
    assert "suspicion" in finding.detail
    assert "nghi vấn" in finding.detail_vi
    assert "axis mailbox rebuild H37" in finding.remedy


@pytest.mark.parametrize(
    "then",
    [
        counted(ready=2, consumers=1),  # may be taking right now
        counted(ready=1, unacked=1),  # handed out
    ],
)
def test_nothing_is_missing_while_somebody_has_it_in_hand(then: QueueCount) -> None:
    assert Pass(then, count=5, old=5).compare(then) == []


def test_nothing_is_missing_when_somebody_was_there_meanwhile_or_it_is_too_early_to_say() -> None:
    one = Pass(counted(ready=2), count=5, old=5)
    assert one.compare(counted(ready=2, taken=1)) == []
    assert one.compare(counted(ready=1)) == []
    assert one.compare(later=0.2) == []  # the broker's numbers are some seconds behind
    assert one.compare() == [Cause.SILENT]
    young = Pass(counted(ready=2), count=5, old=2)
    assert young.compare() == []
    assert compare(one.counted, {}, Unmarked()) == []  # the queue is gone: that is told as such


def test_more_in_the_queue_than_the_store_has_copies_for_is_counted_as_doubled() -> None:
    assert Pass(counted(ready=6), count=5, old=5).compare() == [Cause.DOUBLED]
    assert Pass(counted(ready=6)).compare() == [Cause.DOUBLED]
    assert Pass(counted(ready=5), count=5, old=5).compare() == []
    one = Pass(counted(ready=6), count=5, old=5)
    assert one.compare(unmarked=Unmarked(young=1)) == []  # in the queue, its mark not written yet
    assert one.compare(counted(ready=9)) == [Cause.DOUBLED]  # what came since was not counted


def test_only_document_queues_of_mailboxes_are_compared() -> None:
    for name in ("notices.H37", "axis.track"):
        watch = replace(stood(counted(name, ready=6)))
        assert compare(Counted(watch.seen_at, {name: watch}), {name: watch}, Unmarked()) == []


def test_the_oldest_is_told_exactly_where_every_unanswered_copy_is_in_the_queue() -> None:
    watch = look(None, counted(ready=2), NOW)
    copies = Copies(2, 0, NOW - minutes(300), "e1")
    assert aged([watch], Counted(NOW - minutes(1), {}, {QUEUE: copies})) == []  # something was taken since
    (known,) = aged([watch], Counted(NOW, {}, {QUEUE: copies}))
    assert known.oldest_at == NOW - minutes(300)
    assert aged([watch], Counted(NOW, {}, {QUEUE: replace(copies, count=3)})) == []  # one of them was taken in silence
    assert aged([watch], Counted(NOW, {})) == []


def test_the_oldest_of_a_queue_that_is_worked_on_is_told_from_what_came_and_went() -> None:
    arrivals = Arrivals()

    def at(minute: float, ready: int, taken: int | None) -> dt.datetime | None:
        return arrivals.oldest(QueueCount(QUEUE, ready, 0, 1, taken), NOW + minutes(minute))

    assert at(0, 0, None) is None
    assert at(1, 3, None) == NOW + minutes(1)
    assert at(2, 5, 1) == NOW + minutes(1)  # three more came, two of the first are left
    assert at(3, 3, 3) == NOW + minutes(2)  # the first three are gone
    assert at(4, 4, 5) == NOW + minutes(2)
    assert at(5, 4, 6) == NOW + minutes(4)
    assert at(6, 0, 10) is None
    assert at(7, 1, 10) == NOW + minutes(7)
    for step in range(1_000):  # never empty, and never old
        assert at(8 + step, 10, 11 + 10 * step) is not None
    now = NOW + minutes(8 + 1_000)
    oldest = arrivals.oldest(QueueCount(QUEUE, 10, 0, 1, 11 + 10_000), now)
    assert oldest is not None
    assert now - oldest <= minutes(2)


def test_what_was_there_before_the_first_look_and_before_a_restart_is_as_old_as_was_known() -> None:
    arrivals = Arrivals(NOW - minutes(60))
    assert arrivals.oldest(counted(ready=5, taken=900), NOW) == NOW - minutes(60)
    assert arrivals.oldest(counted(ready=7, taken=903), NOW + minutes(1)) == NOW - minutes(60)
    assert arrivals.oldest(counted(ready=7, taken=0), NOW + minutes(2)) == NOW - minutes(60)  # it counts anew
    assert arrivals.oldest(counted(ready=2, taken=7), NOW + minutes(3)) == NOW + minutes(3)
    assert Arrivals(NOW).oldest(counted(ready=0, taken=1), NOW) is None


def test_what_comes_when_all_of_that_was_taken_is_not_as_old() -> None:
    arrivals = Arrivals(NOW - minutes(60))
    assert arrivals.oldest(counted(ready=5, taken=900), NOW) == NOW - minutes(60)
    assert arrivals.oldest(counted(ready=0, taken=905), NOW + minutes(1)) is None
    assert arrivals.oldest(counted(ready=1, taken=950), NOW + minutes(2)) == NOW + minutes(2)
    # Nor after a restart of the broker, which counts anew.
    assert arrivals.oldest(counted(ready=1, taken=0), NOW + minutes(3)) == NOW + minutes(2)
    assert arrivals.oldest(counted(ready=0, taken=9), NOW + minutes(4)) is None
    assert arrivals.oldest(counted(ready=3, taken=20), NOW + minutes(5)) == NOW + minutes(5)


def test_what_a_slow_reader_leaves_is_remembered_within_bounds() -> None:
    arrivals = Arrivals()
    for step in range(5_000):
        assert arrivals.oldest(counted(ready=step + 1), NOW + minutes(step)) == NOW
    assert len(arrivals._came) <= 257


def test_copies_add_up_to_the_oldest() -> None:
    one, other = Copies(2, 1, NOW, "e2"), Copies(3, 3, NOW - STEP, "e1")
    assert one + other == other + one == Copies(5, 4, NOW - STEP, "e1")


def there(wanted: Topology, *without: str) -> tuple[list[str], list[Binding]]:
    return [each.name for each in wanted.queues if each.name not in without], [
        each for each in wanted.bindings if each.queue not in without
    ]


def test_what_the_directory_demands_and_the_broker_lacks_is_named_in_the_order_to_make_it() -> None:
    wanted = places(["H37", "G12"])
    queues, bindings = there(wanted)
    assert absent(wanted, [*queues, "stranger", "mailbox.normal.OLD"], bindings) == ()
    lacking = absent(wanted, *there(wanted, QUEUE, "notices.H37"))
    assert (lacking[0].kind, lacking[0].name) == ("queue", QUEUE)
    assert lacking[-1].kind == "binding"  # the notices' binding last: only then is the mailbox taken for ready
    assert {each.item.kind for each in lacking} == {"queue", "binding"}
    assert len(lacking) == 4
    findings = [not_there(each, NOW) for each in lacking]
    assert {each.mailbox for each in findings} == {"H37"}
    assert {each.kind for each in findings} == {Kind.TOPOLOGY}


@pytest.mark.parametrize("cause", list(Cause))
def test_every_cause_has_words_in_both_languages(cause: Cause) -> None:
    finding = Finding(cause, QUEUE, NOW, "H37", 2, "e1")
    told = [finding.detail, finding.detail_vi, finding.remedy, finding.remedy_vi]
    assert all(told)
    assert not any("{" in each for each in told)
    assert finding.detail != finding.detail_vi
