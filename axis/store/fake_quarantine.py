"""What leaves quarantine by hand, in memory."""

import datetime as dt
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import replace

from axis.core.concerning import Waiting
from axis.core.tracked import Quarantined
from axis.store.fake_memory import Memory
from axis.store.quarantine_seam import Departure, QuarantineStore

Audit = Callable[[str, str, str, Mapping[str, object]], Awaitable[None]]


class FakeQuarantine(QuarantineStore):
    """Departures in memory."""

    def __init__(
        self,
        alone: Callable[[], AbstractAsyncContextManager[Memory]],
        now: Callable[[], dt.datetime],
        audit: Audit,
    ) -> None:
        self._alone = alone
        self._now = now
        self._audit = audit
        self._departures: dict[str, list[Departure]] = {}

    async def drop(self, ids: Collection[str], *, by: str, why: str) -> frozenset[str]:
        """Take messages out for good."""
        async with self._alone() as memory:
            left = [each for each in sorted(set(ids)) if _kept(memory, each) is not None]
            kept = [self._leave(memory, each) for each in left]
        for each in kept:
            await self._depart(each, Departure(self._now(), "dropped", by, why))
        return frozenset(left)

    async def requeue(self, identifier: str, waiting: Waiting, *, by: str, why: str) -> bool:
        """Take a message out and hand it to the routers."""
        async with self._alone() as memory:
            if _kept(memory, identifier) is None or waiting.id in memory.waiting:
                return False
            kept = self._leave(memory, identifier)
            memory.waiting[waiting.id] = waiting
        await self._depart(kept, Departure(self._now(), "requeued", by, why))
        return True

    async def departures(self, identifier: str) -> tuple[Departure, ...]:
        """Return what was done with a message by hand."""
        async with self._alone():
            return tuple(reversed(self._departures.get(identifier, [])))

    def _leave(self, memory: Memory, identifier: str) -> Quarantined:
        key, kept = next((key, each) for key, each in memory.quarantine.items() if each.id == identifier)
        memory.quarantine[key] = replace(kept, left_at=max(self._now(), kept.last_seen_at))
        return kept

    async def _depart(self, kept: Quarantined, departure: Departure) -> None:
        self._departures.setdefault(kept.id, []).append(departure)
        detail = {
            "why": departure.why,
            "reason": kept.reason,
            "account": kept.account,
            "message_id": kept.message_id,
        }
        await self._audit(departure.actor, f"quarantine.{departure.how}", kept.id, detail)


def _kept(memory: Memory, identifier: str) -> Quarantined | None:
    found = next((each for each in memory.quarantine.values() if each.id == identifier), None)
    return found if found is not None and found.is_in else None
