"""What there is to tell of an envelope that was registered: to whom it concerns (the feed), and how much passed."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeGuard

from axis.core.deadlines import Clock
from axis.core.fate import Transport
from axis.core.records import DeliveryState
from axis.core.registered import Entry, News, Record
from axis.core.registration import Subject, Told

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


def feed_of(subject: Subject, entry: Entry, records: Iterable[Record]) -> Iterator[Told]:
    """Say whom to tell of what changed.

    What only its sender can know, and what is not the recipient's yet or never was, is told to the sender alone.
    """
    mailboxes = {
        each.recipient: each.mailbox
        for each in subject.tracked.deliveries
        if each.state is not DeliveryState.WITHDRAWN or each.delivered_at is not None  # else see axis.core.seeing
    }
    delivered = _delivered(subject)
    if subject.before is None:
        yield Told(entry.account, News.ACCEPTED, None, None, entry.accepted_at)
    for record in records:
        news = _news(subject.records.get(record.recipient), record)
        if news is None:
            continue
        both = news in {News.DELIVERED, News.WITHDRAWN}
        for account in _whose(entry.account, mailboxes.get(record.recipient) if both else None):
            yield Told(account, news, record.recipient, record.reason, _at(record, delivered))
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


def _delivered(subject: Subject) -> Mapping[str, dt.datetime]:
    """Return when each delivery got to its mailbox; once for all, since a document may have thousands of them."""
    return {each.recipient: each.delivered_at for each in subject.tracked.deliveries if each.delivered_at is not None}


def _at(record: Record, delivered: Mapping[str, dt.datetime]) -> dt.datetime:
    return delivered.get(record.recipient) or record.arrived_at or record.since


def flow_of(subject: Subject, entry: Entry, records: Iterable[Record]) -> Mapping[dt.datetime, tuple[int, int, int]]:
    """Count documents, deliveries that arrived and statuses by the minute (UTC) in which they did."""
    delivered = _delivered(subject)
    counts: dict[int, Counter[dt.datetime]] = {number: Counter() for number in range(3)}
    if subject.before is None:
        counts[0][_minute(entry.accepted_at)] += 1
    for record in records:
        if _news(subject.records.get(record.recipient), record) is News.DELIVERED:
            counts[1][_minute(_at(record, delivered))] += 1
    counts[2].update(_minute(each.at) for each in subject.events if each.kind is News.STATUS)
    return {at: (counts[0][at], counts[1][at], counts[2][at]) for at in {*counts[0], *counts[1], *counts[2]}}


def _minute(at: dt.datetime) -> dt.datetime:
    return at.replace(second=0, microsecond=0)
