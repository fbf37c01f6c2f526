"""Recalls that come before their documents: they wait, are decided once, and nobody fills the room."""

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from axis.core.concerning import WAIT
from axis.core.conversation import Talk
from axis.core.ids import new_id
from axis.core.messages import Outgoing
from axis.errors import Unavailable
from tests.builders import NOW
from tests.unit.workers.conversing import acting, answer, drain, outcomes, route, talks, urgent
from tests.unit.workers.harness import Axis, axis_of, document
from workers.router import Router

SOURCE, URGENT = "axis.route.normal", "axis.route.urgent"


async def waited(axis: Axis) -> Router:
    """Let the time of what waits be over for a router that has seen nothing unread at its beginning."""
    router = axis.router()
    calm = router._calm
    await calm.look(axis.publisher, NOW)
    axis.time.append(NOW + WAIT)
    return router


async def test_a_recall_that_overtakes_its_document_waits_for_it() -> None:
    axis = await axis_of(["G22", "H37"])
    sent = document()
    recall = urgent(sent)
    await route(axis, recall, recall)
    assert axis.receipts("G22") == []
    router = axis.router()
    await router.take_up(URGENT)
    assert axis.receipts("G22") == []
    await route(axis, sent)
    await router.take_up(SOURCE)
    assert len(axis.receipts("G22")) == 1
    await router.take_up(URGENT)
    await router.take_up(URGENT)
    assert outcomes(answer(axis, recall)) == {"H37": ("routed", None)}
    assert len(axis.receipts("G22")) == 2
    assert (await talks(axis, sent))["H37"].state is Talk.REQUESTED
    assert [each["id"] for each in axis.events("waiting for its document")] == [recall.message_id] * 2


async def test_a_recall_of_nothing_is_refused_when_its_time_is_over() -> None:
    axis = await axis_of(["G22", "H37"])
    nothing = new_id(NOW)
    recall = acting(nothing)
    await route(axis, recall)
    router = await waited(axis)
    await router.take_up(SOURCE)
    await router.take_up(SOURCE)
    assert [(each.message_id, each.code) for each in axis.receipts("G22")] == [
        (recall.message_id, "envelope/unknown-concerned")
    ]
    other = acting(nothing, id=recall.message_id, recipients=["H37", "H26"])
    await route(axis, recall, other)
    assert answer(axis, other).code == "envelope/id-reused"


@pytest.mark.parametrize("document_came", [False, True])
async def test_what_two_routers_take_up_is_decided_once(
    monkeypatch: pytest.MonkeyPatch, *, document_came: bool
) -> None:
    axis = await axis_of(["G22", "H37"])
    sent = document()
    recall = acting(sent)
    await route(axis, recall, *([sent] if document_came else []))
    if document_came:
        await drain(axis, "notices.G22")
    router = await waited(axis)
    (listed,) = await axis.store.waiting(SOURCE, NOW + WAIT, 10)

    async def listed_before(*_: Any) -> Any:
        return [listed]

    monkeypatch.setattr(axis.store, "waiting", listed_before)
    for _ in range(3):
        await router.take_up(SOURCE)
    monkeypatch.undo()
    assert [each.code for each in axis.receipts("G22")] == [None if document_came else "envelope/unknown-concerned"]
    assert await axis.store.waiting(SOURCE, NOW + WAIT + WAIT, 10) == []
    # It is not carried out when its document comes after all.
    if not document_came:
        await route(axis, sent)
        await axis.router().take_up(SOURCE)
        assert await talks(axis, sent) == {}


async def test_what_is_refused_as_it_is_taken_up_is_refused_once(monkeypatch: pytest.MonkeyPatch) -> None:
    axis = await axis_of(["G22", "H37"])
    recall = acting(new_id(NOW))
    await route(axis, recall)
    (listed,) = await axis.store.waiting(SOURCE, NOW + WAIT, 10)
    axis.time.append(NOW + WAIT)

    async def broken(*_: Any) -> Any:
        return [replace(listed, body=b"{")]

    monkeypatch.setattr(axis.store, "waiting", broken)
    for _ in range(2):
        await axis.router().take_up(SOURCE)
    monkeypatch.undo()
    assert [each.count for each in await axis.store.quarantined()] == [1]
    assert len(axis.receipts("G22")) == 1
    assert await axis.store.waiting(SOURCE, NOW + WAIT, 10) == []


async def test_one_sent_twice_that_is_decided_as_it_comes_waits_no_longer() -> None:
    axis = await axis_of(["G22", "H37"])
    sent = document()
    recall = acting(sent)
    await route(axis, recall, sent, recall)
    assert outcomes(answer(axis, recall)) == {"H37": ("routed", None)}
    assert await axis.store.waiting(SOURCE, NOW + WAIT, 10) == []
    # Nor does one that comes again when its time is over make a second refusal: it is taken up once.
    nothing = acting(new_id(NOW))
    await route(axis, nothing)
    router = await waited(axis)
    await route(axis, nothing)
    await router.take_up(SOURCE)
    await router.take_up(SOURCE)
    assert [each.code for each in axis.receipts("G22") if each.message_id == nothing.message_id] == [
        "envelope/unknown-concerned"
    ]


async def test_an_account_whose_many_wait_already_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.acting.MOST_WAITING", 2)
    axis = await axis_of(["G22", "H37"])
    sent = document()
    first, second, third = acting(new_id(NOW)), acting(sent), acting(new_id(NOW))
    await route(axis, first, second, third, first)
    assert [(each.message_id, each.code) for each in axis.receipts("G22")] == [
        (third.message_id, "envelope/unknown-concerned")
    ]
    await route(axis, sent)
    axis.time.append(NOW + WAIT)
    # Whose document is there is not kept back by those that nothing came for.
    monkeypatch.setattr("workers.router._TAKEN_UP_AT_ONCE", 1)
    await axis.router().take_up(SOURCE)
    assert outcomes(answer(axis, second)) == {"H37": ("routed", None)}
    await route(axis, third)
    assert [each.id for each in await axis.store.waiting(SOURCE, NOW + WAIT + WAIT, 10)] == [
        first.message_id,
        third.message_id,
    ]


async def test_the_time_counts_from_when_routers_work_again() -> None:
    axis = await axis_of(["G22", "H37"])
    sent, nothing = document(), acting(new_id(NOW))
    recall = urgent(sent)
    await route(axis, recall, nothing)
    # All routers stop for an hour; the document was submitted meanwhile and is unread.
    axis.time.append(NOW + 6 * WAIT)
    begun = axis.router()
    await begun.take_up(URGENT)
    assert axis.receipts("G22") == []
    await route(axis, sent)
    await begun.take_up(URGENT)
    assert outcomes(answer(axis, recall)) == {"H37": ("routed", None)}
    await begun.take_up(SOURCE)
    axis.time.append(NOW + 7 * WAIT - dt.timedelta(seconds=1))
    await begun.take_up(SOURCE)
    assert len(axis.receipts("G22")) == 2
    axis.time.append(NOW + 7 * WAIT)
    await begun.take_up(SOURCE)
    assert answer(axis, nothing).code == "envelope/unknown-concerned"


async def test_nothing_is_refused_while_its_document_may_be_unread_in_the_other_lane() -> None:
    axis = await axis_of(["G22", "H37"])
    sent = document()
    recall = urgent(sent)
    router = axis.router()
    await router.take_up(URGENT)  # nothing unread: but the recall comes after
    axis.time.append(NOW + dt.timedelta(seconds=20))
    await route(axis, recall)
    unread = Outgoing(
        exchange="axis.submit",
        routing_key=sent.routing_key,
        body=sent.body,
        type="document",
        content_type="application/json",
        message_id=str(sent.message_id),
    )
    await axis.publisher.publish(unread)
    for minutes in (5, 10, 20, 40, 400):
        axis.time.append(NOW + dt.timedelta(minutes=minutes))
        await router.take_up(URGENT)
    assert axis.receipts("G22") == []
    await drain(axis, SOURCE)
    await router.take_up(URGENT)
    axis.time.append(axis.now() + dt.timedelta(seconds=10))
    await router.take_up(URGENT)  # the first look at which nothing was unread
    axis.time.append(axis.now() + WAIT - dt.timedelta(seconds=1))
    await router.take_up(URGENT)
    assert axis.receipts("G22") == []
    axis.time.append(axis.now() + dt.timedelta(seconds=1))
    await router.take_up(URGENT)
    assert answer(axis, recall).code == "envelope/unknown-concerned"


async def test_the_time_counts_from_when_the_store_is_there_again() -> None:
    axis = await axis_of(["G22", "H37"])
    await route(axis, recall := acting(new_id(NOW)))
    router = axis.router()
    await router.take_up(SOURCE)
    axis.store.available = False
    axis.time.append(NOW + 6 * WAIT)
    with pytest.raises(Unavailable):
        await router.take_up(SOURCE)
    axis.store.available = True
    # What another router had in hand all the while is decided next.
    await router.take_up(SOURCE)
    assert axis.receipts("G22") == []
    axis.time.append(NOW + 7 * WAIT)
    await router.take_up(SOURCE)
    assert answer(axis, recall).code == "envelope/unknown-concerned"


async def test_what_has_its_document_is_taken_up_while_a_route_queue_cannot_be_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    axis = await axis_of(["G22", "H37"])
    sent, nothing = document(), acting(new_id(NOW))
    recall = urgent(sent)
    await route(axis, recall, nothing, sent)
    router = await waited(axis)

    async def leaderless(*_: Any) -> Any:
        raise Unavailable("the queue has no leader")

    with monkeypatch.context() as broken:
        broken.setattr("axis.broker.fake.FakePublisher.queue_states", leaderless)
        await router.take_up(URGENT)
        await router.take_up(SOURCE)
    (tracked,) = await axis.store.track(recall.message_id or "")
    assert len(tracked.conversations) == 1
    assert await axis.store.waiting_for([nothing.message_id or ""]) != ()
    assert len(axis.events("not looked at the route queues")) == 2
