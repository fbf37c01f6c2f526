"""What the auditor sees in the queues, and what it concludes: who waits, what is stuck, missing or doubled.

From outside, a queue shows numbers: how many messages wait in it, how many are handed out, how many consumers there
are. What was taken and never answered looks the same as what was lost. So each conclusion says what it rests on:

    stuck      something waits, and for `patience` nothing of it has moved
    missing    the store calls more copies delivered and unanswered than the queue holds, and nobody was connected all
               the time that was counted: lost, or taken in silence before. A suspicion, and called one
    doubled    the queue holds more than the store has copies for: repeats, which recipients drop by their id
    topology   a queue or a binding that the directory demands is not at the broker
"""

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from axis.core.broker_objects import Binding, Item, Queue, Topology
from axis.core.difference import Change, Verb, difference
from axis.core.findings import Cause, Finding, Kind

__all__ = [
    "Arrivals",
    "Cause",
    "Copies",
    "Counted",
    "Finding",
    "HeldQueue",
    "Kind",
    "MailboxWatch",
    "QueueCount",
    "Unmarked",
    "absent",
    "aged",
    "compare",
    "is_judged",
    "judge",
    "look",
    "not_there",
]

_MAILBOX = re.compile(r"(?:mailbox\.(urgent|normal)|(notices))\.(.+)")
_WORKED = re.compile(r"axis\.(?!retry\.)")  # what waits in a retry queue waits for its time

# After a look that is older the auditor was away, and knows nothing of the time between.
GAP = dt.timedelta(minutes=5)
# Queues of the axis itself are worked all the time: there nobody is waited for.
WORKED = dt.timedelta(minutes=2)
# The broker's numbers are some seconds behind: what was put into a queue earlier is in them.
SETTLED = dt.timedelta(seconds=30)
_REMEMBERED = 256


@dataclass(frozen=True, slots=True)
class QueueCount:
    """What the broker says of a queue. `taken`: messages ever taken out of it; None where it does not count them."""

    queue: str
    ready: int
    unacked: int
    consumers: int
    taken: int | None = None


@dataclass(frozen=True, slots=True)
class MailboxWatch:
    """A queue as last seen. `mailbox`: None for the axis's own queues.

    `no_consumer_since`, `still_since` (something waits, and nothing was taken) and `moved_at` (something was taken, or
    the first look) are times of looks. `oldest_at`: when the oldest message that waits got there, as far as known.
    """

    queue: str
    mailbox: str | None
    seen_at: dt.datetime
    ready: int
    unacked: int
    consumers: int
    no_consumer_since: dt.datetime | None
    oldest_at: dt.datetime | None
    still_since: dt.datetime | None = None
    moved_at: dt.datetime | None = None
    taken: int | None = None

    @property
    def waiting(self) -> int:
        """Messages in the queue, handed out or not."""
        return self.ready + self.unacked

    @property
    def lane(self) -> str:
        """One of urgent, normal, notices and axis: few enough to label numbers with."""
        match = _MAILBOX.fullmatch(self.queue)
        return "axis" if match is None else match[1] or match[2]


@dataclass(frozen=True, slots=True)
class Copies:
    """Copies for one mailbox queue that are delivered and unanswered; `old`: those that are so for long."""

    count: int
    old: int
    oldest_at: dt.datetime
    oldest_id: str

    def __add__(self, other: "Copies") -> "Copies":
        """Count both."""
        first = min(self, other, key=lambda each: (each.oldest_at, each.oldest_id))
        return Copies(self.count + other.count, self.old + other.old, first.oldest_at, first.oldest_id)


@dataclass(frozen=True, slots=True)
class HeldQueue:
    """Deliveries that wait at the axis for a queue: how many (at most `HELD_COUNTED`), since when the first."""

    queue: str
    count: int
    since: dt.datetime


@dataclass(frozen=True, slots=True)
class Unmarked:
    """Envelopes and notices that have been committed for too long and are not confirmed by the broker.

    `young`: envelopes that are not confirmed either, and not for too long. Each is counted up to `HELD_COUNTED`.
    """

    young: int = 0
    envelopes: int = 0
    envelopes_since: dt.datetime | None = None
    notices: int = 0
    notices_since: dt.datetime | None = None


HELD_COUNTED = 10_000


@dataclass(frozen=True, slots=True)
class Counted:
    """One pass through the store: unanswered copies by queue, and how the queues stood when it began."""

    begun_at: dt.datetime
    watches: Mapping[str, MailboxWatch]
    copies: Mapping[str, Copies] = field(default_factory=dict)


def look(before: MailboxWatch | None, count: QueueCount, at: dt.datetime) -> MailboxWatch:
    """Bring the watch of a queue up to what the broker says now."""
    if before is not None and at - before.seen_at > GAP:
        before = None
    match = _MAILBOX.fullmatch(count.queue)
    waiting = count.ready + count.unacked
    taken = before is not None and count.taken != before.taken
    moved = before is None or waiting < before.waiting or taken
    # Who connects, takes and goes between two looks was there all the same.
    alone = None if before is None or taken else before.no_consumer_since
    return MailboxWatch(
        queue=count.queue,
        mailbox=None if match is None else match[3],
        seen_at=at,
        ready=count.ready,
        unacked=count.unacked,
        consumers=count.consumers,
        no_consumer_since=None if count.consumers else alone or at,
        oldest_at=((before and before.oldest_at) or at) if waiting else None,
        still_since=None if not waiting else at if moved else (before and before.still_since) or at,
        moved_at=at if moved else (before and before.moved_at) or at,
        taken=count.taken,
    )


class Arrivals:
    """When what waits in a queue got there, from its numbers: queues are first in, first out.

    `taken` and what waits add up to all that ever came. So the oldest that waits is the first that came after the
    `taken`th, and it came by the look at which the sum had grown beyond that. What a queue held at the first look is as
    old as `since`. Where the broker counts anew (a restart), so does this.
    """

    def __init__(self, since: dt.datetime | None = None) -> None:
        self._since = since
        self._came: list[tuple[int, dt.datetime]] = []  # (sum, look that first saw it), both rising
        self._taken = 0

    def oldest(self, count: QueueCount, at: dt.datetime) -> dt.datetime | None:
        """Take in a look; say since when the oldest message waits, None when none does."""
        taken, waiting = count.taken or 0, count.ready + count.unacked
        if taken < self._taken:
            self._since = self._came[0][1] if self._came and waiting else None
            self._came = []
        self._taken = taken
        if not self._came or taken + waiting > self._came[-1][0]:
            # `since` is of what the first look found, and of nothing that comes when that was taken.
            first, self._since = self._since if not self._came and waiting else None, None
            self._came.append((taken + waiting, first or at))
        while self._came and self._came[0][0] <= taken:
            del self._came[0]
        if len(self._came) > _REMEMBERED:
            del self._came[1::2]  # what came then counts as come a look or two later
        return self._came[0][1] if waiting and self._came else at if waiting else None


def judge(
    watches: Iterable[MailboxWatch], held: Iterable[HeldQueue], unmarked: Unmarked, *, patience: dt.timedelta
) -> list[Finding]:
    """Say what is stuck: by the last look at the queues, and by what waits in the store."""
    found = [finding for each in watches if (finding := _stuck(each, patience)) is not None]
    for queue in held:
        match = _MAILBOX.fullmatch(queue.queue)
        found.append(Finding(Cause.HELD, queue.queue, queue.since, match and match[3], queue.count))
    if unmarked.envelopes_since is not None:
        found.append(Finding(Cause.UNMARKED, "envelope", unmarked.envelopes_since, count=unmarked.envelopes))
    if unmarked.notices_since is not None:
        found.append(Finding(Cause.UNTOLD, "notice", unmarked.notices_since, count=unmarked.notices))
    return found


def compare(counted: Counted, watches: Mapping[str, MailboxWatch], unmarked: Unmarked) -> list[Finding]:
    """Say what is missing or doubled by one pass through the store; only of queues nobody touched since it began.

    What is unmarked may be in a queue and was not counted.
    """
    found = []
    for queue, then in counted.watches.items():
        now = watches.get(queue)
        if then.mailbox is None or then.lane == "notices" or now is None or not _untouched(now, counted.begun_at):
            continue
        copies = counted.copies.get(queue)
        if copies is not None and copies.old > now.waiting and now.seen_at - counted.begun_at >= SETTLED:
            missing = copies.old - now.waiting
            found.append(Finding(Cause.SILENT, queue, copies.oldest_at, then.mailbox, missing, copies.oldest_id))
        more = then.waiting - (0 if copies is None else copies.count) - unmarked.young - unmarked.envelopes
        if more > 0:
            found.append(Finding(Cause.DOUBLED, queue, then.oldest_at or then.seen_at, then.mailbox, more))
    return found


def is_judged(watch: MailboxWatch) -> bool:
    """Say whether a queue is one of a mailbox or one that workers have to empty; others are seen and never judged."""
    return watch.mailbox is not None or _WORKED.match(watch.queue) is not None


def aged(watches: Iterable[MailboxWatch], counted: Counted) -> list[MailboxWatch]:
    """Say since when the oldest waits, of queues nothing was taken from and that hold all their unanswered copies."""
    return [
        replace(watch, oldest_at=copies.oldest_at)
        for watch in watches
        if (copies := counted.copies.get(watch.queue)) is not None
        and copies.count <= watch.waiting
        and watch.moved_at is not None
        and watch.moved_at <= counted.begun_at
    ]


def absent(wanted: Topology, queues: Iterable[str], bindings: Iterable[Binding]) -> tuple[Change, ...]:
    """Say what is to be made of the queues and bindings that are demanded and not at the broker, in that order."""
    known = {queue.name: queue for queue in wanted.queues}
    there: list[Item] = [*(known.get(name) or Queue(name, {}) for name in queues), *bindings]
    return tuple(change for change in difference(wanted, Topology.of(there)) if change.verb is Verb.CREATE)


def not_there(change: Change, since: dt.datetime) -> Finding:
    """Make the finding of something that the broker does not have."""
    item = change.item
    match = _MAILBOX.fullmatch(item.queue if isinstance(item, Binding) else change.name)
    return Finding(Cause.NOT_THERE, f"{change.kind} {change.name}", since, match and match[3])


def _stuck(watch: MailboxWatch, patience: dt.timedelta) -> Finding | None:
    since, alone = watch.still_since, watch.no_consumer_since
    if since is None or not is_judged(watch):
        return None
    cause = Cause.UNWORKED if watch.mailbox is None else Cause.NOT_TAKING if alone is None else Cause.NO_CONSUMER
    if cause is Cause.NO_CONSUMER and alone is not None:
        since, began = alone, max(alone, since)
    else:
        began = since
    if watch.seen_at - began < (WORKED if cause is Cause.UNWORKED else patience):
        return None
    return Finding(cause, watch.queue, since, watch.mailbox, watch.waiting)


def _untouched(watch: MailboxWatch, since: dt.datetime) -> bool:
    """Say whether nobody was at a queue from then on: no consumer, nothing handed out, nothing taken."""
    return (
        not watch.unacked
        and watch.no_consumer_since is not None
        and watch.no_consumer_since <= since
        and watch.moved_at is not None
        and watch.moved_at <= since
    )
