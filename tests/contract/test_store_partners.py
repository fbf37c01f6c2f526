"""What lies ready for existing document systems and what they sent, on the fake and on PostgreSQL."""

import asyncio
import datetime as dt
import hashlib
import unicodedata
from dataclasses import replace
from typing import Any

import pytest

from axis.core.ids import new_id
from axis.core.partners import (
    MOVES,
    Application,
    CodeForm,
    Incoming,
    Kind,
    Outcome,
    Outgoing,
    Partner,
    Plane,
    Profile,
    Wanted,
    Withdrawn,
    key_of,
)
from axis.core.records import Accepted
from axis.errors import Refused
from axis.store import Store
from tests.unit.store.rows import accepted

NOW = dt.datetime(2026, 11, 24, 8, 0, tzinfo=dt.UTC)
SYSTEM = "00.37.W00"
EVER = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


def partner(system_id: str = SYSTEM, **changes: Any) -> Partner:
    base = {"profile": Profile.VXP, "codes": {"H37": "H37", "H37.05": "H37"}, "added_at": NOW}
    return Partner(system_id, **{**base, **changes})


def incoming(minutes: int = 0, **changes: Any) -> Incoming:
    at = NOW + dt.timedelta(minutes=minutes)
    base = {
        "doc_id": new_id(at),
        "system_id": SYSTEM,
        "agency": "H37",
        "message_id": new_id(at),
        "kind": Kind.EDOC,
        "sender": "G22",
        "recipients": ("H37",),
        "document_id": "G22,2026/11/24,7816/VPCP-TTĐT",
        "subject": "Về việc triển khai",
        "notation": "7816/VPCP-TTĐT",
        "sha256": hashlib.sha256(b"x").hexdigest(),
        "size": 1,
        "created_at": at,
        "updated_at": at,
    }
    return Incoming(**{**base, **changes})


def outgoing(minutes: int = 0, **changes: Any) -> Outgoing:
    at = NOW + dt.timedelta(minutes=minutes)
    identifier = new_id(at)
    base = {
        "doc_id": identifier,
        "key": key_of(system_id=SYSTEM, sender="H37", document_id="H37,1", business="0", sha256="ab"),
        "system_id": SYSTEM,
        "agency": "H37",
        "kind": Kind.EDOC,
        "sender": "H37",
        "recipients": ("G22", "H53"),
        "document_id": "H37,1",
        "subject": "Về việc",
        "notation": "1/UBND",
        "message_id": identifier,
        "created_at": at,
    }
    return Outgoing(**{**base, **changes})


async def test_partners_come_back_as_they_were_put_and_change(store: Store) -> None:
    one = partner(strict=True, code_form=CodeForm.QD20, clock_minutes=15)
    other = partner("vxp.saas.03", profile=Profile.LGSP, codes={"H53": "H53"})
    await store.partners.put(one)
    await store.partners.put(other)
    assert await store.partners.partners() == [one, other]
    fewer = replace(one, codes={"H37": "H37"}, clock_minutes=None)
    await store.partners.put(fewer)
    assert await store.partners.partners() == [fewer, other]


async def test_a_code_is_one_partners_until_that_one_ends(store: Store) -> None:
    await store.partners.put(partner())
    with pytest.raises(Refused) as refused:
        await store.partners.put(partner("other", codes={"H53": "H53", "H37.05": "H37"}))
    assert refused.value.code == "partner/code-taken"
    with pytest.raises(Refused) as refused:  # another unit of the same mailbox
        await store.partners.put(partner("other", codes={"H37.06": "H37"}))
    assert refused.value.code == "partner/code-taken"
    assert [each.system_id for each in await store.partners.partners()] == [SYSTEM]
    await store.partners.put(partner(ended_at=NOW))
    assert (await store.partners.partners())[0].codes == {}
    await store.partners.put(partner("other", codes={"H37.05": "H37"}))


async def test_what_waits_goes_to_the_system_that_takes_an_agency_over(store: Store) -> None:
    waiting, done = incoming(0), incoming(1)
    await store.partners.put(partner())
    for each in (waiting, done):
        await store.partners.receive(each)
    await store.partners.move(SYSTEM, done.doc_id, Plane.DONE, "", NOW)
    await store.partners.put(partner(ended_at=NOW))
    await store.partners.put(partner("new", codes={"H37": "H37"}))
    assert [each.doc_id for each in await store.partners.listed("new", Wanted(Kind.EDOC))] == [waiting.doc_id]
    assert await store.partners.listed(SYSTEM, Wanted(Kind.EDOC)) == []
    assert await store.partners.incoming(SYSTEM, done.doc_id) is not None


async def test_what_comes_after_an_agency_was_taken_over_is_its_new_systems(store: Store) -> None:
    await store.partners.put(partner())
    await store.partners.put(partner(ended_at=NOW))
    await store.partners.put(partner("other"))
    package = incoming(recipients=tuple(f"H37.{number:02}" for number in range(60)))
    assert await store.partners.receive(package)  # looked up for the old one before
    assert await store.partners.listed(SYSTEM, Wanted(Kind.EDOC)) == []
    (found,) = await store.partners.listed("other", Wanted(Kind.EDOC, recipient="H37.59"))
    assert (found.doc_id, found.recipients) == (package.doc_id, package.recipients[:50])


async def test_a_page_of_what_was_sent_ends_where_it_has_too_many_recipients(store: Store) -> None:
    many = tuple(f"H37.{number}" for number in range(12_000))
    for minute in range(3):
        digest = hashlib.sha256(bytes([minute])).digest()
        await store.partners.begin(outgoing(minute, key=digest, recipients=many))
    assert len(await store.partners.sent(SYSTEM, Kind.EDOC, size=9, page=0)) == 2
    assert len(await store.partners.sent(SYSTEM, Kind.EDOC, size=1, page=2)) == 1


async def test_a_message_is_one_package_however_often_it_comes(store: Store) -> None:
    first = incoming()
    again = replace(first, doc_id=new_id(NOW + dt.timedelta(minutes=1)))
    async with asyncio.TaskGroup() as group:  # so many that two of them are written at the same moment
        told = [group.create_task(store.partners.receive(each)) for each in (first, *[again] * 20)]
    assert sorted(each.result() for each in told) == [False] * 20 + [True]
    assert len(await store.partners.listed(SYSTEM, Wanted(Kind.EDOC))) == 1
    # The same envelope in another mailbox is another package.
    elsewhere = replace(again, doc_id=new_id(NOW + dt.timedelta(minutes=2)), agency="H53", system_id="other")
    assert await store.partners.receive(elsewhere)


async def test_the_list_is_of_what_waits_by_page_and_by_what_is_asked(store: Store) -> None:
    packages = [incoming(minute, recipients=("H37.05",) if minute % 2 else ("H37",)) for minute in range(5)]
    status = incoming(9, kind=Kind.STATUS, content=b"<edXML/>")
    for each in (*packages, status):
        await store.partners.receive(each)

    async def listed(system: str = SYSTEM, **asked: Any) -> list[str]:
        return [each.doc_id for each in await store.partners.listed(system, Wanted(**{"kind": Kind.EDOC, **asked}))]

    ids = [each.doc_id for each in packages]
    assert await listed() == ids
    assert await listed("other") == []
    assert await listed(size=2, page=1) == ids[2:4]
    assert await listed(recipient="H37.05") == [ids[1], ids[3]]
    assert await listed(since=NOW + dt.timedelta(minutes=1), until=NOW + dt.timedelta(minutes=3)) == ids[1:3]
    assert await listed(kind=Kind.STATUS) == [status.doc_id]
    assert (await store.partners.listed(SYSTEM, Wanted(Kind.STATUS)))[0].content is None
    assert await store.partners.incoming(SYSTEM, status.doc_id) == status
    assert await store.partners.incoming("other", status.doc_id) is None
    assert await store.partners.counted(SYSTEM, Kind.EDOC) == 5
    assert await store.partners.move(SYSTEM, ids[0], Plane.FAIL, "không đọc được", NOW)
    assert await store.partners.move(SYSTEM, ids[1], Plane.PROCESSING, "", NOW)
    assert await listed() == ids[1:]
    assert await listed(states=frozenset({Plane.FAIL})) == ids[:1]
    assert await listed(states=frozenset({Plane.INITIAL})) == ids[2:]


@pytest.mark.parametrize("before", Plane)
@pytest.mark.parametrize("said", [Plane.PROCESSING, Plane.DONE, Plane.FAIL])
async def test_a_package_moves_as_the_table_says(store: Store, before: Plane, said: Plane) -> None:
    package = incoming(state=before, description="zuvor")
    await store.partners.receive(package)
    allowed = said is before or said in MOVES[before]
    assert await store.partners.move(SYSTEM, package.doc_id, said, "nay", NOW) is allowed
    found = await store.partners.incoming(SYSTEM, package.doc_id)
    assert found is not None
    assert (found.state, found.description) == ((said, "nay") if allowed else (before, "zuvor"))


async def test_nobody_moves_what_is_anothers_or_unknown(store: Store) -> None:
    package = incoming()
    await store.partners.receive(package)
    assert not await store.partners.move("other", package.doc_id, Plane.DONE, "", NOW)
    assert not await store.partners.move(SYSTEM, new_id(NOW), Plane.DONE, "", NOW)


async def test_what_is_done_is_to_be_reported_once(store: Store) -> None:
    done, status, waiting = incoming(0), incoming(1, kind=Kind.STATUS, content=b"x"), incoming(2)
    for each in (done, status, waiting):
        await store.partners.receive(each)
    for each in (done, status):
        assert await store.partners.move(SYSTEM, each.doc_id, Plane.DONE, "", NOW)
    assert [each.doc_id for each in await store.partners.unreported(10, ["H37"])] == [done.doc_id]
    assert await store.partners.unreported(10, ["H53"]) == []
    await store.partners.reported(done.doc_id, NOW)
    assert await store.partners.unreported(10, ["H37"]) == []


async def test_what_the_partner_has_not_begun_with_can_be_withdrawn(store: Store) -> None:
    untouched, begun, fetched, wider = (incoming(minute) for minute in range(4))
    wider = replace(wider, recipients=("H37", "H37.05"))
    for each in (untouched, begun, fetched, wider):
        await store.partners.receive(each)
    await store.partners.move(SYSTEM, begun.doc_id, Plane.PROCESSING, "", NOW)
    assert await store.partners.fetch(fetched.doc_id, NOW)
    gone = Withdrawn(untouched.sha256, alone=True)
    for at in (NOW, NOW + dt.timedelta(1)):  # again is the same, and later changes nothing
        assert await store.partners.withdraw("H37", untouched.message_id, ["H37", "H53"], at) == gone
    assert not await store.partners.fetch(untouched.doc_id, NOW)
    for each in (begun, fetched, wider):
        assert await store.partners.withdraw("H37", each.message_id, ["H37"], NOW) is None
    assert await store.partners.withdraw("H53", wider.message_id, ["H37", "H37.05"], NOW) is None
    left = [begun.doc_id, fetched.doc_id, wider.doc_id]
    assert [each.doc_id for each in await store.partners.listed(SYSTEM, Wanted(Kind.EDOC))] == left
    assert await store.partners.counted(SYSTEM, Kind.EDOC) == 3
    assert not await store.partners.move(SYSTEM, untouched.doc_id, Plane.DONE, "", NOW)
    found = await store.partners.incoming(SYSTEM, untouched.doc_id)
    assert found is not None
    assert found.withdrawn_at == NOW


async def test_a_repeat_keeps_the_first_ones_ids(store: Store) -> None:
    first = await store.partners.begin(outgoing())
    repeats = await asyncio.gather(*(store.partners.begin(outgoing(minute)) for minute in range(1, 4)))
    assert all(each == first for each in repeats)
    await store.partners.refused(first.doc_id, "recipient/unknown")
    again = await store.partners.begin(outgoing(5))
    assert (again.doc_id, again.state, again.description) == (first.doc_id, Plane.FAIL, "recipient/unknown")
    await store.partners.submitted(first.doc_id, first.message_id, Plane.PROCESSING, NOW)
    await store.partners.refused(first.doc_id, "too late")
    kept = await store.partners.outgoing(SYSTEM, first.doc_id)
    assert kept is not None
    assert (kept.state, kept.description, kept.submitted_at) == (Plane.PROCESSING, "", NOW)
    assert await store.partners.outgoing("other", first.doc_id) is None


async def test_what_was_never_handed_over_begins_anew_before_its_id_is_too_old(store: Store) -> None:
    old = await store.partners.begin(outgoing())
    assert (await store.partners.begin(outgoing(60 * 24 * 24))).doc_id == old.doc_id
    fresh = outgoing(60 * 24 * 26)
    assert (await store.partners.begin(fresh)).doc_id == fresh.doc_id
    await store.partners.submitted(fresh.doc_id, fresh.message_id, Plane.PROCESSING, NOW)
    assert (await store.partners.begin(outgoing(60 * 24 * 60))).doc_id == fresh.doc_id


async def test_a_document_that_the_receipt_refused_begins_anew(store: Store) -> None:
    first = await store.partners.begin(outgoing())
    await store.partners.submitted(first.doc_id, first.message_id, Plane.PROCESSING, NOW)
    told = Outcome(Plane.FAIL, "recipient/unknown", "", NOW)
    assert await store.partners.answered(first.message_id, Plane.FAIL, "recipient/unknown", {"G22": told}, NOW)
    again = outgoing(recipients=("H53",))
    assert await store.partners.begin(again) == again
    assert await store.partners.begin(outgoing()) == again
    assert await store.partners.outgoing(SYSTEM, first.doc_id) is None
    status = await store.partners.begin(outgoing(key=b"k" * 32, kind=Kind.STATUS))
    assert await store.partners.answered(status.message_id, Plane.FAIL, "status/unknown", {}, NOW)
    assert (await store.partners.begin(outgoing(key=b"k" * 32, kind=Kind.STATUS))).doc_id == status.doc_id


async def test_receipt_and_statuses_in_any_order_end_the_same(store: Store) -> None:
    sent = await store.partners.begin(outgoing())
    routed = Outcome(Plane.INITIAL, "", "đã chuyển", NOW)
    refused = Outcome(Plane.FAIL, "recipient/unknown", "không có", NOW)
    arrived = Outcome(Plane.DONE, "01", "Đã đến", NOW + dt.timedelta(minutes=1))
    finished = Outcome(Plane.DONE, "06", "Hoàn thành", NOW + dt.timedelta(minutes=2))
    assert await store.partners.heard(sent.message_id, "G22", finished)
    assert not await store.partners.heard(sent.message_id, "G22", arrived)  # later heard, earlier said
    receipt = {"G22": routed, "H53": refused}
    assert await store.partners.answered(sent.message_id, Plane.DONE, "", receipt, NOW)
    await store.partners.submitted(sent.doc_id, sent.message_id, Plane.PROCESSING, NOW + dt.timedelta(minutes=9))
    kept = await store.partners.outgoing(SYSTEM, sent.doc_id)
    assert kept is not None
    assert kept.outcomes == {"G22": finished, "H53": refused}
    assert (kept.state, kept.submitted_at) == (Plane.DONE, NOW)
    other = await store.partners.begin(outgoing(key=hashlib.sha256(b"other").digest(), doc_id=new_id(NOW)))
    assert await store.partners.answered(
        other.message_id, Plane.DONE, "", {"G22": replace(routed, at=finished.at)}, NOW
    )
    assert await store.partners.heard(other.message_id, "G22", arrived)  # by a clock that is behind the axis's
    assert not await store.partners.answered(new_id(NOW), Plane.DONE, "", {}, NOW)
    assert not await store.partners.heard(new_id(NOW), "G22", arrived)


async def test_what_was_sent_is_listed_newest_first(store: Store) -> None:
    sent = [
        await store.partners.begin(outgoing(minute, key=hashlib.sha256(bytes([minute])).digest()))
        for minute in range(3)
    ]
    ids = [each.doc_id for each in reversed(sent)]
    assert [each.doc_id for each in await store.partners.sent(SYSTEM, Kind.EDOC, size=2, page=0)] == ids[:2]
    assert [each.doc_id for each in await store.partners.sent(SYSTEM, Kind.EDOC, size=2, page=1)] == ids[2:]
    assert await store.partners.sent(SYSTEM, Kind.STATUS, size=2, page=0) == []
    assert await store.partners.sent("other", Kind.EDOC, size=2, page=0) == []


def test_the_same_package_is_one_with_the_same_sender_document_business_and_content() -> None:
    facts = {"system_id": SYSTEM, "sender": "H37", "document_id": "H37,1/TTĐT", "business": "0", "sha256": "ab"}
    keys = {key_of(**{**facts, name: "other"}) for name in facts} | {key_of(**facts)}
    assert len(keys) == 6
    assert key_of(**{**facts, "document_id": unicodedata.normalize("NFD", "H37,1/TTĐT")}) == key_of(**facts)


async def test_a_wish_is_open_once_and_never_again_by_the_same_request(store: Store) -> None:
    def wish(number: int, fingerprint: bytes = b"a") -> Application:
        at = NOW + dt.timedelta(minutes=number)
        detail = {"name": "Sở Tư pháp"}
        return Application(new_id(at), SYSTEM, "register", "H37.09", detail, hashlib.sha256(fingerprint).digest(), at)

    first = wish(0)
    assert await store.partners.apply(first)
    assert not await store.partners.apply(wish(1))
    assert not await store.partners.apply(wish(2, b"b"))
    assert await store.partners.applications() == [first]
    assert await store.partners.applications("other") == []
    assert await store.partners.close_application(first.id, NOW)
    assert not await store.partners.close_application(first.id, NOW)
    with pytest.raises(Refused) as refused:
        await store.partners.apply(wish(3))
    assert refused.value.code == "partner/replayed"
    assert await store.partners.apply(wish(4, b"c"))


async def test_an_envelope_is_found_by_its_document_and_sender(store: Store) -> None:
    sent = accepted(document_id="G22,2026/11/24,1/Vụ Hành chính")
    async with store.transaction() as tx:
        await tx.accept([sent])
    envelope, (delivery, *_) = sent.envelope, sent.deliveries
    assert delivery.mailbox is not None
    (found,) = await store.partners.found_received(envelope.document_id, envelope.sender, delivery.mailbox)
    assert (found.id, found.action, found.sender) == (envelope.id, "new", envelope.sender)
    assert delivery.recipient in found.recipients
    assert await store.partners.found_received(envelope.document_id, envelope.sender, "Z99") == []
    assert await store.partners.found_received(envelope.document_id, "Z99", "H37") == []
    assert await store.partners.found_received("unknown", envelope.sender, "H37") == []
    decomposed = unicodedata.normalize("NFD", envelope.document_id)
    assert decomposed != envelope.document_id
    assert len(await store.partners.found_received(decomposed, envelope.sender, "H37")) == 1
    assert len(await store.partners.found_sent(decomposed, envelope.sender, ["H37"])) == 1
    assert await store.partners.envelope(envelope.id) == envelope.body
    assert await store.partners.envelope(new_id(NOW)) is None


async def test_a_version_is_found_behind_twenty_newer_ones_to_others(store: Store) -> None:
    def version(minutes: int, *recipients: str, action: str = "new") -> Accepted:
        return accepted(recipients, id=new_id(NOW + dt.timedelta(minutes=minutes)), action=action)

    both, ours = version(0, "H37", "H53"), version(1, "H37")
    others = [version(2 + minute, f"H{minute + 1:02}") for minute in range(21)]
    recalls = [version(30 + minute, "H37", action="recall") for minute in range(21)]
    async with store.transaction() as tx:
        await tx.accept([both, ours, *others, *recalls])
    document_id, sender = both.envelope.document_id, both.envelope.sender
    found = await store.partners.found_received(document_id, sender, "H53")
    assert [each.id for each in found] == [both.envelope.id]
    sent = await store.partners.found_sent(document_id, sender, ["H37"])
    assert [each.id for each in sent[:2]] == [ours.envelope.id, both.envelope.id]
    assert (sent[2].id, sent[2].recipients, len(sent)) == (others[-1].envelope.id, (), 20)
    sent = await store.partners.found_sent(document_id, sender, ["H37", "H53"])
    assert [each.recipients for each in sent[:2]] == [("H37", "H53"), ("H37",)]


async def test_the_audit_does_not_miss_what_is_held_for_a_partner(store: Store) -> None:
    sent = accepted()
    async with store.transaction() as tx:
        await tx.accept([sent])
    await store.mark_published([sent.envelope.id], [])
    until = await store.comparing.now() + dt.timedelta(hours=1)

    async def missing() -> list[str]:
        pages = store.comparing.unanswered(EVER, until, made_since=EVER)
        return [copy.mailbox async for page in pages for copy in page]

    mailboxes = await missing()
    assert mailboxes
    await store.partners.receive(incoming(message_id=sent.envelope.id, agency=mailboxes[0]))
    assert await missing() == mailboxes[1:]
