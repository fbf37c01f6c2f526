"""urgent-lane: what an urgent envelope waits while 20,000 normal ones are before the router of the other lane."""

import asyncio

from axis.broker import Link, Publisher
from axis.core.lanes import mailbox_queue, notices_queue, route_queue
from tests.bench.flow import arrivals, milliseconds, percentile, send_steadily
from tests.bench.results import Detail, Goal, Result
from tests.bench.running import Options, reach
from tests.bench.world import SENDER, BenchFailed, Progress, Stage, World

_RECIPIENT = "H37"
_WAITING = 20_000
_URGENT = 250
_A_SECOND = 50.0
_NORMAL = route_queue("normal")


async def urgent_lane(stage: Stage, options: Options, progress: Progress) -> list[Result]:
    """Measure from sending to the recipient's hands, with and without normal envelopes waiting, in turns."""
    waiting = options.counted(_WAITING)
    full: list[list[float]] = []
    empty: list[list[float]] = []
    async with stage.world(progress) as world:
        await world.join([SENDER, _RECIPIENT])
        for number in range(options.rounds):
            for behind in (0, waiting) if number % 2 else (waiting, 0):
                (full if behind else empty).append(await _urgent(world, behind))
            progress(
                f"urgent-lane {number + 1}/{options.rounds}: p99 {percentile(full[-1], 0.99):.1f} ms "
                f"against {percentile(empty[-1], 0.99):.1f} ms"
            )
    rows: list[list[str | float]] = [
        [name, *(round(percentile([ms for each in runs for ms in each], share), 1) for share in (0.5, 0.9, 0.99, 1.0))]
        for name, runs in ((f"{waiting:,} normal waiting", full), ("none waiting", empty))
    ]
    return [
        Result(
            "urgent-lane",
            "ms (p99)",
            [percentile(each, 0.99) for each in full],
            [percentile(each, 0.99) for each in empty],
            goal=Goal("<=", 2.0),
            details=[Detail("urgent-lane: all rounds, milliseconds", ["with", "p50", "p90", "p99", "max"], rows)],
            facts={"waiting": waiting, "urgent": _URGENT},
        )
    ]


async def _urgent(world: World, waiting: int) -> list[float]:
    await world.submit(world.envelopes(waiting))
    urgent = world.envelopes(_URGENT, priority="express")
    async with (
        world.axis.worker("router", lanes='["normal"]'),
        world.axis.worker("router", lanes='["urgent"]'),
        Link(world.axis.url_of(SENDER), "sender") as sending,
        Link(world.axis.url_of(_RECIPIENT), "recipient") as receiving,
    ):
        if waiting:
            await reach(world, _NORMAL, at_most=waiting - 1)
        async with asyncio.TaskGroup() as group:
            taking = group.create_task(
                arrivals(receiving, mailbox_queue("urgent", _RECIPIENT), _URGENT, kind="document")
            )
            sent = await send_steadily(Publisher(sending), urgent, _A_SECOND)
            left = await world.depth(_NORMAL)
        if waiting and not left:
            raise BenchFailed("the normal envelopes were done before the urgent ones; let more wait (COUNT=)")
        # What still waits is of no interest, and would keep the router busy while it stops.
        await world.empty(_NORMAL)
    await world.empty(_NORMAL, mailbox_queue("normal", _RECIPIENT), notices_queue(SENDER))
    return milliseconds(sent, taking.result())
