"""Putting together everything about an envelope."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from axis.core.conversation import Conversation
from axis.core.tracked import Tracked, TrackedDelivery, TrackedNotice, TrackedStatus
from axis.store import rows
from axis.store.acting import conversation
from axis.store.queries import load

_SQL = load("tracking")
_ACTING = load("acting")


async def track(link: Any, envelopes: Sequence[Any]) -> tuple[Tracked, ...]:
    """Read what belongs to some envelopes, given as their rows; five statements however many there are."""
    if not envelopes:
        return ()
    ids = [record["id"] for record in envelopes]
    deliveries: defaultdict[Any, list[TrackedDelivery]] = defaultdict(list)
    for record in await link.fetch(_SQL["delivery_states"], ids):
        deliveries[record["envelope_id"]].append(rows.tracked_delivery(record))
    statuses: defaultdict[Any, list[TrackedStatus]] = defaultdict(list)
    events = await link.fetch(_SQL["status_events"], ids)
    for record in events:
        statuses[record["envelope_id"]].append(rows.tracked_status(record))
    # Notices have no index by envelope: the envelope names its receipt, a forwarded status has the status's own id.
    receipts = [record["receipt"] for record in envelopes]
    notices: defaultdict[Any, list[TrackedNotice]] = defaultdict(list)
    for record in await link.fetch(_SQL["notice_states"], receipts, [record["id"] for record in events]):
        notices[record["about"]].append(rows.tracked_notice(record))
    talks: defaultdict[str, list[Conversation]] = defaultdict(list)
    for record in await link.fetch(_ACTING["conversations_about"], ids):
        each = conversation(record)
        for identifier in {each.about, each.request}:
            talks[identifier].append(each)
    return tuple(
        Tracked(
            envelope=rows.tracked_envelope(record),
            deliveries=tuple(deliveries[record["id"]]),
            statuses=tuple(statuses[record["id"]]),
            notices=tuple(notices[record["id"]]),
            conversations=tuple(talks[str(record["id"])]),
        )
        for record in envelopes
    )
