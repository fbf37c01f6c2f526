"""The register (sổ đăng ký văn bản): what it holds, what can be looked for in it, and what is found.

It is a copy of what the store knows, made for lists, counts and searches; `axis.core.register` makes it. Times are
aware (UTC), days are those of Vietnam.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from axis.core.deadlines import Clock
from axis.core.fate import Transport
from axis.core.messages import Lane

Side = Literal["sent", "received"]
Kept = Literal["none", "on time", "late"]  # a deadline: nothing was done yet (or none was set), or it was


class News(StrEnum):
    """What the feed tells."""

    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    HELD = "held"
    UNDELIVERABLE = "undeliverable"
    WITHDRAWN = "withdrawn"
    STATUS = "status"
    CONVERSATION = "conversation"
    LATE = "late"


@dataclass(frozen=True, slots=True)
class Entry:
    """One document. `sent_late`: article 6.2; `open`: how many of its deliveries are not at an end."""

    id: str
    sender: str
    account: str
    lane: Lane
    action: str
    concerns: str | None
    number: str | None
    notation: str | None
    issued_on: dt.date | None
    kind: str | None
    subject: str
    document_id: str
    priority: str | None
    due_on: dt.date | None
    sent_at: dt.datetime
    accepted_at: dt.datetime
    sent_late: bool
    recipients: int
    open: int
    signed_by: str = ""  # thumbprint of the certificate


@dataclass(frozen=True, slots=True)
class Record:
    """One delivery as it is registered.

    `since`: when it came into its transport and business state. `arrived_at`, `accepted_at` and `finished_at`: when
    the axis first heard so from the recipient.
    """

    recipient: str
    resolved: str | None
    mailbox: str | None
    transport: Transport
    business: str | None
    since: dt.datetime
    reason: str | None
    detail: str | None
    arrive_by: dt.datetime | None
    accept_by: dt.datetime | None
    finish_by: dt.datetime | None
    arrived_at: dt.datetime | None
    accepted_at: dt.datetime | None
    finished_at: dt.datetime | None
    ended: bool


@dataclass(frozen=True, slots=True)
class EntryDelivery:
    """One delivery in a list, with its document."""

    envelope_id: str
    recipient: str
    mailbox: str | None
    sender: str
    lane: Lane
    transport: Transport
    business: str | None
    since: dt.datetime
    reason: str | None
    detail: str | None
    arrive_by: dt.datetime | None
    accept_by: dt.datetime | None
    finish_by: dt.datetime | None
    entry: Entry
    resolved: str | None = None
    arrived_at: dt.datetime | None = None
    accepted_at: dt.datetime | None = None
    finished_at: dt.datetime | None = None
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Sought:
    """What is looked for; all that is given has to fit, None fits everything.

    A document is found when one of its deliveries fits all that is said of deliveries: `recipient`, `mailbox`,
    `transport`, `business`, `late`, `reason`.
    """

    words: str | None = None  # as typed: each word, marks and case aside, is the beginning of one in the document
    number: str | None = None  # "7816/VPCP-TTĐT", or a number or a notation alone
    sender: str | None = None  # this code and all below it
    recipient: str | None = None  # this code and all below it, as addressed, resolved, or the mailbox
    mailbox: str | None = None  # this mailbox, and no other below its code: as `overdue` counts
    account: str | None = None  # only what this agency sent or received
    since: dt.datetime | None = None  # of acceptance
    until: dt.datetime | None = None  # before
    transport: Transport | None = None
    business: str | None = None
    late: Clock | None = None  # open, and its deadline of this kind has passed; SENDING: the document was sent late
    lane: Lane | None = None
    sent_late: bool | None = None
    open: bool | None = None  # anything is to come; to an `account` that received it, of its own deliveries
    reason: str | None = None

    @property
    def is_wide(self) -> bool:
        """Whether a large register may have looked through the newest only, as no index answers all of it alone."""
        asked = (
            *(self.words, self.number, self.sender, self.recipient, self.mailbox, self.account),
            *(self.transport, self.business, self.late, self.lane, self.open),
        )
        return self.reason is not None or sum(each is not None for each in asked) > 1


@dataclass(frozen=True, slots=True)
class Tally:
    """How many deliveries of a code are in a state; `code` is the sender's, or the recipient's as addressed.

    Of side "sent" one more with `transport` None counts documents, and those of them sent late (`documents_late`).
    `arrived`, `accepted` (by the recipient) and `finished`: how many deliveries were, and after how many seconds in all
    from their document's acceptance by the axis: time on the clock, nights and days off too.
    """

    code: str
    lane: Lane
    transport: Transport | None
    business: str | None
    reason: str | None
    arrival: Kept
    acceptance: Kept
    finishing: Kept
    deliveries: int = 0
    documents: int = 0
    documents_late: int = 0
    arrived: int = 0
    arrived_seconds: int = 0
    accepted: int = 0
    accepted_seconds: int = 0
    finished: int = 0
    finished_seconds: int = 0

    def counting(self, counts: Sequence[int]) -> "Tally":
        """Return one of the same kind with other counts, in the order of COUNTS; those left away are 0."""
        state = (self.transport, self.business, self.reason, self.arrival, self.acceptance, self.finishing)
        return Tally(self.code, self.lane, *state, *counts)

    @property
    def kind(self) -> "Tally":
        """What it counts by, without what it counts."""
        return self.counting(())

    @property
    def counts(self) -> tuple[int, ...]:
        """What is counted, in the order of the fields."""
        return tuple(getattr(self, name) for name in COUNTS)


# What a tally counts, beside the key that it counts by; fields of Tally and columns of the table alike.
COUNTS = (
    "deliveries",
    "documents",
    "documents_late",
    "arrived",
    "arrived_seconds",
    "accepted",
    "accepted_seconds",
    "finished",
    "finished_seconds",
)


@dataclass(frozen=True, slots=True)
class Flow:
    """What passed from `at` on for one step; a step without anything is left out."""

    at: dt.datetime
    documents: int
    deliveries: int
    statuses: int


@dataclass(frozen=True, slots=True)
class Overdue:
    """An agency's open deliveries whose deadline has passed; `oldest` is that deadline."""

    mailbox: str
    count: int
    oldest: dt.datetime


@dataclass(frozen=True, slots=True)
class FeedItem:
    """Something that changed, in the order of `seq`; `account` is whose: the sender's, or a mailbox's.

    `code`: of a status its code, of a conversation what is asked and how it stands ("recall agreed"), of what is late
    the deadline ("arrival"), else the reason or nothing. `at`: when the axis recorded it.
    """

    seq: int
    account: str
    kind: News
    envelope_id: str
    recipient: str | None
    code: str | None
    at: dt.datetime
