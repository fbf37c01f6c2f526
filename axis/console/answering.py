"""Which agencies answer, and which do not: one line for each that has a mailbox, the worst first. Pure.

How far an agency is on its way onto the axis is told by what is seen of it:

    connected   it has a mailbox and an account
    trial       and a certificate that counts, or a system that takes from its mailbox; it has exchanged nothing yet
    official    it has sent documents, or answered some it got, within the time that is looked at
"""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from axis.core.codes import lineage
from axis.core.deadlines import Clock
from axis.core.directory import Directory
from axis.core.enrolment import Enrolment, State
from axis.core.lanes import LANES
from axis.core.registered import Overdue, Tally
from axis.core.watching import MailboxWatch


class Stage(StrEnum):
    """How far it is on its way onto the axis."""

    CONNECTED = "connected"
    TRIAL = "trial"
    OFFICIAL = "official"


class Answers(StrEnum):
    """Whether it answers, the worst first."""

    SILENT = "silent"  # documents wait and nobody is connected
    LATE = "late"  # it takes them, and does not say so in time
    IDLE = "idle"  # nothing is late, and it has said nothing for long
    ANSWERING = "answering"


_ORDER = tuple(Answers)


@dataclass(frozen=True, slots=True)
class Line:
    """One agency. `waiting`: documents ready in its mailbox; `overdue`: open deliveries by the deadline that passed.

    `sent` and `received` are of it and all below it.
    """

    code: str
    name: str
    stage: Stage
    answers: Answers
    waiting: int
    consumers: int
    no_consumer_since: dt.datetime | None
    oldest_at: dt.datetime | None
    overdue: Mapping[Clock, int]
    sent: int
    received: int

    @property
    def badness(self) -> tuple[int, int, int, str]:
        """What sorts the worst first."""
        late = self.overdue.get(Clock.ARRIVAL, 0) + self.overdue.get(Clock.ACCEPTANCE, 0)
        return (_ORDER.index(self.answers), -late, -self.waiting, self.code)


@dataclass(frozen=True, slots=True)
class Traffic:
    """What agencies sent and answered, by the mailbox it went through; and what a code and all below it sent and got.

    The first say how far an agency is, the others are numbers whose rows can be listed.
    """

    sent: Mapping[str, int]
    answered: Mapping[str, int]
    sent_below: Mapping[str, int]
    received_below: Mapping[str, int]

    @classmethod
    def of(cls, directory: Directory, at: dt.datetime, sent: Iterable[Tally], received: Iterable[Tally]) -> "Traffic":
        """Sum up."""
        by_mailbox, answered, sent_below, received_below = (Counter[str]() for _ in range(4))
        for each in sent:
            sent_below.update(dict.fromkeys(lineage(each.code), each.documents))
            if (mailbox := directory.mailbox_of(each.code, at)) is not None:
                by_mailbox[mailbox] += each.documents
        for each in received:
            received_below.update(dict.fromkeys(lineage(each.code), each.deliveries))
            if each.business is not None and (mailbox := directory.mailbox_of(each.code, at)) is not None:
                answered[mailbox] += each.deliveries
        return cls(by_mailbox, answered, sent_below, received_below)


@dataclass(frozen=True, slots=True)
class Seen:
    """What is seen of agencies: who may sign, how the queues stand, what is late, what passed."""

    certificates: Sequence[Enrolment]
    watches: Sequence[MailboxWatch]
    overdue: Mapping[Clock, Sequence[Overdue]]
    traffic: Traffic


def board(directory: Directory, seen: Seen, at: dt.datetime) -> list[Line]:
    """Draw up the board, the worst first."""
    queues: defaultdict[str, list[MailboxWatch]] = defaultdict(list)
    for watch in seen.watches:
        if watch.mailbox is not None and watch.lane in LANES:
            queues[watch.mailbox].append(watch)
    late: defaultdict[str, dict[Clock, int]] = defaultdict(dict)
    for clock, found in seen.overdue.items():
        for each in found:
            late[each.mailbox][clock] = each.count
    signing = {
        each.organisation for each in seen.certificates if each.role != "sealing" and each.state(at) is State.VALID
    }
    lines = []
    for mailbox in directory.mailboxes(at):
        code = mailbox.code
        named = directory.organisation(code, at) or directory.latest(code)
        name = "" if named is None else named.name
        lines.append(_line((code, name), queues[code], late[code], seen.traffic, may_sign=code in signing))
    return sorted(lines, key=lambda each: each.badness)


def _line(
    who: tuple[str, str],
    queues: Sequence[MailboxWatch],
    overdue: Mapping[Clock, int],
    traffic: Traffic,
    *,
    may_sign: bool,
) -> Line:
    code, name = who
    consumers = sum(each.consumers for each in queues)
    alone = [each for each in queues if each.ready and not each.consumers]
    sent, answered = traffic.sent.get(code, 0), traffic.answered.get(code, 0)
    answers = Answers.ANSWERING if answered else Answers.IDLE
    if overdue.get(Clock.ARRIVAL) or overdue.get(Clock.ACCEPTANCE):
        answers = Answers.LATE
    if alone:
        answers = Answers.SILENT
    stage = Stage.TRIAL if may_sign or consumers else Stage.CONNECTED
    return Line(
        code=code,
        name=name,
        stage=Stage.OFFICIAL if sent or answered else stage,
        answers=answers,
        waiting=sum(each.ready for each in queues),
        consumers=consumers,
        no_consumer_since=min((each.no_consumer_since for each in alone if each.no_consumer_since), default=None),
        oldest_at=min((each.oldest_at for each in queues if each.oldest_at), default=None),
        overdue=overdue,
        sent=traffic.sent_below.get(code, 0),
        received=traffic.received_below.get(code, 0),
    )
