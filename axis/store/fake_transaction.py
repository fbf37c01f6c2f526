"""A transaction of the fake store; the store rolls it back."""

import datetime as dt
from collections.abc import Callable, Collection, Sequence

from axis.core.records import Accepted, Existing, NoticeRow, QuarantineRow, StatusRow
from axis.core.tracked import Quarantined
from axis.core.tracking import DeliveryFact, EnvelopeFacts
from axis.store import hostile
from axis.store.fake_acting import FakeActing
from axis.store.fake_memory import Memory, StoredDelivery, StoredEnvelope, StoredNotice, marked
from axis.store.seam import Advances


class FakeTransaction(FakeActing):
    """Writes straight into memory: nobody else does until it ends."""

    def __init__(self, memory: Memory, now: Callable[[], dt.datetime], check: Callable[[], None]) -> None:
        self._memory = memory
        self._now = now
        self._check = check

    async def accept(self, accepted: Sequence[Accepted]) -> dict[str, Existing]:
        """Store new envelopes with all they bring; return those there before."""
        self._check()
        existing: dict[str, Existing] = {}
        for each in accepted:
            row = each.envelope
            if row.id in self._memory.envelopes:
                existing[row.id] = self._existing(row.id)
                continue
            self._memory.envelopes[row.id] = StoredEnvelope(row, each.receipt.id, self._now())
            self._memory.deliveries[row.id] = tuple(
                StoredDelivery(delivery, next(self._memory.places), placed_at=self._now())
                for delivery in each.deliveries
            )
            self._memory.attachments.extend(each.attachments)
            await self.notices([each.receipt])
        return existing

    async def existing(self, ids: Collection[str]) -> dict[str, Existing]:
        """Return what is stored under these ids."""
        self._check()
        return {each: self._existing(each) for each in ids if each in self._memory.envelopes}

    def _existing(self, identifier: str) -> Existing:
        old = self._memory.envelopes[identifier]
        published = old.published_at is not None
        return Existing(
            envelope=old.row,
            published=published,
            receipt=self._memory.notices[old.receipt, "receipt"].row,
            deliveries=() if published else tuple(each.row for each in self._memory.deliveries[identifier]),
        )

    async def deliveries_of(
        self, envelope_ids: Collection[str], about: Collection[str] | None = None
    ) -> dict[str, EnvelopeFacts]:
        """Return what is known of the envelopes."""
        self._check()
        return {
            identifier: EnvelopeFacts(
                sender=envelope.row.sender,
                account=envelope.row.account,
                deliveries=[
                    DeliveryFact(each.row.recipient, each.row.resolved, each.row.mailbox, each.last_status)
                    for each in sorted(self._memory.deliveries[identifier], key=lambda each: each.row.recipient)
                    if about is None or each.row.recipient in about or each.row.resolved in about
                ],
            )
            for identifier in envelope_ids
            if (envelope := self._memory.envelopes.get(identifier)) is not None
        }

    async def known_statuses(self, ids: Collection[str]) -> dict[str, str]:
        """Return the statuses recorded before."""
        self._check()
        statuses = self._memory.statuses
        return {identifier: statuses[identifier].sha256 for identifier in ids if identifier in statuses}

    async def statuses(self, statuses: Sequence[StatusRow], advances: Advances) -> dict[str, str]:
        """Record statuses and advance deliveries; return those there before."""
        known = await self.known_statuses([status.id for status in statuses])
        for status in statuses:
            self._memory.statuses.setdefault(status.id, status)
        for (envelope_id, recipient), (code, at) in advances.items():
            self._memory.deliveries[envelope_id] = tuple(
                marked(each, code, at) if each.row.recipient == recipient else each
                for each in self._memory.deliveries[envelope_id]
            )
        return known

    async def notices(self, notices: Sequence[NoticeRow]) -> None:
        """Store notices to be published."""
        self._check()
        for notice in notices:
            self._memory.notices.setdefault((notice.id, notice.kind), StoredNotice(notice, self._now()))

    async def quarantine(self, rows: Sequence[QuarantineRow]) -> None:
        """Keep what cannot be attributed."""
        self._check()
        for row in rows:
            for digest in row.unwanted:
                if row.account is not None and (digest, row.account) in self._memory.uploads:
                    self._memory.unwanted[digest, row.account] = self._now()
        for kept in hostile.kept(list(rows)):
            row = kept.row
            key = (row.sha256, row.account, row.reason)
            old = self._memory.quarantine.get(key)
            self._memory.quarantine[key] = Quarantined(
                id=row.id if old is None else old.id,
                received_at=row.received_at if old is None else old.received_at,
                last_seen_at=row.received_at if old is None else _seen_again(old, row.received_at),
                count=kept.count if old is None else old.count + kept.count,
                size=kept.size,
                source=row.source if old is None else old.source,
                reason=row.reason,
                detail=row.detail if old is None else old.detail,
                account=row.account,
                message_id=row.message_id if old is None else old.message_id,
                sha256=row.sha256,
                headers=dict(row.headers) if old is None else old.headers,
                body=row.body,
                properties=dict(row.properties) if old is None else old.properties,
                left_at=None if old is None else old.left_at,
            )


def _seen_again(old: Quarantined, at: dt.datetime) -> dt.datetime:
    """Say when one was last seen: after it left, whatever the clock of who saw it says."""
    last = max(old.last_seen_at, at)
    return last if old.left_at is None else max(last, old.left_at + dt.timedelta(microseconds=1))
