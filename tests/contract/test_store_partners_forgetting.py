"""What existing document systems are done with is forgotten, on the fake and on PostgreSQL."""

import datetime as dt
import hashlib
from dataclasses import replace

from axis.core.ids import new_id
from axis.core.partners import Kind, Plane
from axis.store import Store
from tests.contract.test_store_partners import EVER, NOW, SYSTEM, incoming, outgoing


async def test_what_is_finished_is_forgotten_after_a_while_and_nothing_else(store: Store) -> None:
    day, long_ago = dt.timedelta(days=1), EVER
    ready, failed, due, done, status, gone, fresh = (incoming(number, sha256=f"{number:064x}") for number in range(7))
    status = replace(status, kind=Kind.STATUS, content=b"x")
    gone = replace(gone, updated_at=long_ago)
    for each in (ready, failed, due, done, status, gone, fresh):
        await store.partners.receive(each)
    await store.partners.move(SYSTEM, failed.doc_id, Plane.FAIL, "", long_ago)
    for each in (due, done, status):
        await store.partners.move(SYSTEM, each.doc_id, Plane.DONE, "", long_ago)
    await store.partners.move(SYSTEM, fresh.doc_id, Plane.DONE, "", NOW + day)
    for each in (done, fresh):
        await store.partners.reported(each.doc_id, long_ago)
    assert await store.partners.withdraw("H37", gone.message_id, ["H37"], long_ago) is not None
    assert await store.partners.forget_incoming(long_ago, 9) == 0
    assert [await store.partners.forget_incoming(NOW, 2) for _ in range(3)] == [2, 1, 0]
    kept = {each.sha256 for each in (ready, failed, due, fresh)}
    assert await store.partners.needed([*kept, done.sha256, status.sha256, gone.sha256]) == kept
    assert await store.partners.receive(replace(done, doc_id=new_id(NOW)))  # nobody knows it any more


async def test_what_was_sent_is_forgotten_unless_its_receipt_is_waited_for(store: Store) -> None:
    answered, waiting, never, fresh = (
        outgoing(number, key=hashlib.sha256(str(number).encode()).digest(), created_at=EVER) for number in range(4)
    )
    fresh = replace(fresh, created_at=NOW)
    for each in (answered, waiting, never, fresh):
        await store.partners.begin(each)
    for each in (answered, waiting):
        await store.partners.submitted(each.doc_id, each.message_id, Plane.PROCESSING, EVER)
    await store.partners.answered(answered.message_id, Plane.DONE, "", {}, EVER)
    assert [await store.partners.forget_outgoing(NOW, 1) for _ in range(3)] == [1, 1, 0]
    left = await store.partners.sent(SYSTEM, Kind.EDOC, size=9, page=0)
    assert {each.doc_id for each in left} == {waiting.doc_id, fresh.doc_id}
