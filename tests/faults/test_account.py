"""The accounting notices what goes wrong; here it is told so by hand."""

import datetime as dt

import pytest

from axis.client.ledger import Entry
from axis.core.ids import new_id
from axis.core.reading import parse_status
from axis.faults.account import misordered
from axis.faults.records import Document, NotingLedger, Records
from schemas import Outcome, Receipt
from tests.builders import NOW, as_bytes, status_dict


def document(records: Records, *, mailboxes: tuple[str, ...] = ("H37",), lane: str = "normal") -> Document:
    return records.begin(new_id(NOW), "G22", lane, frozenset(mailboxes), "accepted")


def answered(records: Records, each: Document) -> None:
    records.receipt(
        Receipt.model_validate(
            {
                "schema": "axis.receipt/1",
                "id": new_id(NOW),
                "message_type": "document",
                "message_id": each.id,
                "message_sha256": "0" * 64,
                "account": "G22",
                "outcome": Outcome.ACCEPTED,
                "at": NOW,
            }
        )
    )


def test_a_document_is_complete_when_answered_and_taken_everywhere() -> None:
    records = Records()
    one = document(records, mailboxes=("H37", "H29"))
    assert records.open == 1
    records.took("H37", one.id, "a")
    answered(records, one)
    assert records.open == 1
    records.took("H29", one.id, "a")
    assert records.open == 0
    assert one.complete


def test_taken_again_counts_as_doubled_and_changes_nothing() -> None:
    records = Records()
    one = document(records)
    records.took("H37", one.id, "a")
    records.took("H37", one.id, "b")
    assert one.again == 1
    assert one.taken["H37"][1] == "a"


def test_what_nobody_sent_is_a_stranger() -> None:
    records = Records()
    records.took("H37", "nobody", "a")
    records.status("G22", parse_status(as_bytes(status_dict())))
    assert len(records.strangers) == 2


def test_one_begun_after_the_receipt_of_another_must_not_overtake_it() -> None:
    records = Records()
    first = document(records)
    answered(records, first)
    second = document(records)
    records.took("H37", second.id, "a")
    records.took("H37", first.id, "a")
    (finding,) = misordered([first, second])
    assert finding.startswith(f"H37 got {second.id} before {first.id}")


@pytest.mark.parametrize("lane", ["normal", "urgent"])
def test_one_begun_before_the_receipt_or_on_the_other_lane_may_overtake(lane: str) -> None:
    records = Records()
    first = document(records)
    if lane == "urgent":
        answered(records, first)
    second = document(records, lane=lane)
    answered(records, first)
    records.took("H37", second.id, "a")
    records.took("H37", first.id, "a")
    assert list(misordered([first, second])) == []


async def test_the_ledger_notes_what_is_kept_and_confirmed() -> None:
    records = Records()
    ledger = NotingLedger("H37", records)
    said = status_dict(reporter="H37", code="03")
    entry = Entry(said["id"], "key", "status", said["envelope"], "x", "r", "m", as_bytes(said), "s")
    await ledger.write(entries=[entry])
    assert not records.statuses[entry.id].confirmed
    await ledger.confirm([entry], dt.datetime.now(dt.UTC))
    assert records.statuses[entry.id].confirmed
    records.status("G22", parse_status(as_bytes(said)))
    assert records.statuses[entry.id].came == 1
