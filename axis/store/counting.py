"""Of the register in PostgreSQL: the counts that reports are made of, and the rows behind them."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from axis.core.fate import Transport
from axis.core.folding import fit
from axis.core.registered import Entry, EntryDelivery, Side, Tally
from axis.core.reporting import NO_STATUS, STEPS, Counted
from axis.core.workdays import beginning_of_day
from axis.store.pool import Pool
from axis.store.queries import load
from axis.store.register_seam import RegisterStore
from axis.store.registering import read_entry

_SQL = load("counting")
_LISTS = load("register")
_DAY = dt.timedelta(days=1)
_LAST = "ffffffff-ffff-ffff-ffff-ffffffffffff"
_SECONDS = 20.0
_RECOUNT_SECONDS = 600.0


class Counting(RegisterStore):
    """Of `PostgresRegister`: what reports need."""

    _pool: Pool

    async def tallies(
        self, first: dt.date, last: dt.date, *, side: Side, below: str | None = None
    ) -> tuple[Tally, ...]:
        """Sum over the days by code and state."""
        async with self._pool.link("sum the tallies") as link:
            rows = await link.fetch(_SQL["tallies"], side, first, last, _text(below), timeout=_SECONDS)
        return tuple(map(_tally, rows))

    async def recount(
        self, first: dt.date, last: dt.date, *, side: Side, below: str | None = None
    ) -> tuple[tuple[Tally, ...], tuple[Tally, ...]]:
        """Return the tallies, and what the registered rows themselves add up to."""
        code = _text(below)
        since, until = beginning_of_day(first), beginning_of_day(last + _DAY)
        async with (
            self._pool.link("count the register again") as link,
            link.transaction(isolation="repeatable_read", readonly=True),
        ):
            told = await link.fetch(_SQL["tallies"], side, first, last, code, timeout=_SECONDS)
            rows = await link.fetch(_SQL["recount"], side, since, until, code, timeout=_RECOUNT_SECONDS)
            if side == "sent":
                rows += await link.fetch(_SQL["recount_documents"], since, until, code, timeout=_RECOUNT_SECONDS)
        return tuple(map(_tally, told)), tuple(map(_tally, rows))

    async def counted(
        self, counted: Counted, *, limit: int = 50, before: tuple[str, str] | None = None
    ) -> tuple[EntryDelivery, ...]:
        """List the deliveries that a number of a report counts."""
        measure = counted.measure
        statuses = STEPS if measure.other else tuple(measure.statuses)
        identifier, recipient = before if before is not None else (_LAST, "")
        async with self._pool.link("list what a report counts") as link:
            rows = await link.fetch(
                _LISTS["counted"],
                *_whose(counted),
                counted.side,
                [each.value for each in measure.transports] or None,
                [NO_STATUS, *statuses] if measure.other else list(statuses) or None,
                measure.other,
                _text(counted.reason),
                measure.arrival,
                measure.acceptance,
                measure.finishing,
                identifier,
                fit(recipient),
                limit,
                timeout=_SECONDS,
            )
        return tuple(map(read_delivery, rows))

    async def counted_documents(
        self, counted: Counted, *, late: bool, limit: int = 50, before: str | None = None
    ) -> tuple[Entry, ...]:
        """List the documents that a number of a report counts."""
        async with self._pool.link("list what a report counts") as link:
            rows = await link.fetch(
                _LISTS["counted_documents"],
                *_whose(counted),
                late,
                before or _LAST,
                limit,
                timeout=_SECONDS,
            )
        return tuple(map(read_entry, rows))


def _whose(counted: Counted) -> tuple[object, ...]:
    """Write parameters 1 to 5."""
    return (
        beginning_of_day(counted.first),
        beginning_of_day(counted.last + _DAY),
        _text(counted.code),
        counted.whole,
        _text(counted.account),
    )


def _text(value: str | None) -> str | None:
    return None if value is None else fit(value)


_DELIVERY = frozenset(EntryDelivery.__dataclass_fields__) - {"envelope_id", "sender", "lane", "entry", "accepted_at"}


def read_delivery(row: Any) -> EntryDelivery:
    """Read a row of a list of deliveries, with its document."""
    document = read_entry(row)
    told: Mapping[str, Any] = {name: row[name] for name in _DELIVERY}
    return EntryDelivery(
        envelope_id=document.id,
        sender=document.sender,
        lane=document.lane,
        entry=document,
        accepted_at=row["accepted_by_recipient_at"],
        **{**told, "transport": Transport(row["transport"])},
    )


def _tally(row: Any) -> Tally:
    return Tally(
        **{
            **row,
            "transport": Transport(row["transport"]) if row["transport"] else None,
            "business": row["business"] or None,
            "reason": row["reason"] or None,
        }
    )
