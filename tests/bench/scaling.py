"""scaling: 1, 2 and 4 router processes on this machine, and where each microsecond goes."""

import os
from collections.abc import Mapping
from pathlib import Path

from axis.core.lanes import mailbox_queue, notices_queue, route_queue
from tests.bench.profiles import PROFILED, profile_details
from tests.bench.results import Detail, Result
from tests.bench.running import Options, Run, Target, run_worker
from tests.bench.world import SENDER, Progress, Stage, World

_COUNT = 10_000
_PROCESSES = (1, 2, 4)
_RECIPIENT = "H37"


async def scaling(stage: Stage, options: Options, progress: Progress) -> list[Result]:
    """Measure each number of processes in every round, then profile one router."""
    count = options.counted(_COUNT)
    runs: dict[int, list[Run]] = {processes: [] for processes in _PROCESSES}
    async with stage.world(progress) as world:
        await world.join([SENDER, _RECIPIENT])
        for number in range(options.rounds):
            for processes in _PROCESSES if number % 2 == 0 else reversed(_PROCESSES):
                runs[processes].append(await _route(world, count, processes))
            said = ", ".join(f"{processes}: {found[-1].rate:,.0f}/s" for processes, found in runs.items())
            progress(f"scaling {number + 1}/{options.rounds}: {said}")
        path = world.axis.folder / "profile.json"
        profiled = await _route(world, count, 1, profile=path)
        details = [_budget(runs), *profile_details("scaling: the router", path, profiled)]
    alone = [run.rate for run in runs[1]]
    return [
        Result(
            "scaling",
            "envelopes/s",
            [run.rate for run in found],
            alone,
            case=f"{processes} router processes against 1, {os.cpu_count()} processors",
            details=details if processes == _PROCESSES[-1] else (),
            facts={"messages": count},
        )
        for processes, found in runs.items()
        if processes > 1
    ]


async def _route(world: World, count: int, processes: int, *, profile: Path | None = None) -> Run:
    mailbox = mailbox_queue("normal", _RECIPIENT)
    await world.submit(world.envelopes(count))
    run = await run_worker(
        world,
        "router",
        Target(mailbox, count, count),
        handled={"accepted": count},
        processes=processes,
        script=None if profile is None else PROFILED,
        settings={} if profile is None else {"bench_profile": str(profile)},
    )
    await world.empty(mailbox, notices_queue(SENDER), route_queue("normal"))
    return run


def _budget(runs: Mapping[int, list[Run]]) -> Detail:
    rows: list[list[str | float]] = []
    for processes, found in runs.items():
        run = sorted(found, key=lambda each: each.rate)[len(found) // 2]
        parts = [run.process_us, run.broker_us or 0.0, run.database_us or 0.0]
        busy = sum(parts) * run.rate / 1e6
        rows.append([processes, round(run.rate), *(round(part) for part in parts), round(sum(parts)), round(busy, 2)])
    head = ["routers", "envelopes/s", "router µs", "broker µs", "database µs", "all µs", "processors busy"]
    return Detail("scaling: processor time per envelope (the middle round)", head, rows)
