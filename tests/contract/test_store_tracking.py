"""Statuses, track, quarantine and audit, on the fake and on PostgreSQL."""

import datetime as dt
from dataclasses import asdict
from typing import Any

import orjson
import pytest

from axis.core.ids import new_id
from axis.core.records import DeliveryState, QuarantineRow
from axis.core.tracking import DeliveryFact, EnvelopeFacts
from axis.store import Quarantined, Store, TrackedStatus, hostile
from tests.builders import NOW
from tests.contract.test_store_proofs import EVIDENCE
from tests.unit.store.rows import (
    accepted,
    certificate,
    delivery_row,
    envelope_row,
    notice_row,
    quarantine_row,
    sha256,
    status_row,
)

LATER = NOW + dt.timedelta(minutes=5)


async def quarantine(store: Store, *rows: QuarantineRow) -> None:
    async with store.transaction() as tx:
        await tx.quarantine(rows)


async def test_facts_of_the_envelopes_that_exist(store: Store) -> None:
    row = envelope_row(sender="H37.05", account="H37")
    first = accepted(
        deliveries=[
            delivery_row(row.id, "H01", resolved="H60", mailbox="H60"),
            delivery_row(row.id, "G01.02", mailbox="G01"),
        ],
        id=row.id,
        sender="H37.05",
        account="H37",
    )
    async with store.transaction() as tx:
        await tx.accept([first])
        facts = await tx.deliveries_of([row.id, new_id(NOW)])
    assert facts == {
        row.id: EnvelopeFacts(
            "H37.05", "H37", [DeliveryFact("G01.02", "G01.02", "G01", None), DeliveryFact("H01", "H60", "H60", None)]
        )
    }


async def test_facts_only_about_some_codes(store: Store) -> None:
    row = envelope_row()
    deliveries = [delivery_row(row.id, "H01", resolved="H60"), delivery_row(row.id, "H37"), delivery_row(row.id, "G01")]
    async with store.transaction() as tx:
        await tx.accept([accepted(deliveries=deliveries, id=row.id)])
        facts = await tx.deliveries_of([row.id], about={"H60", "H37", "Z99"})
        nobody = await tx.deliveries_of([row.id], about=set())
    assert [fact.recipient for fact in facts[row.id].deliveries] == ["H01", "H37"]
    assert nobody[row.id].deliveries == []


async def test_a_status_shows_what_its_reporters_certificate_was_taken_on(store: Store) -> None:
    await store.directory.put_certificate(certificate())
    await store.proofs.keep(EVIDENCE, LATER)
    _, _, (record,) = await store.directory.load()
    first = accepted(["H37"])
    with_it, without = (
        status_row(first.envelope.id, evidence=evidence, received_at=LATER + number * LATER.resolution)
        for number, evidence in enumerate((record.evidence, None))
    )
    async with store.transaction() as tx:
        await tx.accept([first])
        assert await tx.statuses([without, with_it], {}) == {}
    (tracked,) = await store.track(first.envelope.id)
    proofs = await store.proofs.proofs([record.evidence or 0])
    assert [each.proof for each in tracked.statuses] == [*proofs.values(), None]
    assert len(proofs) == 1


async def test_a_status_moves_its_deliveries_and_is_kept(store: Store) -> None:
    first = accepted(["H37", "G01"])
    status = status_row(first.envelope.id, reason="đúng thẩm quyền", recipients=("H37", "H37.05"))
    async with store.transaction() as tx:
        await tx.accept([first])
        assert await tx.known_statuses([status.id]) == {}
        assert await tx.statuses([status], {(first.envelope.id, "H37"): ("01", LATER)}) == {}
    async with store.transaction() as tx:
        assert await tx.known_statuses([status.id, new_id(NOW)]) == {status.id: status.sha256}
        facts = await tx.deliveries_of([first.envelope.id])
    assert {fact.recipient: fact.last_status for fact in facts[first.envelope.id].deliveries} == {
        "H37": "01",
        "G01": None,
    }
    (tracked,) = await store.track(first.envelope.id)
    assert tracked.statuses == (
        TrackedStatus(
            id=status.id,
            reporter="H37",
            recipients=("H37", "H37.05"),
            code="01",
            effect="advanced",
            at=status.at,
            received_at=status.received_at,
            reason="đúng thẩm quyền",
        ),
    )
    assert [(each.recipient, each.last_status, each.last_status_at) for each in tracked.deliveries] == [
        ("H37", "01", LATER),
        ("G01", None, None),
    ]


async def test_a_status_recorded_before_is_told(store: Store) -> None:
    first = accepted()
    old = status_row(first.envelope.id)
    async with store.transaction() as tx:
        await tx.accept([first])
        await tx.statuses([old], {})
    async with store.transaction() as tx:
        new = status_row(first.envelope.id)
        told = await tx.statuses([status_row(first.envelope.id, id=old.id, body=b"other"), new], {})
    assert told == {old.id: old.sha256}
    assert {status.id for status in (await store.track(first.envelope.id))[0].statuses} == {old.id, new.id}


async def test_several_deliveries_advance_in_one_call(store: Store) -> None:
    first, second = accepted(["H37", "G01"]), accepted(["H37"])
    advances = {
        (first.envelope.id, "H37"): ("03", NOW),
        (first.envelope.id, "G01"): ("02", LATER),
        (second.envelope.id, "H37"): ("01", NOW),
    }
    async with store.transaction() as tx:
        await tx.accept([first, second])
        await tx.statuses([status_row(first.envelope.id), status_row(second.envelope.id)], advances)
        facts = await tx.deliveries_of([first.envelope.id, second.envelope.id])
    assert {
        (envelope_id, each.recipient): each.last_status
        for envelope_id, all_ in facts.items()
        for each in all_.deliveries
    } == {key: code for key, (code, _) in advances.items()}


async def test_tracking_an_envelope_tells_everything(store: Store) -> None:
    first = accepted(["H37"], attachments=[sha256(b"x")])
    status = status_row(first.envelope.id)
    forwarded = notice_row(id=status.id, kind="status", about=first.envelope.id)
    async with store.transaction() as tx:
        await tx.accept([first])
        await tx.statuses([status], {(first.envelope.id, "H37"): ("01", NOW)})
        await tx.notices([forwarded])
    (before,) = await store.track(first.envelope.id)
    assert before.envelope.published_at is None
    assert before.deliveries[0].state is DeliveryState.ROUTED
    await store.mark_published([first.envelope.id], [status.id])
    (after,) = await store.track(f" {first.envelope.id.upper()} ")
    assert after.envelope.published_at is not None
    assert after.deliveries[0].state is DeliveryState.DELIVERED
    assert after.deliveries[0].delivered_at == after.envelope.published_at
    assert after.envelope.subject == first.envelope.subject
    assert after.envelope.sha256 == first.envelope.sha256
    assert {(each.id, each.kind, each.mailbox, each.published_at is None) for each in after.notices} == {
        (first.receipt.id, "receipt", "G22", True),
        (status.id, "status", "G22", False),
    }
    assert orjson.loads(orjson.dumps(asdict(after)))["envelope"]["id"] == first.envelope.id


async def test_tracking_a_document_finds_all_its_envelopes(store: Store) -> None:
    document = "H37,2026/11/24,5/QĐ-UBND"
    envelopes = [accepted(document_id=document, concerns=None if n == 0 else new_id(NOW)) for n in range(3)]
    async with store.transaction() as tx:
        await tx.accept([*envelopes, accepted()])
    found = await store.track(document)
    assert [each.envelope.id for each in found] == sorted((each.envelope.id for each in envelopes), reverse=True)
    assert all(len(each.deliveries) == len(each.notices) == 1 for each in found)


async def test_a_document_id_may_look_like_an_envelope_id(store: Store) -> None:
    document = new_id(NOW)
    async with store.transaction() as tx:
        await tx.accept([accepted(document_id=document)])
    assert [each.envelope.document_id for each in await store.track(document)] == [document]


@pytest.mark.parametrize("term", ["", "no such document", "\0", "\ud800", "' OR 1=1 --", "%"])
async def test_tracking_what_is_unknown_finds_nothing(store: Store, term: str) -> None:
    assert await store.track(term) == ()


async def test_envelopes_of_a_sender_are_listed_newest_first(store: Store) -> None:
    mine = [accepted(id=new_id(NOW + dt.timedelta(seconds=n))) for n in range(3)]
    async with store.transaction() as tx:
        await tx.accept([*mine, accepted(sender="H37")])
    newest, *older = reversed([each.envelope.id for each in mine])
    assert [each.id for each in await store.sent("G22", 1)] == [newest]
    assert [each.id for each in await store.sent("G22", 10, before=newest)] == older
    assert await store.sent("Z99", 10) == ()


# Quarantine


async def test_quarantine_comes_back_with_its_bytes(store: Store) -> None:
    row = quarantine_row(headers={"axis-signature": "none", "tiêu đề": "ê"})
    await quarantine(store, row)
    expected = Quarantined(
        id=row.id,
        received_at=NOW,
        last_seen_at=NOW,
        count=1,
        size=len(row.body),
        source=row.source,
        reason=row.reason,
        detail=row.detail,
        account=row.account,
        message_id=row.message_id,
        sha256=row.sha256,
        headers=row.headers,
        body=row.body,
    )
    assert await store.quarantined() == (expected,)
    assert await store.quarantined_one(row.id) == expected
    assert await store.quarantined_one(new_id(NOW)) is None
    assert await store.quarantined_one("no id") is None


@pytest.mark.parametrize("account", ["G22", None])
async def test_the_same_bytes_are_kept_once_and_counted(store: Store, account: str | None) -> None:
    rows = [quarantine_row(account=account, received_at=NOW + dt.timedelta(minutes=n)) for n in range(4)]
    await quarantine(store, rows[0], rows[1])
    await quarantine(store, rows[2])
    await quarantine(store, rows[3])
    (only,) = await store.quarantined()
    assert (only.id, only.count, only.received_at) == (rows[0].id, 4, NOW)
    assert only.last_seen_at == rows[3].received_at


async def test_other_bytes_account_or_reason_are_kept_apart(store: Store) -> None:
    await quarantine(
        store,
        quarantine_row(),
        quarantine_row(account=None),
        quarantine_row(account="H37"),
        quarantine_row(reason="message/poison"),
        quarantine_row(body=b"other"),
    )
    assert [each.count for each in await store.quarantined()] == [1] * 5


async def test_quarantine_is_listed_by_reason_and_page(store: Store) -> None:
    rows = [quarantine_row(body=bytes([n]), received_at=NOW + dt.timedelta(minutes=n)) for n in range(4)]
    await quarantine(store, *rows, quarantine_row(reason="message/poison"))
    listed = await store.quarantined(2, reason="message/not-json")
    assert [each.id for each in listed] == [rows[3].id, rows[2].id]
    rest = await store.quarantined(10, reason="message/not-json", before=listed[-1].last_seen_at)
    assert [each.id for each in rest] == [rows[1].id, rows[0].id]


async def test_what_was_set_aside_at_one_moment_is_listed_whole(store: Store) -> None:
    rows = [quarantine_row(body=bytes([n])) for n in range(5)]
    await quarantine(store, *rows)
    listed: list[str] = []
    place: dict[str, Any] = {}
    while found := await store.quarantined(2, **place):
        listed += [each.id for each in found]
        place = {"before": found[-1].last_seen_at, "behind": found[-1].id}
    assert listed == sorted((each.id for each in rows), reverse=True)


HOSTILE = "a\0b\ud800c\udfff\U0001f600đ"
HOSTILE_KEPT = "a\ufffdb\ufffdc\ufffd\U0001f600đ"


async def test_hostile_text_is_kept_and_stops_nobody(store: Store) -> None:
    hostile_row = quarantine_row(
        source=HOSTILE,
        reason=HOSTILE,
        detail=HOSTILE,
        account=HOSTILE,
        message_id=HOSTILE,
        headers={HOSTILE: HOSTILE, "\\u0000": '"'},
    )
    neighbour, envelope = quarantine_row(), accepted()
    async with store.transaction() as tx:
        await tx.accept([envelope])
        await tx.quarantine([hostile_row, neighbour])
    kept = await store.quarantined_one(hostile_row.id)
    assert kept is not None
    assert {kept.source, kept.reason, kept.detail, kept.account, kept.message_id} == {HOSTILE_KEPT}
    assert kept.headers == {HOSTILE_KEPT: HOSTILE_KEPT, "\\u0000": '"'}
    assert kept.body == hostile_row.body
    assert await store.quarantined_one(neighbour.id) is not None
    assert len(await store.track(envelope.envelope.id)) == 1


async def test_what_is_too_long_is_cut(store: Store) -> None:
    body = b"x" * (hostile.MAX_BODY + 1)
    row = quarantine_row(
        account="đ" * 10_000,
        message_id="\ud800" * 10_000,
        detail="đ" * 10_000,
        headers={f"{n}": "v" * 10_000 for n in range(1_000)},
        body=body,
    )
    await quarantine(store, row)
    (kept,) = await store.quarantined()
    assert (kept.size, len(kept.body), kept.sha256) == (len(body), hostile.MAX_BODY, sha256(body))
    assert kept.account is not None
    assert kept.message_id is not None
    assert (len(kept.account), len(kept.message_id), len(kept.detail)) == (255, 255, 4_000)
    assert len(kept.headers) == hostile.MAX_HEADERS
    assert {len(value) for value in kept.headers.values()} == {4_000}


async def test_audit_takes_what_it_is_given(store: Store) -> None:
    await store.audit("operator", "quarantine show", "x\0y", {"id": 1, "when": NOW, "list": [None, True, "\ud800"]})
    await store.audit("operator", "doctor", "axis")
