"""route-1, route-1-faststream, route-63: envelopes through one router process, against bare forwarders."""

from collections.abc import Sequence

from axis.core.lanes import mailbox_queue, notices_queue, route_queue
from tests.bench.results import Goal, Result
from tests.bench.running import Options, Run, Target, cpu_detail, cpu_facts, paired, run_baseline, run_worker
from tests.bench.world import SENDER, Progress, Stage, World

_SOURCE = route_queue("normal")


async def route_1(stage: Stage, options: Options, progress: Progress) -> list[Result]:
    """One recipient, against aio-pika."""
    return await _route(stage, options, progress, "route-1", baseline="aio_pika_forwarder", goal=Goal(">=", 1.3))


async def route_1_faststream(stage: Stage, options: Options, progress: Progress) -> list[Result]:
    """One recipient, against FastStream."""
    return await _route(
        stage, options, progress, "route-1-faststream", baseline="faststream_forwarder", goal=Goal(">=", 1.8)
    )


async def route_63(stage: Stage, options: Options, progress: Progress) -> list[Result]:
    """Sixty-three mailboxes: one publish of ours, sixty-three of the forwarder's."""
    codes = [f"H{number:02}" for number in range(1, 64)]
    return await _route(
        stage,
        options,
        progress,
        "route-63",
        baseline="aio_pika_forwarder",
        goal=Goal(">=", 3.0),
        codes=codes,
        count=400,
    )


async def _route(
    stage: Stage,
    options: Options,
    progress: Progress,
    bench: str,
    *,
    baseline: str,
    goal: Goal,
    codes: Sequence[str] = ("H37",),
    count: int = 10_000,
) -> list[Result]:
    count = options.counted(count)
    async with stage.world(progress) as world:
        await world.join([SENDER, *codes])
        sides = Sides(world, list(codes), count, baseline)
        pairs = await paired(options.rounds, sides.ours, sides.baseline, world, bench)
    each = "delivery" if len(codes) > 1 else "envelope"
    result = Result(
        bench,
        "deliveries/s" if len(codes) > 1 else "envelopes/s",
        [our.rate for our, _ in pairs],
        [their.rate for _, their in pairs],
        goal=goal,
        details=[cpu_detail(f"{bench}: processor time", each, pairs)],
        facts={"messages": count, **cpu_facts(pairs)},
    )
    return [result]


class Sides:
    """Both sides of a round: envelopes of the same size to the same mailboxes.

    `recipients`: who is named in the envelope, where that is not the mailboxes themselves.
    """

    def __init__(
        self, world: World, codes: list[str], count: int, baseline: str, *, recipients: Sequence[str] = ()
    ) -> None:
        self._world = world
        self._codes = codes
        self._recipients = recipients or codes
        self._count = count
        self._baseline = baseline
        self._target = Target(mailbox_queue("normal", codes[-1]), count, count * len(codes))

    async def ours(self) -> Run:
        await self._fill()
        run = await run_worker(self._world, "router", self._target, handled={"accepted": self._count})
        await self._clear()
        return run

    async def baseline(self) -> Run:
        await self._fill()
        keys = [mailbox_queue("normal", code) for code in self._codes]
        run = await run_baseline(self._world, self._baseline, self._target, str(self._count), _SOURCE, *keys)
        await self._clear()
        return run

    async def _fill(self) -> None:
        # Fresh for each side: an id is accepted once. The size is the same for all.
        await self._world.submit(self._world.envelopes(self._count, recipients=self._recipients))

    async def _clear(self) -> None:
        await self._world.empty(
            _SOURCE, notices_queue(SENDER), *(mailbox_queue("normal", code) for code in self._codes)
        )
