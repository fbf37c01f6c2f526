"""PostgreSQL is killed, stopped, frozen, crowded, locked, altered, fenced, and fails over to its standby and back."""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random

from axis.faults.databases import Database
from axis.faults.field import Field
from axis.faults.replicas import Pair, connected
from axis.faults.scenario import Scenario, Shape
from axis.faults.sessions import (
    cancel_statements,
    crowded,
    end_sessions,
    frozen,
    locked,
    read_only,
    renamed,
    rows_locked,
)
from axis.store.reaching import reaching

_TABLES = ("envelope", "delivery", "notice", "organisation")
_CONNECTIONS = 60  # few enough to take them all in a moment
_HELD_SECONDS = (0.5, 3.0)
# Past the workers' own deadline for a statement (30 s): they have to say so and try again, not to fail.
_LONG_SECONDS = 45.0
_LONG_SHARE = 0.04
# One such deadline, one for taking the connection back, and what has come meanwhile.
_VANISHED_SECONDS = 150.0
_BREATH_SECONDS = 0.3

Fault = Callable[["War"], Awaitable[None]]


class War:
    """One run: the two servers, and what is done to them."""

    def __init__(self, field: Field, pair: Pair, random: Random) -> None:
        self.field = field
        self.pair = pair
        self.random = random

    @property
    def database(self) -> Database:
        """The server that takes writes now."""
        return self.pair.primary

    async def hold(self) -> None:
        """Let a fault last: mostly a moment, now and then longer than any deadline."""
        long = self.random.random() < _LONG_SHARE
        await self.field.calm(_LONG_SECONDS if long else self.random.uniform(*_HELD_SECONDS))


async def _kill(war: War) -> None:
    war.field.event("killed")
    await war.database.kill()
    await war.hold()
    await war.database.start()


async def _restart_fast(war: War) -> None:
    war.field.event("restarted, fast")
    await war.database.stop("fast")
    await war.database.start()


async def _restart_immediate(war: War) -> None:
    war.field.event("restarted, immediate")
    await war.database.stop("immediate")
    await war.database.start()


async def _stop(war: War) -> None:
    war.field.event("stopped")
    await war.database.stop("fast")
    await war.hold()
    await war.database.start()


async def _freeze(war: War) -> None:
    war.field.event("frozen")
    with frozen(war.database):
        await war.hold()


async def _crowd(war: War) -> None:
    async with crowded(war.database) as taken:
        war.field.event("connections taken", taken=taken)
        await war.hold()


async def _lock(war: War) -> None:
    table = war.random.choice(_TABLES)
    war.field.event("table locked", table=table)
    async with locked(war.database, table):
        await war.hold()


async def _lock_rows(war: War) -> None:
    table = war.random.choice(_TABLES)
    war.field.event("rows locked", table=table)
    async with rows_locked(war.database, table):
        await war.hold()


async def _rename(war: War) -> None:
    table = war.random.choice(_TABLES)
    war.field.event("table away", table=table)
    async with renamed(war.database, table):
        await war.hold()


async def _end_sessions(war: War) -> None:
    war.field.event("sessions ended")
    await end_sessions(war.database)


async def _cancel(war: War) -> None:
    war.field.event("statements cancelled")
    await cancel_statements(war.database)


async def _read_only(war: War) -> None:
    war.field.event("read-only")
    async with read_only(war.database):
        await war.hold()


async def _lose_standby(war: War) -> None:
    war.field.event("standby killed")
    await war.pair.standby.kill()
    await war.hold()
    await war.pair.standby.start()


async def _fail_over(war: War) -> None:
    field, old = war.field, war.database
    await war.pair.in_step()
    field.event("failed over")
    await old.kill()
    await war.pair.fail_over()
    await field.flowing()
    await _come_back_fenced(war, old)
    await war.pair.rejoin()


async def _vanish(war: War) -> None:
    """Let the primary hang, and the standby take over: workers have to give up on connections that stay open."""
    field, old = war.field, war.database
    await war.pair.in_step()
    field.event("failed over from one that hangs")
    with frozen(old):
        await war.pair.fail_over()
        await field.flowing(_VANISHED_SECONDS)
        await old.kill()
    await _come_back_fenced(war, old)
    await war.pair.rejoin()


async def _come_back_fenced(war: War, old: Database) -> None:
    """Start the old primary as it was, but for the fence; nobody writes to it, whoever looks for a server."""
    field = war.field
    await asyncio.to_thread(_fence, old)
    await old.start()
    try:
        field.event("old primary came back")
        before = await _envelopes(old)
        router = field.kind("router")[0]
        await field.kill_worker(router)
        await field.start_worker("router")
        await field.flowing()
        if await _envelopes(old) != before:
            field.explain("the old primary was written to after the failover")
    finally:
        await old.kill()


def _fence(database: Database) -> None:
    with (database.data / "postgresql.auto.conf").open("a", encoding="utf-8") as settings:
        settings.write("default_transaction_read_only = on\nsynchronous_standby_names = ''\n")


async def _envelopes(database: Database) -> int:
    async with connected(database.url) as link:
        found: int = await link.fetchval("SELECT count(*) FROM envelope")
    return found


_FAULTS: tuple[Fault, ...] = (
    _fail_over,
    _kill,
    _restart_fast,
    _restart_immediate,
    _stop,
    _freeze,
    _crowd,
    _lock,
    _lock_rows,
    _rename,
    _end_sessions,
    _cancel,
    _read_only,
    _lose_standby,
    _vanish,
)


async def _play(field: Field, random: Random) -> None:
    pair = await _pair(field)
    try:
        war = War(field, pair, random)
        faults: list[Fault] = []
        while not field.over():
            if not faults:
                faults = random.sample(_FAULTS, len(_FAULTS))
            with reaching("stand a fault of the harness"):
                await faults.pop()(war)
            await field.flowing()
            await field.calm(_BREATH_SECONDS)
    finally:
        await _heal(pair)
        await pair.close(field.database)
    await field.flowing()


async def _pair(field: Field) -> Pair:
    """Give the database a standby and few connections, and tell the workers of both servers."""
    pair = await Pair.make(field.database, f"max_connections={_CONNECTIONS}")
    field.environment["AXIS_DATABASE_URL"] = pair.url
    before = list(field.workers)
    await field.start_workers([worker.kind for worker in before])
    await asyncio.gather(*(field.stop_worker(worker) for worker in before))
    await field.flowing()
    return pair


async def _heal(pair: Pair) -> None:
    """Start what a fault that was broken off has left lying."""
    for server in (pair.primary, pair.standby):
        server.resume()
        await server.start()


SCENARIO = Scenario(
    number=4,
    name="database",
    title="PostgreSQL killed, stopped, frozen, crowded, locked, altered, fenced, failing over",
    play=_play,
    shape=Shape(routers=2),
)
