"""Keeping the register in PostgreSQL.

Nobody waits for it. It reads what others have committed, writes tables that nobody else writes, and takes no lock but
its own. A transaction holds all of a batch: what was touched is forgotten in the same commit that registers it, so a
registrar that dies in between has done nothing, and the next does it.
"""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from axis.core.conversation import Conversation
from axis.core.fate import Transport
from axis.core.registered import COUNTS, Entry, News, Record
from axis.core.registration import Event, Registered, Subject
from axis.core.tracked import Tracked
from axis.core.workdays import vietnam_day
from axis.store import rows as convert
from axis.store.acting import conversation
from axis.store.pool import Pool
from axis.store.queries import load
from axis.store.register_seam import Decide, RegisterStore

_SQL = load("registering")
_TRACKING = load("tracking")
_ACTING = load("acting")
_LOCK = 0x61786972  # any number that no other program uses
_MOST_DELIVERIES = 10_000  # in one transaction, but for an envelope that has more by itself
_STEP = dt.timedelta(hours=1)
_SECONDS = 60.0
_REBUILD_SECONDS = 3_600.0

_Key = TypeVar("_Key")


class Registering(RegisterStore):
    """Of `PostgresRegister`: what the registrar does."""

    _pool: Pool

    async def keep(self, batch: int, decide: Decide) -> int:
        """Register at most `batch` changes."""
        async with self._pool.link("register") as link, link.transaction():
            if not await link.fetchval(_SQL["lock"], _LOCK):
                return 0
            touched = await _bounded(link, await link.fetch(_SQL["touched"], batch))
            if not touched:
                return 0
            registered = decide(await _subjects(link, touched))
            await _write(link, registered)
            await link.execute(_SQL["forget"], [row["id"] for row in touched])
        return len(touched)

    async def tell_late(self, at: dt.datetime) -> int:
        """Put into the feed whose deadline has passed."""
        async with self._pool.link("tell what is late") as link, link.transaction():
            if not await link.fetchval(_SQL["lock"], _LOCK):
                return 0
            since, registered_to = await link.fetchrow(_SQL["late_from"])
            until = min(at, since + _STEP, registered_to or at)
            if until <= since:
                return 0
            passed = await link.fetch(_SQL["passed"], since, until, vietnam_day(since), vietnam_day(until))
            late = News.LATE.value
            await _tell(
                link,
                [
                    (row["envelope_id"], account, late, row["recipient"], row["clock"], row["by"])
                    for row in passed
                    for account in dict.fromkeys((row["account"], row["mailbox"]))
                ],
            )
            await link.execute(_SQL["late_until"], until)
        return len(passed)

    async def prune(self, before: dt.datetime) -> int:
        """Forget what is old in the feed and the flow."""
        gone = 0
        async with self._pool.link("prune the feed") as link:
            await link.execute(_SQL["prune_flow"], before)
            while count := int((await link.execute(_SQL["prune_feed"], before)).removeprefix("DELETE ")):
                gone += count
        return gone

    async def rebuild(self) -> int:
        """Forget the register, and touch every envelope.

        Emptied last: an emptied table is locked until the commit, and who reads the register would wait as long as the
        filling takes. `touched` is not emptied at all: every router writes there, and what is not told yet stands there
        alone.
        """
        async with self._pool.link("rebuild the register") as link, link.transaction():
            while not await link.fetchval(_SQL["lock"], _LOCK):
                await link.execute("SELECT pg_sleep(0.1)")
            done: str = await link.execute(_SQL["fill"], timeout=_REBUILD_SECONDS)
            await link.execute(_SQL["empty"])
        return int(done.rpartition(" ")[2])


async def _bounded(link: Any, touched: Sequence[Any]) -> list[Any]:
    """Leave for later what would make the transaction too long; of each envelope all that is there stays together."""
    whole = sorted({str(row["envelope_id"]) for row in touched if row["recipient"] is None})
    sizes = {}
    if whole:
        found = await link.fetch(_SQL["sizes"], whole, *convert.span(whole))
        sizes = {row["envelope_id"]: row["deliveries"] for row in found}
    taken: dict[Any, None] = {}
    room = _MOST_DELIVERIES
    for row in touched:
        identifier = row["envelope_id"]
        if identifier not in taken:
            size = sizes.get(identifier, 1)
            if taken and size > room:
                break
            room -= size
            taken[identifier] = None
    return [row for row in touched if row["envelope_id"] in taken]


async def _subjects(link: Any, touched: Sequence[Any]) -> list[Subject]:
    """Read everything of what was touched, and how it is registered."""
    ids = sorted({str(row["envelope_id"]) for row in touched})
    documents = {str(row["envelope_id"]): read_entry(row) for row in await link.fetch(_SQL["documents"], ids)}
    whole = {str(row["envelope_id"]) for row in touched if row["recipient"] is None} | {
        identifier for identifier in ids if identifier not in documents
    }
    named = sorted(
        {
            (identifier, row["recipient"])
            for row in touched
            if (identifier := str(row["envelope_id"])) not in whole and row["recipient"] is not None
        }
    )
    records: defaultdict[str, dict[str, Record]] = defaultdict(dict)
    for row in await link.fetch(_SQL["records"], sorted(whole), *convert.columns(named, 2)):
        records[str(row["envelope_id"])][row["recipient"]] = _record(row)
    events: defaultdict[str, list[Event]] = defaultdict(list)
    news: set[str] = set()
    for row in touched:
        identifier = str(row["envelope_id"])
        if row["news"]:
            news.add(identifier)
        if row["event"] is not None:
            events[identifier].append(Event(News(row["event"]), row["recipient"], row["code"], row["at"]))
    return [
        Subject(
            tracked=tracked,
            body=body,
            whole=tracked.envelope.id in whole,
            news=tracked.envelope.id in news,
            events=tuple(events[tracked.envelope.id]),
            before=documents.get(tracked.envelope.id),
            records=records[tracked.envelope.id],
        )
        for tracked, body in await _tracked(link, ids, sorted(whole), named)
    ]


async def _tracked(
    link: Any, ids: list[str], whole: list[str], named: Sequence[tuple[str, str]]
) -> list[tuple[Tracked, bytes]]:
    """Tell of envelopes what the register asks; of those that are not `whole` only the deliveries that are named.

    An envelope that is not there any more, its month was dropped, is left out.
    """
    envelopes = await link.fetch(_SQL["envelopes"], ids, *convert.span(ids))
    narrow = convert.columns(named, 2)
    deliveries: defaultdict[Any, list[Any]] = defaultdict(list)
    for row in await link.fetch(_TRACKING["delivery_states"], whole):
        deliveries[row["envelope_id"]].append(convert.tracked_delivery(row))
    if named:
        for row in await link.fetch(_SQL["named_deliveries"], *narrow):
            deliveries[row["envelope_id"]].append(convert.tracked_delivery(row))
    statuses: defaultdict[Any, list[Any]] = defaultdict(list)
    for row in await link.fetch(_SQL["statuses"], whole, *narrow):
        statuses[row["envelope_id"]].append(convert.tracked_status(row))
    talks: defaultdict[str, list[Conversation]] = defaultdict(list)
    for row in await link.fetch(_ACTING["conversations_about"], ids):
        each = conversation(row)
        for identifier in {each.about, each.request}:
            talks[identifier].append(each)
    return [
        (
            Tracked(
                envelope=convert.tracked_envelope(row),
                deliveries=tuple(deliveries[row["id"]]),
                statuses=tuple(statuses[row["id"]]),
                notices=(),
                conversations=tuple(talks[str(row["id"])]),
            ),
            row["body"],
        )
        for row in envelopes
    ]


async def _write(link: Any, registered: Iterable[Registered]) -> None:
    """Write what differs, in the order of the keys."""
    ordered = sorted(registered, key=lambda each: each.entry.id)
    put = [each for each in ordered if each.lexemes is not None]
    if put:
        await link.execute(_SQL["put_documents"], *convert.columns(map(_document_row, put), 21), timeout=_SECONDS)
    moved = [(each.entry.id, each.entry.open) for each in ordered if each.lexemes is None and not each.unchanged]
    if moved:
        await link.execute(_SQL["move_documents"], *convert.columns(moved, 2))
    records = [_delivery_row(each.entry, record) for each in ordered for record in each.records]
    if records:
        await link.execute(_SQL["put_deliveries"], *convert.columns(records, 16), timeout=_SECONDS)
    sums: defaultdict[Any, list[int]] = defaultdict(lambda: [0] * len(COUNTS))
    due: Counter[Any] = Counter()
    flow: defaultdict[dt.datetime, list[int]] = defaultdict(lambda: [0, 0, 0])
    for each in ordered:
        due.update(each.due)
        _add(sums, each.tallies)
        _add(flow, each.flow)
    await _count(link, "tallies", [(*key, *counts) for key, counts in sorted(sums.items()) if any(counts)], 10)
    await _count(link, "due", [(*key, count) for key, count in sorted(due.items()) if count], 3)
    if flow:
        rows = [(at, *counts) for at, counts in sorted(flow.items())]
        await link.execute(_SQL["add_flow"], *convert.columns(rows, 4))
    await _tell(
        link,
        [
            (each.entry.id, told.account, told.kind.value, told.recipient, told.code, told.at)
            for each in ordered
            for told in each.feed
        ],
    )


def _add(totals: defaultdict[_Key, list[int]], added: Mapping[_Key, Sequence[int]]) -> None:
    for key, counts in added.items():
        totals[key] = [one + other for one, other in zip(totals[key], counts, strict=True)]


async def _count(link: Any, what: str, rows: list[tuple[Any, ...]], width: int) -> None:
    """Add to counts, and remove those that are nothing then."""
    if rows:
        columns = convert.columns(rows, len(rows[0]))
        await link.execute(_SQL[f"add_{what}"], *columns)
        spent = [row[:width] for row in rows if min(row[width:]) < 0]
        if spent:
            await link.execute(_SQL[f"drop_{what}"], *convert.columns(spent, width))


async def _tell(link: Any, items: list[tuple[Any, ...]]) -> None:
    if items:
        await link.execute(_SQL["tell"], *convert.columns(items, 6))


def read_entry(row: Any) -> Entry:
    """Read a document of the register."""
    told = {name: row[name] for name in Entry.__dataclass_fields__ if name != "id"}
    return Entry(id=str(row["envelope_id"]), **{**told, "concerns": convert.identifier(row["concerns"])})


def _record(row: Any) -> Record:
    told = {name: row[name] for name in Record.__dataclass_fields__}
    return Record(**{**told, "transport": Transport(row["transport"])})


def _document_row(registered: Registered) -> tuple[Any, ...]:
    entry = registered.entry
    return (
        entry.id,
        entry.sender,
        entry.account,
        entry.lane,
        entry.action,
        entry.concerns,
        entry.number,
        entry.notation,
        entry.issued_on,
        entry.kind,
        entry.subject,
        entry.document_id,
        entry.priority,
        entry.due_on,
        entry.sent_at,
        entry.accepted_at,
        entry.sent_late,
        entry.recipients,
        entry.open,
        entry.signed_by,
        "\n".join(registered.lexemes or ()),
    )


def _delivery_row(entry: Entry, record: Record) -> tuple[Any, ...]:
    return (
        entry.id,
        record.recipient,
        record.resolved,
        record.mailbox,
        record.transport.value,
        record.business,
        record.since,
        record.reason,
        record.detail,
        record.arrive_by,
        record.accept_by,
        record.finish_by,
        record.arrived_at,
        record.accepted_at,
        record.finished_at,
        record.ended,
    )
