"""The auditor's looks and findings, on the fake and on PostgreSQL."""

import datetime as dt
from dataclasses import replace

from axis.core.ids import new_id
from axis.core.records import Accepted, DeliveryState
from axis.core.watching import Cause, Copies, Finding, HeldQueue, MailboxWatch, QueueCount, Unmarked, look
from axis.store import Store
from schemas import Mailbox
from tests.builders import NOW
from tests.unit.store.rows import accepted, delivery_row, envelope_row, held, notice_row, status_row

HOUR = dt.timedelta(hours=1)
QUEUE = "mailbox.normal.H37"


def watch(queue: str = QUEUE, **numbers: int) -> MailboxWatch:
    return look(
        None, QueueCount(queue, numbers.get("ready", 0), numbers.get("unacked", 0), 0, numbers.get("taken")), NOW
    )


async def keep(store: Store, *envelopes: Accepted, marked: bool = True) -> None:
    async with store.transaction() as tx:
        await tx.accept(envelopes)
    if marked:
        await store.mark_published([each.envelope.id for each in envelopes], [each.receipt.id for each in envelopes])


async def test_the_last_look_is_kept_and_what_did_not_change_is_as_old_as_the_look(store: Store) -> None:
    watches = store.watches
    assert await watches.watches() == ()
    first, second, own = watch(ready=3, taken=7), watch("notices.G12"), watch("axis.track", unacked=1)
    await watches.seen([first, second, own], [], NOW)
    assert await watches.watches() == (own, first, second)
    assert await watches.watches(["H37", "H26"]) == (first,)
    assert await watches.watches([]) == ()
    later = replace(first, ready=0, still_since=None, oldest_at=None, moved_at=NOW + HOUR, seen_at=NOW + HOUR)
    await watches.seen([later], ["notices.G12", "never seen"], NOW + HOUR)
    assert await watches.watches() == (replace(own, seen_at=NOW + HOUR), later)
    await watches.seen([], [], NOW + 2 * HOUR)
    assert {each.seen_at for each in await watches.watches()} == {NOW + 2 * HOUR}


async def test_mailboxes_in_force_are_named_once(store: Store) -> None:
    for code, valid_to in (("H37", None), ("H26", NOW)):
        start = NOW - dt.timedelta(days=9)
        mailbox = Mailbox(code=code, password_hash="x" * 44, valid_from=start, valid_to=valid_to)
        await store.directory.put_mailbox(mailbox)
    assert await store.watches.mailboxes(NOW - HOUR) == ["H26", "H37"]
    assert await store.watches.mailboxes(NOW) == ["H37"]
    assert await store.watches.mailboxes(NOW - dt.timedelta(days=10)) == []


async def test_what_is_held_for_long_is_counted_by_queue(store: Store) -> None:
    assert await store.watches.held(NOW) == []
    rows = [envelope_row(lane=lane, accepted_at=NOW) for lane in ("normal", "normal", "urgent")]
    await keep(store, *(Accepted(row, (held(row.id, "H37"),), (), notice_row(about=row.id)) for row in rows))
    soon = await store.comparing.now() + HOUR
    found = await store.watches.held(max(soon, NOW + HOUR))
    assert [(each.queue, each.count) for each in found] == [(QUEUE, 2), ("mailbox.urgent.H37", 1)]
    assert isinstance(found[0], HeldQueue)
    assert await store.watches.held(NOW - dt.timedelta(days=3_000)) == []


async def test_what_is_unmarked_is_counted_and_hastened(store: Store) -> None:
    assert await store.watches.unmarked(NOW) == Unmarked()
    old, young = accepted(accepted_at=NOW - HOUR), accepted(accepted_at=NOW + HOUR)
    await keep(store, old, young, marked=False)
    await keep(store, accepted(accepted_at=NOW - HOUR))
    told = Unmarked(young=1, envelopes=1, envelopes_since=NOW - HOUR)
    assert await store.watches.unmarked(NOW) == told  # its notices were not tried
    for _ in range(2):
        await store.unpublished(dt.timedelta(days=-400), 10)  # as the relay does it, twice
    later = NOW + dt.timedelta(minutes=1)
    found = await store.watches.unmarked(later)
    assert (found.envelopes, found.notices) == (1, 2)
    assert found.notices_since is not None
    assert abs(found.notices_since - NOW) < dt.timedelta(seconds=1)  # receipts of the test are made at NOW
    # Twice handed out, the next time would be in four periods; hastened, it is now.
    wait = dt.timedelta(hours=6)
    assert await store.unpublished(wait, 10) == ([], [])
    assert await store.watches.hasten(later, 10) == 3
    envelopes, notices = await store.unpublished(wait, 10)
    assert [each.id for each, _ in envelopes] == [old.envelope.id]
    assert old.receipt.id in {each.id for each in notices}
    assert await store.watches.hasten(NOW - 2 * HOUR, 10) == 0


async def test_unanswered_copies_are_counted_page_by_page(store: Store) -> None:
    moment = await store.comparing.now() + HOUR
    assert await store.watches.copies(None, moment, moment) == (None, {})
    silent = sorted((accepted(["H37", "G12"]) for _ in range(3)), key=lambda each: each.envelope.id)
    answered = accepted(["H37"])
    urgent = accepted(["H37"], lane="urgent")
    await keep(store, *silent, answered, urgent)
    await keep(store, accepted(["H37"]), marked=False)
    row = envelope_row()
    refused = delivery_row(row.id, "H37", mailbox=None, state=DeliveryState.REFUSED, reason="recipient/unknown")
    gone = Accepted(row, (refused,), (), notice_row())
    await keep(store, gone)
    async with store.transaction() as tx:
        await tx.statuses([status_row(answered.envelope.id)], {})
    total: dict[str, Copies] = {}
    after: str | None = None
    pages = 0
    while True:
        after, found = await store.watches.copies(after, moment, moment, page=2)
        for queue, some in found.items():
            total[queue] = total[queue] + some if queue in total else some
        if after is None:
            break
        pages += 1
    assert pages == 4
    counts = {queue: (each.count, each.old) for queue, each in total.items()}
    assert counts == {QUEUE: (3, 3), "mailbox.normal.G12": (3, 3), "mailbox.urgent.H37": (1, 1)}
    assert total["mailbox.urgent.H37"].oldest_id == urgent.envelope.id
    _, found = await store.watches.copies(None, moment, moment - dt.timedelta(days=3_000))
    assert found[QUEUE].old == 0
    _, found = await store.watches.copies(None, moment - dt.timedelta(days=3_000), moment)
    assert found == {}


async def test_a_finding_is_open_until_it_is_not_found_any_more(store: Store) -> None:
    watches = store.watches
    about = new_id(NOW)
    one = Finding(Cause.NO_CONSUMER, QUEUE, NOW, "H37", 3)
    other = Finding(Cause.SILENT, QUEUE, NOW - HOUR, "H37", 1, about)
    assert await watches.report([], NOW) == ([], [])
    new, healed = await watches.report([one, other], NOW)
    assert (set(new), healed) == ({one, other}, [])
    more = replace(one, count=5)
    assert await watches.report([more, other, other], NOW + HOUR) == ([], [])
    assert set(await watches.findings()) == {more, other}
    assert len(await watches.findings(limit=1)) == 1
    new, healed = await watches.report([more], NOW + 2 * HOUR)
    gone = replace(other, healed_at=NOW + 2 * HOUR, healed="itself")
    assert (new, healed) == ([], [gone])
    assert await watches.findings(open=False) == (gone,)
    # What comes back is a new one.
    new, _ = await watches.report([more, other], NOW + 3 * HOUR)
    assert new == [other]
    assert await watches.findings(open=False) == (gone,)


async def test_what_the_auditor_healed_is_told_from_what_healed_by_itself(store: Store) -> None:
    finding = Finding(Cause.NOT_THERE, "queue notices.H37", NOW, "H37")
    await store.watches.report([finding], NOW)
    await store.watches.heal([finding, replace(finding, subject="unknown")], NOW + HOUR)
    assert await store.watches.findings() == ()
    assert await store.watches.findings(open=False) == (replace(finding, healed_at=NOW + HOUR, healed="auditor"),)
    assert await store.watches.report([], NOW + 2 * HOUR) == ([], [])
