"""Put what is committed into the mailboxes: publish, find out which mailbox did not take it, hold that one, mark.

The order, and what a crash does at each point (the store has committed everything before):

    documents  one publish for all mailboxes of an envelope  crash after: published again, recipients drop the repeat
    hold       deliveries whose queue did not take it        crash before: the same
    notices    receipts and statuses                         crash before: the same
    mark       in one statement                              crash before: the same

A receipt leaves only when its envelope is in every mailbox or held for it. Whoever sends again after a receipt finds
the earlier document in the queue, or held for it; then the router holds the new one behind it. So no document overtakes
one whose receipt its sender has seen.
"""

import contextlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from axis.broker import Publisher
from axis.core.fanout import fan_out, notice_message
from axis.core.lanes import mailbox_queue, notices_queue
from axis.core.messages import Outgoing
from axis.core.records import DeliveryRow, DeliveryState, EnvelopeRow, Hold, NoticeRow
from axis.errors import NotTaken, Unavailable
from axis.observe import NO_TRACES, Traces, carrying
from axis.store import Store
from workers.metrics import Metrics
from workers.runtime import Log
from workers.view import View

_ALONE_AT_ONCE = 2_000  # publishes under one deadline


@dataclass(frozen=True, slots=True)
class Parcel:
    """An envelope and those of its deliveries that are to be published; `recipients` is the envelope's own list."""

    envelope: EnvelopeRow
    recipients: Sequence[str]
    deliveries: Sequence[DeliveryRow]


class Post:
    """Deliver and notify through one publisher."""

    def __init__(
        self,
        *,
        store: Store,
        publisher: Publisher,
        view: View,
        log: Log,
        metrics: Metrics,
        traces: Traces = NO_TRACES,
    ) -> None:
        self.publisher = publisher
        self.traces = traces
        self._store = store
        self._view = view
        self._log = log
        self._metrics = metrics

    async def send(self, parcels: Sequence[Parcel], notices: Sequence[NoticeRow]) -> None:
        """Deliver, then notify, then mark; raise Unavailable when all of it has to be done again."""
        await self.deliver(parcels)
        told = await self.notify(notices)
        await self._store.mark_published(sorted({parcel.envelope.id for parcel in parcels}), sorted(told))

    async def deliver(self, parcels: Sequence[Parcel]) -> None:
        """Publish; what a queue did not take is held for it. Raise Unavailable when the broker is away."""
        whole = [(parcel, message) for parcel in parcels for message in _messages(parcel)]
        if not whole:
            return
        outcomes = await self._publish_whole([message for _, message in whole])
        gone = await self._gone([message for _, message in whole if message.bcc])
        left = {
            parcel.envelope.id: parcel
            for (parcel, message), outcome in zip(whole, outcomes, strict=True)
            if outcome is not None or not gone.isdisjoint(message.bcc)
        }
        if not left:
            return
        # Which of several mailboxes it was, an outcome does not say: each gets it alone, and those that have it already
        # drop the repeat. All at once, because a queue that never answers costs the whole deadline.
        self._view.forget()
        if holds := await self.try_each(list(left.values())):
            await self.hold(holds)

    async def _gone(self, messages: Sequence[Outgoing]) -> set[str]:
        """Return which of the BCC keys have no queue now.

        The broker says nothing of such a key, and the look the keys come from may be a minute old. BUG: a queue deleted
        and made again since that look has lost the message; `axis audit` finds it.
        """
        keys = {key for message in messages for key in message.bcc}
        states = await self.publisher.queue_states(keys) if keys else {}
        return {key for key, state in states.items() if state is None}

    async def try_each(self, parcels: Sequence[Parcel]) -> list[Hold]:
        """Publish to each mailbox alone; return what is to be held. Raise Unavailable when the broker is away.

        In pieces, each with a deadline of its own; a queue that did not take one is not asked again.
        """
        alone = [
            (mailbox_queue(part.envelope.lane, mailbox), mailbox, part)
            for parcel in parcels
            for mailbox, part in _by_mailbox(parcel).items()
        ]
        held: list[Hold] = []
        refusing: dict[str, Unavailable] = {}
        for start in range(0, len(alone), _ALONE_AT_ONCE):
            some = alone[start : start + _ALONE_AT_ONCE]
            due = [(queue, mailbox, part) for queue, mailbox, part in some if queue not in refusing]
            outcomes = await self._publish_whole([message for _, _, part in due for message in _messages(part)])
            held += [_hold(part, mailbox, queue, refusing[queue]) for queue, mailbox, part in some if queue in refusing]
            for (queue, mailbox, part), outcome in zip(due, outcomes, strict=True):
                if outcome is not None:
                    refusing[queue] = outcome
                    held.append(_hold(part, mailbox, queue, outcome))
        return held

    async def _publish_whole(self, messages: Sequence[Outgoing]) -> list[Unavailable | None]:
        outcomes = await self._publish(messages) if messages else []
        _raise_absence(outcomes)
        return outcomes

    async def notify(self, notices: Sequence[NoticeRow]) -> set[str]:
        """Publish notices; return the ids of those confirmed. The others stay unmarked, and the relay tries again.

        A notice for a queue that is full waits in the store.
        """
        if not notices:
            return set()
        depths = await self._view.look(self.publisher, {notice.mailbox for notice in notices})
        due = [notice for notice in notices if depths.get(notices_queue(notice.mailbox), 0) < self._view.limit]
        outcomes = await self._publish([notice_message(notice) for notice in due])
        failed = {notice.id for notice, outcome in zip(due, outcomes, strict=True) if outcome is not None}
        if failed:
            self._view.forget()
        return {notice.id for notice in due} - failed

    async def _publish(self, messages: Sequence[Outgoing]) -> list[Unavailable | None]:
        with contextlib.ExitStack() as spans:
            outcomes = await self.publisher.publish_many([self._traced(message, spans) for message in messages])
        ended = Counter((message.type, outcome is None) for message, outcome in zip(messages, outcomes, strict=True))
        for (kind, confirmed), count in ended.items():
            self._metrics.published(kind, "confirmed" if confirmed else "failed", count=count)
        for message, outcome in zip(messages, outcomes, strict=True):
            if outcome is None:
                for queue in (message.routing_key, *message.bcc):
                    self._view.published(queue)
                continue
            self._log.warning(
                "publish failed",
                id=message.message_id,
                key=message.routing_key,
                code=outcome.code,
                detail=outcome.detail,
            )
        return outcomes

    def _traced(self, message: Outgoing, spans: contextlib.ExitStack) -> Outgoing:
        """Send a context with what belongs to a trace: its own span's, never the one that came from an agency."""
        known = self.traces.recall(message.message_id)
        if known is None:
            return message
        span = self.traces.span("publish", parent=known, message=message.message_id)
        return carrying(message, spans.enter_context(span))

    async def hold(self, holds: Sequence[Hold]) -> None:
        """Hold deliveries for their queues, and say so."""
        await self._store.hold(holds)
        for hold in holds:
            self._log.warning("held", id=hold.envelope_id, queue=hold.queue, code=hold.reason, detail=hold.detail)


def _raise_absence(outcomes: Iterable[Unavailable | None]) -> None:
    for outcome in outcomes:
        if outcome is not None and not isinstance(outcome, NotTaken):
            raise outcome


def _hold(part: Parcel, mailbox: str, queue: str, outcome: Unavailable) -> Hold:
    detail = f"{outcome.detail}; released as soon as it takes documents"
    return Hold(part.envelope.id, mailbox, queue, "mailbox/not-taking", detail)


def _messages(parcel: Parcel) -> tuple[Outgoing, ...]:
    return fan_out(parcel.envelope, parcel.recipients, parcel.deliveries)


def _by_mailbox(parcel: Parcel) -> Mapping[str, Parcel]:
    """Take a parcel apart by mailbox; one mailbox is one publish, whatever it serves."""
    served: dict[str, list[DeliveryRow]] = {}
    for delivery in routed(parcel.deliveries):
        served.setdefault(delivery.mailbox or "", []).append(delivery)
    return {mailbox: Parcel(parcel.envelope, parcel.recipients, rows) for mailbox, rows in served.items()}


def routed(deliveries: Iterable[DeliveryRow]) -> list[DeliveryRow]:
    """Keep those that are to be published."""
    return [each for each in deliveries if each.state is DeliveryState.ROUTED and each.mailbox is not None]
