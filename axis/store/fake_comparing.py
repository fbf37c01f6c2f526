"""What the audit asks of the fake store."""

import datetime as dt
from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace

from axis.core.audit import Mark, Marked, ToldMark
from axis.core.conversation import Talk
from axis.core.ids import time_of
from axis.core.records import DeliveryState, NoticeRow
from axis.store.comparing_seam import ComparingStore, WithDeliveries
from axis.store.fake_memory import Memory, StoredDelivery

_TAKE_BACK = "13"


class FakeComparing(ComparingStore):
    """Compare in memory."""

    def __init__(
        self,
        alone: Callable[[], AbstractAsyncContextManager[Memory]],
        now: Callable[[], dt.datetime],
        held: Callable[[str, str], bool],
    ) -> None:
        self._alone = alone
        self._now = now
        self._held = held

    async def now(self) -> dt.datetime:
        """Return the time of the store's clock."""
        async with self._alone():
            return self._now()

    async def newest(self) -> dt.datetime | None:
        """Return when the newest thing was recorded."""
        async with self._alone() as memory:
            times = [each.row.accepted_at for each in memory.envelopes.values()]
            times += [each.received_at for each in memory.statuses.values()]
            return max(times, default=None)

    async def known_envelopes(self, ids: Collection[str]) -> dict[str, str]:
        """Return id -> SHA-256 of those that are stored."""
        async with self._alone() as memory:
            return {each: memory.envelopes[each].row.sha256 for each in ids if each in memory.envelopes}

    async def known_notices(self, ids: Collection[str]) -> set[tuple[str, str]]:
        """Return id and kind of those that are stored."""
        async with self._alone() as memory:
            return {key for key in memory.notices if key[0] in ids}

    async def unanswered(
        self, since: dt.datetime, until: dt.datetime, *, made_since: dt.datetime, page: int = 1000
    ) -> AsyncGenerator[list[Marked], None]:
        """Yield the copies nobody has said anything about."""
        async with self._alone() as memory:
            found = [
                Marked(identifier, mailbox, memory.envelopes[identifier].row.lane)
                for identifier in sorted(memory.envelopes)
                if time_of(identifier) >= made_since
                for mailbox, copies in sorted(_copies(memory, identifier, since, until).items())
                if not _answered(memory, identifier, copies) and not self._held(identifier, mailbox)
            ]
        for start in range(0, len(found), page):
            yield found[start : start + page]

    async def told(
        self, since: dt.datetime, until: dt.datetime, *, made_since: dt.datetime, page: int = 1000
    ) -> AsyncGenerator[list[ToldMark], None]:
        """Yield the notices marked in a time."""
        async with self._alone() as memory:
            found = [
                ToldMark(each.row.id, each.row.kind, each.row.mailbox)
                for _, each in sorted(memory.notices.items())
                if each.published_at is not None and since <= each.published_at < until
                if time_of(each.row.id) >= made_since
            ]
        for start in range(0, len(found), page):
            yield found[start : start + page]

    async def envelopes(self, ids: Collection[str]) -> WithDeliveries:
        """Return envelopes with all their deliveries."""
        async with self._alone() as memory:
            return [
                (memory.envelopes[each].row, [delivery.row for delivery in memory.deliveries[each]])
                for each in sorted(set(ids))
                if each in memory.envelopes
            ]

    async def notices(self, keys: Collection[tuple[str, str]]) -> list[NoticeRow]:
        """Return notices by id and kind."""
        async with self._alone() as memory:
            return [memory.notices[key].row for key in sorted(set(keys)) if key in memory.notices]

    async def put_again(self, copies: Sequence[Mark], notices: Sequence[Mark]) -> None:
        """Mark copies and notices as delivered now."""
        wanted = set(copies)

        def put(each: StoredDelivery) -> StoredDelivery:
            routed = each.row.state is DeliveryState.ROUTED
            return replace(each, published_at=self._now()) if routed and _key(each) in wanted else each

        async with self._alone() as memory:
            for identifier in {identifier for identifier, _ in copies}:
                memory.change(identifier, put)
            for key in set(notices) & memory.notices.keys():
                memory.notices[key] = replace(memory.notices[key], published_at=self._now())


def _key(stored: StoredDelivery) -> tuple[str, str | None]:
    return stored.row.envelope_id, stored.row.mailbox


def _copies(memory: Memory, identifier: str, since: dt.datetime, until: dt.datetime) -> dict[str, list[StoredDelivery]]:
    copies: dict[str, list[StoredDelivery]] = {}
    for each in memory.deliveries[identifier]:
        at = each.published_at or memory.envelopes[identifier].published_at
        if each.row.state is DeliveryState.ROUTED and each.row.mailbox and at is not None and since <= at < until:
            copies.setdefault(each.row.mailbox, []).append(each)
    return copies


def _answered(memory: Memory, identifier: str, copies: Sequence[StoredDelivery]) -> bool:
    recipients = {each.row.recipient for each in copies}
    gone = any(
        talk.about == identifier and talk.original in recipients and talk.state in {Talk.WITHDRAWN, Talk.DESTROYED}
        for talk in memory.conversations.values()
    )
    return (
        gone
        or any(each.last_status for each in copies)
        or any(
            status.envelope_id == identifier and status.code != _TAKE_BACK and recipients & set(status.recipients)
            for status in memory.statuses.values()
        )
    )
