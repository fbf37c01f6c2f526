"""What has to be done when store and broker do not know the same, because one of them was brought back from a copy.

The store is the truth, the queues are what was seen in them, and each thing ends in one of three ways:

    the store knows it, the broker does not     it is put into its queue again; recipients drop a repeat by its id
    the broker has it, the store does not       it is adopted: proved again, and recorded as what it is
    only a trace of it is left                  a `Gap` names it, with what is left and who can bring it back

What neither of them has leaves no trace. For that there is the `Risk`: the time it must be from, and whom to ask.
docs/decisions/0008 says how each of these is decided.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from axis.core.adopting import Adoption, Gap, Problem, StatusAdoption
from axis.core.ids import time_of
from axis.core.records import NoticeRow
from axis.core.sightings import Sightings
from axis.errors import Refused

Mark = tuple[str, str]  # (envelope id, mailbox) of a copy, (id, kind) of a notice


class Marked(NamedTuple):
    """A copy of an envelope that the store takes for delivered, and that no status is about."""

    envelope_id: str
    mailbox: str
    lane: str


class ToldMark(NamedTuple):
    """A notice that the store takes for delivered."""

    id: str
    kind: str
    mailbox: str


class Side(StrEnum):
    """What was brought back from a copy."""

    DATABASE = "database"
    BROKER = "broker"


@dataclass(frozen=True, slots=True)
class Window:
    """What the store marked as delivered in this time may be lost with the broker: `since` to before `until`."""

    since: dt.datetime
    until: dt.datetime


class Action(StrEnum):
    """What a step does."""

    PUT_DOCUMENT = "put document again"
    PUT_NOTICE = "put notice again"
    ADOPT_DOCUMENT = "adopt document"
    ADOPT_STATUS = "adopt status"
    ADOPT_RECEIPT = "adopt receipt"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do, for people and for `--json`."""

    action: Action
    id: str
    mailboxes: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Risk:
    """A time in which things may have happened that neither side knows any more, and what to ask agencies for."""

    side: Side
    since: dt.datetime
    first_unknown: dt.datetime | None  # of what the broker has and the store does not
    last_unknown: dt.datetime | None
    ask: tuple[str, ...]


@dataclass(slots=True)
class Plan:
    """What is to be done, in this order, and what cannot be."""

    envelopes: list[Adoption] = field(default_factory=list)
    statuses: list[StatusAdoption] = field(default_factory=list)
    receipts: list[NoticeRow] = field(default_factory=list)
    copies: dict[str, set[str]] = field(default_factory=dict)  # envelope id -> mailboxes to put it into again
    notices: list[ToldMark] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    risks: list[Risk] = field(default_factory=list)

    def steps(self) -> Iterable[Step]:
        """Go through what is to be done."""
        for adoption in self.envelopes:
            yield Step(Action.ADOPT_DOCUMENT, adoption.id, tuple(sorted(adoption.seen_in)), adoption.reason)
        for status in self.statuses:
            told = f"{status.status.code.value} of {status.status.reporter}, which the store does not know"
            yield Step(Action.ADOPT_STATUS, status.status.id, (status.mailbox,), told)
        for receipt in self.receipts:
            yield Step(
                Action.ADOPT_RECEIPT, receipt.id, (receipt.mailbox,), "waits for its sender, unknown to the store"
            )
        for identifier, mailboxes in sorted(self.copies.items()):
            told = "marked as delivered, in no queue and never answered: lost, or taken in silence"
            yield Step(Action.PUT_DOCUMENT, identifier, tuple(sorted(mailboxes)), told)
        for notice in self.notices:
            yield Step(
                Action.PUT_NOTICE, notice.id, (notice.mailbox,), f"a {notice.kind} marked as delivered, in no queue"
            )

    @property
    def empty(self) -> bool:
        """Whether there is nothing to do."""
        return not (self.envelopes or self.statuses or self.receipts or self.copies or self.notices)

    @property
    def complete(self) -> bool:
        """Whether everything could be brought together, as far as anybody can know."""
        return not (self.gaps or self.risks)


def lost_copies(page: Iterable[Marked], seen: Sightings, plan: Plan) -> None:
    """Plan to put again the copies that are in no queue; one without its queue is a gap."""
    for copy in page:
        if copy.mailbox in seen.documents.get(copy.envelope_id, ()):
            continue
        if seen.has_queues(copy.mailbox):
            plan.copies.setdefault(copy.envelope_id, set()).add(copy.mailbox)
        else:
            plan.gaps.append(_no_queue(copy.envelope_id, copy.mailbox))


def lost_notices(page: Iterable[ToldMark], seen: Sightings, plan: Plan) -> None:
    """Plan to put again the notices that are in no queue; one without its queue is a gap."""
    for notice in page:
        if (notice.id, notice.kind) in seen.notices:
            continue
        if seen.has_queues(notice.mailbox):
            plan.notices.append(notice)
        else:
            plan.gaps.append(_no_queue(notice.id, notice.mailbox))


def traces(seen: Sightings, known: Collection[str], plan: Plan) -> None:
    """Name the envelopes of which nothing but a receipt is left.

    `known`: ids of envelopes that the store has; those adopted by the plan count, and those that still wait to be taken
    by a router.
    """
    there = {adoption.id for adoption in plan.envelopes} | set(known) | seen.submitted.keys()
    told = {gap.id for gap in plan.gaps}
    for identifier, stray in sorted(seen.receipts_about.items()):
        if identifier not in there and identifier not in told:
            plan.gaps.append(
                Gap(
                    Problem.ENVELOPE_MISSING,
                    identifier,
                    stray.mailbox,
                    f"the axis accepted it at {stray.receipt.at.isoformat()}; nothing but its receipt is left",
                    f"{stray.mailbox} sends it again, same id and bytes (`Agency.send_again`); whoever has it drops it",
                )
            )


def orphans(seen: Sightings, known: Collection[str], plan: Plan) -> None:
    """Turn the adoption of statuses about envelopes that nobody knows into gaps."""
    there = {adoption.id for adoption in plan.envelopes} | set(known)
    kept: list[StatusAdoption] = []
    for adoption in plan.statuses:
        status = adoption.status
        if status.envelope in there:
            kept.append(adoption)
        elif status.id not in seen.submitted:
            plan.gaps.append(
                Gap(
                    Problem.STATUS_ALONE,
                    status.id,
                    adoption.mailbox,
                    f"{status.code.value} of {status.reporter} about {status.envelope}, which the store does not know",
                    f"{adoption.mailbox} sends {status.envelope} again (`Agency.send_again`), then run this again",
                )
            )
    plan.statuses = kept


def at_risk(seen: Sightings, plan: Plan, *, newest: dt.datetime | None, window: Window, restored: Side | None) -> None:
    """Say which time neither side may know all about.

    `newest`: of the store. What the broker has and the store does not proves that the store is an old one; that the
    broker is, only people know (`restored`).
    """
    unknown = sorted(
        [time_of(adoption.id) for adoption in plan.envelopes]
        + [time_of(adoption.status.id) for adoption in plan.statuses]
        + [receipt.at for receipt in (stray.receipt for stray in seen.receipts_about.values())]
    )
    proved = bool(unknown) or any(gap.problem in _PROVES_AN_OLD_STORE for gap in plan.gaps)
    if restored is Side.DATABASE or (restored is None and proved):
        plan.risks.append(
            Risk(
                Side.DATABASE,
                window.since if newest is None else newest - MARGIN,
                unknown[0] if unknown else None,
                unknown[-1] if unknown else None,
                (
                    "senders: send again what was sent or answered since then (`Agency.send_again`)",
                    "recipients: then report again what was reported since then (`Agency.report_again`)",
                    "operators: repeat changes of the directory and of certificates made since then",
                ),
            )
        )
    if restored is Side.BROKER:
        plan.risks.append(
            Risk(
                Side.BROKER,
                window.since,
                None,
                None,
                (
                    "senders: send again what was sent since then and has no receipt (`Agency.send_again`)",
                    "recipients: report again what was reported since then (`Agency.report_again`)",
                ),
            )
        )


def refused_gap(error: Refused, identifier: str, mailbox: str) -> Gap:
    """Make the gap of something that could not be proved when it was looked at again."""
    return Gap(
        Problem.NOT_PROVED,
        identifier,
        mailbox,
        f"{error.code}: {error.detail}",
        "a person decides; it stays where it is",
    )


def counted(plan: Plan) -> Mapping[str, int]:
    """Count the steps of each kind, and the gaps."""
    return {
        Action.ADOPT_DOCUMENT.value: len(plan.envelopes),
        Action.ADOPT_STATUS.value: len(plan.statuses),
        Action.ADOPT_RECEIPT.value: len(plan.receipts),
        Action.PUT_DOCUMENT.value: len(plan.copies),
        Action.PUT_NOTICE.value: len(plan.notices),
        "gaps": len(plan.gaps),
    }


# A batch is committed some time after it was decided: what bears the time of the newest row may have a neighbour that
# was not committed when the copy was made.
MARGIN = dt.timedelta(minutes=1)

_PROVES_AN_OLD_STORE = frozenset({Problem.ENVELOPE_MISSING, Problem.STATUS_ALONE})


def _no_queue(identifier: str, mailbox: str) -> Gap:
    return Gap(
        Problem.NO_QUEUE,
        identifier,
        mailbox,
        f"{mailbox} has no queues at the broker to put it into",
        "`axis topology apply`, then run this again",
    )
