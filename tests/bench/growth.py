"""growth and growth-1m: what a full store costs whoever writes to it and looks something up in it."""

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import asyncpg

from axis.core.ids import new_id
from axis.core.lanes import mailbox_queue, notices_queue, route_queue
from axis.core.records import Accepted
from axis.store import Store
from tests.bench.processes import quiet
from tests.bench.results import Detail, Goal, Result
from tests.bench.running import Options, Target, cpu_detail, run_worker
from tests.bench.stored import fill
from tests.bench.world import BODY_BYTES, FILLED_DAYS, SENDER, Progress, Stage, World
from tests.rig import now
from tests.unit.store.rows import delivery_row, envelope_row, notice_row

_FEW = 1_000
_MANY = 1_000_000
_BATCH = 256
_ROUTED = 4_000


async def growth_1m(stage: Stage, options: Options, progress: Progress) -> list[Result]:
    """Route the same number of envelopes into a store with a million, and into one with a thousand, in turns."""
    count = options.counted(_ROUTED)
    pairs = []
    async with (
        stage.world(progress, database=await stage.grown(_MANY, progress)) as large,
        stage.world(progress) as small,
    ):
        await fill(small.axis.database, _FEW, days=FILLED_DAYS)
        for world in (large, small):
            await world.join([SENDER, "H37"])
        for number in range(options.rounds):
            runs = {}
            for world in (large, small) if number % 2 else (small, large):
                runs[world is large] = await _route(world, count)
            pairs.append((runs[True], runs[False]))
            ours, theirs = pairs[-1]
            progress(
                f"growth-1m {number + 1}/{options.rounds}: {1e6 / ours.rate:,.0f} against "
                f"{1e6 / theirs.rate:,.0f} µs per envelope"
            )
    return [
        Result(
            "growth-1m",
            "µs per envelope",
            [1e6 / ours.rate for ours, _ in pairs],
            [1e6 / theirs.rate for _, theirs in pairs],
            goal=Goal("<=", 1.2),
            details=[cpu_detail("growth-1m: processor time", "envelope", pairs)],
            facts={"messages": count, "stored": _MANY, "against": _FEW},
        )
    ]


async def _route(world: World, count: int) -> Any:
    mailbox = mailbox_queue("normal", "H37")
    await world.submit(world.envelopes(count))
    run = await run_worker(world, "router", Target(mailbox, count, count), handled={"accepted": count})
    await world.empty(mailbox, notices_queue(SENDER), route_queue("normal"))
    return run


async def growth(stage: Stage, options: Options, progress: Progress) -> list[Result]:
    """Do what workers and people ask of the store, beside a store with a thousand envelopes, as the other one grows."""
    most = options.counted(_MANY)
    sizes = [size for size in (_FEW, 10_000, 100_000, _MANY) if size <= most] or [most]
    times: dict[int, dict[str, list[tuple[float, float]]]] = {}
    async with stage.world(progress) as small:
        await fill(small.axis.database, _FEW, days=FILLED_DAYS)
        async with Store.connect(small.axis.database) as little:
            for size in sizes:
                dsn = await stage.grown(size, progress)
                async with Store.connect(dsn) as grown:
                    times[size] = await _compare((grown, dsn), (little, small.axis.database), options.rounds, stage)
                progress(f"growth: measured with {size:,} stored")
    return _results(times)


async def _compare(
    grown: tuple[Store, str], little: tuple[Store, str], rounds: int, stage: Stage
) -> dict[str, list[tuple[float, float]]]:
    found: dict[str, list[tuple[float, float]]] = {}
    await quiet(stage.servers.database)
    for number in range(-1, rounds):  # one more before: statements are prepared, pages are read
        one, other = (grown, little) if number % 2 else (little, grown)
        first, second = await _ask(*one), await _ask(*other)
        ours, theirs = (first, second) if one is grown else (second, first)
        if number >= 0:
            for name, value in ours.items():
                found.setdefault(name, []).append((value, theirs[name]))
    return found


async def _ask(store: Store, dsn: str) -> dict[str, float]:
    """Time each question, in microseconds (per envelope where a batch is asked about)."""
    ids, documents = await _some(dsn)
    fresh = [_fresh() for _ in range(_BATCH)]
    names = sorted(each.envelope.id for each in fresh)
    receipts = sorted(each.receipt.id for each in fresh)
    found: dict[str, float] = {}
    found["insert an envelope (batch of 256)"] = await _timed(lambda: _accept(store, fresh), _BATCH)
    found["mark it published (batch of 256)"] = await _timed(lambda: store.mark_published(names, receipts), _BATCH)
    found["recognise a repeat (batch of 256)"] = await _timed(lambda: _accept(store, fresh), _BATCH)
    found["lock deliveries for a status (256 ids)"] = await _timed(lambda: _deliveries(store, ids), len(ids))
    found["track by envelope id"] = await _timed(lambda: _each(store, ids[:50]), 50)
    found["track by document"] = await _timed(lambda: _each(store, documents[:50]), 50)
    return found | await _detach(dsn)


def _fresh() -> Accepted:
    identifier = new_id(now())
    row = envelope_row(id=identifier, document_id=f"new {identifier}", body=b"x" * BODY_BYTES)
    return Accepted(row, (delivery_row(identifier, "H37"),), (), notice_row(id=new_id(now()), about=identifier))


async def _accept(store: Store, envelopes: list[Accepted]) -> None:
    async with store.transaction() as tx:
        await tx.accept(envelopes)


async def _deliveries(store: Store, ids: list[str]) -> None:
    async with store.transaction() as tx:
        await tx.deliveries_of(ids)


async def _each(store: Store, terms: list[str]) -> None:
    for term in terms:
        if not await store.track(term):
            raise AssertionError(term)


async def _timed(action: Callable[[], Awaitable[None]], things: int) -> float:
    started = time.perf_counter()
    await action()
    return 1e6 * (time.perf_counter() - started) / things


async def _some(dsn: str) -> tuple[list[str], list[str]]:
    """Pick stored envelopes, spread over the whole store."""
    connection = await asyncpg.connect(dsn)
    try:
        total = await connection.fetchval("SELECT count(*) FROM envelope")
        share = min(100.0, 100.0 * 4 * _BATCH / max(1, total))
        rows = await connection.fetch(
            "SELECT id, document_id FROM envelope TABLESAMPLE BERNOULLI ($1) REPEATABLE (7) "
            "WHERE document_id ~ '^G22,[0-9]*,' ORDER BY md5(id::text) LIMIT $2",
            share,
            _BATCH,
        )
    finally:
        await connection.close()
    return [str(row["id"]) for row in rows], [row["document_id"] for row in rows]


async def _detach(dsn: str) -> dict[str, float]:
    """Take last month away from the tables of traffic, and put it back by rolling back."""
    connection = await asyncpg.connect(dsn)
    try:
        month = await connection.fetchval("SELECT to_char(date_trunc('month', now()) - interval '1 day', 'YYYY_MM')")
        transaction = connection.transaction()
        await transaction.start()
        started = time.perf_counter()
        for table in ("envelope", "delivery", "attachment", "notice", "status_event"):
            await connection.execute(f"ALTER TABLE {table} DETACH PARTITION {table}_{month}")
        took = 1e6 * (time.perf_counter() - started)
        await transaction.rollback()
    finally:
        await connection.close()
    return {"detach last month (five tables)": took}


def _results(times: Mapping[int, Mapping[str, list[tuple[float, float]]]]) -> list[Result]:
    last = max(times)
    medians = {size: {name: _median(pairs) for name, pairs in found.items()} for size, found in times.items()}
    rows: list[list[str | float]] = [[name, *(medians[size][name] for size in times)] for name in times[last]]
    head = ["µs", *(f"{size:,} stored" for size in times)]
    return [
        Result(
            "growth",
            "µs",
            [ours for ours, _ in pairs],
            [theirs for _, theirs in pairs],
            case=f"{name}, {last:,} stored",
            details=[Detail("growth: microseconds as the store fills", head, rows)] if number == 0 else (),
        )
        for number, (name, pairs) in enumerate(times[last].items())
    ]


def _median(pairs: list[tuple[float, float]]) -> float:
    ordered = sorted(ours for ours, _ in pairs)
    return ordered[len(ordered) // 2]
