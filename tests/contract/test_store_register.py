"""The register, on the fake and on PostgreSQL: what is found, listed and counted."""

import datetime as dt
import json
from typing import Any

import pytest

from axis.core.deadlines import Clock
from axis.core.fate import Transport
from axis.core.ids import new_id
from axis.core.records import Accepted, DeliveryRow, DeliveryState
from axis.store import Sought, Store
from tests.builders import NOW
from tests.unit.store.registering import keep
from tests.unit.store.rows import accepted, delivery_row, held, status_row

SECOND = dt.timedelta(seconds=1)


def written(
    number: int, recipients: list[str], *, deliveries: list[DeliveryRow] | None = None, **said: Any
) -> Accepted:
    """Build an accepted document whose body says what the schema has it say."""
    envelope = {name: said.pop(name) for name in ("sender", "account", "lane", "action", "subject") if name in said}
    at = said.pop("at", NOW + number * SECOND)
    identifier = said.pop("id", None) or new_id(at)
    document = {"number": str(number), "notation": "VPCP-TTĐT", "issued_on": "2026-11-24", "kind": "Công văn", **said}
    body = json.dumps({"id": identifier, "document": document}, ensure_ascii=False).encode()
    return accepted(recipients, deliveries=deliveries, id=identifier, body=body, sent_at=at, accepted_at=at, **envelope)


async def put(store: Store, *documents: Accepted) -> list[str]:
    async with store.transaction() as tx:
        await tx.accept(documents)
    await keep(store)
    return [each.envelope.id for each in documents]


async def found(store: Store, **sought: Any) -> list[str]:
    return [each.id for each in await store.register.search(Sought(**sought))]


async def test_a_document_is_registered_as_it_was_sent(store: Store) -> None:
    (identifier,) = await put(
        store, written(7816, ["H37", "G01"], subject="V/v kết nối", due_on="2026-12-01", priority="normal")
    )
    (entry,) = await store.register.search(Sought())
    assert (entry.id, entry.sender, entry.number, entry.notation) == (identifier, "G22", "7816", "VPCP-TTĐT")
    assert (entry.subject, entry.kind, entry.recipients, entry.open) == ("V/v kết nối", "Công văn", 2, 2)
    assert (entry.issued_on, entry.due_on) == (dt.date(2026, 11, 24), dt.date(2026, 12, 1))
    first, second = await store.register.deliveries(Sought())
    assert {first.recipient, second.recipient} == {"H37", "G01"}
    assert first.transport is Transport.ACCEPTED
    assert first.entry == entry
    assert first.finish_by is not None
    assert await store.register.lag() == (0, None)


@pytest.mark.parametrize(
    "sought",
    [
        {"words": "van phong"},
        {"words": "Văn PHÒNG chinh"},
        {"words": "VAN"},
        {"words": "đất đai"},
        {"words": "H37.05"},
        {"words": "g22 van"},
        {"words": "7816/VPCP"},
        {"number": "7816/VPCP-TTĐT"},
        {"number": " 7816 / vpcp-ttđt "},
        {"number": "7816"},
        {"sender": "G22"},
        {"sender": "G22.01"},
        {"recipient": "H37"},
        {"recipient": "H37.05"},
        {"account": "H37"},
        {"account": "G22"},
        {"since": NOW, "until": NOW + dt.timedelta(hours=3)},
        {"lane": "urgent"},
        {"transport": Transport.ACCEPTED},
        {"open": True, "words": "dat"},
        {"recipient": "H37.05", "transport": Transport.ACCEPTED},
    ],
)
async def test_a_document_is_found_by(store: Store, sought: dict[str, Any]) -> None:
    wanted = written(7816, [], sender="G22.01", lane="urgent", subject="Văn phòng Chính phủ: đất đai")
    row = delivery_row(wanted.envelope.id, "H37.05", mailbox="H37")
    wanted = written(
        7816,
        [],
        id=wanted.envelope.id,
        deliveries=[row],
        sender="G22.01",
        lane="urgent",
        subject="Văn phòng Chính phủ: đất đai",
    )
    other = written(
        17816, ["H370"], at=NOW + dt.timedelta(days=2), sender="G220", account="G220", subject="Khác hẳn", notation="QĐ"
    )
    refused = delivery_row(other.envelope.id, "H370", mailbox=None, state=DeliveryState.REFUSED, reason="x/y")
    await put(store, wanted, accepted_again(other, refused))
    assert await found(store, **sought) == [wanted.envelope.id]
    assert await store.register.count(Sought(**sought)) == 1


def accepted_again(document: Accepted, *deliveries: DeliveryRow) -> Accepted:
    from dataclasses import replace

    return replace(document, deliveries=deliveries)


@pytest.mark.parametrize(
    "sought",
    [
        {"words": "khong co"},
        {"words": "' | a"},
        {"words": "\0\ud800"},
        {"words": "/s:G22"},
        {"words": "s"},
        {"number": "'"},
        {"number": "781"},
        {"sender": "G2"},
        {"sender": "\\"},
        {"recipient": "H3"},
        {"account": "H01"},
        {"until": NOW},
        {"since": NOW + dt.timedelta(days=1)},
        {"transport": Transport.HELD},
        {"business": "06"},
        {"reason": "'; DROP TABLE touched; --"},
        {"late": Clock.FINISHING},
        {"late": Clock.SENDING},
        {"sent_late": True},
        {"open": False},
    ],
)
async def test_what_does_not_fit_is_not_found(store: Store, sought: dict[str, Any]) -> None:
    await put(store, written(7816, ["H37"], subject="Kết nối"))
    assert await found(store, **sought) == []
    assert await store.register.deliveries(Sought(**sought)) == ()


async def test_an_agency_sees_its_own_alone(store: Store) -> None:
    mine = written(1, ["G01", "G02"], sender="H37", account="H37")
    to_me = written(2, ["H37", "G01"])
    await put(store, mine, to_me, written(3, ["G01"]))
    assert await found(store, account="H37") == [to_me.envelope.id, mine.envelope.id]
    listed = await store.register.deliveries(Sought(account="H37"))
    assert [(each.envelope_id, each.recipient) for each in listed] == [
        (to_me.envelope.id, "H37"),
        (mine.envelope.id, "G02"),
        (mine.envelope.id, "G01"),
    ]
    # Another recipient's state says nothing to it.
    async with store.transaction() as tx:
        await tx.statuses(
            [status_row(to_me.envelope.id, reporter="G01", recipients=("G01",))],
            {(to_me.envelope.id, "G01"): ("01", NOW)},
        )
    await keep(store)
    assert await found(store, account="H37", transport=Transport.TAKEN) == []
    assert await found(store, account="G22", transport=Transport.TAKEN) == [to_me.envelope.id]


async def test_pages_go_on_where_the_last_ended(store: Store) -> None:
    ids = await put(store, *(written(number, ["H37", "G01"]) for number in range(7)))
    newest = list(reversed(ids))
    first = await store.register.search(Sought(words="ket"), limit=3)
    second = await store.register.search(Sought(words="ket"), limit=3, before=first[-1].id)
    assert [each.id for each in (*first, *second)] == newest[:6]
    seen: list[tuple[str, str]] = []
    while page := await store.register.deliveries(Sought(), limit=3, before=seen[-1] if seen else None):
        seen += [(each.envelope_id, each.recipient) for each in page]
    assert seen == [(identifier, code) for identifier in newest for code in ("H37", "G01")]
    assert await store.register.count(Sought(), most=4) == 4
    assert await store.register.count_deliveries(Sought()) == 14


async def test_what_is_held_and_what_is_late_is_found(store: Store) -> None:
    late = written(1, ["H37"], at=NOW - dt.timedelta(days=30))
    waits = written(2, [], at=dt.datetime.now(dt.UTC))
    refused = delivery_row(
        waits.envelope.id, "Z99", mailbox=None, resolved=None, state=DeliveryState.REFUSED, reason="recipient/unknown"
    )
    waits = accepted_again(waits, held(waits.envelope.id, "G01"), refused)
    await put(store, late, waits)
    assert await found(store, transport=Transport.HELD) == [waits.envelope.id]
    assert await found(store, transport=Transport.UNDELIVERABLE, reason="recipient/unknown") == [waits.envelope.id]
    assert await found(store, recipient="G01", transport=Transport.UNDELIVERABLE) == []
    assert await found(store, late=Clock.ARRIVAL) == [late.envelope.id]
    (held_one,) = await store.register.deliveries(Sought(transport=Transport.HELD))
    assert (held_one.recipient, held_one.reason, held_one.detail) == ("G01", "mailbox/not-ready", "not there yet")
    assert [each.recipient for each in await store.register.deliveries(Sought(open=False))] == ["Z99"]


@pytest.mark.parametrize("newer", [5, 2])
async def test_what_is_late_is_listed_as_it_is_counted_however_much_is_open(
    store: Store, monkeypatch: pytest.MonkeyPatch, newer: int
) -> None:
    """The oldest are late: behind more newer ones than a walk from the newest goes through, or where it ends."""
    monkeypatch.setattr("axis.store.register._WINDOW", 3)
    now = dt.datetime.now(dt.UTC)
    late = [written(number, ["H37", "G01"], at=now - dt.timedelta(days=60 - number)) for number in range(3)]
    await put(store, *late, *(written(10 + number, ["H37"], at=now - number * SECOND) for number in range(newer)))
    newest = [each.envelope.id for each in reversed(late)]
    for clock in (Clock.ARRIVAL, Clock.ACCEPTANCE):
        listed = await store.register.deliveries(Sought(late=clock))
        assert [(each.envelope_id, each.recipient) for each in listed] == [
            (each, code) for each in newest for code in ("H37", "G01")
        ]
        counts = {each.mailbox: each.count for each in await store.register.overdue(clock, now)}
        assert counts == {"H37": 3, "G01": 3}
        assert await store.register.count_deliveries(Sought(late=clock)) == 6
        assert await store.register.count_deliveries(Sought(late=clock), most=4) == 4
        assert await store.register.count_deliveries(Sought(late=clock, recipient="H37")) == 3
        assert await store.register.count_deliveries(Sought(late=clock, mailbox="H37")) == counts["H37"]
        assert await store.register.count_deliveries(Sought(late=clock, account="G01", words="g22")) == 3
        assert await store.register.count_deliveries(Sought(late=clock, open=False)) == 0
        assert await found(store, late=clock) == newest
        assert await found(store, late=clock, recipient="H37", transport=Transport.ACCEPTED) == newest
        assert await found(store, late=clock, recipient="G01") == newest
        assert await found(store, late=clock, account="H01") == []
        page = await store.register.search(Sought(late=clock), limit=2)
        assert [each.id for each in page] == newest[:2]
        assert [each.id for each in await store.register.search(Sought(late=clock), before=page[-1].id)] == newest[2:]
        rest = await store.register.deliveries(Sought(late=clock), before=(newest[0], "H37"))
        assert [(each.envelope_id, each.recipient) for each in rest][:2] == [(newest[0], "G01"), (newest[1], "H37")]


async def test_a_mailbox_is_that_one_and_none_below_its_code(store: Store) -> None:
    """What an agency is told to have late goes by its mailbox; a unit of it may have one of its own."""
    document = written(1, [])
    rows = [
        delivery_row(document.envelope.id, code, mailbox=mailbox, resolved=code)
        for code, mailbox in (("H37", "H37"), ("H37.02", "H37"), ("H37.05", "H37.05"), ("H22", "H37"))
    ]
    await put(store, accepted_again(document, *rows), written(2, ["H37.05"]))

    async def recipients(**sought: Any) -> list[str]:
        return sorted(each.recipient for each in await store.register.deliveries(Sought(**sought)))

    assert await recipients(mailbox="H37") == ["H22", "H37", "H37.02"]
    assert await recipients(recipient="H37") == ["H22", "H37", "H37.02", "H37.05", "H37.05"]
    assert await recipients(mailbox="H37", recipient="H37.02") == ["H37.02"]
    assert await recipients(mailbox="H37", recipient="H37.05") == []
    assert await recipients(mailbox="H37", transport=Transport.TAKEN) == []
    assert await found(store, mailbox="H37") == [document.envelope.id]
    assert await found(store, mailbox="H37.02") == []
    for hostile in ("H37=H37", "=H37", "=", "H37.05=H37", "\\", ""):
        assert await recipients(recipient=hostile) == []
        assert await recipients(mailbox=hostile) == []


async def test_what_was_sent_late_and_never_arrived_is_found_however_far_back(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("axis.store.register._WINDOW", 2)
    lost = written(1, [], issued_on="2026-01-05")
    refused = delivery_row(
        lost.envelope.id, "Z99", mailbox=None, resolved=None, state=DeliveryState.REFUSED, reason="recipient/unknown"
    )
    await put(store, accepted_again(lost, refused), *(written(number, ["H37"]) for number in range(2, 7)))
    sought = Sought(late=Clock.SENDING, transport=Transport.UNDELIVERABLE)
    assert [each.recipient for each in await store.register.deliveries(sought)] == ["Z99"]


async def test_what_was_reported_is_found_however_far_back_over_or_not(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("axis.store.register._NEAR", 1)
    monkeypatch.setattr("axis.store.register._WINDOW", 4)
    old = [written(number, ["H37", "G01"]) for number in range(4)]
    await put(store, *old, *(written(number, ["H37"]) for number in range(4, 9)))
    said = {0: ("H37", "02"), 1: ("G01", "03"), 2: ("H37", "02"), 3: ("G01", "02")}
    async with store.transaction() as tx:
        await tx.statuses(
            [
                status_row(old[number].envelope.id, reporter=code, recipients=(code,), code=told)
                for number, (code, told) in said.items()
            ],
            {(old[number].envelope.id, code): (told, NOW) for number, (code, told) in said.items()},
        )
    await keep(store)
    ids = [each.envelope.id for each in old]
    assert await found(store, business="03") == [ids[1]]
    assert await found(store, business="02", recipient="H37") == [ids[2], ids[0]]
    listed = await store.register.deliveries(Sought(business="02"))
    assert [(each.envelope_id, each.recipient) for each in listed][:2] == [(ids[3], "G01"), (ids[2], "H37")]
    assert await store.register.count_deliveries(Sought(business="03")) == 1
    assert await found(store, transport=Transport.ACCEPTED, recipient="G01") == [ids[2], ids[0]]


async def test_a_page_leaves_nothing_out_of_one_state_for_what_is_older_of_another(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What others took fills the walk over what was taken, and hides what is newer than what nobody took yet."""
    monkeypatch.setattr("axis.store.register._WINDOW", 3)
    mine = [written(number, ["H37"]) for number in range(4)]
    others = [written(number, ["G01"]) for number in range(4, 11)]
    await put(store, *mine, *others)
    taken = [(mine[3], "H37"), *((each, "G01") for each in others[:4])]
    async with store.transaction() as tx:
        await tx.statuses(
            [status_row(each.envelope.id, reporter=code, recipients=(code,)) for each, code in taken],
            {(each.envelope.id, code): ("01", NOW) for each, code in taken},
        )
    await keep(store)
    newest = [each.envelope.id for each in reversed(mine)]
    sought = Sought(account="H37", open=True)
    page = await store.register.search(sought, limit=3)
    assert [each.id for each in page] == newest[:3]
    assert [each.id for each in await store.register.search(sought, limit=3, before=page[-1].id)] == newest[3:]
    listed = await store.register.deliveries(sought, limit=3)
    assert [(each.envelope_id, each.recipient) for each in listed] == [(each, "H37") for each in newest[:3]]


async def test_a_document_is_open_to_its_recipient_by_its_own_deliveries(store: Store) -> None:
    both = written(1, ["H37", "G01"])
    await put(store, both)
    async with store.transaction() as tx:
        done = status_row(both.envelope.id, reporter="H37", recipients=("H37",), code="06")
        await tx.statuses([done], {(both.envelope.id, "H37"): ("06", NOW)})
    await keep(store)
    for words in (None, "G01"):  # what another is still to do is neither shown nor found
        for account, opened in (("H37", False), ("G01", True), ("G22", True), (None, True)):
            assert await found(store, account=account, open=opened, words=words) == [both.envelope.id]
            assert await found(store, account=account, open=not opened, words=words) == []
