"""The plan of the audit, from what was seen and what the store knows."""

from dataclasses import replace

import pytest

from axis.core.adopting import Problem, StatusAdoption, adopt_receipt, adopt_status
from axis.core.audit import (
    MARGIN,
    Action,
    Marked,
    Plan,
    Side,
    ToldMark,
    at_risk,
    counted,
    lost_copies,
    lost_notices,
    orphans,
    traces,
)
from axis.core.decisions import digest
from axis.core.ids import new_id
from axis.core.records import DeliveryState
from axis.core.sightings import Known, envelope_ids, is_looked_at, notice_ids
from schemas import Outcome
from tests.builders import (
    NOW,
    envelope_dict,
    status_dict,
)
from tests.unit.core.sighted import (
    DIRECTORY,
    LATER,
    NOTHING,
    WINDOW,
    adopted,
    document,
    receipt,
    seen_in,
    status,
    verify,
)

# Sorting what is seen


def test_what_the_store_knows_is_remembered_by_id_alone() -> None:
    message = document()
    known = Known({message.message_id or "": digest(message.body)}, frozenset())
    seen = seen_in(("mailbox.normal.H37", message), known=known)
    assert seen.documents == {message.message_id: {"H37"}}
    assert (seen.envelopes, seen.gaps, seen.messages) == ({}, [], 1)


def test_an_unknown_envelope_is_kept_once_with_every_mailbox_it_is_seen_in() -> None:
    message = document(envelope_dict(recipients=["H37", "H26"]))
    seen = seen_in(("mailbox.normal.H37", message), ("mailbox.normal.H26", message))
    (stray,) = seen.envelopes.values()
    assert stray.copies == {"H37": None, "H26": None}


@pytest.mark.parametrize("known", [True, False])
def test_the_same_id_with_other_bytes_is_a_gap(known: bool) -> None:
    body = envelope_dict()
    first, other = document(body), document({**body, "recipients": ["H26"]})
    stored = Known({body["id"]: digest(first.body)}, frozenset()) if known else NOTHING
    seen = seen_in(("mailbox.normal.H37", first), ("mailbox.normal.H26", other), known=stored)
    assert [(gap.problem, gap.id, gap.mailbox) for gap in seen.gaps] == [(Problem.BYTES_DIFFER, body["id"], "H26")]


@pytest.mark.parametrize("queue", ["mailbox.normal.H37", "notices.H37"])
@pytest.mark.parametrize("identifier", [None, "strange", "1" * 36, "A1995f1c-7a3e-7c21-9f5e-3b7d9c0a4e11"])
def test_an_id_that_is_none_of_ours_is_a_gap_and_never_asked_about(queue: str, identifier: str | None) -> None:
    message = replace(document(), message_id=identifier)
    seen = seen_in((queue, message))
    assert [gap.problem for gap in seen.gaps] == [Problem.NOT_PROVED]
    assert envelope_ids(queue, [message]) == notice_ids(queue, [message]) == set()


def test_a_message_of_another_kind_among_notices_is_a_gap() -> None:
    assert [gap.problem for gap in seen_in(("notices.G22", document())).gaps] == [Problem.NOT_PROVED]


def test_a_receipt_that_cannot_be_read_is_a_gap() -> None:
    broken = replace(receipt(document()), body=b"{}")
    other = replace(receipt(document()), message_id=new_id(NOW))
    seen = seen_in(("notices.G22", broken), ("notices.G22", other))
    assert [gap.problem for gap in seen.gaps] == [Problem.NOT_PROVED] * 2
    assert seen.receipts == []


def test_which_queues_are_looked_at_and_what_is_asked() -> None:
    assert [
        is_looked_at(name) for name in ("mailbox.urgent.H37", "notices.H37", "axis.track", "axis.route.normal")
    ] == [True] * 4
    assert not is_looked_at("axis.retry.5")
    assert not is_looked_at("somebody.elses")
    message = document()
    assert envelope_ids("mailbox.normal.H37", [message]) == notice_ids("notices.H37", [message]) == {message.message_id}
    assert envelope_ids("notices.H37", [message]) == notice_ids("axis.track", [message]) == set()


# What only the store knows


def test_copies_in_no_queue_are_put_again_and_those_that_wait_are_not() -> None:
    message = document()
    known = Known({message.message_id or "": digest(message.body)}, frozenset())
    seen, plan, lost = seen_in(("mailbox.normal.H37", message), known=known), Plan(), new_id(NOW)
    page = [Marked(message.message_id or "", code, "normal") for code in ("H37", "H26")]
    lost_copies([*page, Marked(lost, "H37", "normal")], seen, plan)
    assert plan.copies == {message.message_id: {"H26"}, lost: {"H37"}}
    assert [step.action for step in plan.steps()] == [Action.PUT_DOCUMENT] * 2
    assert not plan.empty
    assert plan.complete


def test_notices_in_no_queue_are_put_again_and_those_that_wait_are_not() -> None:
    answer, lost = receipt(document()), ToldMark(new_id(NOW), "status", "G22")
    waits = ToldMark(answer.message_id or "", "receipt", "G22")
    seen, plan = seen_in(("notices.G22", answer), known=Known({}, {(waits.id, "receipt")})), Plan()
    lost_notices([waits, lost], seen, plan)
    assert plan.notices == [lost]


def test_what_has_no_queue_to_go_to_is_a_gap() -> None:
    seen, plan = seen_in(queues=frozenset()), Plan()
    lost_copies([Marked(new_id(NOW), "H37", "normal")], seen, plan)
    lost_notices([ToldMark(new_id(NOW), "receipt", "G22")], seen, plan)
    assert [(gap.problem, gap.mailbox) for gap in plan.gaps] == [(Problem.NO_QUEUE, "H37"), (Problem.NO_QUEUE, "G22")]
    assert plan.empty
    assert not plan.complete


# Traces


def test_a_receipt_without_its_envelope_names_the_sender() -> None:
    message = document()
    seen, plan = seen_in(("notices.G22", receipt(message))), Plan()
    traces(seen, set(), plan)
    (gap,) = plan.gaps
    assert (gap.problem, gap.id, gap.mailbox) == (Problem.ENVELOPE_MISSING, message.message_id, "G22")
    assert "send_again" in gap.remedy


def test_an_envelope_that_is_known_adopted_or_still_waits_is_not_missing() -> None:
    message = document()
    answer = ("notices.G22", receipt(message))
    plan = Plan()
    traces(seen_in(answer), {message.message_id or ""}, plan)
    traces(seen_in(answer, ("axis.route.normal", message)), set(), plan)
    seen = seen_in(answer, ("mailbox.normal.H37", message))
    plan.envelopes.append(adopted(seen))
    traces(seen, set(), plan)
    assert plan.gaps == []


def test_a_refusal_is_no_trace_of_an_accepted_envelope() -> None:
    refusal = receipt(document(), outcome=Outcome.REFUSED, recipients=[], code="lane/mismatch")
    about_status = receipt(
        document(), message_type="status", outcome=Outcome.REFUSED, recipients=[], code="lane/mismatch"
    )
    seen = seen_in(("notices.G22", refusal), ("notices.G22", about_status))
    assert seen.receipts_about == {}
    assert len(seen.receipts) == 2
    assert adopt_receipt(seen.receipts[0], verify=verify).about is None


def test_a_status_about_an_envelope_nobody_knows_is_a_gap() -> None:
    known, lost, waits = (status_dict() for _ in range(3))
    seen = seen_in(*(("notices.G22", status(body)) for body in (known, lost, waits)), ("axis.track", status(waits)))
    plan = Plan()
    plan.statuses = [adopt_status(each, directory=DIRECTORY, verify=verify) for each in seen.statuses.values()]
    orphans(seen, {known["envelope"]}, plan)
    assert _ids(plan.statuses) == [known["id"]]
    assert [(gap.problem, gap.id) for gap in plan.gaps] == [(Problem.STATUS_ALONE, lost["id"])]


def _ids(statuses: list[StatusAdoption]) -> list[str]:
    return [each.status.id for each in statuses]


# The time nobody may know all about


def test_two_sides_that_agree_put_no_time_at_risk() -> None:
    plan = Plan()
    at_risk(seen_in(), plan, newest=NOW, window=WINDOW, restored=None)
    assert plan.complete
    assert plan.empty
    assert set(counted(plan).values()) == {0}


def test_what_only_the_broker_has_proves_an_old_store() -> None:
    message = document(envelope_dict(id=new_id(LATER)))
    seen, plan = seen_in(("mailbox.normal.H37", message)), Plan()
    plan.envelopes.append(adopted(seen))
    at_risk(seen, plan, newest=NOW, window=WINDOW, restored=None)
    (risk,) = plan.risks
    assert (risk.side, risk.since, risk.first_unknown, risk.last_unknown) == (Side.DATABASE, NOW - MARGIN, LATER, LATER)
    assert any("send_again" in ask for ask in risk.ask)


def test_an_old_store_of_which_nothing_is_left_to_see_is_known_to_people_only() -> None:
    plan = Plan()
    at_risk(seen_in(), plan, newest=None, window=WINDOW, restored=Side.DATABASE)
    assert [(risk.since, risk.first_unknown) for risk in plan.risks] == [(WINDOW.since, None)]


def test_an_old_broker_puts_the_time_of_what_it_lost_at_risk() -> None:
    plan = Plan()
    at_risk(seen_in(), plan, newest=NOW, window=WINDOW, restored=Side.BROKER)
    assert [(risk.side, risk.since) for risk in plan.risks] == [(Side.BROKER, WINDOW.since)]


def test_the_steps_come_in_the_order_they_are_done_in() -> None:
    message, report = document(), status_dict()
    seen = seen_in(("mailbox.normal.H37", message), ("notices.G22", receipt(message)), ("notices.G22", status(report)))
    plan = Plan(envelopes=[adopted(seen)], receipts=[adopt_receipt(seen.receipts[0], verify=verify)])
    plan.statuses = [adopt_status(each, directory=DIRECTORY, verify=verify) for each in seen.statuses.values()]
    lost_copies([Marked(new_id(NOW), "H26", "normal")], seen, plan)
    lost_notices([ToldMark(new_id(NOW), "receipt", "G22")], seen, plan)
    assert [step.action for step in plan.steps()] == [
        Action.ADOPT_DOCUMENT,
        Action.ADOPT_STATUS,
        Action.ADOPT_RECEIPT,
        Action.PUT_DOCUMENT,
        Action.PUT_NOTICE,
    ]
    assert plan.envelopes[0].accepted.deliveries[0].state is DeliveryState.ROUTED
