"""Is it us or them? What is known of one agency, put into one sentence. Pure."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from axis.core.enrolment import Enrolment, State
from axis.core.lanes import LANES
from axis.core.watching import MailboxWatch

_DAY = dt.timedelta(days=1)
# Held because the mailbox does not take what is put into it; other reasons are the axis's own.
_THEIRS = frozenset({"mailbox/not-taking", "mailbox/full", "mailbox/behind"})
SOON = 30  # days before a certificate's end


class Whose(StrEnum):
    """Who has to do something."""

    AXIS = "axis"
    AGENCY = "agency"
    UNKNOWN = "unknown"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whose it is, and why: `health.<why>` is the sentence, with `count` and `since` in it."""

    whose: Whose
    why: str
    count: int = 0
    since: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of an agency. `held`: deliveries by reason; `overdue`: arrivals and acceptances that are late."""

    mailbox: bool
    watches: Sequence[MailboxWatch]
    fresh: bool  # the auditor has looked lately
    held: Mapping[str, int]
    overdue: int
    certificates: Sequence[Enrolment]


def judge(facts: Facts, at: dt.datetime) -> Judgement:
    """Say whose turn it is; of several things the one that explains the others."""
    return next(_judgements(facts, at))


def _judgements(facts: Facts, at: dt.datetime) -> Iterator[Judgement]:
    """Yield what holds, the graver first; the last always does."""
    alone = [each for each in facts.watches if each.lane in LANES and each.ready and not each.consumers]
    ours = sum(count for reason, count in facts.held.items() if reason not in _THEIRS)
    theirs = sum(facts.held.values()) - ours
    signing = [each for each in facts.certificates if each.role not in {"sealing", "axis"}]
    if not facts.mailbox:
        yield Judgement(Whose.AXIS, "no mailbox")
    if ours:
        yield Judgement(Whose.AXIS, "held", ours)
    if not facts.fresh:
        yield Judgement(Whose.UNKNOWN, "not looked")
    if alone:
        since = min((each.no_consumer_since for each in alone if each.no_consumer_since), default=None)
        yield Judgement(Whose.AGENCY, "no consumer", sum(each.ready for each in alone), since)
    if theirs:
        yield Judgement(Whose.AGENCY, "not taking", theirs)
    if signing and not any(each.state(at) is State.VALID for each in signing):
        yield Judgement(Whose.AGENCY, "certificate", since=max(each.until for each in signing))
    if facts.overdue:
        yield Judgement(Whose.AGENCY, "overdue", facts.overdue)
    yield Judgement(Whose.NOBODY, "fine")


def days_left(certificate: Enrolment, at: dt.datetime) -> int:
    """Return for how many whole days a certificate still counts, 0 for one that does not."""
    return max(0, (certificate.until - at) // _DAY)
