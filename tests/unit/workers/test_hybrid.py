"""A second signature on its way through router and tracker, and what stripping it on the way comes to."""

from typing import Any

import pytest

from axis.core.hybrid import headers_of
from axis.core.lanes import mailbox_queue, notices_queue
from axis.core.messages import Submission
from axis.core.reading import signature_of
from tests.builders import as_bytes, document_submission, envelope_dict, status_dict, status_submission
from tests.unit.trust.certified import certified
from tests.unit.workers.harness import Axis, axis_of

SECOND = "axis-signature-pq"


async def axis(*required: str) -> Axis:
    made = await axis_of(["G22", "H37"])
    for code in ("G22", "H37"):
        await made.store.directory.put_certificate(certified("ml-dsa-65", code)[1])
    await made.view.load()
    made.view.hybrid_required = frozenset(required)
    return made


def signed(code: str, body: bytes, *, stripped: bool = False) -> dict[str, object]:
    key = certified("ed25519", code)[0].with_second(certified("ml-dsa-65", code)[0])
    headers: dict[str, object] = dict(headers_of(key.sign(body)))
    if stripped:
        del headers[SECOND]
    return headers


def document(*, stripped: bool = False, **changes: Any) -> Submission:
    content = envelope_dict(**changes)
    body = as_bytes(content)
    return document_submission(content, headers=signed("G22", body, stripped=stripped))


async def test_both_signatures_reach_the_recipient_and_the_store() -> None:
    made = await axis("G22")
    submission = document()
    await made.router().handle([submission], "axis.route.normal")
    (delivered,) = made.broker.messages(mailbox_queue("normal", "H37"))
    assert {name: delivered.headers[name] for name in submission.headers} == submission.headers
    (outcome,) = [receipt.outcome for receipt in made.receipts("G22")]
    assert outcome == "accepted"
    (row,) = made.store._memory.envelopes.values()
    assert row.row.signature == signature_of(submission)


@pytest.mark.parametrize(("required", "outcome"), [((), "accepted"), (("G22",), "refused"), (("H37",), "accepted")])
async def test_who_strips_the_second_signature_is_noticed_where_it_is_required(
    required: tuple[str, ...], outcome: str
) -> None:
    made = await axis(*required)
    await made.router().handle([document(stripped=True)], "axis.route.normal")
    (receipt,) = made.receipts("G22")
    assert receipt.outcome == outcome
    assert receipt.code == (None if outcome == "accepted" else "signature/second-missing")
    assert len(made.mail("H37")) == (outcome == "accepted")


async def test_a_second_signature_that_is_wrong_is_refused_even_where_none_is_required() -> None:
    made = await axis()
    good, other = document(), document()
    mixed = document_submission(
        good.body, headers={**good.headers, SECOND: other.headers[SECOND]}, message_id=good.message_id
    )
    await made.router().handle([mixed], "axis.route.normal")
    (receipt,) = made.receipts("G22")
    assert (receipt.outcome, receipt.code) == ("refused", "signature/invalid")
    assert made.mail("H37") == []


async def test_statuses_are_held_to_the_same_rule_and_forwarded_with_both() -> None:
    made = await axis("H37")
    submission = document()
    await made.router().handle([submission], "axis.route.normal")
    content = status_dict(envelope=submission.message_id)
    body = as_bytes(content)
    await made.tracker().handle([status_submission(content, headers=signed("H37", body, stripped=True))], "axis.track")
    (refusal,) = made.receipts("H37")
    assert refusal.code == "signature/second-missing"
    whole = status_submission(content, headers=signed("H37", body))
    await made.tracker().handle([whole], "axis.track")
    (forwarded,) = [each for each in made.broker.messages(notices_queue("G22")) if each.type == "status"]
    assert {name: forwarded.headers[name] for name in whole.headers} == whole.headers
