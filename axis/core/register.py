"""How an envelope is registered: what the register says of it, and of each of its deliveries.

One function of what is known and of what was registered before: so it can be done again at any time, and what it
returns is a difference. Bytes that today's schema would refuse are registered by what the axis noted of them.
What that changes in the counts is axis.core.tallies', what there is to tell axis.core.news'.
"""

import datetime as dt
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

from axis.core.deadlines import Deadlines, DocumentFacts, Pause
from axis.core.fate import Fate, fates
from axis.core.folding import fit
from axis.core.lanes import LANES
from axis.core.messages import Lane
from axis.core.news import feed_of, flow_of
from axis.core.registered import Entry, Record
from axis.core.registration import Registered, Subject
from axis.core.searching import lexemes_of
from axis.core.tallies import due_of, tallies_of
from axis.core.tracked import Tracked, TrackedDelivery

_MAX_TEXT = 2_000
_REFUSED = "02"

Reckon = Callable[[DocumentFacts, tuple[Pause, ...]], Deadlines]


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
        tallies=tallies_of(subject, entry, records),
        due=due_of(subject, records),
        feed=tuple(feed_of(subject, entry, records)) if subject.news else (),
        flow=flow_of(subject, entry, records) if subject.news else {},
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
