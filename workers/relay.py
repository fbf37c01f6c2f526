"""The relay: publishes what is committed but unmarked, releases what was held, empties the broker's quarantine.

Its actions can be repeated at any time and by several relays at once: a second publish is dropped by the recipient.
"""

import datetime as dt
import json
from collections.abc import Callable, Sequence
from dataclasses import replace

from axis.broker import Publisher
from axis.core.decisions import Desk
from axis.core.fanout import fan_out, notice_message
from axis.core.messages import Outgoing, Submission
from axis.core.records import DeliveryRow, DeliveryState, EnvelopeRow
from axis.errors import Refused
from axis.store import Store
from workers.metrics import Metrics
from workers.runtime import Log, log_refused, publish_all
from workers.view import View

_LIMIT = 500


class Relay:
    """Bring the broker up to what the store has committed."""

    def __init__(
        self,
        *,
        store: Store,
        publisher: Publisher,
        view: View,
        desk: Desk,
        older_than: dt.timedelta,
        now: Callable[[], dt.datetime],
        log: Log,
        metrics: Metrics,
    ) -> None:
        self._store = store
        self._publisher = publisher
        self._view = view
        self._desk = desk
        self._older_than = older_than
        self._now = now
        self._log = log
        self._metrics = metrics

    async def sweep(self) -> None:
        """Publish what is unmarked for too long, then release what is held and can go."""
        # What is handed out is not handed out again for a while, so this ends however much of it fails.
        while await self._publish_unmarked():
            pass
        await self._release_held()

    async def keep_partitions(self) -> None:
        """Make the coming months' partitions."""
        await self._store.ensure_partitions(self._now())

    async def drain_quarantine(self, batch: Sequence[Submission], source: str) -> None:
        """Move what the broker dead-lettered into the store's quarantine, with a receipt where one can be sent."""
        refusals = [self._desk.refuse(each, _dead_letter(each), source=source) for each in batch]
        async with self._store.transaction() as tx:
            if notices := [refused.notice for refused in refusals if refused.notice is not None]:
                await tx.notices(notices)
            await tx.quarantine([refused.quarantine for refused in refusals if refused.quarantine is not None])
        done = await publish_all(
            self._publisher, [notice_message(notice) for notice in notices], log=self._log, metrics=self._metrics
        )
        await self._store.mark_published([], sorted(done))
        for submission, refused in zip(batch, refusals, strict=True):
            log_refused(self._log, self._metrics, submission, refused, source=source, ms=0.0)

    async def _publish_unmarked(self) -> bool:
        """Publish up to `_LIMIT` of each; return whether there may be more."""
        envelopes, notices = await self._store.unpublished(self._older_than, _LIMIT)
        if not envelopes and not notices:
            return False
        self._view.forget()
        ready = await self._view.look(
            self._publisher,
            {d.mailbox for _, deliveries in envelopes for d in deliveries if d.mailbox is not None}
            | {notice.mailbox for notice in notices},
        )
        messages: list[Outgoing] = []
        for envelope, deliveries in envelopes:
            messages.extend(
                fan_out(envelope, _recipients(envelope), await self._hold_unready(envelope, deliveries, ready))
            )
        messages.extend(notice_message(notice) for notice in notices if notice.mailbox in ready)
        done = await publish_all(self._publisher, messages, log=self._log, metrics=self._metrics)
        unpublishable = {envelope.id for envelope, _ in envelopes} - {message.message_id for message in messages}
        await self._store.mark_published(
            sorted(({envelope.id for envelope, _ in envelopes} & done) | unpublishable),
            sorted({notice.id for notice in notices} & done),
        )
        self._log.info("republished", envelopes=len(envelopes), notices=len(notices), confirmed=len(done))
        return _LIMIT in {len(envelopes), len(notices)}

    async def _hold_unready(
        self, envelope: EnvelopeRow, deliveries: Sequence[DeliveryRow], ready: frozenset[str]
    ) -> list[DeliveryRow]:
        routed = [d for d in deliveries if d.state is DeliveryState.ROUTED and d.mailbox is not None]
        unready = {d.mailbox for d in routed if d.mailbox is not None} - ready
        if unready:
            await self._store.hold(
                envelope.id,
                sorted(unready),
                "mailbox/not-ready",
                "the mailbox's queues are not there; released as soon as they are",
            )
            self._log.warning("held", id=envelope.id, mailboxes=sorted(unready))
        return [d for d in routed if d.mailbox not in unready]

    async def _release_held(self) -> None:
        # Only those that can go are fetched: mailboxes that never come up must not starve the others.
        released = await self._view.look(self._publisher, await self._store.held_mailboxes())
        for envelope, deliveries in await self._store.held(_LIMIT, released) if released else []:
            ready = [_routed(delivery) for delivery in deliveries]
            messages = fan_out(envelope, _recipients(envelope), ready)
            done = await publish_all(self._publisher, messages, log=self._log, metrics=self._metrics)
            if messages and envelope.id in done:
                for mailbox in sorted({d.mailbox for d in ready if d.mailbox is not None}):
                    await self._store.release(envelope.id, mailbox)
                self._log.info("released", id=envelope.id, deliveries=len(ready))


def _recipients(envelope: EnvelopeRow) -> Sequence[str]:
    # Not through the schema: these bytes fitted that of their day, and a stricter one must not strand them.
    recipients: list[str] = json.loads(envelope.body)["recipients"]
    return recipients


def _routed(delivery: DeliveryRow) -> DeliveryRow:
    return replace(delivery, state=DeliveryState.ROUTED)


def _dead_letter(submission: Submission) -> Refused:
    deaths = submission.headers.get("x-death")
    return Refused("message/dead-lettered", f"given up by the broker: {deaths!r}"[:500])
