"""Statistics of a period (QĐ 28/2018 articles 11 and 15): what is counted, for whom, and over which days.

A measure says which deliveries it counts. The same rule counts them from the tallies, finds them one by one and counts
them again, so that a number can be shown to be the rows it stands for. How long things took on average is time on the
clock, nights and days off too, from the axis' acceptance of the document: unlike deadlines, which are counted in
working time and go by rules that change, it is the same whenever it is counted.

Levels are those of the codes: nationally every code of level 1 with all below it; for a code itself alone, and each of
its own units with all below them.
"""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from axis.core.codes import is_within, lineage
from axis.core.fate import Transport
from axis.core.periods import Period
from axis.core.registered import COUNTS, EntryDelivery, Kept, Side, Tally
from axis.core.tallies import counts_of, kept

DOCUMENTS, DOCUMENTS_LATE = "documents", "documents late"
SIDES: tuple[Side, ...] = ("sent", "received")
STEPS = ("01", "02", "03", "04", "05", "06")
_REACHED = frozenset({Transport.ROUTED, Transport.TAKEN})
NO_STATUS = ""  # of a delivery nobody reported on; of a reason too: none was given


@dataclass(frozen=True, slots=True)
class Measure:
    """What a column counts of deliveries. What is empty is not asked; a status NO_STATUS is that none came.

    `other`: any status but those that have a column of their own.
    """

    name: str
    transports: frozenset[Transport] = frozenset()
    statuses: frozenset[str] = frozenset()
    other: bool = False
    arrival: Kept | None = None
    acceptance: Kept | None = None
    finishing: Kept | None = None

    def counts(self, tally: Tally) -> bool:
        """Say whether deliveries of this kind are counted."""
        business = tally.business or NO_STATUS
        return (
            tally.transport is not None
            and (not self.transports or tally.transport in self.transports)
            and (not self.statuses or business in self.statuses)
            and (not self.other or business not in {NO_STATUS, *STEPS})
            and self.arrival in {None, tally.arrival}
            and self.acceptance in {None, tally.acceptance}
            and self.finishing in {None, tally.finishing}
        )


_KEPT: tuple[Kept, ...] = ("on time", "late", "none")
WHERE = (
    Measure("deliveries"),
    *(Measure(f"transport {each.value}", transports=frozenset({each})) for each in Transport),
)
HANDLING = (
    Measure("business none", statuses=frozenset({NO_STATUS})),
    *(Measure(f"business {code}", statuses=frozenset({code})) for code in STEPS),
    Measure("business other", other=True),
    # In the mailbox or fetched, and neither taken in nor refused: 01 is said by a machine.
    Measure("unanswered", transports=_REACHED, statuses=frozenset({NO_STATUS, "01"})),
)
DEADLINES = (
    *(Measure(f"arrival {each}", arrival=each) for each in _KEPT),
    *(Measure(f"acceptance {each}", acceptance=each) for each in _KEPT),
    *(Measure(f"finishing {each}", finishing=each) for each in _KEPT),
)
MEASURES: Mapping[str, Measure] = MappingProxyType({each.name: each for each in (*WHERE, *HANDLING, *DEADLINES)})


@dataclass(frozen=True, slots=True)
class Counted:
    """One number of a report, as what there is to look for: a measure, of a side, of a code, over some days.

    `code` None: everybody. `whole`: all below the code too. `reason`: of those, the ones the axis gave this reason.
    """

    first: dt.date
    last: dt.date
    side: Side
    code: str | None
    whole: bool
    measure: Measure
    reason: str | None = None
    account: str | None = None  # only what this agency sent or received

    def of(self, code: str) -> bool:
        """Say whether a code belongs to it."""
        return self.code is None or code == self.code or (self.whole and is_within(code, self.code))

    def holds(self, tally: Tally) -> bool:
        """Say whether deliveries of a tally are in it; their day and side are not looked at."""
        return self.of(tally.code) and self.measure.counts(tally) and self.reason in {None, tally.reason or NO_STATUS}


Numbers = Mapping[str, int]
TIMES = ("arrived", "accepted", "finished")  # as tallies name them: at the recipient, taken in by it, done by it


@dataclass(frozen=True, slots=True)
class Took:
    """How long so many deliveries took, in seconds in all."""

    deliveries: int
    seconds: int

    @property
    def average(self) -> int | None:
        """Return whole seconds; None: of nothing there is no average."""
        return None if self.deliveries <= 0 else (2 * self.seconds + self.deliveries) // (2 * self.deliveries)


Times = Mapping[str, Took]


@dataclass(frozen=True, slots=True)
class Line:
    """An agency's numbers of the period, and of the one before. `whole`: with all below the code."""

    code: str | None
    whole: bool
    now: Mapping[Side, Numbers]
    before: Mapping[Side, Numbers]
    took: Mapping[Side, Times]
    took_before: Mapping[Side, Times]


@dataclass(frozen=True, slots=True)
class Report:
    """The numbers of a period. `lines` add up to `total`; `refused`: undeliverable by reason, most first."""

    period: Period
    before: Period
    below: str | None
    lines: tuple[Line, ...]
    total: Line
    refused: Mapping[Side, tuple[tuple[str, int], ...]]


Tallies = Mapping[Side, Sequence[Tally]]


def report(period: Period, below: str | None, now: Tallies, before: Tallies) -> Report:
    """Lay out the tallies of a period, and of the one before it, by agency."""
    grouped, earlier = ({side: _grouped(tallies[side], below) for side in SIDES} for tallies in (now, before))
    groups = {group for each in (grouped, earlier) for side in SIDES for group in each[side]}
    return Report(
        period=period,
        before=period.before,
        below=below,
        lines=tuple(
            Line(
                code,
                whole,
                {side: numbers(side, grouped[side].get((code, whole), ())) for side in SIDES},
                {side: numbers(side, earlier[side].get((code, whole), ())) for side in SIDES},
                {side: times(grouped[side].get((code, whole), ())) for side in SIDES},
                {side: times(earlier[side].get((code, whole), ())) for side in SIDES},
            )
            for code, whole in sorted(groups)
        ),
        total=Line(
            below,
            whole=True,
            now={side: numbers(side, now[side]) for side in SIDES},
            before={side: numbers(side, before[side]) for side in SIDES},
            took={side: times(now[side]) for side in SIDES},
            took_before={side: times(before[side]) for side in SIDES},
        ),
        refused={side: _refused(now[side]) for side in SIDES},
    )


def numbers(side: Side, tallies: Iterable[Tally]) -> Numbers:
    """Count every measure; documents only of who sent them."""
    sums: Counter[str] = Counter(dict.fromkeys(names_of(side), 0))
    for tally in tallies:
        if side == "sent":
            sums[DOCUMENTS] += tally.documents
            sums[DOCUMENTS_LATE] += tally.documents_late
        for measure in MEASURES.values():
            if measure.counts(tally):
                sums[measure.name] += tally.deliveries
    return dict(sums)


def times(tallies: Sequence[Tally]) -> Times:
    """Sum up how long deliveries took."""
    return {
        name: Took(
            sum(getattr(each, name) for each in tallies), sum(getattr(each, f"{name}_seconds") for each in tallies)
        )
        for name in TIMES
    }


def names_of(side: Side) -> tuple[str, ...]:
    """Name what is counted of a side, in order."""
    return (*((DOCUMENTS, DOCUMENTS_LATE) if side == "sent" else ()), *MEASURES)


def _grouped(tallies: Iterable[Tally], below: str | None) -> Mapping[tuple[str, bool], list[Tally]]:
    groups: defaultdict[tuple[str, bool], list[Tally]] = defaultdict(list)
    for tally in tallies:
        groups[_group(tally.code, below)].append(tally)
    return groups


def _group(code: str, below: str | None) -> tuple[str, bool]:
    """Name the line a code is counted in: the code one level below `below` that it belongs to, or `below` alone."""
    line = lineage(code)
    if below is None:
        return line[-1], True
    if code == below or below not in line:
        return code, False
    return line[line.index(below) - 1], True


def _refused(tallies: Iterable[Tally]) -> tuple[tuple[str, int], ...]:
    reasons: Counter[str] = Counter()
    for tally in tallies:
        if tally.transport is Transport.UNDELIVERABLE:
            reasons[tally.reason or ""] += tally.deliveries
    return tuple(sorted(reasons.items(), key=lambda each: (-each[1], each[0])))


def tally_of(side: Side, delivery: EntryDelivery) -> Tally:
    """Count one delivery as the registrar does."""
    entry = delivery.entry
    return Tally(
        delivery.sender if side == "sent" else delivery.recipient,
        delivery.lane,
        delivery.transport,
        delivery.business or None,
        delivery.reason or None,
        kept(delivery.arrive_by, delivery.arrived_at),
        kept(delivery.accept_by, delivery.accepted_at),
        kept(delivery.finish_by, delivery.finished_at),
        *counts_of(entry.accepted_at, delivery.arrived_at, delivery.accepted_at, delivery.finished_at),
    )


@dataclass(frozen=True, slots=True)
class Difference:
    """Where the tallies are not what the rows add up to; `kind` is the tally without its counts."""

    side: Side
    kind: Tally
    told: tuple[int, ...]  # in the order of COUNTS
    rows: tuple[int, ...]


def differences(side: Side, told: Iterable[Tally], rows: Iterable[Tally]) -> tuple[Difference, ...]:
    """Compare what the tallies say with what was counted again."""
    one, other = _by_kind(told), _by_kind(rows)
    nothing = (0,) * len(COUNTS)
    return tuple(
        Difference(side, kind, one.get(kind, nothing), other.get(kind, nothing))
        for kind in dict.fromkeys([*one, *other])
        if one.get(kind, nothing) != other.get(kind, nothing)
    )


def _by_kind(tallies: Iterable[Tally]) -> Mapping[Tally, tuple[int, ...]]:
    return {each.kind: each.counts for each in tallies}
