"""What an agency may see of a document: its sender all of it, a recipient what became of its own copy.

Who else was addressed stands in the envelope, which every recipient has; what they did with it is the sender's to know.
What was recalled before it arrived is nothing that its recipient ever had.
"""

from dataclasses import dataclass, replace

from axis.core.fate import Fate, Transport, fates
from axis.core.registered import Entry, Record
from axis.core.tracked import Tracked


@dataclass(frozen=True, slots=True)
class Seen:
    """A document as an agency may see it: `tracked` and `fates` hold the deliveries, statuses and talks it may know."""

    tracked: Tracked
    fates: tuple[Fate, ...]
    sent: bool
    addressed: tuple[str, ...]


def see(tracked: Tracked, account: str) -> Seen | None:
    """Return what an account may see; None: nothing, as if there were no such document."""
    every = fates(tracked)
    addressed = tuple(each.recipient for each in tracked.deliveries)
    if tracked.envelope.account == account:
        return Seen(tracked, every, sent=True, addressed=addressed)
    own = [
        (delivery, fate)
        for delivery, fate in zip(tracked.deliveries, every, strict=True)
        if delivery.mailbox == account
        and is_shown(fate.transport, arrived=delivery.delivered_at is not None or fate.arrived_at is not None)
    ]
    if not own:
        return None
    mine = frozenset(delivery.recipient for delivery, _ in own)
    return Seen(
        tracked=replace(
            tracked,
            deliveries=tuple(delivery for delivery, _ in own),
            statuses=tuple(
                replace(each, recipients=tuple(code for code in each.recipients if code in mine))
                for each in tracked.statuses
                if not mine.isdisjoint(each.recipients)
            ),
            notices=(),
            conversations=tuple(
                each for each in tracked.conversations if each.recipient in mine or each.original in mine
            ),
        ),
        fates=tuple(fate for _, fate in own),
        sent=False,
        addressed=addressed,
    )


def is_shown(transport: Transport, *, arrived: bool) -> bool:
    """Say whether a recipient may know of its delivery: what came into its mailbox, or still is to come."""
    if transport is Transport.UNDELIVERABLE:
        return False
    return arrived or transport is not Transport.WITHDRAWN


def own_records(entry: Entry, records: tuple[Record, ...], account: str) -> tuple[Record, ...]:
    """Of a document's registered deliveries, return those that an account may see."""
    if entry.account == account:
        return records
    return tuple(
        each
        for each in records
        if each.mailbox == account and is_shown(each.transport, arrived=each.arrived_at is not None)
    )
