"""What the register counts of an envelope: the difference between what was registered and what is.

What was is taken away and what is is added, so a count is right however often an envelope is registered again.
"""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from axis.core.deadlines import Clock
from axis.core.registered import COUNTS, Entry, Kept, Record
from axis.core.registration import DueKey, Subject, TallyKey
from axis.core.workdays import vietnam_day

_SECOND = dt.timedelta(seconds=1)


def tallies_of(subject: Subject, entry: Entry, records: Iterable[Record]) -> Mapping[TallyKey, Sequence[int]]:
    """Count deliveries by state, and the document when it is new, in the order of COUNTS: the difference."""
    counted: defaultdict[TallyKey, list[int]] = defaultdict(lambda: [0] * len(COUNTS))
    for record in records:
        for sign, each in ((1, record), (-1, subject.records.get(record.recipient))):
            if each is not None:
                counts = counts_of(entry.accepted_at, each.arrived_at, each.accepted_at, each.finished_at)
                for key in _keys(entry, each):
                    counted[key] = [one + sign * other for one, other in zip(counted[key], counts, strict=True)]
    sums: dict[TallyKey, Sequence[int]] = {key: counts for key, counts in counted.items() if any(counts)}
    before = subject.before
    documents = int(before is None)
    late = int(entry.sent_late) - int(before is not None and before.sent_late)
    if documents or late:
        sums[TallyKey("sent", vietnam_day(entry.accepted_at), entry.sender, entry.lane)] = [
            0,
            documents,
            late,
            *[0] * (len(COUNTS) - 3),
        ]
    return sums


def _keys(entry: Entry, record: Record) -> tuple[TallyKey, TallyKey]:
    state = (
        record.transport.value,
        record.business or "",
        record.reason or "",
        kept(record.arrive_by, record.arrived_at),
        kept(record.accept_by, record.accepted_at),
        kept(record.finish_by, record.finished_at),
    )
    day = vietnam_day(entry.accepted_at)
    return (
        TallyKey("sent", day, entry.sender, entry.lane, *state),
        TallyKey("received", day, record.recipient, entry.lane, *state),
    )


def counts_of(since: dt.datetime, *done_at: dt.datetime | None) -> tuple[int, ...]:
    """Return what a tally counts of one delivery, in the order of COUNTS.

    `done_at`: when it arrived, was accepted by its recipient, and was finished. A clock that stood elsewhere may say
    that something was done before it began: then it took no time.
    """
    took = [(0, 0) if at is None else (1, max(0, (at - since) // _SECOND)) for at in done_at]
    return (1, 0, 0, *(number for each in took for number in each))


def kept(by: dt.datetime | None, done_at: dt.datetime | None) -> Kept:
    """Say how a deadline was kept; what was not done yet is not late here, however long ago it was due."""
    if by is None or done_at is None:
        return "none"
    return "on time" if done_at <= by else "late"


def due_of(subject: Subject, records: Iterable[Record]) -> Mapping[DueKey, int]:
    """Count what is open by the day of each of its deadlines: the difference too."""
    due: Counter[DueKey] = Counter()
    for record in records:
        due.update(_awaited(record))
        if (known := subject.records.get(record.recipient)) is not None:
            due.subtract(_awaited(known))
    return {key: count for key, count in due.items() if count}


def _awaited(record: Record) -> Iterator[DueKey]:
    if record.ended or record.mailbox is None:
        return
    for clock, by, done_at in (
        (Clock.ARRIVAL, record.arrive_by, record.arrived_at),
        (Clock.ACCEPTANCE, record.accept_by, record.accepted_at),
        (Clock.FINISHING, record.finish_by, record.finished_at),
    ):
        if by is not None and done_at is None:
            yield DueKey(clock, record.mailbox, vietnam_day(by))
