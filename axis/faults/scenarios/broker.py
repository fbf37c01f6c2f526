"""The broker killed, stopped, frozen and started again: everybody comes back by themselves."""

from random import Random

from axis.errors import Unavailable
from axis.faults.field import Field
from axis.faults.scenario import Scenario, Shape

_LONGEST_SECONDS = 5.0  # of most outages
_FROZEN_SECONDS = 15.0  # longer than the deadline of everything that is asked of a broker
_STOPPED_SECONDS = 75.0  # "stopped for minutes": once in a long run
_BACK_SECONDS = 90.0


async def _play(field: Field, random: Random) -> None:
    if field.is_long:
        await _away(field, _STOPPED_SECONDS, kill=False)
    while not field.over():
        what = random.random()
        if what < _CLOSED:
            await _close_connections(field, random)
        elif what < _FROZEN:
            await _freeze(field, random.uniform(1.0, _FROZEN_SECONDS if field.is_long else 2.0))
        else:
            await _away(field, random.choice((0.0, random.uniform(0.0, _LONGEST_SECONDS))), kill=what < _KILLED)


async def _away(field: Field, seconds: float, *, kill: bool) -> None:
    if kill:
        field.event("kill -9 of the broker", seconds=seconds)
        await field.broker.kill()
    else:
        field.event("stop of the broker", seconds=seconds)
        await field.broker.stop()
    await field.calm(seconds)
    await field.broker.start()
    await field.consumed(_BACK_SECONDS)
    await field.flowing(_BACK_SECONDS)


async def _freeze(field: Field, seconds: float) -> None:
    field.event("the broker frozen", seconds=seconds)
    field.broker.pause()
    await field.calm(seconds)
    field.broker.resume()
    await field.consumed(_BACK_SECONDS)
    await field.flowing(_BACK_SECONDS)


async def _close_connections(field: Field, random: Random) -> None:
    """Close some connections of workers and agencies, whatever they are doing."""
    try:
        found = await field.broker.connections("axis")
        for name in random.sample(found, min(len(found), random.randint(1, 6))):
            field.event("a connection closed by the broker")
            await field.broker.close_connection(name)
    except Unavailable as error:
        field.explain(f"the management API does not answer on a broker that runs: {error}")
    await field.consumed(_BACK_SECONDS)


_CLOSED, _FROZEN, _KILLED = 0.4, 0.5, 0.85

SCENARIO = Scenario(
    number=2,
    name="broker",
    title="The broker killed, stopped for minutes, frozen; connections closed",
    play=_play,
    shape=Shape(routers=2),
)
