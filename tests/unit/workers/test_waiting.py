"""Recalls that come before their documents: they wait, are decided once, and nobody fills the room."""

from dataclasses import replace
from typing import Any

import pytest

from axis.core.concerning import WAIT
from axis.core.conversation import Talk
from axis.core.ids import new_id
from tests.builders import NOW
from tests.unit.workers.conversing import acting, answer, drain, outcomes, route, talks, urgent
from tests.unit.workers.harness import axis_of, document

SOURCE, URGENT = "axis.route.normal", "axis.route.urgent"


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
    axis.time.append(NOW + WAIT)
    await axis.router().take_up(SOURCE)
    await axis.router().take_up(SOURCE)
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
    axis.time.append(NOW + WAIT)
    (listed,) = await axis.store.waiting(SOURCE, NOW + WAIT, 10)

    async def listed_before(*_: Any) -> Any:
        return [listed]

    monkeypatch.setattr(axis.store, "waiting", listed_before)
    for _ in range(3):
        await axis.router().take_up(SOURCE)
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
    axis.time.append(NOW + WAIT)
    await route(axis, nothing)
    await axis.router().take_up(SOURCE)
    await axis.router().take_up(SOURCE)
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
