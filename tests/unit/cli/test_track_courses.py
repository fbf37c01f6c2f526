"""`axis track`: fates, deadlines, what is waited for, the story, and what was known at an earlier moment."""

import asyncio
import datetime as dt

import orjson
import pytest

from axis.cli import track as track_module
from axis.core.ids import new_id
from axis.core.records import Accepted, DeliveryState
from axis.core.watching import MailboxWatch
from axis.store import FakeStore
from tests.builders import NOW
from tests.unit.cli.conftest import Run
from tests.unit.store.rows import delivery_row, envelope_row, notice_row, status_row

LATER = NOW + dt.timedelta(days=3)
BODY = orjson.dumps({"document": {"issued_on": "2026-11-20", "due_on": "2026-12-04", "kind": "Công văn"}})
ENVELOPE = new_id(NOW)


@pytest.fixture
def filled(store: FakeStore, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fill() -> None:
        row = envelope_row(id=ENVELOPE, body=BODY, sent_at=NOW, accepted_at=NOW)
        deliveries = (
            delivery_row(ENVELOPE, "H37"),
            delivery_row(ENVELOPE, "H38"),
            delivery_row(ENVELOPE, "H99", state=DeliveryState.REFUSED, mailbox=None, reason="recipient/unknown"),
        )
        status = status_row(ENVELOPE, code="03", recipients=("H38",), reporter="H38", received_at=NOW)
        async with store.transaction() as tx:
            await tx.accept([Accepted(row, deliveries, (), notice_row(about=ENVELOPE))])
            await tx.statuses([status], {(ENVELOPE, "H38"): ("03", NOW)})
        await store.mark_published([ENVELOPE], [])
        away = MailboxWatch("mailbox.normal.H37", "H37", LATER, 3, 0, 0, NOW, NOW)
        await store.watches.seen([away], [], LATER)

    asyncio.run(fill())
    monkeypatch.setattr(track_module, "now", lambda: LATER)


def test_what_each_recipient_waits_for_and_is_late_with(run: Run, filled: None) -> None:
    ran = run("track", ENVELOPE)
    assert ran.code == 0
    for told in (
        "3 recipients: 1 routed, 1 taken, 1 undeliverable",
        "sent late",
        "waiting: mailbox H37 has no consumer since",
        "very late",
        "H38 is handling it",
        "in mailbox H37",
        "03 accepted",
    ):
        assert told in ran.out


def test_the_same_for_machines(run: Run, filled: None) -> None:
    found = run("track", ENVELOPE, "--json").json["courses"][ENVELOPE]
    assert found["sent_late"] is True
    waiting, handling, refused = found["deliveries"]
    assert waiting["waiting"]["code"] == "no-consumer"
    assert [(each["clock"], each["escalation"]) for each in waiting["deadlines"]] == [
        ("arrival", "very late"),
        ("acceptance", "very late"),
        ("finishing", "on time"),
    ]
    assert [(each["clock"], each["escalation"]) for each in handling["deadlines"][:2]] == [
        ("arrival", "on time"),
        ("acceptance", "on time"),
    ]
    assert (refused["deadlines"], refused["waiting"], refused["ended"]) == ([], None, True)
    assert [each["what"] for each in found["timeline"]][:2] == ["sent", "accepted"]


def test_one_recipient_alone(run: Run, filled: None) -> None:
    ran = run("track", ENVELOPE, "--recipient", "H38")
    assert "mailbox H37" not in ran.out
    assert "H38 is handling it" in ran.out
    assert run("track", ENVELOPE, "--recipient", "H01").code == 66


def test_as_of_a_moment(run: Run, filled: None) -> None:
    before = run("track", ENVELOPE, "--as-of", (NOW - dt.timedelta(hours=1)).isoformat())
    assert before.code == 66
    then = run("track", ENVELOPE, "--as-of", NOW.isoformat(), "--json").json["courses"][ENVELOPE]["deliveries"]
    assert [(each["transport"], each["business"]) for each in then] == [
        ("accepted", None),  # it was published later, when the test ran
        ("taken", "03"),
        ("undeliverable", None),
    ]
    assert then[0]["waiting"]["code"] == "confirmation"
    assert run("track", ENVELOPE, "--as-of", "hôm qua").code == 2
