"""What people are told at a glance of the queues, as the auditor saw them last: in a terminal and in the console."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from axis.core.lanes import LANES
from axis.core.watching import MailboxWatch

_MISSED_LOOKS = 8
_LEAST_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Totals:
    """Several queues together."""

    name: str
    queues: int
    ready: int
    unacked: int
    consumers: int
    oldest_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Untaken:
    """An agency for which documents wait that nobody is connected to take, and since when nobody is."""

    mailbox: str
    waiting: int
    since: dt.datetime | None


def is_stale(looked_at: dt.datetime | None, at: dt.datetime, watch_seconds: float) -> bool:
    """Say whether the auditor, which looks every so many seconds, has missed so many looks that nobody is looking."""
    longest = dt.timedelta(seconds=max(_LEAST_SECONDS, _MISSED_LOOKS * watch_seconds))
    return looked_at is None or at - looked_at > longest


def totals(groups: Mapping[str, Iterable[MailboxWatch]]) -> tuple[Totals, ...]:
    """Sum up queues by the name they are shown under; a name without queues is shown too."""
    summed = []
    for name, watches in groups.items():
        group = list(watches)
        summed.append(
            Totals(
                name,
                len(group),
                sum(each.ready for each in group),
                sum(each.unacked for each in group),
                sum(each.consumers for each in group),
                min((each.oldest_at for each in group if each.oldest_at is not None), default=None),
            )
        )
    return tuple(summed)


def untaken(watches: Iterable[MailboxWatch]) -> Mapping[str, Untaken]:
    """Return the agencies that keep documents waiting, by mailbox; a queue of notices keeps nobody's document."""
    away: dict[str, list[MailboxWatch]] = {}
    for each in watches:
        if each.mailbox is not None and each.lane in LANES and each.ready and not each.consumers:
            away.setdefault(each.mailbox, []).append(each)
    return {
        mailbox: Untaken(
            mailbox,
            sum(each.ready for each in queues),
            min((each.no_consumer_since for each in queues if each.no_consumer_since), default=None),
        )
        for mailbox, queues in away.items()
    }
