"""Workers that crash, several at once, and workers that are asked to end."""

import time
from random import Random

from axis.broker import GIVEN_BACK
from axis.faults.field import Field
from axis.faults.fleet import drained
from axis.faults.scenario import Scenario, Shape

_SHAPE = Shape(routers=2, trackers=2, relays=1)
_DRAIN_SECONDS = 10.0


async def _play(field: Field, random: Random) -> None:
    while not field.over():
        if random.random() < _SHARE_OF_DRAINS:
            await _drain(field, random)
        else:
            await _kill(field, random)
        await field.calm(random.uniform(0.0, 0.5))
    await field.consumed()


async def _kill(field: Field, random: Random) -> None:
    """Kill one worker, or several at the same moment, and start as many again."""
    number = random.choices((1, 2, len(field.workers)), (75, 20, 5))[0]
    victims = random.sample(field.workers, number)
    for worker in victims:
        field.event(f"kill -9 of a {worker.kind}")
        worker.kill()
    kinds = [worker.kind for worker in victims]
    for worker in victims:
        await field.kill_worker(worker)
    await field.start_workers(kinds)


async def _drain(field: Field, random: Random) -> None:
    """Ask some to end: they finish what they took, at once, and leave nothing to be handed out again."""
    kind = random.choice(("router", "tracker", "relay"))
    victims = field.kind(kind)
    if random.random() < _ONE:
        victims = victims[:1]
    for _ in victims:
        field.event(f"SIGTERM to a {kind}")
    started = time.monotonic()
    codes = await drained(victims, _DRAIN_SECONDS * 3)
    seconds = time.monotonic() - started
    for worker, code in codes.items():
        field.workers.remove(worker)
        if code != 0:
            field.explain(f"{worker.log.stem} ended with {code} after SIGTERM, see {worker.log}")
    if seconds > _DRAIN_SECONDS:
        field.explain(f"{len(victims)} {kind}s took {seconds:.1f} s to end")
    # Asked of the worker: RabbitMQ counts as handed out again what it sent to a consumer that was just cancelled, too.
    for worker in victims:
        for line in worker.said_with(GIVEN_BACK):
            field.explain(f"{worker.log.stem} was asked to end, and {line}")
    await field.start_workers([kind] * len(victims))


_SHARE_OF_DRAINS = 0.2
_ONE = 0.7

SCENARIO = Scenario(
    number=1,
    name="workers",
    title="Workers killed at random, several at once; SIGTERM drains",
    play=_play,
    shape=_SHAPE,
    weight=2.0,
)
