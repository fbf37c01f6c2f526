"""track: statuses verified, applied and recorded by one tracker process, against one row per message."""

from pathlib import Path

from axis.core.lanes import notices_queue
from schemas.wire import TRACK_QUEUE
from tests.bench.profiles import PROFILED, profile_details
from tests.bench.results import Goal, Result
from tests.bench.running import Options, Run, Target, cpu_detail, cpu_facts, paired, run_baseline, run_worker
from tests.bench.stored import fill, stored_ids
from tests.bench.world import SENDER, Progress, Stage, World

_REPORTER = "H37"
_COUNT = 10_000


async def track(stage: Stage, options: Options, progress: Progress) -> list[Result]:
    """Each status is the first about its envelope; the tracker forwards it to the sender as well."""
    count = options.counted(_COUNT)
    async with stage.world(progress) as world:
        await world.join([SENDER, _REPORTER])
        sides = _Sides(world, count)
        pairs = await paired(options.rounds, sides.ours, sides.baseline, world, "track")
        path = world.axis.folder / "profile.json"
        profile = profile_details("track: the tracker", path, await sides.ours(profile=path))
    result = Result(
        "track",
        "statuses/s",
        [our.rate for our, _ in pairs],
        [their.rate for _, their in pairs],
        goal=Goal(">=", 3.0),
        details=[cpu_detail("track: processor time", "status", pairs), *profile],
        facts={"messages": count, **cpu_facts(pairs)},
    )
    return [result]


class _Sides:
    def __init__(self, world: World, count: int) -> None:
        self._world = world
        self._count = count
        self._round = 0

    async def ours(self, *, profile: Path | None = None) -> Run:
        await self._fill()
        run = await run_worker(
            self._world,
            "tracker",
            self._target,
            handled={"advanced": self._count},
            script=None if profile is None else PROFILED,
            settings={} if profile is None else {"bench_profile": str(profile)},
        )
        await self._clear()
        return run

    async def baseline(self) -> Run:
        await self._fill()
        database = self._world.axis.database
        run = await run_baseline(self._world, "rows_writer", self._target, str(self._count), TRACK_QUEUE, database)
        await self._clear()
        return run

    @property
    def _target(self) -> Target:
        # A writer of rows puts nothing into a queue: what shows its progress is the queue it reads.
        return Target(TRACK_QUEUE, self._count, self._count, falling=True)

    async def _fill(self) -> None:
        self._round += 1
        axis = self._world.axis
        await fill(axis.database, self._count, recipient=_REPORTER, days=0.01, seed=str(self._round))
        envelopes = await stored_ids(axis.database, self._count, seed=str(self._round))
        await self._world.submit([axis.status(_REPORTER, each, "01") for each in envelopes], _REPORTER)

    async def _clear(self) -> None:
        await self._world.empty(TRACK_QUEUE, notices_queue(SENDER))
