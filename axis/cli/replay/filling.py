"""Fill a replay queue out of the store: in the order of acceptance, at a limited rate, and resumable.

    list      what is for the mailbox, by pages; nothing is written           crash: nothing happened
    publish   some copies, their confirms awaited                             crash: these come again when it goes on
    advance   the place of the last of them, if nobody else advanced it       crash: nothing more is done twice

So of a replay that was killed at most one piece (`_PIECE`) is in the queue twice; the SDK hands each id out once.
"""

import asyncio
import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from axis.core.messages import Outgoing
from axis.core.replaying import Decided, LeftOut, Place, Replay, decide
from axis.errors import AxisError, Unavailable
from axis.store import Store

_PIECE = 100
_TRIES = 5
_FIRST_WAIT_SECONDS = 1.0

Progress = Callable[[str], None]


class Publishes(Protocol):
    """The part of axis.broker.Publisher that is needed here."""

    async def publish_many(self, messages: Sequence[Outgoing]) -> list[Unavailable | None]:
        """Publish and await every confirm; one outcome for each message."""
        ...


class Elsewhere(AxisError):
    """Report that the replay is another one, or somebody else's at this moment."""

    code = "replay/open"
    exit_code = 65


@dataclass(slots=True)
class Filled:
    """What was done, or in a dry run would be."""

    put: int = 0
    left_out: list[LeftOut] = field(default_factory=list)
    first: Place | None = None
    last: Place | None = None

    def note(self, decided: Sequence[Decided]) -> None:
        """Count what was decided."""
        self.put += sum(each.message is not None for each in decided)
        self.left_out += [left_out for each in decided for left_out in each.left_out]
        if decided:
            self.first = self.first or decided[0].place
            self.last = decided[-1].place


async def places_of(store: Store, replay: Replay, *, id_past_days: int, progress: Progress) -> list[Place]:
    """List what a replay is made of, in its order, from where it stands."""
    made_since = replay.since - dt.timedelta(days=id_past_days + 1)
    found: list[Place] = []
    after: str | None = None
    while True:
        after, some = await store.replays.places(
            replay.mailbox, replay.since, replay.until, made_since=made_since, after=after
        )
        if after is None:
            return sorted(found)
        found += (each for each in some if replay.after is None or each > replay.after)
        progress(f"{len(found)} documents found so far")


@dataclass(frozen=True, slots=True)
class Filler:
    """Put what a replay is made of into its queue; `rate`: documents a second. `publisher` None: a dry run."""

    store: Store
    publisher: Publishes | None
    rate: float
    now: Callable[[], dt.datetime]
    progress: Progress

    async def fill(self, replay: Replay, places: Sequence[Place], filled: Filled) -> Replay:
        """Do it, noting in `filled` what was done also when it is broken off; return the replay as it stands then.

        Raises Elsewhere when another process fills the same, Unavailable when the broker takes nothing.
        """
        piece = int(max(1, min(_PIECE, self.rate)))
        began = asyncio.get_running_loop().time()
        done = 0
        for start in range(0, len(places), piece):
            some = places[start : start + piece]
            candidates = await self.store.replays.candidates(replay.mailbox, [each.id for each in some])
            decided = [decide(each, replay, self.now()) for each in candidates]
            messages = [each.message for each in decided if each.message is not None]
            if self.publisher is not None:
                await self._publish(self.publisher, messages)
                replay = await self._advance(replay, some[-1], decided)
            filled.note(decided)
            done += len(messages)
            self.progress(f"{filled.put} of {len(places)} documents")
            if self.publisher is not None and start + piece < len(places):
                await asyncio.sleep(max(0.0, began + done / self.rate - asyncio.get_running_loop().time()))
        return replay

    async def _publish(self, publisher: Publishes, messages: Sequence[Outgoing]) -> None:
        """Publish; what failed is tried again with all that is behind it: a repeat costs less than a wrong order."""
        left, wait = list(messages), _FIRST_WAIT_SECONDS
        for attempt in range(_TRIES):
            outcomes = await publisher.publish_many(left) if left else []
            failed = next((place for place, outcome in enumerate(outcomes) if outcome is not None), None)
            if failed is None:
                return
            left, outcome = left[failed:], outcomes[failed]
            if attempt == _TRIES - 1 and outcome is not None:
                raise outcome
            await asyncio.sleep(wait)
            wait *= 2

    async def _advance(self, replay: Replay, last: Place, decided: Sequence[Decided]) -> Replay:
        put = sum(each.message is not None for each in decided)
        advanced = await self.store.replays.advance(replay, last, put, sum(len(each.left_out) for each in decided))
        if advanced is None:
            raise Elsewhere(f"{replay.queue} is being filled by another process, or its replay was ended meanwhile")
        return advanced
