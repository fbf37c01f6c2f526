import datetime as dt
from typing import Any

import pytest

from axis.core.directory import Directory
from axis.core.reading import parse_envelope
from axis.core.records import DeliveryRow
from axis.core.resolving import resolver
from axis.core.routing import Sight, check_blobs, deliveries_of, resolve_recipients
from axis.errors import Refused
from schemas import Envelope
from tests.builders import LONG_AGO, NOW, as_bytes, envelope_dict, mailbox, organisation

MERGED = dt.datetime(2025, 7, 1, tzinfo=dt.UTC)
DIRECTORY = Directory.build(
    [
        *(organisation(code) for code in ("G22", "H37", "H37.05", "H60", "H26")),
        organisation("H22", valid_from=LONG_AGO, valid_to=MERGED, successor="H60"),
    ],
    [mailbox("H37"), mailbox("H60")],
)
FILE = {"name": "a.pdf", "media_type": "application/pdf", "size": 7, "sha256": "a" * 64}


def envelope(**changes: Any) -> Envelope:
    return parse_envelope(as_bytes(envelope_dict(**changes)))


def routed(*recipients: str, ready: set[str] | None = None) -> list[DeliveryRow]:
    asked = envelope(recipients=list(recipients))
    seen = {"H37", "H60"} if ready is None else ready
    sight = Sight({f"mailbox.normal.{code}": 0 for code in seen}, frozenset(), limit=1)
    resolutions = resolve_recipients(asked, resolver(DIRECTORY, NOW))
    return list(deliveries_of(asked.id, resolutions, lambda mailbox: sight.obstacle(mailbox, "normal")))


def test_each_recipient_has_one_delivery_in_the_order_named() -> None:
    rows = routed("H22", "H99", "H37.05", "H26", "H37")
    assert [(row.recipient, row.resolved, row.mailbox, str(row.state), row.reason) for row in rows] == [
        ("H22", "H60", "H60", "routed", None),
        ("H99", None, None, "refused", "recipient/unknown"),
        ("H37.05", "H37.05", "H37", "routed", None),
        ("H26", rows[3].resolved, None, "refused", "recipient/no-mailbox"),
        ("H37", "H37", "H37", "routed", None),
    ]
    assert "H60" in " ".join(rows[0].via)
    assert rows[4].via == ()
    assert all(row.detail for row in rows if row.reason)


def test_a_mailbox_whose_queues_were_not_seen_is_held_and_the_others_are_not() -> None:
    held, good = routed("H37.05", "H60", ready={"H60"})
    assert (str(held.state), held.reason, held.mailbox) == ("held", "mailbox/not-ready", "H37")
    assert (str(good.state), good.reason) == ("routed", None)


def test_the_directory_is_asked_as_of_the_time_given() -> None:
    asked = envelope(recipients=["H22"])
    (before,) = resolve_recipients(asked, resolver(DIRECTORY, MERGED - dt.timedelta(seconds=1)))
    (after,) = resolve_recipients(asked, resolver(DIRECTORY, MERGED))
    assert (before.resolved, after.resolved) == ("H22", "H60")


def test_attachments_that_are_there_are_named_for_who_may_read_them() -> None:
    sent = envelope(attachments=[FILE, {**FILE, "name": "b.pdf", "sha256": "b" * 64, "size": 0}])
    rows = check_blobs(sent, {"a" * 64: 7, "b" * 64: 0, "c" * 64: 1})
    assert [(row.envelope_id, row.name, row.sha256, row.size) for row in rows] == [
        (sent.id, "a.pdf", "a" * 64, 7),
        (sent.id, "b.pdf", "b" * 64, 0),
    ]


@pytest.mark.parametrize(("known", "code"), [({}, "blob/missing"), ({"a" * 64: 8}, "blob/size")])
def test_attachments_that_are_not_there_or_of_another_size_are_refused(known: dict[str, int], code: str) -> None:
    with pytest.raises(Refused) as caught:
        check_blobs(envelope(attachments=[FILE]), known)
    assert caught.value.code == code
    assert "a.pdf" in caught.value.detail


def test_why_a_document_cannot_go_now() -> None:
    sight = Sight(
        {"mailbox.normal.H37": 9, "mailbox.urgent.H37": 1, "mailbox.normal.H60": 10},
        frozenset({"mailbox.normal.H37"}),
        limit=10,
    )
    found = [sight.obstacle(*asked) for asked in (("H37", "normal"), ("H37", "urgent"), ("H60", "normal"))]
    assert [each and each.reason for each in found] == ["mailbox/behind", None, "mailbox/full"]
    missing = sight.obstacle("H99", "urgent")
    assert missing is not None
    assert missing.reason == "mailbox/not-ready"
