"""Recall, update and replace at the axis: who gets what, what is withdrawn, what is frozen, what waits."""

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from axis.core.conversation import Kind, Talk
from axis.core.records import DeliveryState
from axis.errors import Unavailable
from tests.builders import NOW, organisation
from tests.unit.workers.conversing import acting, answer, drain, full, outcomes, route, states, talks, urgent
from tests.unit.workers.harness import axis_of, document, status

SOURCE, URGENT = "axis.route.normal", "axis.route.urgent"


async def test_a_recall_is_asked_of_each_recipient_and_answered_by_each() -> None:
    axis = await axis_of(["G22", "H37", "H26"])
    sent = document(recipients=["H37", "H26"])
    recall = acting(sent, recipients=["H37", "H26"])
    await route(axis, sent, recall)
    assert axis.mail("H37") == [sent.message_id, recall.message_id]
    begun = await talks(axis, sent)
    assert begun == await talks(axis, recall)
    assert {code: (each.kind, each.state) for code, each in begun.items()} == dict.fromkeys(
        ("H37", "H26"), (Kind.RECALL, Talk.REQUESTED)
    )
    assert (begun["H37"].requested_by, begun["H37"].reason) == ("G22", "Ban hành nhầm")
    proof = {"at": "2026-11-24T15:41:00+07:00", "files": ["a" * 64]}
    said = [
        status(recall.message_id or "", "15"),
        status(recall.message_id or "", "15", destroyed=proof),
        status(recall.message_id or "", "16", reason="muộn rồi"),
    ]
    await axis.tracker().handle(said, "axis.track")
    await axis.tracker().handle(said, "axis.track")
    now = await talks(axis, sent)
    assert (now["H37"].state, now["H37"].answered_by) == (Talk.DESTROYED, "H37")
    assert now["H37"].destroyed_at == dt.datetime(2026, 11, 24, 8, 41, tzinfo=dt.UTC)
    assert now["H26"].state is Talk.REQUESTED


async def test_a_take_back_is_a_conversation_too() -> None:
    axis = await axis_of(["G22", "H37"])
    sent = document()
    await route(axis, sent)
    asked = status(sent.message_id or "", "13", reporter="G22", recipient="H37", reason="Gửi nhầm")
    early = status(sent.message_id or "", "15")
    await axis.tracker().handle([early, asked], "axis.track")
    assert {code: (each.kind, each.state) for code, each in (await talks(axis, sent)).items()} == {
        "H37": (Kind.TAKE_BACK, Talk.REQUESTED)
    }
    await axis.tracker().handle([status(sent.message_id or "", "16", reason="đã giải quyết")], "axis.track")
    assert (await talks(axis, sent))["H37"].answer == "đã giải quyết"
    update = acting(sent, "update")
    await route(axis, update)
    assert answer(axis, update).outcome.value == "accepted"  # declined: the document stands
    await axis.tracker().handle([status(sent.message_id or "", "15", staff={"name": "Bình"})], "axis.track")
    late = acting(sent, "update")
    await route(axis, late)
    assert answer(axis, late).code == "concerns/recalled"


async def test_after_a_recall_the_record_is_frozen() -> None:
    axis = await axis_of(["G22", "H37", "H26"])
    sent = document(recipients=["H37", "H26"])
    first = acting(sent, recipients=["H37"])
    await route(axis, sent, first)
    again, partly = acting(sent, recipients=["H37"]), acting(sent, "update", recipients=["H37", "H26"])
    await route(axis, again, partly)
    assert outcomes(answer(axis, again)) == {"H37": ("refused", "concerns/recalled")}
    assert outcomes(answer(axis, partly)) == {"H37": ("refused", "concerns/recalled"), "H26": ("routed", None)}
    await route(axis, acting(sent, recipients=["H26"]))
    await drain(axis, "notices.G22")
    for action in ("recall", "update", "replace"):
        late = acting(sent, action, recipients=["H26"])
        await route(axis, late)
        assert answer(axis, late).code == "concerns/recalled"
    # The same recall again is no second one.
    await route(axis, first)
    assert {each.id for each in axis.receipts("G22") if each.message_id == first.message_id} == {answer(axis, first).id}
    # Statuses are still recorded, and who declined may be asked once more.
    await axis.tracker().handle(
        [status(sent.message_id or "", "06"), status(first.message_id or "", "16", reason="cần lưu")], "axis.track"
    )
    once_more = acting(sent, recipients=["H37", "H26"])
    await route(axis, once_more)
    assert outcomes(answer(axis, once_more)) == {"H37": ("routed", None), "H26": ("refused", "concerns/recalled")}


async def test_a_replaced_document_is_not_updated_any_more() -> None:
    axis = await axis_of(["G22", "H37", "H26"])
    sent = document()
    new = acting(sent, "replace", recipients=["H37", "H26"])
    await route(axis, sent, new)
    assert {code: each.kind for code, each in (await talks(axis, sent)).items()} == {"H37": Kind.REPLACE}
    for action in ("update", "replace"):
        late = acting(sent, action)
        await route(axis, late)
        assert answer(axis, late).code == "concerns/replaced"
    recall = acting(sent)
    await route(axis, recall)
    assert outcomes(answer(axis, recall)) == {"H37": ("routed", None)}


async def test_only_who_got_a_document_is_asked_for_it() -> None:
    axis = await axis_of(["G22", "H37", "H26"])
    sent = document(recipients=["H37", "H99"])
    update = acting(sent, "update", recipients=["H37", "H26"])
    early = acting(sent, recipients=["H26"])
    await route(axis, sent, early, update)
    assert outcomes(answer(axis, early)) == {"H26": ("refused", "concerns/not-recipient")}
    assert axis.mail("H26") == [update.message_id]
    # An update has brought it there since.
    recall = acting(sent, recipients=["H37", "H26", "H99"])
    await route(axis, recall)
    assert outcomes(answer(axis, recall)) == {
        "H37": ("routed", None),
        "H26": ("routed", None),
        "H99": ("refused", "recipient/unknown"),
    }


async def test_nobody_else_recalls_it() -> None:
    axis = await axis_of(["G22", "H37"])
    sent = document()
    await route(axis, sent)
    other = acting(sent, sender="H37", recipients=["G22"])
    await route(axis, replace(other, account="H37"))
    assert [each.code for each in axis.receipts("H37")] == ["abuse/concerned"]
    assert await talks(axis, sent) == {}


async def test_what_is_held_is_withdrawn_at_the_axis() -> None:
    axis = await axis_of(["G22", "H37", "H26"])
    await full(axis)
    sent, behind = document(recipients=["H37", "H26"]), document()
    recall = urgent(sent, recipients=["H37", "H26"])
    await route(axis, sent, behind, recall, recall)
    assert await states(axis, sent) == {"H37": ("withdrawn", "concerns/withdrawn"), "H26": ("delivered", None)}
    assert await states(axis, recall) == {"H37": ("withdrawn", "concerns/withdrawn"), "H26": ("delivered", None)}
    receipt = answer(axis, recall)
    assert (receipt.outcome.value, outcomes(receipt)) == (
        "accepted",
        {"H37": ("routed", "concerns/withdrawn"), "H26": ("routed", None)},
    )
    begun = await talks(axis, sent)
    assert (begun["H37"].state, begun["H26"].state) == (Talk.WITHDRAWN, Talk.REQUESTED)
    await drain(axis)
    await axis.relay().sweep()
    assert axis.mail("H37") == [behind.message_id]
    assert axis.broker.messages("mailbox.urgent.H37") == ()


async def test_what_may_have_been_on_its_way_is_recalled_behind_it() -> None:
    axis = await axis_of(["G22", "H37"])
    axis.broker.refusing.add("mailbox.normal.H37")
    sent = document()
    await route(axis, sent)
    recall = urgent(sent)
    await route(axis, recall)
    assert outcomes(answer(axis, recall)) == {"H37": ("held", "mailbox/behind")}
    axis.broker.refusing.clear()
    order: list[str | None] = []
    original = axis.broker.route

    async def noting(message: Any) -> Unavailable | None:
        order.append(message.message_id)
        return await original(message)

    axis.broker.route = noting  # type: ignore[method-assign]
    await axis.relay().sweep()
    assert axis.mail("H37") == [sent.message_id]
    assert [each.message_id for each in axis.broker.messages("mailbox.urgent.H37")] == [recall.message_id]
    assert order in ([], [sent.message_id, recall.message_id])


async def test_the_relay_does_not_send_what_was_withdrawn_since_it_looked(monkeypatch: pytest.MonkeyPatch) -> None:
    axis = await axis_of(["G22", "H37"])
    await full(axis)
    sent = document()
    await route(axis, sent)
    await drain(axis)
    claim = axis.store.claim
    recall = acting(sent)

    async def recalled_first(queue: str, ids: Any) -> Any:
        await route(axis, recall)
        return await claim(queue, ids)

    monkeypatch.setattr(axis.store, "claim", recalled_first)
    await axis.relay().sweep()
    assert sent.message_id not in axis.mail("H37")
    assert await states(axis, sent) == {"H37": ("withdrawn", "concerns/withdrawn")}


async def test_what_a_relay_could_not_claim_is_not_called_delivered(monkeypatch: pytest.MonkeyPatch) -> None:
    axis = await axis_of(["G22", "H37"])
    await full(axis)
    first, second = document(), document()
    await route(axis, first, second)
    await drain(axis)
    claim, times = axis.store.claim, []

    async def anothers(queue: str, ids: Any) -> Any:
        times.append(queue)
        return set() if len(times) == 1 else await claim(queue, ids)

    monkeypatch.setattr(axis.store, "claim", anothers)
    await axis.relay().sweep()
    assert axis.mail("H37")[-2:] == [first.message_id, second.message_id]


async def test_what_the_relay_has_claimed_is_not_withdrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    axis = await axis_of(["G22", "H37"])
    await full(axis)
    sent, recall = document(), None
    await route(axis, sent)
    await drain(axis)
    claim = axis.store.claim
    recall = urgent(sent)

    async def recalled_after(queue: str, ids: Any) -> Any:
        claimed = await claim(queue, ids)
        await route(axis, recall)
        return claimed

    monkeypatch.setattr(axis.store, "claim", recalled_after)
    await axis.relay().sweep()
    monkeypatch.undo()
    await axis.relay().sweep()
    assert axis.mail("H37") == [sent.message_id]
    assert [each.message_id for each in axis.broker.messages("mailbox.urgent.H37")] == [recall.message_id]


async def test_an_ordinary_document_costs_no_statement_more(monkeypatch: pytest.MonkeyPatch) -> None:
    axis = await axis_of(["G22", "H37"])
    called: list[str] = []
    from axis.store import FakeStore
    from axis.store.fake_transaction import FakeTransaction

    for owner, names in (
        (FakeStore, ("behind", "mark_published", "claim", "waiting", "hold", "transaction")),
        (
            FakeTransaction,
            (
                "accept",
                "existing",
                "concerned",
                "begin",
                "withdraw",
                "wait",
                "waited",
                "conversations",
                "move",
                "statuses",
            ),
        ),
    ):
        for name in names:
            original = getattr(owner, name)

            def noting(*arguments: Any, _original: Any = original, _name: str = name, **named: Any) -> Any:
                called.append(_name)
                return _original(*arguments, **named)

            monkeypatch.setattr(owner, name, noting)
    sent = document()
    await route(axis, sent)
    assert called == ["behind", "transaction", "accept", "mark_published"]
    called.clear()
    await axis.tracker().handle([status(sent.message_id or "", "03")], "axis.track")
    assert called == ["transaction", "statuses", "mark_published"]


async def test_a_router_that_dies_after_the_commit_withdraws_once() -> None:
    axis = await axis_of(["G22", "H37"])
    await full(axis)
    sent = document()
    await route(axis, sent)
    recall = acting(sent)
    axis.broker.away = True
    await route(axis, recall)
    axis.broker.away = False
    await route(axis, recall)
    (tracked,) = await axis.store.track(recall.message_id or "")
    assert [each.state for each in tracked.deliveries] == [DeliveryState.WITHDRAWN]
    assert len(tracked.conversations) == 1
    assert outcomes(answer(axis, recall)) == {"H37": ("routed", "concerns/withdrawn")}


async def test_a_recall_withdraws_what_is_held_for_whom_nothing_leads_to_any_more() -> None:
    axis = await axis_of(["G22", "H37", "H26"])
    await full(axis)
    sent, other = document(recipients=["H37", "H26"]), document()
    await route(axis, sent, other)
    closed = organisation("H37").model_copy(update={"valid_to": NOW})
    await axis.store.directory.put_organisations([closed])
    await axis.view.load()
    recall = acting(sent, recipients=["H37", "H26"])
    await route(axis, recall)
    assert await states(axis, sent) == {"H37": ("withdrawn", "concerns/withdrawn"), "H26": ("delivered", None)}
    assert outcomes(answer(axis, recall)) == {"H37": ("routed", "concerns/withdrawn"), "H26": ("routed", None)}
    assert (await talks(axis, sent))["H37"].state is Talk.WITHDRAWN
    # Behind what may have been on its way it goes there too; an update leads to nobody.
    await axis.store.claim("mailbox.normal.H37", [other.message_id or ""])
    update, late = acting(other, "update"), acting(other)
    await route(axis, update, late)
    assert outcomes(answer(axis, update)) == {"H37": ("refused", "recipient/closed")}
    assert outcomes(answer(axis, late)) == {"H37": ("held", "mailbox/behind")}
    assert (await states(axis, other))["H37"][0] == "held"
    await drain(axis)
    await axis.relay().sweep()
    assert axis.mail("H37") == [other.message_id, late.message_id]
    assert (await talks(axis, other))["H37"].state is Talk.REQUESTED


async def test_an_answer_looks_up_the_conversation_it_is_about_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    axis = await axis_of(["G22", "H37", "H26"])
    sent = document(recipients=["H37", "H26"])
    recall = acting(sent, recipients=["H37", "H26"])
    await route(axis, sent, recall)
    from axis.store.fake_transaction import FakeTransaction

    asked: list[Any] = []
    conversations = FakeTransaction.conversations

    async def noting(self: FakeTransaction, keys: Any) -> Any:
        asked.append(set(keys))
        return await conversations(self, keys)

    monkeypatch.setattr(FakeTransaction, "conversations", noting)
    await axis.tracker().handle([status(recall.message_id or "", "15")], "axis.track")
    assert asked == [{(recall.message_id, "H37")}]
    assert (await talks(axis, sent))["H37"].state is Talk.AGREED
