import contextlib
import datetime as dt
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from axis.core.ids import new_id
from axis.core.messages import Outgoing
from axis.errors import Unavailable
from axis.store import Transaction
from tests.builders import NOW, document_submission
from tests.unit.workers.harness import LIMIT, MINUTE, Axis, axis_of, document

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


async def test_while_the_broker_is_away_what_is_committed_stays_unmarked_and_no_receipt_leaves() -> None:
    axis = await axis_of(["G22", "H37"])
    await axis.router().handle([document()], SOURCE)
    away = document()
    axis.broker.away = True
    with pytest.raises(Unavailable):
        await axis.router().handle([away], SOURCE)  # H37 was seen just now: nothing has to be asked of the broker
    assert len(axis.events("publish failed")) == 1
    axis.broker.away = False
    axis.pass_time()
    ((envelope, _),), (notice,) = await axis.store.unpublished(MINUTE, 10)
    assert (envelope.id, notice.about) == (away.message_id, away.message_id)
    assert "mailbox.normal.H37" in await axis.view.look(axis.publisher, ["H37"])


async def test_a_mailbox_that_does_not_take_a_document_is_held_and_the_others_have_it() -> None:
    axis = await axis_of(["G22", "H37", "H26"])
    axis.broker.refusing = {"mailbox.normal.H26"}
    first, second, urgent = (
        document(recipients=["H37", "H26"]),
        document(recipients=["H26"]),
        document(recipients=["H26"], document={"priority": "urgent"}),
    )
    await axis.router().handle([first], SOURCE)
    await axis.router().handle([second], SOURCE)
    await axis.router().handle([urgent], "axis.route.urgent")
    (one,), (two,), (three,) = [await axis.store.track(each.message_id or "") for each in (first, second, urgent)]
    assert [(str(each.state), each.reason) for each in (*one.deliveries, *two.deliveries, *three.deliveries)] == [
        ("delivered", None),
        ("held", "mailbox/not-taking"),
        ("held", "mailbox/behind"),
        ("delivered", None),
    ]
    assert [receipt.message_id for receipt in axis.receipts("G22")] == [m.message_id for m in (first, second, urgent)]
    axis.broker.refusing.clear()
    await axis.relay().sweep()
    third = document(recipients=["H26"])
    await axis.router().handle([third], SOURCE)
    assert axis.mail("H26") == [first.message_id, second.message_id, third.message_id]
    assert axis.mail("H37")[0] == first.message_id


@pytest.mark.parametrize(
    ("at_once", "calls"),
    # A queue that never answers costs a deadline for each call, and the batches behind wait for all of them. In pieces
    # it is asked in the first only.
    [(2_000, [5, 10, 5]), (4, [5, 4, 2, 1, 5])],
)
async def test_what_a_mailbox_does_not_take_costs_a_batch_one_publish_more(
    at_once: int, calls: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.post._ALONE_AT_ONCE", at_once)
    axis = await axis_of(["G22", "H37", "H26"])
    axis.broker.refusing = {"mailbox.normal.H26"}
    publisher, made = type(axis.broker.publisher()), list[int]()
    original = publisher.publish_many

    async def counted(self: Any, messages: list[Outgoing]) -> list[Unavailable | None]:
        made.append(len(messages))
        return await original(self, messages)

    monkeypatch.setattr(publisher, "publish_many", counted)
    messages = [document(recipients=["H37", "H26"]) for _ in range(5)]
    await axis.router().handle(messages, SOURCE)
    assert made == calls
    assert [row.id for row, _ in await axis.store.held("mailbox.normal.H26", 10)] == [m.message_id for m in messages]


async def test_a_queue_that_went_since_the_last_look_loses_nothing() -> None:
    axis = await axis_of(["G22", "H37", "H26"])
    await axis.router().handle([document(recipients=["H37", "H26"])], SOURCE)
    taken = axis.broker._queues.pop("mailbox.normal.H26")
    message = document(recipients=["H37", "H26"])
    await axis.router().handle([message], SOURCE)  # both were seen just now, and the broker skips the copy in silence
    (tracked,) = await axis.store.track(message.message_id or "")
    assert [(str(each.state), each.reason) for each in tracked.deliveries] == [
        ("delivered", None),
        ("held", "mailbox/not-taking"),
    ]
    axis.broker._queues["mailbox.normal.H26"] = taken
    await axis.relay().sweep()
    assert axis.mail("H26")[-1] == message.message_id


async def test_with_too_many_documents_waiting_further_ones_are_held_until_half_are_taken() -> None:
    axis = await axis_of(["G22", "H37", "H26"])
    messages = [document(recipients=["H37"]) for _ in range(LIMIT + 3)]
    for message in messages:
        await axis.router().handle([message], SOURCE)
    assert axis.mail("H37") == [message.message_id for message in messages[:LIMIT]]
    (tracked,) = await axis.store.track(messages[LIMIT].message_id or "")
    assert [(str(each.state), each.reason) for each in tracked.deliveries] == [("held", "mailbox/full")]
    waiting = axis.broker._queues["mailbox.normal.H37"]
    waiting.popleft()
    axis.view.forget()
    await axis.relay().sweep()
    assert len(waiting) == LIMIT - 1
    while len(waiting) >= LIMIT // 2:
        waiting.popleft()
    axis.view.forget()
    await axis.relay().sweep()
    assert axis.mail("H37")[-3:] == [message.message_id for message in messages[LIMIT:]]
    assert await axis.store.held_queues() == set()


async def test_notices_nobody_takes_wait_in_the_store_and_stop_no_document() -> None:
    axis = await axis_of(["G22", "H37"])
    for _ in range(LIMIT):
        await axis.router().handle([document_submission(b"{", account="G22")], SOURCE)
    axis.view.forget()
    more = document(recipients=["H37"])
    await axis.router().handle([more], SOURCE)
    assert axis.mail("H37") == [more.message_id]
    axis.pass_time()
    _, (notice,) = await axis.store.unpublished(MINUTE, 10)
    assert notice.about == more.message_id
    axis.broker._queues["notices.G22"].clear()
    axis.view.forget()
    axis.time.append(axis.now() + 4 * MINUTE)
    await axis.relay().sweep()
    assert [receipt.message_id for receipt in axis.receipts("G22")] == [more.message_id]


async def test_a_refusal_that_cannot_be_stored_is_set_aside_as_poison(monkeypatch: pytest.MonkeyPatch) -> None:
    axis = await axis_of(["G22", "H37"])
    router = axis.router()
    original = router._commit

    async def commit(part: Any, decisions: Any, *more: Any) -> Any:
        if any(getattr(each, "reason", "") == "message/not-json" for each in decisions):
            raise ZeroDivisionError
        return await original(part, decisions, *more)

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


async def test_an_id_from_another_time_is_refused_and_said_in_the_log_by_its_code() -> None:
    axis = await axis_of(["G22", "H37"])
    old = document(id=new_id(NOW - dt.timedelta(days=40)))
    await axis.router().handle([old], SOURCE)
    (receipt,) = axis.receipts("G22")
    assert (receipt.outcome, receipt.code) == ("refused", "envelope/id-time")
    (event,) = axis.events("refused")
    assert (event["code"], event["id"], event["receipt"]) == ("envelope/id-time", old.message_id, True)
    labels = {"worker": "test", "source": SOURCE, "outcome": "refused", "reason": "envelope/id-time"}
    assert axis.metrics.registry.get_sample_value("axis_messages_total", labels) == 1
