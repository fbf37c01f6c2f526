"""What waits in the store, for whoever watches it."""

import pytest

from axis.core.records import Hold
from axis.errors import Unavailable
from axis.store import Backlog, FakeStore, Store
from tests.builders import NOW
from tests.unit.store.rows import accepted, notice_row, quarantine_row


async def test_what_waits_is_counted_with_the_oldest_and_by_reason(store: Store) -> None:
    assert await store.backlog.look() == Backlog()
    first, second = accepted(recipients=("H37", "H26")), accepted()
    async with store.transaction() as tx:
        await tx.accept([first, second])
        await tx.notices([notice_row()])
        await tx.quarantine([quarantine_row(), quarantine_row(body=b"other", reason="message/poison")])
        await tx.quarantine([quarantine_row()])  # the same bytes again
    found = await store.backlog.look()
    assert (found.envelopes.count, found.envelopes.oldest) == (2, NOW)
    assert found.notices.count == 3  # and the receipts of both
    assert found.notices.oldest is not None
    assert found.held == {}
    assert {reason: pile.count for reason, pile in found.quarantine.items()} == {
        "message/not-json": 1,
        "message/poison": 1,
    }
    await store.hold([Hold(first.envelope.id, "H26", "mailbox.normal.H26", "mailbox/not-taking", "full")])
    await store.mark_published([first.envelope.id], [first.receipt.id])
    found = await store.backlog.look()
    assert (found.envelopes.count, found.notices.count) == (1, 2)
    assert {reason: pile.count for reason, pile in found.held.items()} == {"mailbox/not-taking": 1}
    assert found.held["mailbox/not-taking"].oldest is not None


async def test_without_a_store_nothing_is_counted() -> None:
    store = FakeStore()
    store.available = False
    with pytest.raises(Unavailable):
        await store.backlog.look()
