"""The relay: publishes what is committed but unmarked, releases what was held, empties the broker's quarantine.

Its actions can be repeated at any time and by several relays at once: a second publish is dropped by the recipient.
"""

import asyncio
import datetime as dt
import json
from collections.abc import Callable, Sequence
from dataclasses import replace

from axis.core.decisions import Desk
from axis.core.lanes import mailbox_queue
from axis.core.messages import Submission
from axis.core.records import DeliveryRow, DeliveryState, EnvelopeRow, Hold
from axis.core.routing import Sight
from axis.errors import Refused
from axis.store import Store
from workers.metrics import Metrics
from workers.post import Parcel, Post, routed
from workers.runtime import Finish, Log, Pause, log_refused
from workers.view import View

_LIMIT = 500
_RELEASED_AT_ONCE = 100  # of one queue, between two looks at it
_QUEUES_AT_ONCE = 16


class Relay:
    """Bring the broker up to what the store has committed."""

    def __init__(
        self,
        *,
        store: Store,
        post: Post,
        view: View,
        desk: Desk,
        older_than: dt.timedelta,
        now: Callable[[], dt.datetime],
        log: Log,
        metrics: Metrics,
    ) -> None:
        self._store = store
        self._post = post
        self._view = view
        self._desk = desk
        self._older_than = older_than
        self._now = now
        self._log = log
        self._metrics = metrics

    async def sweep(self) -> None:
        """Publish what is unmarked for too long, and release what is held and can go."""
        # What is handed out is not handed out again for a while, so this ends however much of it fails.
        more = True
        while more:
            more = await self._publish_unmarked()
            # In between: an agency that floods and never reads must not keep waiting what is held for others.
            await self._release_held()

    async def count(self) -> None:
        """Show what waits in the store."""
        self._metrics.backlog(await self._store.backlog.look())

    async def keep_partitions(self) -> None:
        """Make the coming months' partitions."""
        await self._store.ensure_partitions(self._now())

    async def drain_quarantine(self, batch: Sequence[Submission], source: str) -> Finish:
        """Move what the broker dead-lettered into the store's quarantine, with a receipt where one can be sent."""
        pause, refusals = Pause(), []
        for each in batch:
            await pause()
            refusals.append(self._desk.refuse(each, _dead_letter(each), source=source))
        notices = [refused.notice for refused in refusals if refused.notice is not None]
        async with self._store.transaction() as tx:
            if notices:
                await tx.notices(notices)
            await tx.quarantine([refused.quarantine for refused in refusals if refused.quarantine is not None])

        async def finish() -> None:
            await self._post.send((), notices)
            for submission, refused in zip(batch, refusals, strict=True):
                log_refused(self._log, self._metrics, submission, refused, source=source, ms=0.0)

        return finish

    async def _publish_unmarked(self) -> bool:
        """Publish up to `_LIMIT` of each; return whether there may be more."""
        envelopes, notices = await self._store.unpublished(self._older_than, _LIMIT)
        if not envelopes and not notices:
            return False
        self._view.forget()
        mailboxes = {d.mailbox for _, deliveries in envelopes for d in deliveries if d.mailbox is not None}
        # A mailbox's limit is for what is new: this may be in the mailbox already, and its place is there.
        sight = Sight(await self._view.look(self._post.publisher, mailboxes), frozenset(), limit=1 << 62)
        parcels: list[Parcel] = []
        holds: list[Hold] = []
        for envelope, deliveries in envelopes:
            waiting = routed(deliveries)
            held = _unready(envelope, waiting, sight)
            holds += held.values()
            going = [delivery for delivery in waiting if delivery.mailbox not in held]
            parcels.append(Parcel(envelope, _recipients(envelope), going))
        if holds:
            await self._post.hold(holds)
        await self._post.send(parcels, notices)
        self._log.info("republished", envelopes=len(envelopes), notices=len(notices))
        return _LIMIT in {len(envelopes), len(notices)}

    async def _release_held(self) -> None:
        """Release each queue by itself: one that takes nothing keeps no other waiting."""
        queues = sorted(await self._store.held_queues())
        self._view.forget()  # what has been taken since the last look is what makes room
        room = asyncio.Semaphore(_QUEUES_AT_ONCE)

        async def release(queue: str) -> None:
            async with room:
                while await self._release(queue):
                    pass

        async with asyncio.TaskGroup() as group:
            for queue in queues:
                group.create_task(release(queue))

    async def _release(self, queue: str) -> bool:
        """Release the first of what is held for a queue, one after the other; return whether there may be more."""
        waiting = await self._store.held(queue, _RELEASED_AT_ONCE)
        if not waiting:
            return False
        mailbox = waiting[0][1][0].mailbox or ""
        depth = (await self._view.look(self._post.publisher, [mailbox])).get(queue)
        # Half the limit, so that it does not go to and fro at the edge.
        if depth is None or depth >= max(self._view.limit // 2, 1):
            return False
        claimed = await self._store.claim(queue, [envelope.id for envelope, _ in waiting])
        gone: list[str] = []
        try:
            for envelope, deliveries in waiting:
                # The next only when this one is in: of two that are on their way at once the first may fail alone.
                # What was withdrawn since it was looked at stays here; see workers.acting.
                going = [
                    replace(each, state=DeliveryState.ROUTED)
                    for each in deliveries
                    if (envelope.id, each.recipient) in claimed
                ]
                if not going:
                    # Nobody here has published it: withdrawn, or another's. What is behind it goes after the next look.
                    return True
                if await self._post.try_each([Parcel(envelope, _recipients(envelope), going)]):
                    self._view.forget()
                    return False
                gone.append(envelope.id)
        finally:
            if gone:
                await self._store.release(queue, gone)
                self._log.info("released", queue=queue, envelopes=len(gone))
        return True


def _unready(envelope: EnvelopeRow, deliveries: Sequence[DeliveryRow], sight: Sight) -> dict[str, Hold]:
    """Say, by mailbox, what of an envelope has to be held."""
    return {
        mailbox: Hold(envelope.id, mailbox, mailbox_queue(envelope.lane, mailbox), obstacle.reason, obstacle.detail)
        for mailbox in sorted({delivery.mailbox for delivery in deliveries if delivery.mailbox is not None})
        if (obstacle := sight.obstacle(mailbox, envelope.lane)) is not None
    }


def _recipients(envelope: EnvelopeRow) -> Sequence[str]:
    # Not through the schema: these bytes fitted that of their day, and a stricter one must not strand them.
    recipients: list[str] = json.loads(envelope.body)["recipients"]
    return recipients


def _dead_letter(submission: Submission) -> Refused:
    deaths = submission.headers.get("x-death")
    last = deaths[0] if isinstance(deaths, list) and deaths else None
    if isinstance(last, dict) and last.get("reason") == "rejected":  # by workers.suspects, nobody else rejects
        return Refused("message/poison", f"given up: workers ended over it, and went on without it ({deaths!r})"[:500])
    return Refused("message/dead-lettered", f"given up by the broker: {deaths!r}"[:500])
