import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from axis.core.messages import Outgoing
from axis.errors import Unavailable
from axis.store import Transaction
from tests.builders import document_submission
from tests.unit.workers.harness import MINUTE, Axis, axis_of, document

SOURCE = "axis.route.normal"


def count_transactions(axis: Axis, monkeypatch: pytest.MonkeyPatch) -> list[None]:
    begun: list[None] = []
    original = axis.store.transaction

    @contextlib.asynccontextmanager
    async def counting() -> AsyncIterator[Transaction]:
        begun.append(None)
        async with original() as tx:
            yield tx

    monkeypatch.setattr(axis.store, "transaction", counting)
    return begun


async def test_a_batch_is_committed_at_once_published_and_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    axis = await axis_of(["G22", "H37", "H26"])
    begun = count_transactions(axis, monkeypatch)
    batch = [document(recipients=["H37", "H26"]) for _ in range(5)]
    await axis.router().handle(batch, SOURCE)
    ids = [each.message_id for each in batch]
    assert (axis.mail("H37"), axis.mail("H26")) == (ids, ids)
    assert [each.message_id for each in axis.receipts("G22")] == ids
    assert len(begun) == 1
    axis.pass_time()
    assert await axis.store.unpublished(MINUTE, 10) == ([], [])


async def test_the_second_of_two_equal_ids_is_decided_when_the_first_is_committed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    axis = await axis_of(["G22", "H37"])
    begun = count_transactions(axis, monkeypatch)
    first, other = document(), document()
    await axis.router().handle([first, other, first], SOURCE)
    assert axis.mail("H37") == [first.message_id, other.message_id]
    assert len(begun) == 2
    by_message: dict[str | None, set[str]] = {}
    for receipt in axis.receipts("G22"):
        by_message.setdefault(receipt.message_id, set()).add(receipt.id)
    assert [len(ids) for ids in by_message.values()] == [1, 1]


async def test_a_flood_of_refused_messages_under_one_id_does_not_cut_the_batch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    axis = await axis_of(["G22", "H37"])
    begun = count_transactions(axis, monkeypatch)
    flood = [document_submission(b"{", account="G22", message_id=name) for name in [None, "same"] for _ in range(40)]
    good = document()
    await axis.router().handle([*flood, good], SOURCE)
    assert axis.mail("H37") == [good.message_id]
    assert len(begun) == 1
    assert len(axis.events("refused")) == 80
    (kept,) = await axis.store.quarantined()
    assert (kept.reason, kept.count) == ("message/not-json", 80)


async def test_another_lane_that_forgets_what_was_seen_does_not_hold_a_delivery(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    axis = await axis_of(["G22", "H37"])
    original = axis.store.blobs.known

    async def meanwhile(account: str, digests: set[str]) -> dict[str, int]:
        axis.view.forget()
        return await original(account, digests)

    monkeypatch.setattr(axis.store.blobs, "known", meanwhile)
    await axis.store.blobs.record_upload("a" * 64, 7, "G22")
    file = {"name": "a.pdf", "media_type": "application/pdf", "size": 7, "sha256": "a" * 64}
    await axis.router().handle([document(attachments=[file])], SOURCE)
    assert [each.recipients[0].outcome for each in axis.receipts("G22")] == ["routed"]
    assert len(axis.mail("H37")) == 1


async def test_while_the_store_is_away_nothing_happens_and_the_batch_is_to_be_tried_again() -> None:
    axis = await axis_of(["G22", "H37"])
    message = document()
    axis.store.available = False
    with pytest.raises(Unavailable):
        await axis.router().handle([message, document_submission(b"{")], SOURCE)
    assert (axis.mail("H37"), axis.receipts("G22")) == ([], [])
    axis.store.available = True
    await axis.router().handle([message], SOURCE)
    assert axis.mail("H37") == [message.message_id]


async def test_a_mark_that_fails_costs_a_second_publish_under_the_same_receipt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    axis = await axis_of(["G22", "H37"])
    message, marks = document(), list[None]()

    async def failing(*_: object) -> None:
        marks.append(None)
        raise Unavailable("away")

    with monkeypatch.context() as away:
        away.setattr(axis.store, "mark_published", failing)
        with pytest.raises(Unavailable):
            await axis.router().handle([message], SOURCE)
    await axis.router().handle([message], SOURCE)
    await axis.router().handle([message], SOURCE)
    assert axis.mail("H37") == [message.message_id] * 2
    assert len({receipt.id for receipt in axis.receipts("G22")}) == 1
    assert len(axis.events("duplicate")) == 2


async def test_what_the_broker_does_not_take_stays_unmarked_and_mailboxes_are_looked_at_anew() -> None:
    axis = await axis_of(["G22", "H37"])
    await axis.router().handle([document()], SOURCE)
    router = axis.router()
    away = document()
    axis.broker.away = True
    await router.handle([away], SOURCE)  # H37 was seen just now, so nothing has to be asked of the broker
    assert len(axis.events("publish failed")) == 2
    axis.broker.away = False
    axis.pass_time()
    ((envelope, _),), (notice,) = await axis.store.unpublished(MINUTE, 10)
    assert (envelope.id, notice.about) == (away.message_id, away.message_id)
    assert await axis.view.look(axis.publisher, ["H37"]) == {"H37"}


async def test_an_envelope_in_two_publishes_is_marked_when_both_are_confirmed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import axis.core.fanout

    monkeypatch.setattr(axis.core.fanout, "MAX_HEADER_BYTES", 20)
    made = await axis_of(["G22", "H37", "H26"])
    original = type(made.broker.publisher()).publish_many

    async def second_fails(self: Any, messages: list[Outgoing]) -> list[Unavailable | None]:
        outcomes = await original(self, messages)
        return [
            Unavailable("not confirmed") if each.routing_key == "mailbox.normal.H26" else outcome
            for each, outcome in zip(messages, outcomes, strict=True)
        ]

    monkeypatch.setattr(type(made.broker.publisher()), "publish_many", second_fails)
    message = document(recipients=["H37", "H26"])
    await made.router().handle([message], SOURCE)
    made.pass_time()
    ((envelope, _),), _ = await made.store.unpublished(MINUTE, 10)
    assert envelope.id == message.message_id


async def test_a_refusal_that_cannot_be_stored_is_set_aside_as_poison(monkeypatch: pytest.MonkeyPatch) -> None:
    axis = await axis_of(["G22", "H37"])
    router = axis.router()
    original = router._commit

    async def commit(part: Any, decisions: Any, source: str) -> Any:
        if any(getattr(each, "reason", "") == "message/not-json" for each in decisions):
            raise ZeroDivisionError
        return await original(part, decisions, source)

    monkeypatch.setattr(router, "_commit", commit)
    bad, good = document_submission(b"{", account="G22", message_id="x"), document()
    await router.handle([bad, good], SOURCE)
    assert axis.mail("H37") == [good.message_id]
    assert [(each.message_id, each.code) for each in axis.receipts("G22") if each.code] == [("x", "message/poison")]


async def test_a_detail_with_control_characters_is_answered_like_any_other() -> None:
    axis = await axis_of(["G22", "H37"])
    await axis.router().handle([replace(document(), routing_key="normal.G22.\x1b[2J\n\0")], SOURCE)
    (receipt,) = axis.receipts("G22")
    assert receipt.code == "abuse/routing-key"
    assert receipt.detail is not None
    assert receipt.detail.isprintable()
