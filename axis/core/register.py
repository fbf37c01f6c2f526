"""What the register says of an envelope, what that changes in its counts, and what there is to tell.

One function of what is known and of what was registered before: so it can be done again at any time, and what it
returns is a difference. Bytes that today's schema would refuse are registered by what the axis noted of them.
"""

import datetime as dt
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import NamedTuple, TypeGuard

from axis.core.deadlines import Clock, Deadlines, DocumentFacts, Pause
from axis.core.fate import Fate, Transport, fates
from axis.core.folding import fit
from axis.core.lanes import LANES
from axis.core.messages import Lane
from axis.core.records import DeliveryState
from axis.core.registered import COUNTS, Entry, Kept, News, Record, Side
from axis.core.searching import lexemes_of
from axis.core.tracked import Tracked, TrackedDelivery
from axis.core.workdays import vietnam_day

_MAX_TEXT = 2_000
_REFUSED = "02"
_SECOND = dt.timedelta(seconds=1)

Reckon = Callable[[DocumentFacts, tuple[Pause, ...]], Deadlines]


class TallyKey(NamedTuple):
    """What deliveries are counted by; '' for none. `transport` '' counts documents."""

    side: Side
    day: dt.date
    code: str
    lane: str
    transport: str = ""
    business: str = ""
    reason: str = ""
    arrival: Kept = "none"
    acceptance: Kept = "none"
    finishing: Kept = "none"


class DueKey(NamedTuple):
    """What open deliveries are counted by: which deadline, whose, and its day in Vietnam."""

    clock: Clock
    mailbox: str
    day: dt.date


@dataclass(frozen=True, slots=True)
class Event:
    """Something that was said about a delivery: a status, or a conversation that moved."""

    kind: News
    recipient: str
    code: str
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Subject:
    """An envelope to be registered, and how it is registered now.

    `tracked` holds the deliveries that may have changed; `whole`: all of them. `events` are new, and `news` says
    whether anybody is to be told of anything. `before` None: it was not registered.
    """

    tracked: Tracked
    body: bytes
    whole: bool = True
    news: bool = True
    events: tuple[Event, ...] = ()
    before: Entry | None = None
    records: Mapping[str, Record] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Told:
    """An item of the feed, before it has its number."""

    account: str
    kind: News
    recipient: str | None
    code: str | None
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Registered:
    """What to write: the document, those of its deliveries that differ, and what to add to the counts.

    `unchanged`: the document is as it was. `tallies`: what axis.core.registered.COUNTS names; `flow`, by minute:
    documents, deliveries, statuses.
    """

    entry: Entry
    lexemes: tuple[str, ...] | None  # None: as they were
    unchanged: bool
    records: tuple[Record, ...]
    tallies: Mapping[TallyKey, Sequence[int]]
    due: Mapping[DueKey, int]
    feed: tuple[Told, ...]
    flow: Mapping[dt.datetime, tuple[int, int, int]]


def register(subject: Subject, reckon: Reckon) -> Registered:
    """Decide how an envelope is registered; `reckon` says by when a delivery with such pauses has to be where."""
    tracked, before = subject.tracked, subject.before
    entry = _entry(subject, reckon)
    facts = facts_of(entry)
    reckoned: dict[tuple[Pause, ...], Deadlines] = {}
    records: list[Record] = []
    opened = 0
    for fate, delivery in zip(fates(tracked), tracked.deliveries, strict=True):
        if fate.pauses not in reckoned:
            reckoned[fate.pauses] = reckon(facts, fate.pauses)
        record = _record(tracked, delivery, fate, reckoned[fate.pauses])
        known = subject.records.get(record.recipient)
        opened += (not record.ended) - (known is not None and not known.ended)
        if record != known:
            records.append(record)
    entry = replace(entry, open=opened if before is None else before.open + opened)
    lexemes = None
    if before is None or before.sent_late != entry.sent_late:
        mailboxes = [each.mailbox for each in tracked.deliveries]
        codes = [code for each in tracked.deliveries for code in (each.recipient, each.resolved, each.mailbox)]
        lexemes = lexemes_of(entry, codes, mailboxes) if subject.whole else None
    return Registered(
        entry=entry,
        lexemes=lexemes,
        unchanged=entry == before,
        records=tuple(records),
        tallies=_tallies(subject, entry, records),
        due=_due(subject, records),
        feed=tuple(_feed(subject, entry, records)) if subject.news else (),
        flow=_flow(subject, entry, records) if subject.news else {},
    )


def facts_of(entry: Entry) -> DocumentFacts:
    """Return what deadlines depend on."""
    return DocumentFacts(
        lane=entry.lane,
        action=entry.action,
        kind=entry.kind,
        issued_on=entry.issued_on,
        due_on=entry.due_on,
        sent_at=entry.sent_at,
        accepted_at=entry.accepted_at,
    )


def _entry(subject: Subject, reckon: Reckon) -> Entry:
    envelope = subject.tracked.envelope
    said = _document(subject.body)
    entry = Entry(
        id=envelope.id,
        sender=envelope.sender,
        account=envelope.account,
        lane=_lane(envelope.lane),
        action=envelope.action,
        concerns=envelope.concerns,
        number=_text(said, "number"),
        notation=_text(said, "notation"),
        issued_on=_day(said, "issued_on"),
        kind=_text(said, "kind"),
        subject=fit(envelope.subject),
        document_id=fit(envelope.document_id),
        priority=_text(said, "priority"),
        due_on=_day(said, "due_on"),
        sent_at=envelope.sent_at,
        accepted_at=envelope.accepted_at,
        sent_late=False,
        recipients=len(subject.tracked.deliveries) if subject.before is None else subject.before.recipients,
        open=0,
        signed_by=envelope.thumbprint,
    )
    if subject.before is not None and not subject.whole:
        return replace(entry, sent_late=subject.before.sent_late)
    return replace(entry, sent_late=reckon(facts_of(entry), ()).sent_late)


def _document(body: bytes) -> Mapping[str, object]:
    try:
        read = json.loads(body)
    except (ValueError, RecursionError):
        return _NOTHING
    document = read.get("document") if isinstance(read, dict) else None
    return document if isinstance(document, dict) else _NOTHING


_NOTHING: Mapping[str, object] = MappingProxyType({})


def _text(said: Mapping[str, object], name: str) -> str | None:
    value = said.get(name)
    return fit(value, _MAX_TEXT) if isinstance(value, str) and value else None


def _day(said: Mapping[str, object], name: str) -> dt.date | None:
    value = said.get(name)
    try:
        return dt.date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _lane(name: str) -> Lane:
    return next((lane for lane in LANES if lane == name), "normal")


def _record(tracked: Tracked, delivery: TrackedDelivery, fate: Fate, deadlines: Deadlines) -> Record:
    detail = delivery.detail
    if fate.business == _REFUSED:
        said = [
            each.reason for each in tracked.statuses if each.code == _REFUSED and delivery.recipient in each.recipients
        ]
        detail = said[0] if said else detail
    return Record(
        recipient=delivery.recipient,
        resolved=delivery.resolved,
        mailbox=delivery.mailbox,
        transport=fate.transport,
        business=fate.business,
        since=fate.since,
        reason=delivery.reason,
        detail=None if detail is None else fit(detail, _MAX_TEXT),
        arrive_by=deadlines.arrive_by,
        accept_by=deadlines.accept_by,
        finish_by=deadlines.finish_by,
        arrived_at=fate.arrived_at,
        accepted_at=fate.accepted_at,
        finished_at=fate.finished_at,
        ended=fate.ended,
    )


def _tallies(subject: Subject, entry: Entry, records: Iterable[Record]) -> Mapping[TallyKey, Sequence[int]]:
    """Count the difference: what was is taken away, what is is added."""
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


def _due(subject: Subject, records: Iterable[Record]) -> Mapping[DueKey, int]:
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


_ARRIVING = {
    Transport.ROUTED: News.DELIVERED,
    Transport.TAKEN: News.DELIVERED,
    Transport.HELD: News.HELD,
    Transport.WITHDRAWN: News.WITHDRAWN,
    Transport.UNDELIVERABLE: News.UNDELIVERABLE,
}


def _news(known: Record | None, record: Record) -> News | None:
    news = _ARRIVING.get(record.transport)
    return None if known is not None and _ARRIVING.get(known.transport) is news else news


def _feed(subject: Subject, entry: Entry, records: Iterable[Record]) -> Iterator[Told]:
    """What only its sender can know, and what is not the recipient's yet or never was, is told to the sender alone."""
    mailboxes = {
        each.recipient: each.mailbox
        for each in subject.tracked.deliveries
        if each.state is not DeliveryState.WITHDRAWN or each.delivered_at is not None  # else see axis.core.seeing
    }
    if subject.before is None:
        yield Told(entry.account, News.ACCEPTED, None, None, entry.accepted_at)
    for record in records:
        news = _news(subject.records.get(record.recipient), record)
        if news is None:
            continue
        both = news in {News.DELIVERED, News.WITHDRAWN}
        for account in _whose(entry.account, mailboxes.get(record.recipient) if both else None):
            yield Told(account, news, record.recipient, record.reason, _at(subject, record))
    if subject.before is None:
        yield from _already_due(entry, records)
    for event in dict.fromkeys(subject.events):
        for account in _whose(entry.account, mailboxes.get(event.recipient)):
            yield Told(account, event.kind, event.recipient, event.code, event.at)


def _already_due(entry: Entry, records: Iterable[Record]) -> Iterator[Told]:
    """Of deadlines that pass from now on `tell_late` tells: it never comes to what was due before that."""
    for record in records:
        if was_due(record.finish_by, entry) and record.mailbox is not None and not record.ended:
            for account in _whose(entry.account, record.mailbox):
                yield Told(account, News.LATE, record.recipient, Clock.FINISHING.value, record.finish_by)


def was_due(by: dt.datetime | None, entry: Entry) -> TypeGuard[dt.datetime]:
    """Say whether a deadline had passed before its document was accepted."""
    return by is not None and by < entry.accepted_at


def _whose(*accounts: str | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each for each in accounts if each))


def _at(subject: Subject, record: Record) -> dt.datetime:
    found = [each.delivered_at for each in subject.tracked.deliveries if each.recipient == record.recipient]
    return next((at for at in found if at is not None), record.arrived_at or record.since)


def _flow(subject: Subject, entry: Entry, records: Iterable[Record]) -> Mapping[dt.datetime, tuple[int, int, int]]:
    counts: dict[int, Counter[dt.datetime]] = {number: Counter() for number in range(3)}
    if subject.before is None:
        counts[0][_minute(entry.accepted_at)] += 1
    for record in records:
        if _news(subject.records.get(record.recipient), record) is News.DELIVERED:
            counts[1][_minute(_at(subject, record))] += 1
    counts[2].update(_minute(each.at) for each in subject.events if each.kind is News.STATUS)
    return {at: (counts[0][at], counts[1][at], counts[2][at]) for at in {*counts[0], *counts[1], *counts[2]}}


def _minute(at: dt.datetime) -> dt.datetime:
    return at.replace(second=0, microsecond=0)
