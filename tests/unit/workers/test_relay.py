import hashlib
import json
from dataclasses import replace

import pytest

from axis.core.decisions import Desk
from axis.core.messages import Submission
from axis.core.records import Accepted
from axis.errors import Unavailable
from tests.builders import document_submission
from tests.unit.workers.harness import MINUTE, Axis, axis_of, document

SOURCE = "axis.route.normal"


async def unmarked(axis: Axis, *messages: Submission) -> None:
    """Let a router commit and fail to publish."""
    await axis.view.look(axis.publisher, ["H37", "H26"])
    axis.broker.away = True
    with pytest.raises(Unavailable):
        await axis.router().handle(messages, SOURCE)
    axis.broker.away = False


async def test_what_waits_long_enough_is_published_once() -> None:
    axis = await axis_of(["G22", "H37", "H26"])
    message = document(recipients=["H37", "H26"])
    await unmarked(axis, message)
    relay = axis.relay()
    await relay.sweep()
    assert axis.mail("H37") == []
    axis.pass_time()
    await relay.sweep()
    axis.pass_time()
    await relay.sweep()
    assert (axis.mail("H37"), axis.mail("H26")) == ([message.message_id], [message.message_id])
    assert len(axis.receipts("G22")) == 1
    assert len(axis.events("republished")) == 1


async def test_a_mailbox_that_lost_its_queues_meanwhile_is_held_and_the_others_get_it() -> None:
    axis = await axis_of(["G22", "H37", "H26"])
    message = document(recipients=["H37", "H26"])
    await unmarked(axis, message)
    taken = axis.broker._queues.pop("mailbox.normal.H26")
    axis.pass_time()
    await axis.relay().sweep()
    assert axis.mail("H37") == [message.message_id]
    (tracked,) = await axis.store.track(message.message_id or "")
    assert [(str(each.state), each.reason) for each in tracked.deliveries] == [
        ("delivered", None),
        ("held", "mailbox/not-ready"),
    ]
    axis.broker._queues["mailbox.normal.H26"] = taken
    await axis.relay().sweep()
    await axis.relay().sweep()
    assert axis.mail("H26") == [message.message_id]
    assert axis.mail("H37") == [message.message_id]


async def test_an_envelope_of_which_nothing_can_go_is_not_published_again_and_again() -> None:
    axis = await axis_of(["G22", "H37", "H26"])
    message = document(recipients=["H26"])
    await unmarked(axis, message)
    taken = axis.broker._queues.pop("notices.H26")  # one queue missing is enough: the mailbox is not ready
    axis.pass_time()
    await axis.relay().sweep()
    axis.pass_time()
    assert await axis.store.unpublished(MINUTE, 10) == ([], [])
    axis.broker._queues["notices.H26"] = taken
    await axis.relay().sweep()
    assert axis.mail("H26") == [message.message_id]


async def test_bytes_that_fitted_an_older_schema_are_not_stranded(monkeypatch: pytest.MonkeyPatch) -> None:
    axis = await axis_of(["G22", "H37"])
    original = Desk.accept

    def of_older_days(self: Desk, *arguments: object) -> object:
        accept = original(self, *arguments)  # type: ignore[arg-type]  # handed through
        row = accept.accepted.envelope
        body = json.dumps({**json.loads(row.body), "colour": "red"}).encode()
        row = replace(row, body=body, sha256=hashlib.sha256(body).hexdigest())
        accepted: Accepted = replace(accept.accepted, envelope=row)
        return replace(accept, accepted=accepted)

    monkeypatch.setattr(Desk, "accept", of_older_days)
    message = document()
    await unmarked(axis, message)
    axis.pass_time()
    await axis.relay().sweep()
    assert axis.mail("H37") == [message.message_id]


async def test_what_a_worker_gave_up_is_poison() -> None:
    axis = await axis_of(["G22", "H37"])
    deaths = [{"queue": "axis.route.normal", "reason": "rejected", "count": 1}]
    await axis.relay().drain_quarantine([replace(document(), headers={"x-death": deaths})], "axis.quarantine")
    assert [receipt.code for receipt in axis.receipts("G22")] == ["message/poison"]
    assert [each.reason for each in await axis.store.quarantined()] == ["message/poison"]


async def test_dead_letters_are_kept_answered_and_counted_once() -> None:
    axis = await axis_of(["G22", "H37"])
    deaths = [{"queue": "axis.route.normal", "reason": "delivery_limit", "count": 1}]
    known = replace(document(), headers={"x-death": deaths})
    unknown = document_submission(b"\0", account="nobody", message_id="\x1b")
    await axis.relay().drain_quarantine([known, unknown, unknown], "axis.quarantine")
    assert [receipt.code for receipt in axis.receipts("G22")] == ["message/dead-lettered"]
    kept = {each.account: each for each in await axis.store.quarantined()}
    assert kept["G22"].body == known.body
    assert "delivery_limit" in kept["G22"].detail
    assert (kept["nobody"].count, kept["nobody"].message_id) == (2, None)
    assert len(axis.events("refused")) == 3
    axis.pass_time()
    assert await axis.store.unpublished(MINUTE, 10) == ([], [])


async def test_what_is_held_is_released_between_two_helpings_of_what_is_unmarked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("workers.relay._LIMIT", 1)
    axis = await axis_of(["G22", "H37", "H26"])
    taken = axis.broker._queues.pop("mailbox.normal.H26")
    await axis.router().handle([document(recipients=["H26"])], SOURCE)
    await unmarked(axis, *(document(recipients=["H37"]) for _ in range(3)))
    axis.broker._queues["mailbox.normal.H26"] = taken
    axis.pass_time()
    await axis.relay().sweep()
    story = [each["event"] for each in axis.capture.entries if each["event"] in {"republished", "released"}]
    assert story == ["republished", "released", "republished", "republished"]
    assert len(axis.mail("H37")) == 3
