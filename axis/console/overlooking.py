"""What the first page shows: one look at everything, each part by itself, so that one that fails hides no other.

Every number here is counted so that the page behind its link shows as many rows.
"""

import asyncio
import datetime as dt
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from axis.console.desk import Desk
from axis.core.deadlines import Clock
from axis.core.fate import Transport
from axis.core.findings import Finding
from axis.core.glance import Totals, is_stale, totals, untaken
from axis.core.lanes import LANES
from axis.core.registered import Flow, Sought, Tally
from axis.core.watching import MailboxWatch
from axis.core.workdays import vietnam_day
from axis.errors import AxisError
from axis.store import Pile

FLOW_MINUTES = 60
COUNTED = 1_000  # held deliveries are looked through as far as this
_SHOWN = 8
_SECONDS = 10.0
_BEHIND = dt.timedelta(minutes=1)
_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Silent:
    """An agency that nobody takes for: how many documents wait, and since when nobody is connected."""

    mailbox: str
    waiting: int
    overdue: int
    since: dt.datetime | None


@dataclass(slots=True)
class Look:
    """One look; what is None could not be had. `trouble`: keys of texts (`trouble.<key>`) with what they say."""

    at: dt.datetime
    yesterday: dt.date
    flow: Sequence[Flow] | None = None
    today: Counter[str] | None = None
    failures: Mapping[str, int] | None = None  # undeliverable since yesterday, by reason
    held: Mapping[str, int] | None = None
    overdue: Mapping[Clock, int] | None = None
    watches: tuple[MailboxWatch, ...] = ()
    groups: tuple[Totals, ...] | None = None
    looked_at: dt.datetime | None = None
    silent: tuple[Silent, ...] | None = None
    silent_more: int = 0
    quarantine: Mapping[str, Pile] | None = None
    findings: tuple[Finding, ...] | None = None
    lag: int | None = None
    lag_since: dt.datetime | None = None
    trouble: list[tuple[str, str]] = field(default_factory=list)

    @property
    def steps(self) -> list[Flow]:
        """Every minute of the flow, those too in which nothing passed."""
        passed = {each.at: each for each in self.flow or ()}
        first = _minute(self.at) - dt.timedelta(minutes=FLOW_MINUTES - 1)
        minutes = (first + dt.timedelta(minutes=number) for number in range(FLOW_MINUTES))
        return [passed.get(minute) or Flow(minute, 0, 0, 0) for minute in minutes]


async def overlook(desk: Desk) -> Look:
    """Take one look; raises nothing for what is away, and takes at most ten seconds for each part."""
    at = desk.now()
    seen = Look(at, vietnam_day(at) - _DAY)
    # One after the other: a look must not take the connections that pages want.
    for part in (_flow, _tallies, _held, _queues, _agencies, _quarantine, _findings):
        await _try(desk, seen, part)
    return seen


async def _flow(desk: Desk, seen: Look) -> None:
    register = desk.store.register
    seen.flow = await register.flow(_minute(seen.at) - dt.timedelta(minutes=FLOW_MINUTES - 1), 1)
    seen.lag, seen.lag_since = await register.lag()
    if seen.lag_since is not None and seen.at - seen.lag_since > _BEHIND:
        seen.trouble.append(("register", str(seen.lag)))


async def _tallies(desk: Desk, seen: Look) -> None:
    today = vietnam_day(seen.at)
    sent = await desk.store.register.tallies(today, today, side="sent")
    received = await desk.store.register.tallies(seen.yesterday, today, side="received")
    seen.today = Counter(documents=sum(each.documents for each in sent), late=sum(each.documents_late for each in sent))
    seen.failures = _by_reason(received)


async def _held(desk: Desk, seen: Look) -> None:
    found = await desk.store.register.deliveries(Sought(transport=Transport.HELD), limit=COUNTED)
    seen.held = Counter(each.reason or "" for each in found)


async def _queues(desk: Desk, seen: Look) -> None:
    seen.watches = await desk.store.watches.watches()
    seen.looked_at = max((each.seen_at for each in seen.watches), default=None)
    if is_stale(seen.looked_at, seen.at, desk.settings.watch_seconds):
        seen.trouble.append(("no auditor" if seen.looked_at is None else "auditor", ""))
    seen.groups = grouped(seen.watches)


async def _agencies(desk: Desk, seen: Look) -> None:
    clocks = [clock for clock in Clock if clock is not Clock.SENDING]
    late = {clock: await desk.store.register.overdue(clock, seen.at) for clock in clocks}
    seen.overdue = {clock: sum(each.count for each in found) for clock, found in late.items()}
    overdue = {each.mailbox: each.count for each in late[Clock.ARRIVAL]}
    away = untaken(seen.watches).values()
    silent = [Silent(each.mailbox, each.waiting, overdue.get(each.mailbox, 0), each.since) for each in away]
    silent.sort(key=lambda each: (-each.waiting, -each.overdue, each.mailbox))
    seen.silent, seen.silent_more = tuple(silent[:_SHOWN]), max(0, len(silent) - _SHOWN)


async def _quarantine(desk: Desk, seen: Look) -> None:
    seen.quarantine = (await desk.store.backlog.look()).quarantine


async def _findings(desk: Desk, seen: Look) -> None:
    seen.findings = await desk.store.watches.findings(limit=COUNTED)


async def _try(desk: Desk, seen: Look, part: Callable[[Desk, Look], Awaitable[None]]) -> None:
    try:
        async with asyncio.timeout(_SECONDS):
            await part(desk, seen)
    except TimeoutError:
        seen.trouble.append(("slow", part.__name__.strip("_")))
    except AxisError as error:
        seen.trouble.append(("away", error.code))


def grouped(watches: Iterable[MailboxWatch]) -> tuple[Totals, ...]:
    """Sum up the queues by kind (`group_of`: the part of an address), those with nothing of it too."""
    groups: dict[str, list[MailboxWatch]] = {f"mailbox-{lane}": [] for lane in (*LANES, "notices")}
    for each in watches:
        groups.setdefault(group_of(each), []).append(each)
    return totals(groups)


def group_of(watch: MailboxWatch) -> str:
    """Name the kind of a queue: a worker's by its own name."""
    return watch.queue if watch.mailbox is None else f"mailbox-{watch.lane}"


def _by_reason(tallies: Sequence[Tally]) -> Mapping[str, int]:
    counts: Counter[str] = Counter()
    for each in tallies:
        if each.transport is Transport.UNDELIVERABLE:
            counts[each.reason or ""] += each.deliveries
    return counts


def _minute(at: dt.datetime) -> dt.datetime:
    return at.replace(second=0, microsecond=0)
