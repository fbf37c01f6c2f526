"""What `axis watch` shows: one look at everything, each part by itself, so that one that fails hides no other."""

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from axis.cli.accounts import management
from axis.core.deadlines import Clock
from axis.core.fate import Transport
from axis.core.glance import Totals, is_stale, totals, untaken
from axis.core.lanes import LANES, route_queue
from axis.core.registered import Flow, Sought
from axis.core.watching import MailboxWatch, QueueCount, look
from axis.errors import AxisError
from axis.settings import Settings
from axis.store import Store

FLOW_MINUTES = 5
BEHIND = dt.timedelta(minutes=1)  # the register is to be seconds old
_SECONDS = 10.0
_WORST = 8
_REFUSALS = 5


@dataclass(frozen=True, slots=True)
class AgencyView:
    """An agency that keeps others waiting.

    `overdue`: what has not arrived in time, the oldest of it due at `oldest`; `unaccepted`: what was neither taken in
    nor refused in time; `waiting`: what nobody takes from its mailbox, since `no_consumer_since`.
    """

    mailbox: str
    name: str | None
    overdue: int
    unaccepted: int
    oldest: dt.datetime | None
    waiting: int
    no_consumer_since: dt.datetime | None


@dataclass(frozen=True, slots=True)
class RefusalView:
    """Something that was refused: set aside in quarantine, or undeliverable to one recipient."""

    at: dt.datetime
    where: str
    who: str | None
    reason: str | None
    about: str


@dataclass(slots=True)
class Overview:
    """One look. `trouble` says plainly what is behind, away or absent; what is None could not be had."""

    at: dt.datetime
    flow: Sequence[Flow] | None = None
    lanes: tuple[Totals, ...] | None = None
    looked_at: dt.datetime | None = None
    agencies: tuple[AgencyView, ...] | None = None
    refusals: tuple[RefusalView, ...] | None = None
    findings: int | None = None
    lag: int | None = None
    lag_since: dt.datetime | None = None
    trouble: list[str] = field(default_factory=list)


async def overlook(store: Store, settings: Settings, at: dt.datetime) -> Overview:
    """Take one look; never raises for what is away, and takes at most ten seconds for each part."""
    seen = Overview(at)
    watches: list[MailboxWatch] = []

    async def flow() -> None:
        seen.flow = await store.register.flow(at - dt.timedelta(minutes=FLOW_MINUTES), 1)
        seen.lag, seen.lag_since = await store.register.lag()
        if seen.lag_since is not None and at - seen.lag_since > BEHIND:
            late = int((at - seen.lag_since).total_seconds())
            seen.trouble.append(
                f"the register is {late} s behind ({seen.lag} changes wait): does the registrar run? "
                "flow, agencies and undeliverable are as old"
            )

    async def queues() -> None:
        watches.extend(await _watches(store, settings, seen))
        seen.lanes = lanes_of(watches)

    async def agencies() -> None:
        overdue = {each.mailbox: each for each in await store.register.overdue(Clock.ARRIVAL, at)}
        unaccepted = {each.mailbox: each.count for each in await store.register.overdue(Clock.ACCEPTANCE, at)}
        away = untaken(watches)
        views = [
            AgencyView(
                mailbox,
                None,
                overdue[mailbox].count if mailbox in overdue else 0,
                unaccepted.get(mailbox, 0),
                overdue[mailbox].oldest if mailbox in overdue else None,
                away[mailbox].waiting if mailbox in away else 0,
                away[mailbox].since if mailbox in away else None,
            )
            for mailbox in {*overdue, *unaccepted, *away}
        ]
        worst = sorted(views, key=lambda each: (-each.overdue, -each.waiting, -each.unaccepted, each.mailbox))[:_WORST]
        names = await store.directory.names({each.mailbox for each in worst}, at)
        seen.agencies = tuple(replace(each, name=names.get(each.mailbox)) for each in worst)

    async def refusals() -> None:
        aside = [
            RefusalView(each.last_seen_at, "quarantine", each.account, each.reason, each.detail)
            for each in await store.quarantined(_REFUSALS)
        ]
        undelivered = [
            RefusalView(each.entry.accepted_at, "undeliverable", each.recipient, each.reason, each.envelope_id)
            for each in await store.register.deliveries(Sought(transport=Transport.UNDELIVERABLE), limit=_REFUSALS)
        ]
        both = sorted([*aside, *undelivered], key=lambda each: each.at, reverse=True)
        seen.refusals = tuple(both[:_REFUSALS])

    async def findings() -> None:
        seen.findings = len(await store.watches.findings(limit=100))

    # One after the other: a look must not take the connections that the workers want.
    for name, part in (
        ("flow and register", flow),
        ("queues", queues),
        ("agencies", agencies),
        ("refusals", refusals),
        ("findings", findings),
    ):
        await _try(seen, name, part)
    return seen


async def _try(seen: Overview, name: str, part: Callable[[], Awaitable[None]]) -> None:
    try:
        async with asyncio.timeout(_SECONDS):
            await part()
    except TimeoutError:
        seen.trouble.append(f"{name}: no answer in {_SECONDS:.0f} s")
    except AxisError as error:
        seen.trouble.append(f"{name}: {error.detail} ({error.code})")


async def _watches(store: Store, settings: Settings, seen: Overview) -> Sequence[MailboxWatch]:
    """Return the queues as the auditor saw them; when it has not looked for long, as the broker shows them now."""
    watches = await store.watches.watches()
    seen.looked_at = max((each.seen_at for each in watches), default=None)
    if not is_stale(seen.looked_at, seen.at, settings.watch_seconds):
        return watches
    seen.trouble.append(
        "the auditor has not looked yet" if seen.looked_at is None else "the auditor does not look any more"
    )
    seen.trouble[-1] += ": queues are the broker's own numbers, since when is not known (`axis findings`)"
    counts: Iterable[QueueCount]
    async with management(settings) as broker:
        counts = await broker.queue_counts()
    seen.looked_at = seen.at
    known = {each.queue: each for each in watches}
    return [look(known.get(each.queue), each, seen.at) for each in counts]


def lanes_of(watches: Iterable[MailboxWatch]) -> tuple[Totals, ...]:
    """Sum up the queues: those of the workers one by one, mailboxes by lane."""
    named = {**{route_queue(lane): f"route {lane}" for lane in LANES}, "axis.track": "track"}
    groups: dict[str, list[MailboxWatch]] = {
        name: [] for name in (*named.values(), *(f"mailboxes {lane}" for lane in LANES), "notices")
    }
    for each in watches:
        name = named.get(each.queue)
        if name is None and each.mailbox is not None:
            name = "notices" if each.lane == "notices" else f"mailboxes {each.lane}"
        if name is not None:
            groups[name].append(each)
    return totals(groups)
