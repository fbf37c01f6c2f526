"""What agencies are told of their own documents, in memory."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import fields

from axis.core.registered import EntryDelivery, FeedItem, News, Record
from axis.store.fake_memory import Memory
from axis.store.seen_seam import Said, SeenStore

_FIELDS = [each.name for each in fields(Record)]


class FakeSeen(SeenStore):
    """Looks at everything there is."""

    def __init__(
        self,
        alone: Callable[[], AbstractAsyncContextManager[Memory]],
        deliveries: Callable[[str], Awaitable[tuple[EntryDelivery, ...]]],
    ) -> None:
        self._alone = alone
        self._deliveries = deliveries

    async def own(self, account: str, envelope_ids: Collection[str]) -> Mapping[str, tuple[Record, ...]]:
        """Return how own deliveries are registered."""
        found: defaultdict[str, list[Record]] = defaultdict(list)
        for each in await self._deliveries(account):
            if each.envelope_id in envelope_ids and each.mailbox == account:
                found[each.envelope_id].append(Record(**{name: getattr(each, name) for name in _FIELDS}))
        return {identifier: tuple(sorted(records, key=lambda r: r.recipient)) for identifier, records in found.items()}

    async def said(self, items: Collection[FeedItem]) -> Mapping[int, Said]:
        """Return what was said with statuses."""
        async with self._alone() as memory:
            found = {}
            for item in items:
                for row in memory.statuses.values():
                    if (
                        item.kind is News.STATUS
                        and (row.envelope_id, row.code, row.received_at) == (item.envelope_id, item.code, item.at)
                        and item.recipient in row.recipients
                    ):
                        found[item.seq] = Said(row.id, row.reporter, row.at, row.reason)
            return found
