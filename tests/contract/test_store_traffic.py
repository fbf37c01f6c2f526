"""Envelopes, publishing and blobs, on the fake and on PostgreSQL."""

import datetime as dt

import pytest

from axis.core.ids import new_id
from axis.core.records import Accepted, DeliveryState, Existing, Hold
from axis.store import Store
from tests.builders import NOW
from tests.unit.store.rows import accepted, delivery_row, envelope_row, held, notice_row, sha256

AT_ONCE = dt.timedelta(0)
AN_HOUR = dt.timedelta(hours=1)


async def accept(store: Store, *envelopes: Accepted) -> dict[str, Existing]:
    async with store.transaction() as tx:
        return await tx.accept(envelopes)


async def test_a_new_envelope_did_not_exist_and_is_found_again_with_its_receipt(store: Store) -> None:
    first = accepted(["H37", "G01"], attachments=[sha256(b"a")], concerns=new_id(NOW), action="recall")
    assert await accept(store, first) == {}
    again = await accept(store, first)
    assert again == {
        first.envelope.id: Existing(first.envelope, published=False, receipt=first.receipt, deliveries=first.deliveries)
    }


async def test_the_first_one_counts_whoever_comes_with_the_same_id(store: Store) -> None:
    first = accepted()
    other = accepted(id=first.envelope.id, body=b"other bytes", account="H37", sender="H37")
    await accept(store, first)
    existing = await accept(store, other)
    assert existing[first.envelope.id].envelope == first.envelope
    assert existing[first.envelope.id].receipt == first.receipt
    (tracked,) = await store.track(first.envelope.id)
    assert len(tracked.notices) == 1


async def test_new_and_known_envelopes_in_one_batch(store: Store) -> None:
    old, new = accepted(), accepted()
    await accept(store, old)
    assert set(await accept(store, new, old)) == {old.envelope.id}
    assert set(await accept(store, new, old)) == {old.envelope.id, new.envelope.id}


async def test_a_marked_envelope_comes_back_without_deliveries(store: Store) -> None:
    first = accepted()
    await accept(store, first)
    await store.mark_published([first.envelope.id], [first.receipt.id])
    assert await accept(store, first) == {
        first.envelope.id: Existing(first.envelope, published=True, receipt=first.receipt)
    }


async def test_nothing_of_a_failed_transaction_is_there(store: Store) -> None:
    first = accepted()

    async def fail() -> None:
        async with store.transaction() as tx:
            await tx.accept([first])
            await tx.notices([notice_row()])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await store.track(first.envelope.id) == ()
    assert await store.unpublished(AT_ONCE, 10) == ([], [])


async def test_accepting_nothing_is_fine(store: Store) -> None:
    assert await accept(store) == {}
    async with store.transaction() as tx:
        await tx.notices([])
        await tx.quarantine([])
        assert await tx.deliveries_of([]) == {}
        assert await tx.known_statuses([]) == {}
    await store.mark_published([], [])


async def test_every_way_of_a_delivery_comes_back_as_it_was(store: Store) -> None:
    row = envelope_row()
    deliveries = (
        delivery_row(row.id, "H37.05", mailbox="H37", via=("H37.05 → H37: không có hộp thư", "bước hai")),
        delivery_row(row.id, "H01", resolved="H60", mailbox="H60", via=("via successor",)),
        delivery_row(
            row.id,
            "Z99",
            resolved=None,
            mailbox=None,
            state=DeliveryState.REFUSED,
            reason="recipient/unknown",
            detail="?",
        ),
        held(row.id, "G01"),
    )
    mixed = Accepted(row, deliveries, (), notice_row(about=row.id))
    await accept(store, mixed)
    assert (await accept(store, mixed))[row.id].deliveries == deliveries


async def test_a_document_for_every_commune(store: Store) -> None:
    codes = [f"H{n // 100:02}.{n % 100:02}" for n in range(3_321)]
    wide, narrow = accepted(codes), accepted()
    await accept(store, wide, narrow)
    (tracked,) = await store.track(wide.envelope.id)
    assert [delivery.recipient for delivery in tracked.deliveries] == codes


async def test_what_is_unmarked_is_handed_out_with_its_deliveries(store: Store) -> None:
    first, second, done = accepted(["H37", "G01"]), accepted(), accepted()
    await accept(store, second, first, done)
    await store.mark_published([done.envelope.id], [done.receipt.id, first.receipt.id])
    envelopes, notices = await store.unpublished(AT_ONCE, 10)
    assert envelopes == [
        (each.envelope, list(each.deliveries)) for each in sorted([first, second], key=lambda each: each.envelope.id)
    ]
    assert notices == [second.receipt]


async def test_what_is_young_is_not_handed_out(store: Store) -> None:
    await accept(store, accepted())
    assert await store.unpublished(AN_HOUR, 10) == ([], [])


async def test_what_cannot_be_published_does_not_keep_the_others_back(store: Store) -> None:
    many = [accepted() for _ in range(6)]
    for each in many:
        await accept(store, each)
    seen: list[str] = []
    for _ in range(3):
        envelopes, notices = await store.unpublished(AT_ONCE, 2)
        assert len(envelopes) == len(notices) == 2
        seen += [envelope.id for envelope, _ in envelopes]
    assert sorted(seen) == sorted(each.envelope.id for each in many)


async def test_a_receipt_is_handed_out_with_its_envelope_or_after_it_never_before(store: Store) -> None:
    first, second = accepted(), accepted()
    await accept(store, first)
    await accept(store, second)
    await store.mark_published([], [first.receipt.id])
    assert await store.unpublished(AT_ONCE, 1) == ([(first.envelope, list(first.deliveries))], [])
    assert await store.unpublished(AT_ONCE, 1) == ([(second.envelope, list(second.deliveries))], [second.receipt])
    await store.mark_published([first.envelope.id, second.envelope.id], [])
    assert await store.unpublished(AT_ONCE, 1) == ([], [second.receipt])


async def test_a_notice_is_stored_once(store: Store) -> None:
    notice = notice_row()
    for body in (notice.body, b"other"):
        async with store.transaction() as tx:
            await tx.notices([notice_row(id=notice.id, body=body)])
    assert await store.unpublished(AT_ONCE, 10) == ([], [notice])


async def test_a_status_with_the_id_of_a_receipt_is_a_notice_of_its_own(store: Store) -> None:
    receipt = notice_row()
    status = notice_row(id=receipt.id, kind="status", mailbox="H37", about=new_id(NOW))
    async with store.transaction() as tx:
        await tx.notices([receipt, status])
    _, notices = await store.unpublished(AT_ONCE, 10)
    assert sorted(each.kind for each in notices) == ["receipt", "status"]


async def test_marking_twice_or_what_is_unknown_changes_nothing(store: Store) -> None:
    first = accepted()
    await accept(store, first)
    await store.mark_published([first.envelope.id], [])
    (before,) = await store.track(first.envelope.id)
    await store.mark_published([first.envelope.id, new_id(NOW)], [new_id(NOW)])
    assert await store.track(first.envelope.id) == (before,)


async def test_held_deliveries_are_released_one_queue_at_a_time(store: Store) -> None:
    row = envelope_row()
    deliveries = (
        delivery_row(row.id, "H37"),
        held(row.id, "G01"),
        held(row.id, "H38.05", mailbox="H38"),
        held(row.id, "H38"),
    )
    await accept(store, Accepted(row, deliveries, (), notice_row(about=row.id)))
    await store.mark_published([row.id], [])
    assert await store.held_queues() == {"mailbox.normal.G01", "mailbox.normal.H38"}
    asked = ["mailbox.normal.H38", "mailbox.urgent.H38", "mailbox.normal.H37"]
    assert await store.behind(asked) == {"mailbox.normal.H38"}
    assert await store.behind([]) == frozenset()
    assert await store.held("mailbox.normal.H38", 1) == [(row, list(deliveries[2:]))]
    assert await store.held("mailbox.urgent.H38", 10) == []
    await store.release("mailbox.normal.H38", [row.id])
    assert await store.held("mailbox.normal.H38", 10) == []
    assert await store.held_queues() == {"mailbox.normal.G01"}
    (tracked,) = await store.track(row.id)
    states = {delivery.recipient: delivery for delivery in tracked.deliveries}
    assert {code: each.state for code, each in states.items()} == {
        "H37": DeliveryState.DELIVERED,
        "G01": DeliveryState.HELD,
        "H38.05": DeliveryState.DELIVERED,
        "H38": DeliveryState.DELIVERED,
    }
    assert states["H38"].reason is None
    assert states["G01"].reason == "mailbox/not-ready"
    assert states["G01"].delivered_at is None


async def test_routed_deliveries_can_be_held(store: Store) -> None:
    first = accepted(["H37", "G01"])
    await accept(store, first)
    await store.hold(
        [
            Hold(first.envelope.id, "G01", "mailbox.normal.G01", "mailbox/not-taking", "gone"),
            Hold(first.envelope.id, "Z99", "mailbox.normal.Z99", "mailbox/not-taking", "gone"),
        ]
    )
    ((_, (found,)),) = await store.held("mailbox.normal.G01", 10)
    assert (found.recipient, found.state, found.reason) == ("G01", DeliveryState.HELD, "mailbox/not-taking")
    assert await store.held_queues() == {"mailbox.normal.G01"}
    ((_, deliveries),) = (await store.unpublished(AT_ONCE, 10))[0]
    assert [each.state for each in deliveries] == [DeliveryState.ROUTED, DeliveryState.HELD]


async def test_what_is_held_goes_in_the_order_of_holding_whatever_the_ids_say(store: Store) -> None:
    rows = sorted((envelope_row() for _ in range(4)), key=lambda row: row.id, reverse=True)
    for row in rows[:3]:
        await accept(store, Accepted(row, (held(row.id, "G01"),), (), notice_row(about=row.id)))
    await accept(store, Accepted(rows[3], (delivery_row(rows[3].id, "G01"),), (), notice_row(about=rows[3].id)))
    await store.hold([Hold(rows[3].id, "G01", "mailbox.normal.G01", "mailbox/not-taking", "nack")])
    found = await store.held("mailbox.normal.G01", 10)
    assert [row.id for row, _ in found] == [row.id for row in rows]
    assert [row.id for row, _ in await store.held("mailbox.normal.G01", 2)] == [row.id for row in rows[:2]]


async def test_what_cannot_be_published_is_handed_out_less_and_less(store: Store) -> None:
    await accept(store, accepted(["H37"]))
    handed_out = 0
    for _ in range(3):
        envelopes, _ = await store.unpublished(AT_ONCE, 10)
        handed_out += len(envelopes)
    assert handed_out == 3, "a wait of nothing stays nothing"
    assert await store.unpublished(dt.timedelta(milliseconds=1) * 1_000_000, 10) == ([], [])


# Suspects


async def test_suspects_are_counted_until_they_are_cleared(store: Store) -> None:
    one, two, three = (bytes([number]) * 32 for number in range(3))
    assert await store.suspects.times([]) == {}
    await store.suspects.note([one, two, one])
    await store.suspects.note([two, three])
    assert await store.suspects.times([one, two, three, b"x" * 32]) == {one: 1, two: 2, three: 1}
    await store.suspects.clear([one, two, b"x" * 32])
    await store.suspects.clear([])
    assert await store.suspects.times([one, two, three]) == {three: 1}


# Blobs


async def test_a_blob_belongs_to_who_uploaded_it(store: Store) -> None:
    digest = sha256(b"abcde")
    await store.blobs.record_upload(digest, 5, "G22")
    await store.blobs.record_upload(digest, 5, "G22")
    assert await store.blobs.known("G22", {digest, sha256(b"other")}) == {digest: 5}
    assert await store.blobs.known("H37", {digest}) == {}
    assert await store.blobs.known("G22", set()) == {}
    assert not await store.blobs.may_read("H37", digest)
    await store.blobs.record_upload(digest, 5, "H37")
    assert await store.blobs.known("H37", [digest]) == {digest: 5}


async def test_sender_and_recipients_of_an_envelope_may_read_its_blobs(store: Store) -> None:
    digest, unnamed = sha256(b"abcde"), sha256(b"unnamed")
    for each in (digest, unnamed):
        await store.blobs.record_upload(each, 5, "B01")
    row = envelope_row()
    refused = delivery_row(row.id, "H01", mailbox="H01", state=DeliveryState.REFUSED, reason="recipient/closed")
    nowhere = delivery_row(row.id, "Z99", resolved=None, mailbox=None, state=DeliveryState.REFUSED)
    deliveries = [delivery_row(row.id, "H37.05", mailbox="H37"), held(row.id, "G01"), refused, nowhere]
    await accept(store, accepted(deliveries=deliveries, attachments=[digest], id=row.id))
    allowed = {code for code in ("G22", "H37", "G01", "B01") if await store.blobs.may_read(code, digest)}
    assert allowed == {"G22", "H37", "G01", "B01"}
    assert not any([await store.blobs.may_read(code, digest) for code in ("H37.05", "H01", "Z99", "H38")])
    assert not await store.blobs.may_read("H37", unnamed)
    assert await store.blobs.known("H37", [digest, unnamed]) == {digest: 5}
