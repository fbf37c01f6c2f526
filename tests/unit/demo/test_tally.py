from typing import Any

from axis.cli.demo.tally import Tally
from schemas import Outcome, Receipt, RecipientOutcome, RecipientReceipt, StatusCode
from tests.builders import NOW


def receipt(**changes: Any) -> Receipt:
    base: dict[str, Any] = {
        "schema": "axis.receipt/1",
        "id": "01995f1c-7a3e-7c21-9f5e-3b7d9c0a4e11",
        "message_type": "document",
        "message_id": "e",
        "message_sha256": "0" * 64,
        "account": "G22",
        "outcome": Outcome.ACCEPTED,
        "at": NOW,
    }
    return Receipt.model_validate({**base, **changes})


def routed(code: str) -> RecipientReceipt:
    return RecipientReceipt(recipient=code, outcome=RecipientOutcome.ROUTED, resolved=code, mailbox=code)


def test_a_document_nobody_answered_for_is_lost() -> None:
    tally = Tally()
    tally.sent("Công điện", "e", ("H37", "H26"), NOW)
    assert str(tally.counts) == "demo: sent=2 delivered=0 acknowledged=0 refused=0 lost=2"
    assert not tally.done


def test_each_end_is_counted_once() -> None:
    tally = Tally()
    tally.sent("Công điện", "e", ("H37", "G17", "H99"), NOW)
    unknown = RecipientReceipt(recipient="H99", outcome=RecipientOutcome.REFUSED, code="recipient/unknown")
    tally.receipt(receipt(outcome=Outcome.PARTIAL, recipients=[routed("H37"), routed("G17"), unknown]))
    for code in ("H37", "G17"):
        tally.received("e", (code,), NOW)
        tally.status("e", code, StatusCode.ARRIVED, NOW)
    before = tally.done
    for _ in range(2):
        tally.status("e", "H37", StatusCode.FINISHED, NOW)
        tally.status("e", "G17", StatusCode.REFUSED, NOW)
    tally.status("e", "H37", StatusCode.ACCEPTED, NOW)
    without_processing = tally.done
    tally.status("e", "H37", StatusCode.PROCESSING, NOW)
    assert (before, without_processing, tally.done) == (False, False, True)
    assert str(tally.counts) == "demo: sent=3 delivered=2 acknowledged=1 refused=2 lost=0"
    assert [row.last_status for row in tally.rows] == [StatusCode.FINISHED, StatusCode.REFUSED, None]


def test_a_status_without_the_document_in_hand_does_not_count() -> None:
    tally = Tally()
    tally.sent("Công điện", "e", ("H37",), NOW)
    tally.receipt(receipt(recipients=[routed("H37")]))
    tally.status("e", "H37", StatusCode.FINISHED, NOW)
    assert not tally.done
    assert tally.counts.lost == 1


def test_a_refused_message_is_refused_for_every_recipient() -> None:
    tally = Tally()
    tally.sent("forged", "e", ("H26", "H29"), NOW)
    tally.receipt(receipt(outcome=Outcome.REFUSED, code="abuse/account"))
    assert tally.done
    assert tally.counts.refused == 2


def test_other_runs_are_not_counted() -> None:
    tally = Tally()
    tally.sent("Công điện", "e", ("H37",), NOW)
    tally.received("older", ("H37",), NOW)
    tally.status("older", "H37", StatusCode.FINISHED, NOW)
    tally.receipt(receipt(message_id="older"))
    assert tally.counts.delivered == 0
