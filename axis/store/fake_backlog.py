"""How much waits, in memory."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager

from axis.store.backlog_seam import MOST, Backlog, BacklogStore, Pile
from axis.store.fake_memory import Memory


class FakeBacklog(BacklogStore):
    """Counts of what the memory has."""

    def __init__(self, alone: Callable[[], AbstractAsyncContextManager[Memory]]) -> None:
        self._alone = alone

    async def look(self) -> Backlog:
        """Count what waits now."""
        async with self._alone() as memory:
            held = [each for _, each in memory.held()][:MOST]
            kept = [each for each in memory.quarantine.values() if each.is_in][:MOST]
            return Backlog(
                envelopes=_pile(e.row.accepted_at for e in memory.envelopes.values() if e.published_at is None),
                notices=_pile(each.attempted_at for each in memory.notices.values() if each.published_at is None),
                held={
                    reason: _pile(
                        memory.envelopes[each.row.envelope_id].row.accepted_at
                        for each in held
                        if (each.row.reason or "") == reason
                    )
                    for reason in sorted({each.row.reason or "" for each in held})
                },
                quarantine={
                    reason: _pile(each.last_seen_at for each in kept if each.reason == reason)
                    for reason in sorted({each.reason for each in kept})
                },
            )

    async def early(self) -> Mapping[str, Pile]:
        """Count what waits for the envelope that it acts on."""
        async with self._alone() as memory:
            kept = list(memory.waiting.values())[:MOST]
            return {
                queue: _pile(each.received_at for each in kept if each.queue == queue)
                for queue in sorted({each.queue for each in kept})
            }


def _pile(times: Iterable[dt.datetime]) -> Pile:
    found = sorted(times)
    return Pile(min(len(found), MOST), found[0] if found else None)
