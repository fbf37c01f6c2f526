"""What is put into the register, and what comes of it: an envelope with how it is registered, and what to write.

Times are aware (UTC), days are those of Vietnam.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from axis.core.deadlines import Clock
from axis.core.registered import Entry, Kept, News, Record, Side
from axis.core.tracked import Tracked


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
