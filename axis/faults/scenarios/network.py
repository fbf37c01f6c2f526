"""Networks that are slow, silent or dead without a word, and clocks that are wrong by hours on one side."""

import datetime as dt
from collections.abc import Awaitable, Callable
from random import Random

from axis.faults import clocks
from axis.faults.field import Field
from axis.faults.processes import until
from axis.faults.scenario import Scenario, Shape
from axis.faults.wires import Wire, Wires

# The broker suggests it; a client gives a connection up after two of them without a sign of life, looked at twice each.
_HEARTBEAT_SECONDS = 4
_NOTICED_SECONDS = 3 * _HEARTBEAT_SECONDS + 5.0
# A statement waits 30 s for its answer. One that died in a transaction holds its locks until the server ends it (60 s).
_DATABASE_SECONDS = 120.0

Fault = Callable[[Field, Wires, Random], Awaitable[None]]


async def _play(field: Field, random: Random) -> None:
    wires = field.wires
    if wires is None:
        raise TypeError("this scenario needs wires")
    await field.broker.ctl("eval", f"application:set_env(rabbit, heartbeat, {_HEARTBEAT_SECONDS}).")
    for wire in (wires.agencies, wires.workers):
        wire.reset()  # whoever comes back agrees on the new interval
    await field.flowing()
    try:
        faults = _FAULTS if field.is_long else _SHORT
        left: list[Fault] = []
        while not field.over():
            left = left or random.sample(faults, len(faults))
            await left.pop()(field, wires, random)
            await field.flowing(_DATABASE_SECONDS)
    finally:
        await wires.mend()
        field.traffic.wrong_by.clear()
    await field.consumed()


async def _slow(field: Field, wires: Wires, random: Random) -> None:
    """Everything takes its time, as over a satellite."""
    delay = random.uniform(0.02, 0.3)
    field.event("a slow network", delay=delay)
    for wire in wires.all:
        wire.delay = delay
    await field.calm(random.uniform(2.0, 5.0))
    await field.flowing(_DATABASE_SECONDS)
    await wires.mend()


async def _thin(field: Field, wires: Wires, random: Random) -> None:
    """A line that carries little."""
    wire = random.choice(wires.all)
    field.event("a thin line", wire=_name(wires, wire))
    wire.rate = random.uniform(100_000, 300_000)
    await field.calm(random.uniform(2.0, 5.0))
    await wires.mend()


async def _stall(field: Field, wires: Wires, random: Random) -> None:
    """A line that carries nothing for a while; new connections are taken and nothing is said on them."""
    wire = random.choice(wires.all)
    field.event("a line that says nothing", wire=_name(wires, wire))
    wire.stall()
    # The longest: longer than whoever sends waits for a confirm.
    await field.calm(random.choice((1.0, 3.0, 12.0) if field.is_long else (1.0, 2.0)))
    await wires.mend()


async def _reset(field: Field, wires: Wires, random: Random) -> None:
    """RST on every connection of a line."""
    wire = random.choice(wires.all)
    field.event("connections are reset", wire=_name(wires, wire), connections=wire.open)
    wire.reset()


async def _refuse(field: Field, wires: Wires, random: Random) -> None:
    """A line is cut and refuses whoever comes."""
    wire = random.choice(wires.all)
    field.event("a line is cut", wire=_name(wires, wire))
    await wire.cut()
    await field.calm(random.uniform(0.5, 3.0))
    await wires.mend()


async def _die_at_the_broker(field: Field, wires: Wires, random: Random) -> None:
    """Connections to the broker die without a word: heartbeats find out."""
    wire = random.choice((wires.agencies, wires.workers))
    field.event("half-open connections", wire=_name(wires, wire), connections=wire.lose())
    if not await until(lambda: not wire.unnoticed, _NOTICED_SECONDS):
        field.explain(
            f"{wire.unnoticed} dead connections of {_name(wires, wire)} are in use after {_NOTICED_SECONDS:g} s"
        )


async def _die_at_the_database(field: Field, wires: Wires, _random: Random) -> None:
    """Connections to the database die without a word; those that nobody uses are found out when they are."""
    field.event("half-open connections", wire="database", connections=wires.database.lose())


async def _agency_clock(field: Field, _wires: Wires, random: Random) -> None:
    """An agency whose clock is wrong by no more than is allowed sends, receives and reports as before."""
    code = random.choice(field.traffic.codes)
    # With the wrong clock of a worker on top still within the window of 31 days and 60 minutes.
    hours = random.choice((-24.0 * random.randint(1, 28), -random.uniform(1, 20), random.uniform(0.1, 0.4)))
    field.event("a clock of an agency is wrong", code=code, hours=hours)
    field.traffic.wrong_by[code] = dt.timedelta(hours=hours)
    await field.calm(random.uniform(1.0, 3.0))
    await field.flowing(_DATABASE_SECONDS)
    if random.random() < _SET_RIGHT:
        del field.traffic.wrong_by[code]


async def _agency_clock_too_far(field: Field, _wires: Wires, random: Random) -> None:
    """Beyond what is allowed everything is refused, and whoever said it is told why."""
    code = random.choice(field.traffic.codes)
    hours = random.choice((-24.0 * random.randint(32, 90), random.uniform(1.1, 48)))
    field.event("a clock of an agency is too far wrong", code=code, hours=hours)
    at = dt.datetime.now(dt.UTC) + dt.timedelta(hours=hours)
    await clocks.refused_document(field, code, at, random)
    await clocks.refused_status(field, code, at)


async def _worker_clock(field: Field, _wires: Wires, random: Random) -> None:
    """A worker whose clock is ahead by hours, or behind by minutes, works as before."""
    kind = random.choice(("router", "tracker", "relay"))
    hours = random.choice((random.uniform(1, 48), -random.uniform(0.1, 0.4)))
    field.event(f"the clock of a {kind} is wrong", hours=hours)
    await clocks.replace_worker(field, kind, dt.timedelta(hours=hours))
    await field.calm(random.uniform(1.0, 3.0))
    await field.flowing(_DATABASE_SECONDS)
    await clocks.replace_worker(field, kind)


async def _router_clock_too_far(field: Field, _wires: Wires, random: Random) -> None:
    """A router whose clock is hours behind refuses what it takes for the future, and says so."""
    hours = random.uniform(1.5, 24)
    field.event("the clock of a router is too far behind", hours=hours)
    await clocks.nothing_under_way(field)
    await clocks.replace_worker(field, "router", -dt.timedelta(hours=hours))
    await clocks.refused_document(field, random.choice(field.traffic.codes), dt.datetime.now(dt.UTC), random)
    await clocks.replace_worker(field, "router")
    field.traffic.resume()


def _name(wires: Wires, wire: Wire) -> str:
    return next(name for name in ("agencies", "workers", "database") if getattr(wires, name) is wire)


_SET_RIGHT = 0.7
_SHORT: tuple[Fault, ...] = (
    _slow,
    _thin,
    _stall,
    _reset,
    _refuse,
    _die_at_the_broker,
    _agency_clock,
    _agency_clock_too_far,
    _worker_clock,
    _router_clock_too_far,
)
_FAULTS: tuple[Fault, ...] = (*_SHORT, _die_at_the_database)

SCENARIO = Scenario(
    number=10,
    name="network",
    title="Clocks wrong by hours; a slow network; connections that are half-open, silent or reset",
    play=_play,
    # What goes through a wire goes through this process, too.
    shape=Shape(wires=True, rate=60.0, limit=80),
)
