import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from axis.core.fanout import MAX_HEADER_BYTES, fan_out, notice_message, recipients_of
from axis.core.records import DeliveryRow, DeliveryState, EnvelopeRow, NoticeRow
from tests.builders import NOW

ENVELOPE = EnvelopeRow(
    id="e", sender="G22", account="G22", thumbprint="t", lane="urgent", action="new", concerns=None, document_id="d",
    subject="s", sent_at=NOW, accepted_at=NOW, body=b"{}", signature="a..b", sha256="0" * 64,
)  # fmt: skip


def row(recipient: str, mailbox: str | None, state: DeliveryState = DeliveryState.ROUTED) -> DeliveryRow:
    return DeliveryRow(envelope_id="e", recipient=recipient, resolved=recipient, mailbox=mailbox, state=state)


def test_all_mailboxes_are_reached_with_one_publish() -> None:
    recipients = [f"H{n:02}" for n in range(1, 64)]
    (message,) = fan_out(ENVELOPE, recipients, [row(code, code) for code in recipients])
    assert (message.routing_key, *message.bcc) == tuple(f"mailbox.urgent.{code}" for code in recipients)
    assert message.headers == {"axis-signature": "a..b"}
    assert message.body == ENVELOPE.body
    assert message.user_id is None


def test_a_mailbox_is_named_once_and_told_whom_it_serves() -> None:
    recipients = ["H37.05", "H37", "H22", "X99"]
    rows = [row("H37.05", "H37"), row("H37", "H37"), row("H22", "H60"), row("X99", None, DeliveryState.REFUSED)]
    (message,) = fan_out(ENVELOPE, recipients, rows)
    assert (message.routing_key, *message.bcc) == ("mailbox.urgent.H37", "mailbox.urgent.H60")
    assert json.loads(message.headers["axis-routes"]) == {"H37": [0], "H60": [2]}


def test_nobody_to_reach_is_no_publish() -> None:
    rows = [row("X99", None, DeliveryState.REFUSED), row("H37", "H37", DeliveryState.HELD)]
    assert fan_out(ENVELOPE, ["X99", "H37"], rows) == ()


def test_headers_always_fit_and_no_mailbox_is_split() -> None:
    recipients = [f"H37.{n:04}.ABCDEFGHIJKLMNOPQ" for n in range(2_500)] + [f"G12.{n:04}" for n in range(2_500)]
    rows = [row(code, "H37") for code in recipients[:2_500]]
    rows += [row(code, f"{code}.ABCDEFGHIJKLMNOPQRST") for code in recipients[2_500:]]
    messages = fan_out(ENVELOPE, recipients, rows)
    keys = [key for message in messages for key in (message.routing_key, *message.bcc)]
    assert len(keys) == len(set(keys)) == 2_501
    assert len(messages) > 1
    for message in messages:
        size = sum(len(key) + 8 for key in message.bcc) + len(message.headers.get("axis-routes", ""))
        assert size <= MAX_HEADER_BYTES


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 8)), max_size=40, unique_by=lambda pair: pair[0]))
def test_every_recipient_is_served_by_its_mailbox_alone(pairs: list[tuple[int, int]]) -> None:
    recipients = [f"H{a:02}" for a, _ in pairs]
    rows = [row(f"H{a:02}", f"H{b:02}") for a, b in pairs]
    served: dict[str, set[str]] = {}
    for message in fan_out(ENVELOPE, recipients, rows):
        for key in (message.routing_key, *message.bcc):
            mailbox = key.removeprefix("mailbox.urgent.")
            served[mailbox] = set(recipients_of(mailbox, recipients, message.headers.get("axis-routes")))
    for delivery in rows:
        assert delivery.mailbox is not None
        assert delivery.recipient in served[delivery.mailbox]


@pytest.mark.parametrize("header", ['{"H37": [9]}', '{"H37": [-1]}', '{"H37": ["0"]}', '{"H37": [true]}', "not json"])
def test_a_false_routes_header_is_refused(header: str) -> None:
    with pytest.raises(ValueError, match=r"positions|Expecting"):
        recipients_of("H37", ["H37.05"], header)


def test_notices_go_to_their_queue_with_their_own_signature() -> None:
    notice = NoticeRow(id="n", mailbox="G22", kind="receipt", about=None, body=b"{}", signature="x..y")
    message = notice_message(notice)
    assert (message.routing_key, message.type, message.headers["axis-signature"]) == ("notices.G22", "receipt", "x..y")
