"""Messages that workers choke on, among good ones; workers and connections that end again and again over nothing."""

import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from random import Random

from axis.client import NotConfirmed
from axis.core.lanes import lane_of
from axis.errors import Unavailable
from axis.faults.choking import KILLS, RAISES, SPINS
from axis.faults.field import Field
from axis.faults.fleet import WorkerProcess
from axis.faults.scenario import Scenario, Shape
from schemas import Document, Priority

_KINDS = {
    RAISES: "a message that makes its reader raise",
    KILLS: "a message that kills its worker (SIGSEGV)",
    SPINS: "a message that is read for ever",
}
_REASON = "message/poison"
_GIVEN_UP_SECONDS = 180.0
_CLOSURES = 22  # RabbitMQ 4 would give a message up after 20 returns, were it not told otherwise
_CLOSING_SECONDS = 120.0
_KILLS_IN_A_ROW = 6
_LOOK_SECONDS = 0.1
_Step = Callable[[Field, Random], Awaitable[None]]
_ROUTERS = 2
_STUCK_SECONDS = "1"  # of processor time; the product's 15 would be most of a run


async def _play(field: Field, random: Random) -> None:
    await _replace(field, choking=True)
    async with _kept_alive(field):
        steps: list[_Step] = []
        while not field.over():
            # Bad messages first, then what must not make good ones look like them.
            steps = steps or [
                *random.sample((_close_connections, _kill_routers), 2),
                *(partial(_poison, kind=kind) for kind in random.sample(sorted(_KINDS), len(_KINDS))),
            ]
            await steps.pop()(field, random)
            await field.flowing()
    await _replace(field, choking=False)
    await field.consumed()


async def _poison(field: Field, random: Random, *, kind: str) -> None:
    """Send a marked document among the others: it alone is refused and kept, whatever it did to workers before."""
    code = random.choice(field.traffic.codes)
    agency = field.traffic.agencies.get(code)
    if agency is None:
        field.explain(f"{code} is not connected")
        return
    priority = random.choice((Priority.URGENT, Priority.NORMAL))
    field.event(_KINDS[kind])
    document = field.traffic.records.begin(agency.new_envelope_id(), code, lane_of(priority), frozenset(), "refused")
    field.expected_quarantine.add(document.id)
    recipient = random.choice([each for each in field.traffic.codes if each != code])
    with contextlib.suppress(NotConfirmed):  # it goes on being sent
        await agency.send(
            document=Document(
                document_id=f"{code},2026/11/24,{document.began}/CV",
                subject=f"V/v {kind}",
                priority=priority,
            ),
            recipients=[recipient],
            envelope_id=document.id,
        )
    started = time.monotonic()
    while not document.receipts:
        if time.monotonic() - started > _GIVEN_UP_SECONDS:
            field.explain(f"{_KINDS[kind]} ({document.id}) is not given up within {_GIVEN_UP_SECONDS:g} s")
            return
        await asyncio.sleep(_LOOK_SECONDS)
    if document.receipts[0][1] != _REASON:
        field.explain(f"{_KINDS[kind]} ({document.id}) was answered {document.receipts[0]}")


async def _close_connections(field: Field, _random: Random) -> None:
    """Close the routers' connections more often than RabbitMQ returns a message by itself."""
    closed, end = 0, time.monotonic() + _CLOSING_SECONDS
    while closed < _CLOSURES:
        for name in await field.broker.connections("axis router", "consuming"):
            field.event("a router's connection closed")
            await field.broker.close_connection(name)
            closed += 1
        if time.monotonic() > end:
            field.explain(f"the routers connected only {closed} times within {_CLOSING_SECONDS:g} s")
            return
        await field.calm(0.1)


async def _kill_routers(field: Field, random: Random) -> None:
    """Kill routers one after the other, whatever they are at: no good message may look like a bad one."""
    for _ in range(_KILLS_IN_A_ROW):
        routers = [worker for worker in field.kind("router") if worker.alive]
        if routers:
            field.event("kill -9 of a router")
            random.choice(routers).kill()
        await field.calm(random.uniform(0.2, 1.0))


@contextlib.asynccontextmanager
async def _kept_alive(field: Field) -> AsyncIterator[None]:
    """Start choking routers again when they end, as a keeper does."""

    async def keep() -> None:
        while True:
            for worker in [each for each in field.kind("router") if not each.alive]:
                field.workers.remove(worker)
                # It may end before it is ready: then it is started once more.
                with contextlib.suppress(Unavailable):
                    await _start(field)
            await asyncio.sleep(_LOOK_SECONDS)

    async with asyncio.TaskGroup() as group:
        keeping = group.create_task(keep())
        try:
            yield
        finally:
            keeping.cancel()


async def _replace(field: Field, *, choking: bool) -> None:
    """Put choking routers in place of the others, or the other way round."""
    before = field.kind("router")
    await asyncio.gather(*(_start(field) if choking else field.start_worker("router") for _ in range(_ROUTERS)))
    for worker in [each for each in before if not each.alive]:
        field.workers.remove(worker)
    await asyncio.gather(*(field.stop_worker(worker) for worker in before if worker in field.workers))


async def _start(field: Field) -> WorkerProcess:
    argv = (sys.executable, "-m", "axis.faults.choking", "router")
    return await field.start_worker("router", argv=argv, stuck_seconds=_STUCK_SECONDS)


SCENARIO = Scenario(
    number=7,
    name="poison",
    title="Messages that crash their reader, take for ever or kill the process; they go to quarantine alone",
    play=_play,
    shape=Shape(routers=_ROUTERS),
)
