"""soak: steady traffic for as long as is asked, and whether memory and disk stay flat."""

import asyncio
import contextlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg

from axis.broker import Link
from tests.bench.latency import Loop
from tests.bench.processes import memory_bytes
from tests.bench.results import Detail, Result
from tests.bench.running import Options
from tests.bench.world import SENDER, Progress, Stage, World
from tests.rig import Process

_RECIPIENT = "H37"
_A_SECOND = 50
_PIECE_SECONDS = 10.0
_WARM = 0.2  # of the time, which does not count: caches fill, pools open
_WORKERS = ("router", "tracker", "relay")


@dataclass(slots=True)
class Series:
    """Numbers over time."""

    times: list[float] = field(default_factory=list)
    values: list[float] = field(default_factory=list)

    def add(self, moment: float, value: float) -> None:
        self.times.append(moment)
        self.values.append(value)

    def slope(self) -> float:
        """Return the rise per second: the straight line with the least squares, without the warm-up."""
        begin = self.times[0] + _WARM * (self.times[-1] - self.times[0])
        points = [(x, y) for x, y in zip(self.times, self.values, strict=True) if x >= begin]
        middle_x = sum(x for x, _ in points) / len(points)
        middle_y = sum(y for _, y in points) / len(points)
        spread = sum((x - middle_x) ** 2 for x, _ in points)
        return sum((x - middle_x) * (y - middle_y) for x, y in points) / spread if spread else 0.0


async def soak(stage: Stage, options: Options, progress: Progress) -> list[Result]:
    """Send, deliver, answer and bring back; every envelope has to arrive, every status has to come back."""
    rate = options.counted(_A_SECOND)
    memory: dict[str, Series] = {}
    disk: dict[str, Series] = {}
    sent = 0
    async with stage.world(progress) as world:
        await world.join([SENDER, _RECIPIENT])
        async with (
            contextlib.AsyncExitStack() as stack,
            Link(world.axis.url_of(SENDER), "sender") as sending,
            Link(world.axis.url_of(_RECIPIENT), "recipient") as receiving,
        ):
            workers = {name: await stack.enter_async_context(world.axis.worker(name)) for name in _WORKERS}
            loop = Loop(world, sending, receiving)
            started = time.monotonic()
            while (passed := time.monotonic() - started) < 60 * options.minutes:
                piece = await loop.at(rate, _PIECE_SECONDS)
                sent += len(piece.answered)
                moment = time.monotonic() - started
                _look(memory, moment, _memory(world, workers))
                _look(disk, moment, await _disk(world, stage))
                progress(f"soak: {passed / 60:.1f} of {options.minutes:g} minutes, {sent:,} envelopes, none lost")
    return _results(memory, disk, sent, options.minutes)


def _look(series: dict[str, Series], moment: float, values: Mapping[str, int]) -> None:
    for name, value in values.items():
        series.setdefault(name, Series()).add(moment, value / 2**20)


def _memory(world: World, workers: Mapping[str, Process]) -> dict[str, int]:
    found = {name: memory_bytes(running.process.pid) for name, running in workers.items()}
    servers = {"broker": world.servers.broker, "database": world.servers.database}
    return found | {name: memory_bytes(pid) for name, pid in servers.items() if pid is not None}


async def _disk(world: World, stage: Stage) -> dict[str, int]:
    connection = await asyncpg.connect(world.axis.database)
    try:
        found = {"database": await connection.fetchval("SELECT pg_database_size(current_database())")}
    finally:
        await connection.close()
    if stage.broker_data is not None:
        found["broker"] = await asyncio.to_thread(_size, stage.broker_data)
    return found


def _size(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):  # segments come and go
            total += path.stat().st_blocks * 512
    return total


def _results(memory: Mapping[str, Series], disk: Mapping[str, Series], sent: int, minutes: float) -> list[Result]:
    rows: list[Sequence[str | float]] = []
    results = []
    for kind, found in (("memory", memory), ("disk", disk)):
        for name, series in found.items():
            slope = 3600 * series.slope()
            values = [round(value, 1) for value in (series.values[0], max(series.values), series.values[-1])]
            rows.append([f"{name}, {kind}", *values, round(slope, 1)])
            results.append(
                Result(
                    "soak",
                    "MiB per hour",
                    [slope],
                    case=f"{kind} of the {name}",
                    facts={"minutes": minutes, "envelopes": sent},
                )
            )
    grown = disk["database"].values[-1] - disk["database"].values[0]
    title = (
        f"soak: {minutes:g} minutes, {sent:,} envelopes, each delivered, answered and told of; the database keeps "
        f"all of them, {1024 * grown / max(1, sent):.1f} KiB each"
    )
    head = ["MiB", "at the start", "at most", "at the end", "slope per hour"]
    last = results[-1]
    results[-1] = Result(
        last.bench, last.unit, last.ours_rounds, case=last.case, facts=last.facts, details=[Detail(title, head, rows)]
    )
    return results
