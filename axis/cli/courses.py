"""How the deliveries of an envelope stand, for `axis track`: both planes, deadlines, what is waited for, the story."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from axis.catalogue.workdays import workdays
from axis.cli.console import clock_time, print_table, say, speaks_vietnamese
from axis.core import register
from axis.core.deadlines import Clock, Escalation, deadlines, escalation
from axis.core.fate import Fate, Transport, fates
from axis.core.lanes import mailbox_queue
from axis.core.registered import Entry, Record
from axis.core.registration import Subject
from axis.core.timeline import Moment, timeline, words_of
from axis.core.tracked import Tracked, TrackedDelivery
from axis.core.waiting import Waiting, waiting
from axis.core.watching import MailboxWatch
from axis.core.workdays import read_hours, vietnam_day
from axis.settings import Settings
from axis.store import Store

_STORIES = 20  # recipients; of more only who is asked for has its story told


@dataclass(frozen=True, slots=True)
class Standing:
    """One deadline: by when, when it was kept, and how that stands."""

    clock: Clock
    deadline: dt.datetime
    done_at: dt.datetime | None
    escalation: Escalation


@dataclass(frozen=True, slots=True)
class Course:
    """How one delivery stands."""

    recipient: str
    mailbox: str | None
    transport: Transport
    business: str | None
    since: dt.datetime
    ended: bool
    paused: bool
    deadlines: tuple[Standing, ...]
    waiting: Waiting | None


@dataclass(frozen=True, slots=True)
class Courses:
    """How all deliveries of an envelope stand, and its story. `log_position`: that of its receipt."""

    sent_late: bool
    deliveries: tuple[Course, ...]
    timeline: tuple[Moment, ...]
    log_position: int | None


async def courses_of(
    store: Store, settings: Settings, found: Sequence[Tracked], now: dt.datetime, *, past: bool
) -> Mapping[str, Courses]:
    """Say how everything stands, by envelope. `past`: as of a moment; what is in the queues now says nothing of it."""
    if not found:
        return {}
    overrides = await store.workdays.overrides()
    calendar = workdays(overrides, vietnam_day(now).year, read_hours(settings.working_hours))
    bodies = {row.id: row.body for row, _ in await store.comparing.envelopes([each.envelope.id for each in found])}
    mailboxes = {delivery.mailbox for each in found for delivery in each.deliveries if delivery.mailbox is not None}
    watches = {} if past else {each.queue: each for each in await store.watches.watches(mailboxes)}
    told = {}
    for each in found:
        receipt = next((notice.id for notice in each.notices if notice.kind == "receipt"), None)
        position = None if receipt is None else await store.log.position_of(receipt)
        subject = Subject(tracked=each, body=bodies.get(each.envelope.id, b""), news=False)
        kept = register.register(subject, lambda facts, pauses: deadlines(facts, pauses, calendar, settings.targets))
        told[each.envelope.id] = Courses(
            kept.entry.sent_late,
            tuple(
                _course(kept.entry, record, fate, delivery, watches=watches, now=now)
                for record, fate, delivery in zip(kept.records, fates(each), each.deliveries, strict=True)
            ),
            timeline(each),
            position,
        )
    return told


def _course(
    entry: Entry,
    record: Record,
    fate: Fate,
    delivery: TrackedDelivery,
    *,
    watches: Mapping[str, MailboxWatch],
    now: dt.datetime,
) -> Course:
    watch = None if delivery.mailbox is None else watches.get(mailbox_queue(entry.lane, delivery.mailbox))
    clocks = (
        (Clock.ARRIVAL, record.arrive_by, record.arrived_at),
        (Clock.ACCEPTANCE, record.accept_by, record.accepted_at),
        (Clock.FINISHING, record.finish_by, record.finished_at),
    )
    # Nobody is charged with what never got to it, or was taken back.
    charged = record.transport not in {Transport.UNDELIVERABLE, Transport.WITHDRAWN}
    return Course(
        recipient=record.recipient,
        mailbox=record.mailbox,
        transport=record.transport,
        business=record.business,
        since=record.since,
        ended=record.ended,
        paused=any(each.until is None for each in fate.pauses),
        deadlines=tuple(
            Standing(clock, by, done, stands)
            for clock, by, done in clocks
            if charged and by is not None and (done is not None or not record.ended)
            if (stands := escalation(entry.accepted_at, by, done, now)) is not None
        ),
        waiting=waiting(fate, delivery, watch, now),
    )


def tell(tracked: Tracked, courses: Courses, *, stories: bool, recipient: str | None) -> None:
    """Print the deliveries, and their stories."""
    vietnamese = speaks_vietnamese()
    if courses.sent_late:
        say("gửi muộn (QĐ 28/2018 Điều 6.2)" if vietnamese else "sent late (QĐ 28/2018 article 6.2)")
    say("")
    rows = [
        (
            course.recipient,
            course.mailbox,
            course.transport.value,
            _business(course.business, vietnamese=vietnamese),
            course.since,
            _pressing(course),
            _why(course, delivery, vietnamese=vietnamese),
        )
        for course, delivery in zip(courses.deliveries, tracked.deliveries, strict=True)
        if recipient in {None, course.recipient}
    ]
    print_table(("recipient", "mailbox", "transport", "business", "since", "deadline", "waits for, or why"), rows)
    counts = {state: sum(each.transport is state for each in courses.deliveries) for state in Transport}
    told = ", ".join(f"{count} {state.value}" for state, count in counts.items() if count)
    many = len(courses.deliveries)
    say(f"{many} recipient{'s' if many != 1 else ''}: {told}")
    if not stories:
        return
    shown = [each for each in courses.deliveries if recipient in {None, each.recipient}]
    if len(shown) > _STORIES:
        say(f"--recipient CODE tells the story of one of the {len(shown)}")
        return
    for course in shown:
        say("")
        say(f"{course.recipient}: {'; '.join(map(_deadline, course.deadlines)) or 'no deadline'}{_paused(course)}")
        for moment in courses.timeline:
            if moment.recipient in {None, course.recipient}:
                say(f"  {_told(moment, courses.log_position, vietnamese=vietnamese)}")


def _business(code: str | None, *, vietnamese: bool) -> str | None:
    return None if code is None else f"{code} {words_of(code)[vietnamese]}"


def _pressing(course: Course) -> str | None:
    """Say the deadline that is next, or the first that was missed."""
    missed = next((each for each in course.deadlines if each.escalation in _MISSED), None)
    coming = next((each for each in course.deadlines if each.done_at is None), None)
    return _deadline(found) if (found := missed or coming) is not None else "paused" if course.paused else None


_MISSED = {Escalation.LATE, Escalation.VERY_LATE}


def _deadline(standing: Standing) -> str:
    done = "" if standing.done_at is None else f", done {clock_time(standing.done_at)}"
    return f"{standing.clock.value} by {clock_time(standing.deadline)}: {standing.escalation.value}{done}"


def _paused(course: Course) -> str:
    return " (the time stands still)" if course.paused else ""


def _why(course: Course, delivery: TrackedDelivery, *, vietnamese: bool) -> str | None:
    said = []
    if course.waiting is not None:
        said.append(course.waiting.text_vi if vietnamese else course.waiting.text_en)
    if delivery.reason is not None:
        said.append(delivery.reason)
    said.extend(delivery.via or ([] if delivery.detail is None else [delivery.detail]))
    return "; ".join(said) or None


def _told(moment: Moment, log_position: int | None, *, vietnamese: bool) -> str:
    evidence = "" if moment.evidence is None else f" [{moment.evidence}]"
    if moment.evidence is not None and moment.recipient is None and moment.what == "accepted":
        place = "" if log_position is None else f", log {log_position}"
        evidence = f" [receipt {moment.evidence}{place}]"
    detail = "" if moment.detail is None else f": {moment.detail}"
    what = moment.what_vi if vietnamese else moment.what
    return f"{clock_time(moment.at)}  {moment.who:<8}  {what}{detail}{evidence}"
