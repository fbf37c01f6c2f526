"""Replays in memory."""

import datetime as dt
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace

from axis.core.conversation import Talk
from axis.core.ids import time_of
from axis.core.replaying import Candidate, Place, Replay
from axis.store.fake_memory import Memory
from axis.store.replay_seam import ReplayStore


class FakeReplays(ReplayStore):
    """Replays by id."""

    def __init__(
        self, alone: Callable[[], AbstractAsyncContextManager[Memory]], now: Callable[[], dt.datetime]
    ) -> None:
        self._alone = alone
        self._now = now
        self._replays: dict[str, Replay] = {}

    async def begin(self, replay: Replay) -> Replay:
        """Keep a new replay, or return the open one."""
        async with self._alone():
            return self._open(replay.queue) or self._replays.setdefault(replay.id, replay)

    async def open(self, queue: str) -> Replay | None:
        """Return the open replay of a queue."""
        async with self._alone():
            return self._open(queue)

    async def listed(self, limit: int = 100) -> tuple[Replay, ...]:
        """List replays."""
        async with self._alone():
            last = sorted(self._replays.values(), key=lambda each: each.begun_at, reverse=True)
            return tuple(sorted(last, key=lambda each: each.ended_at is not None))[:limit]

    async def places(
        self,
        mailbox: str,
        since: dt.datetime,
        until: dt.datetime,
        *,
        made_since: dt.datetime,
        after: str | None,
        page: int = 1000,
    ) -> tuple[str | None, Sequence[Place]]:
        """Name the next envelopes for a mailbox."""
        async with self._alone() as memory:
            ids = sorted(
                each for each in memory.envelopes if time_of(each) >= made_since and (after is None or each > after)
            )[:page]
            found = [
                Place(memory.envelopes[each].row.accepted_at, each)
                for each in ids
                if since <= memory.envelopes[each].row.accepted_at < until
                and any(delivery.row.mailbox == mailbox for delivery in memory.deliveries[each])
            ]
            return (ids[-1] if ids else None), found

    async def candidates(self, mailbox: str, ids: Collection[str]) -> list[Candidate]:
        """Return envelopes with their deliveries for a mailbox."""
        async with self._alone() as memory:
            over = [each for each in memory.conversations.values() if each.state in {Talk.WITHDRAWN, Talk.DESTROYED}]
            found = []
            for identifier in set(ids) & memory.envelopes.keys():
                own = tuple(each.row for each in memory.deliveries[identifier] if each.row.mailbox == mailbox)
                gone = frozenset(each.original for each in over if each.about == identifier and each.original)
                asked = {each.recipient for each in over if each.request == identifier != each.about}
                if own:
                    carried_out = {each.recipient for each in own} <= asked
                    found.append(Candidate(memory.envelopes[identifier].row, own, gone, carried_out))
            return sorted(found, key=lambda each: each.place)

    async def advance(self, replay: Replay, after: Place, put: int, left_out: int) -> Replay | None:
        """Note how far a replay is."""
        async with self._alone():
            known = self._replays[replay.id]
            if known.after != replay.after or known.ended_at is not None:
                return None
            moved = replace(known, after=after, put=known.put + put, left_out=known.left_out + left_out)
            self._replays[replay.id] = moved
            return moved

    async def fill(self, replay: Replay, at: dt.datetime) -> None:
        """Note that a replay is in its queue."""
        async with self._alone():
            known = self._replays[replay.id]
            self._replays[replay.id] = replace(known, filled_at=known.filled_at or at)

    async def end(self, replay: Replay, at: dt.datetime) -> None:
        """Note that a replay has ended."""
        async with self._alone():
            known = self._replays[replay.id]
            self._replays[replay.id] = replace(known, ended_at=known.ended_at or at)

    def _open(self, queue: str) -> Replay | None:
        return next((each for each in self._replays.values() if each.queue == queue and each.ended_at is None), None)
