"""The register in PostgreSQL: reading it. `registering` keeps it."""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

from axis.core.deadlines import Clock
from axis.core.fate import Transport
from axis.core.folding import fit
from axis.core.ids import new_id
from axis.core.registered import Entry, EntryDelivery, FeedItem, Flow, News, Overdue, Sought
from axis.core.searching import Question, Term, question_of
from axis.core.workdays import VIETNAM_TIME, vietnam_day
from axis.store.counting import Counting, read_delivery
from axis.store.pool import Pool
from axis.store.queries import load
from axis.store.register_seam import MOST_AGENCIES, MOST_COUNTED
from axis.store.registering import Registering, read_entry

_SQL = load("register")
# The same where rows are counted: what a page shows of a row costs more than finding it.
_KEYS = load("register", entry="document.envelope_id", delivery="delivery.recipient")
_OVERDUE = {
    clock: load("register", due=due, done=done)["overdue"]
    for clock, due, done in (
        (Clock.ARRIVAL, "arrive_by", "arrived_at"),
        (Clock.ACCEPTANCE, "accept_by", "accepted_at"),
        (Clock.FINISHING, "finish_by", "finished_at"),
    )
}

# How many documents or deliveries a search walks through before it asks an index: what is found once in two hundred
# fills a page of fifty on the way, and of the rest an index finds few.
_WINDOW = 10_000
_NEAR = 1_000  # of one state alone, which is in order: often enough, and what is read of a million is on the disk
_PAGE = 100  # more than that is counted, not shown
_FAR = 50_000  # what no index finds at all
_LAST = "ffffffff-ffff-ffff-ffff-ffffffffffff"
# An id carries its sender's time, which may be later than its acceptance: so much at most (the setting
# id_future_minutes). What came then is walked through for nothing before the days that are asked for.
_AHEAD = dt.timedelta(hours=2)
_OPEN = (Transport.ACCEPTED, Transport.HELD, Transport.ROUTED, Transport.TAKEN)
_FAILED = frozenset({Transport.UNDELIVERABLE, Transport.WITHDRAWN})
_ENDS = ("02", "06")
_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is looked for, as parameters of the statements, and the states that an index finds it by."""

    question: str | None
    sought: Sought
    now: dt.datetime
    open_states: list[str]
    failed: list[str]
    ends: list[str]

    @classmethod
    def of(cls, sought: Sought) -> Self:
        transport, business = sought.transport, sought.business
        open_states = [each.value for each in _OPEN if transport in {None, each}] if sought.open is not False else []
        failed = [each.value for each in _FAILED if transport in {None, each}]
        ends = list(_ENDS)
        if sought.open is True:
            failed, ends = [], []
        if business is not None:
            open_states, failed, ends = [], [], [business]
        elif transport is not None or sought.reason is not None:
            ends = []  # of an undelivered document nobody has reported; what was taken is over in one of these ways
            if transport is Transport.TAKEN:
                ends = list(_ENDS)
        return cls(_query(question_of(sought)), sought, dt.datetime.now(dt.UTC), open_states, failed, ends)

    @property
    def about_deliveries(self) -> bool:
        """Whether anything is asked of deliveries that is not in the index of words."""
        sought = self.sought
        asked = (sought.mailbox, sought.transport, sought.business, sought.reason)
        return self.about_lateness or any(each is not None for each in asked)

    @property
    def about_lateness(self) -> bool:
        """Whether a deadline of deliveries is asked for, which has indexes of its own."""
        return self.sought.late not in {None, Clock.SENDING}

    def among_late(self, limit: int) -> int | None:
        """Return how many of what is late are looked at; None: all, since more is asked of them than that."""
        plain = Sought(late=self.sought.late)
        return limit if self.sought == plain else None

    def walks_late(self, limit: int) -> bool:
        """Whether what is late is walked to first: not of one mailbox, whose late are together in an index.

        Nor where all of some code is wanted: a walk fills a page of them, and finds a part of their number.
        """
        sought = self.sought
        of_some = any(each is not None for each in (sought.sender, sought.recipient, sought.account))
        return sought.mailbox is None and not (of_some and limit > _PAGE)

    @property
    def by_state(self) -> bool:
        """Whether an index of states finds it."""
        return self.about_deliveries or self.sought.open is True

    @property
    def states(self) -> tuple[list[str], list[str], list[str]]:
        return self.open_states, self.failed, self.ends

    @property
    def is_of_one_state(self) -> bool:
        """Whether what is found by state comes out of one index, and so in order."""
        return sum(map(len, self.states)) == 1

    @property
    def walks(self) -> tuple[int, ...]:
        """How many of each state are walked through: few first, where the first of them are the newest of all."""
        return (_NEAR, _WINDOW) if self.is_of_one_state else (_WINDOW,)

    @property
    def filters(self) -> tuple[object, ...]:
        """Parameters 4 to 15."""
        sought = self.sought
        late = None if sought.late is Clock.SENDING else sought.late
        return (
            self.question,
            sought.since,
            sought.until,
            _text(sought.account),
            _recipient(sought),
            None if sought.transport is None else sought.transport.value,
            _text(sought.business),
            _text(sought.reason),
            None if late is None else late.value,
            self.now,
            sought.open,
            self.about_deliveries,
        )

    def top(self, before: str | None) -> str:
        """Return the id that the walk begins behind; never none, or a plan for all of them walks from the newest."""
        latest = _LAST if self.sought.until is None else new_id(self.sought.until + _AHEAD)
        return latest if before is None else min(before, latest)


class PostgresRegister(Registering, Counting):
    """The tables of the register in PostgreSQL."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def search(self, sought: Sought, *, limit: int = 50, before: str | None = None) -> tuple[Entry, ...]:
        """List documents, the newest first."""
        return tuple(map(read_entry, await self._documents(_SQL, sought, limit, before)))

    async def _documents(self, sql: Mapping[str, str], sought: Sought, limit: int, before: str | None) -> list[Any]:
        asked = _Asked.of(sought)
        top = asked.top(before)
        async with self._pool.link("search the register") as link:
            if asked.about_lateness:
                rows, behind = [], top
                if asked.walks_late(limit):
                    rows = await _rows(link, sql["late_newest"], top, _WINDOW, limit, *asked.filters, "")
                    if len(rows) == limit or (floor := await _waiting_floor(link, top, "")) is None:
                        return rows
                    # The walk may end between two deliveries of one document: it is looked at again.
                    behind = str(uuid.UUID(int=floor["envelope_id"].int + 1))
                further = await _rows(link, sql["late"], behind, asked.among_late(limit), limit, *asked.filters)
                found = {row["envelope_id"]: row for row in (*rows, *further)}
                return [found[key] for key in sorted(found, reverse=True)][:limit]
            rows = await _rows(link, sql["newest"], top, _WINDOW, limit, *asked.filters)
            if len(rows) < limit:
                floor = await link.fetchval(_SQL["window"], top, _WINDOW)
                if floor is not None:
                    rows += await self._further(link, sql, asked, floor, limit - len(rows))
        return rows

    async def _further(self, link: Any, sql: Mapping[str, str], asked: _Asked, floor: Any, limit: int) -> list[Any]:
        """Ask the indexes for what is behind the walk; what two of them find is one."""
        found: dict[Any, Any] = {}
        ways = _ways(asked)
        for name, far in ways:
            states = (*asked.states, "") if name == "by_state" else ()
            rows = await _rows(link, sql[name], floor, far, limit, *asked.filters, *states)
            found.update({row["envelope_id"]: row for row in rows})
            if (name, far) != ways[-1] and await _is_enough(link, asked, list(found), (floor, far), limit):
                break
        return [found[key] for key in sorted(found, reverse=True)][:limit]

    async def deliveries(
        self, sought: Sought, *, limit: int = 50, before: tuple[str, str] | None = None
    ) -> tuple[EntryDelivery, ...]:
        """List deliveries, those of the newest document first."""
        return tuple(map(read_delivery, await self._deliveries(_SQL, sought, limit, before)))

    async def _deliveries(
        self, sql: Mapping[str, str], sought: Sought, limit: int, before: tuple[str, str] | None
    ) -> list[Any]:
        asked = _Asked.of(sought)
        top, recipient = before if before is not None else (None, "")
        if (latest := asked.top(top)) != top:
            top, recipient = latest, ""
        recipient = fit(recipient)
        async with self._pool.link("list deliveries of the register") as link:
            if asked.about_lateness:
                rows = []
                if asked.walks_late(limit):
                    walk = (top, _WINDOW, limit, *asked.filters, recipient)
                    rows = await _rows(link, sql["deliveries_late_newest"], *walk)
                    if len(rows) == limit or (floor := await _waiting_floor(link, top, recipient)) is None:
                        return rows
                    top, recipient = floor["envelope_id"], floor["recipient"]
                behind = (top, asked.among_late(limit), limit, *asked.filters, recipient)
                return (rows + await _rows(link, sql["deliveries_late"], *behind))[:limit]
            rows = await _rows(link, sql["deliveries_newest"], top, _WINDOW, limit, *asked.filters, recipient)
            if len(rows) < limit:
                floor = await link.fetchrow(_SQL["delivery_window"], top, _WINDOW, recipient)
                if floor is not None:
                    rows += await self._further_deliveries(link, sql, asked, floor, limit - len(rows))
        return rows

    async def _further_deliveries(
        self, link: Any, sql: Mapping[str, str], asked: _Asked, floor: Any, limit: int
    ) -> list[Any]:
        found: dict[Any, Any] = {}
        ways = _ways(asked)
        for name, far in ways:
            by_state = name == "by_state"
            behind = (*asked.states, floor["recipient"]) if by_state else (floor["recipient"],)
            statement = sql[f"deliveries_{name}"]
            rows = await _rows(link, statement, floor["envelope_id"], far, limit, *asked.filters, *behind)
            found.update({(row["envelope_id"], row["recipient"]): row for row in rows})
            ids = [identifier for identifier, _ in found]
            if (name, far) != ways[-1] and await _is_enough(link, asked, ids, (floor["envelope_id"], far), limit):
                break
        return [found[key] for key in sorted(found, reverse=True)][:limit]

    async def count(self, sought: Sought, most: int = MOST_COUNTED) -> int:
        """Count documents, and stop at `most`."""
        return len(await self._documents(_KEYS, sought, most, None))

    async def count_deliveries(self, sought: Sought, most: int = MOST_COUNTED) -> int:
        """Count deliveries, and stop at `most`."""
        return len(await self._deliveries(_KEYS, sought, most, None))

    async def flow(self, since: dt.datetime, minutes: int) -> tuple[Flow, ...]:
        """Sum what passed by steps of minutes."""
        async with self._pool.link("sum the flow") as link:
            rows = await link.fetch(_SQL["flow"], since, dt.timedelta(minutes=minutes))
        return tuple(Flow(**row) for row in rows)

    async def overdue(
        self,
        clock: Clock,
        at: dt.datetime,
        *,
        by: Literal["mailbox"] = "mailbox",  # noqa: ARG002 - the only way so far
    ) -> tuple[Overdue, ...]:
        """Say which agencies are late."""
        if clock is Clock.SENDING:
            raise ValueError("sending is its sender's: look for documents sent late")
        day = vietnam_day(at)
        midnight = dt.datetime.combine(day, dt.time(), VIETNAM_TIME)
        async with self._pool.link("find what is overdue") as link:
            rows = await link.fetch(_OVERDUE[clock], day, at, midnight, clock.value, MOST_AGENCIES)
        return tuple(Overdue(**row) for row in rows)

    async def lag(self) -> tuple[int, dt.datetime | None]:
        """Return how many changes wait, and since when."""
        async with self._pool.link("look how far the register is") as link:
            row = await link.fetchrow(_SQL["lag"])
        return row["waiting"], row["since"]

    async def feed(self, account: str, after: int, limit: int) -> tuple[FeedItem, ...]:
        """Return what changed for an agency."""
        async with self._pool.link("read the feed") as link:
            rows = await link.fetch(_SQL["feed"], fit(account), after, limit)
        return tuple(
            FeedItem(**{**row, "kind": News(row["kind"]), "envelope_id": str(row["envelope_id"])}) for row in rows
        )

    async def feed_span(self) -> tuple[int, int]:
        """Return the first and the last number of the feed."""
        async with self._pool.link("read the feed") as link:
            row = await link.fetchrow(_SQL["feed_span"])
        return row["first"], row["last"]


async def _rows(link: Any, statement: str, *asked: object) -> list[Any]:
    return list(await link.fetch(statement, *asked, timeout=_SECONDS))


async def _waiting_floor(link: Any, top: str, recipient: str) -> Any:
    """Return where a walk over what waits ends; None when it has seen all."""
    return await link.fetchrow(_SQL["waiting_window"], top, _WINDOW, recipient, timeout=_SECONDS)


async def _is_enough(link: Any, asked: _Asked, ids: Sequence[Any], walk: tuple[Any, int], limit: int) -> bool:
    """Say whether a walk over the states fills the page; else what is to be found is looked for elsewhere too.

    Of several states one may be walked through to its end, while in another there is more behind the walk: what is
    older than that would be listed before it, and the next page goes on behind both.
    """
    if asked.is_of_one_state and len(ids) >= limit:
        return True
    ends = await link.fetchval(_SQL["more_of_state"], *walk, *asked.states, timeout=_SECONDS)
    return ends is None or sum(each > ends for each in ids) >= limit


def _ways(asked: _Asked) -> list[tuple[str, int]]:
    """Name the statements that find what is behind the walk, the surest first, and how far each walks."""
    ways = [("by_state", far) for far in asked.walks] if asked.by_state else []
    if asked.question is not None:
        ways.append(("by_words", _WINDOW))
    if ways:
        return ways
    bounded = asked.sought.since is not None or asked.sought.until is not None
    return [("by_day", _WINDOW)] if bounded else [("newest", _FAR)]


def _query(question: Question) -> str | None:
    """Write a question as PostgreSQL's tsquery."""
    if not question:
        return None
    clauses = (" | ".join(map(_term, clause)) for clause in question)
    return " & ".join(f"({clause})" for clause in clauses)


def _term(term: Term) -> str:
    return _quoted(term.lexeme) + (":*" if term.prefix else "")


def _quoted(lexeme: str) -> str:
    return "'" + fit(lexeme).replace("\\", "\\\\").replace("'", "''") + "'"


def _recipient(sought: Sought) -> str | None:
    """Write whom deliveries have to be for, as axis_register_fits reads it: no code has a "=" in it."""
    recipient = None if sought.recipient is None else fit(sought.recipient).replace("=", "?")
    return recipient if sought.mailbox is None else f"{recipient or ''}={fit(sought.mailbox)}"


def _text(value: str | None) -> str | None:
    return None if value is None else fit(value)
