"""The gate before router and tracker: what is marked, what is counted, and with whom."""

import datetime as dt

import pytest

from axis.core.messages import Submission
from axis.errors import Unavailable
from axis.store import FakeStore
from schemas import Quota
from tests.builders import NOW, document_submission, mailbox
from tests.unit.workers.harness import axis_of, document, status
from workers.quotas import Quotas
from workers.view import View

QUEUE = "axis.route.normal"


class Clock:
    """Seconds that pass when told, for the process and for the store alike."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds

    def now(self) -> dt.datetime:
        return NOW + dt.timedelta(seconds=self.seconds)


def quotas(store: FakeStore, clock: Clock, **limits: int) -> Quotas:
    own = Quota(**limits)
    return Quotas(store.quotas, lambda account, _: own if account in {"G22", ""} else Quota(), clock.now, clock)


def sent(count: int, account: str | None = "G22", *, redelivered: bool = False) -> list[Submission]:
    return [document_submission(account=account, redelivered=redelivered) for _ in range(count)]


def marked(batch: tuple[Submission, ...]) -> list[int]:
    return [each.over_limit.retry_after for each in batch if each.over_limit is not None]


async def test_what_is_over_the_limit_is_marked_and_nobody_else_is() -> None:
    clock = Clock()
    store = FakeStore(clock.now)
    own = quotas(store, clock, messages_per_minute=30)
    assert marked(own.gate(sent(32), QUEUE)) == [2, 4]
    assert marked(own.gate(sent(50, "H37"), QUEUE)) == []
    assert marked(own.gate(sent(31, None), QUEUE)) == [2]  # who proves no account shares one
    clock.seconds = 2.0
    assert marked(own.gate(sent(2), QUEUE)) == [4]


async def test_lanes_and_statuses_have_limits_of_their_own() -> None:
    clock = Clock()
    own = quotas(FakeStore(clock.now), clock, messages_per_minute=1)
    for queue in (QUEUE, "axis.route.urgent", "axis.track"):
        assert marked(own.gate(sent(1), queue)) == []
        assert len(marked(own.gate(sent(1), queue))) == 1


async def test_bytes_have_a_limit_of_their_own() -> None:
    clock = Clock()
    own = quotas(FakeStore(clock.now), clock, bytes_per_minute=len(sent(1)[0].body))
    first, second = own.gate(sent(2), QUEUE)
    assert first.over_limit is None
    assert second.over_limit is not None
    assert second.over_limit.code == "limit/bytes"


async def test_what_the_broker_hands_out_again_passes_and_is_not_counted() -> None:
    clock = Clock()
    own = quotas(FakeStore(clock.now), clock, messages_per_minute=1)
    assert marked(own.gate(sent(5, redelivered=True), QUEUE)) == []
    assert marked(own.gate(sent(1), QUEUE)) == []


async def test_several_processes_owe_what_they_took_together() -> None:
    clock = Clock()
    store = FakeStore(clock.now)
    one, two = (quotas(store, clock, messages_per_minute=60) for _ in range(2))
    assert marked(one.gate(sent(60), QUEUE)) == marked(two.gate(sent(60), QUEUE)) == []
    await one.settle()
    await two.settle()  # knows of both
    await one.settle()
    clock.seconds = 60.0
    # A minute on, one limit has run out; the other is still owed.
    for each in (one, two):
        assert marked(each.gate(sent(1), QUEUE)) == [1]
    clock.seconds = 61.0
    assert marked(one.gate(sent(1), QUEUE)) == []


async def test_what_could_not_be_told_is_told_later() -> None:
    clock = Clock()
    store = FakeStore(clock.now)
    own, other = quotas(store, clock, messages_per_minute=10), quotas(store, clock, messages_per_minute=10)
    own.gate(sent(10), QUEUE)
    store.available = False
    with pytest.raises(Unavailable):
        await own.settle()
    assert len(marked(own.gate(sent(1), QUEUE))) == 1
    store.available = True
    await own.settle()
    other.gate(sent(1), QUEUE)
    await other.settle()
    assert len(marked(other.gate(sent(1), QUEUE))) == 1


async def test_an_account_that_rests_is_forgotten() -> None:
    clock = Clock()
    own = quotas(FakeStore(clock.now), clock, messages_per_minute=60)
    own.gate(sent(3), QUEUE)
    for clock.seconds in (1.0, 2.0, 10.0):
        await own.settle()
    assert own._levels == {}


async def test_router_and_tracker_refuse_unread_with_the_time_to_come_back() -> None:
    axis = await axis_of(["G22", "H37"])
    own = Quotas(axis.store.quotas, lambda *_: Quota(messages_per_minute=1), axis.now, lambda: 0.0)
    good, over = document(), document()
    await axis.router().handle(own.gate([good, over, document_submission(b"{", account="G22")], QUEUE), QUEUE)
    assert axis.mail("H37") == [good.message_id]
    told = {each.message_id: (each.code, each.retry_after) for each in axis.receipts("G22")}
    assert told == {
        good.message_id: (None, None),
        over.message_id: ("limit/messages", 60),
        None: ("limit/messages", 120),
    }
    assert await axis.store.quarantined() == ()
    late = status(good.message_id or "")
    await axis.tracker().handle(own.gate([late, late], "axis.track"), "axis.track")
    assert [(each.code, each.message_type) for each in axis.receipts("H37")] == [("limit/messages", "status")]


async def test_what_was_over_a_limit_is_taken_when_it_comes_again() -> None:
    axis = await axis_of(["G22", "H37"])
    clock = Clock()
    own = Quotas(axis.store.quotas, lambda *_: Quota(messages_per_minute=1), axis.now, clock)
    batch = [document(), document()]
    await axis.router().handle(own.gate(batch, QUEUE), QUEUE)
    clock.seconds = 60.0
    await axis.router().handle(own.gate(batch[1:], QUEUE), QUEUE)
    assert axis.mail("H37") == [each.message_id for each in batch]


async def test_a_view_tells_what_holds_for_an_account() -> None:
    store = FakeStore()
    await store.directory.put_mailbox(mailbox("G22", quota=Quota(messages_per_minute=5)))
    axis = await axis_of([])
    view = View(store, axis.log, 10, Quota(messages_per_minute=9, bytes_per_minute=8))
    await view.load()
    assert view.quota_of("G22", NOW) == Quota(messages_per_minute=5, bytes_per_minute=8)
    for other in ("H37", ""):
        assert view.quota_of(other, NOW) == Quota(messages_per_minute=9, bytes_per_minute=8)
