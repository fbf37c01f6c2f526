"""What is replayed of one envelope, for whom, and how the copy is marked."""

import json
from typing import Any

import pytest

from axis.core.ids import new_id
from axis.core.records import DeliveryRow, DeliveryState
from axis.core.replaying import Candidate, Decided, Place, Replay, Why, decide
from schemas.wire import REPLAY_HEADER, ROUTES_HEADER, SIGNATURE_HEADER
from tests.builders import NOW
from tests.unit.store.rows import delivery_row, envelope_row

REPLAY = Replay(new_id(NOW), "H37", "replay.H37", NOW, NOW, "Trần Văn Thử", NOW)
RECIPIENTS = ("G01", "H37", "H37.02", "H37.05")


def candidate(*states: DeliveryState, **more: Any) -> Candidate:
    identifier = new_id(NOW)
    row = envelope_row(id=identifier, body=json.dumps({"id": identifier, "recipients": RECIPIENTS}).encode())
    rows: list[DeliveryRow] = [
        delivery_row(row.id, recipient, mailbox="H37", state=state)
        for recipient, state in zip(RECIPIENTS[1:], states, strict=False)
    ]
    return Candidate(row, tuple(rows), **more)


def whys(decided: Decided) -> dict[str, Why]:
    return {each.recipient: each.why for each in decided.left_out}


def test_a_copy_says_that_it_is_one_and_goes_into_the_replay_queue_alone() -> None:
    one = candidate(DeliveryState.ROUTED)
    decided = decide(one, REPLAY, NOW)
    message = decided.message
    assert message is not None
    assert (message.exchange, message.routing_key, message.bcc) == ("", "replay.H37", ())
    assert (message.body, message.message_id, message.type) == (one.envelope.body, one.envelope.id, "document")
    assert message.headers[SIGNATURE_HEADER] == one.envelope.signature
    assert json.loads(message.headers[REPLAY_HEADER]) == {
        "replay": REPLAY.id,
        "at": NOW.isoformat(),
        "by": "Trần Văn Thử",
        "accepted_at": NOW.isoformat(),
    }
    assert message.headers[REPLAY_HEADER].isascii()
    assert (decided.place, decided.left_out) == (Place(NOW, one.envelope.id), ())


def test_the_copy_is_for_those_who_may_see_it_and_the_others_are_named() -> None:
    one = candidate(DeliveryState.HELD, DeliveryState.ROUTED, DeliveryState.ROUTED, gone=frozenset({"H37.05"}))
    decided = decide(one, REPLAY, NOW)
    assert whys(decided) == {"H37": Why.HELD, "H37.05": Why.RECALLED}
    assert decided.message is not None
    assert json.loads(decided.message.headers[ROUTES_HEADER]) == {"H37": [2]}


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (candidate(DeliveryState.HELD), Why.HELD),
        (candidate(DeliveryState.WITHDRAWN), Why.WITHDRAWN),
        (candidate(DeliveryState.REFUSED), Why.REFUSED),
        (candidate(DeliveryState.ROUTED, gone=frozenset({"H37"})), Why.RECALLED),
        (candidate(DeliveryState.ROUTED, carried_out=True), Why.CARRIED_OUT),
    ],
)
def test_what_nobody_may_see_is_left_out_with_its_reason(one: Candidate, why: Why) -> None:
    decided = decide(one, REPLAY, NOW)
    assert (decided.message, whys(decided)) == (None, {"H37": why})
