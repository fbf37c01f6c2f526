"""Drive two sides against each other: prefilled queues, processes of their own, from the first to the last message."""

import asyncio
import contextlib
import math
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from tests.bench.processes import cpu_seconds
from tests.bench.results import Detail, rounded
from tests.bench.world import BenchFailed, World
from tests.rig import WORKER, Process

_LOOK_SECONDS = 0.02
_DEADLINE_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line can change."""

    rounds: int = 5
    count: int | None = None
    minutes: float = 30.0

    def counted(self, default: int) -> int:
        return default if self.count is None else self.count


@dataclass(frozen=True, slots=True)
class Run:
    """One side of one round: messages per second, and microseconds of processor time per message."""

    rate: float
    process_us: float
    broker_us: float | None
    database_us: float | None

    @property
    def all_us(self) -> float | None:
        """Of everything together; None where broker and database cannot be seen."""
        if self.broker_us is None or self.database_us is None:
            return None
        return self.process_us + self.broker_us + self.database_us


class Side(Protocol):
    """Do one side's part of a round."""

    async def __call__(self) -> Run: ...


async def paired(rounds: int, ours: Side, baseline: Side, world: World, title: str) -> list[tuple[Run, Run]]:
    """Run both sides in turns; who goes first changes every round."""
    done: list[tuple[Run, Run]] = []
    for number in range(rounds):
        if number % 2 == 0:
            our, their = await ours(), await baseline()
        else:
            their, our = await baseline(), await ours()
        done.append((our, their))
        world.progress(
            f"{title} {number + 1}/{rounds}: {our.rate:,.0f} against {their.rate:,.0f} a second, "
            f"{our.rate / their.rate:.2f}×; processor time of Python {our.process_us:,.0f} against "
            f"{their.process_us:,.0f} µs"
        )
    return done


def cpu_facts(pairs: Sequence[tuple[Run, Run]]) -> dict[str, float | None]:
    """Say how many times our processor time a baseline's message needs, in Python and altogether.

    On a machine with other work this says more than the clock does: who has to wait for a processor uses none.
    """
    python = [their.process_us / our.process_us for our, their in pairs if our.process_us]
    everything = [their.all_us / our.all_us for our, their in pairs if our.all_us and their.all_us]
    return {
        "python_cpu_ratio": rounded(statistics.median(python)) if python else None,
        "all_cpu_ratio": rounded(statistics.median(everything)) if everything else None,
    }


def cpu_detail(title: str, per: str, pairs: Sequence[tuple[Run, Run]]) -> Detail:
    """Say where the processor time of both sides went (the middle round by rate)."""
    rows: list[list[str | float | int]] = []
    for name, runs in (("ours", [our for our, _ in pairs]), ("baseline", [their for _, their in pairs])):
        run = sorted(runs, key=lambda each: each.rate)[len(runs) // 2]
        numbers = [run.process_us, run.broker_us, run.database_us]
        rows.append([name, *("–" if value is None else round(value) for value in numbers)])
    return Detail(title, ["side", f"Python µs per {per}", "broker µs", "database µs"], rows)


@dataclass(frozen=True, slots=True)
class Target:
    """How the progress of a run is seen from outside.

    A queue fills with `expected` messages, or falls from that many to none; they stand for `messages` that count.
    """

    queue: str
    expected: int
    messages: int
    falling: bool = False


async def timed(
    world: World, target: Target, pids: Callable[[], Sequence[int]], done: Callable[[], Awaitable[None]]
) -> Run:
    """Measure from the first message in the target queue until all are there and `done` returns.

    Both sides are looked at in the same way, from outside, so that looking costs both the same.
    """
    if target.falling:
        await reach(world, target.queue, at_most=target.expected - 1)
        started, before, first = time.perf_counter(), _cpu(world, pids()), 0
        await reach(world, target.queue, at_most=0)
    else:
        started, before = time.perf_counter(), _cpu(world, pids())
        first = await reach(world, target.queue, 1)
        # In a run so small that all is there at the first look, starting up counts too.
        if first < target.expected:
            started, before = time.perf_counter(), _cpu(world, pids())
            await reach(world, target.queue, target.expected)
        else:
            first = 0
    await done()
    seconds, after = time.perf_counter() - started, _cpu(world, pids())
    messages = target.messages * (1 - first / target.expected)
    used = [None if a is None or b is None else 1e6 * (b - a) / messages for a, b in zip(before, after, strict=True)]
    return Run(messages / seconds, used[0] or 0.0, used[1], used[2])


async def reach(world: World, queue: str, at_least: int = 0, *, at_most: float = math.inf) -> int:
    """Wait until so many messages are ready in a queue, and return how many it has then."""
    async with asyncio.timeout(_DEADLINE_SECONDS):
        while not at_least <= (depth := await world.depth(queue)) <= at_most:  # noqa: ASYNC110 - the broker tells nobody
            await asyncio.sleep(_LOOK_SECONDS)
    return depth


def _cpu(world: World, pids: Sequence[int]) -> tuple[float | None, float | None, float | None]:
    servers = world.servers.cpu()
    return sum(map(cpu_seconds, pids)), servers.broker, servers.database


async def run_worker(
    world: World,
    name: str,
    target: Target,
    *,
    handled: Mapping[str, int],
    processes: int = 1,
    script: str | None = None,
    settings: Mapping[str, str] | None = None,
) -> Run:
    """Start workers on a filled queue; `handled` names the outcomes that have to be counted, and how often.

    With several the clock starts when the last of them is ready, and what was done before does not count.
    """
    running: list[Process] = []

    async def done() -> None:
        async with asyncio.timeout(_DEADLINE_SECONDS):
            while not await _counted(running, handled):  # noqa: ASYNC110 - a page, asked again
                await asyncio.sleep(_LOOK_SECONDS)

    async def work() -> Run:
        return await timed(world, target, lambda: [each.process.pid for each in running], done)

    async with contextlib.AsyncExitStack() as stack, asyncio.TaskGroup() as group:
        watching = group.create_task(work()) if processes == 1 else None
        workers = [world.axis.worker(name, script=script, **(settings or {})) for _ in range(processes)]
        starting = [group.create_task(stack.enter_async_context(each)) for each in workers]
        running.extend([await each for each in starting])
        return await (watching or work())
    raise AssertionError  # for mypy, to which an exit stack may swallow what is raised


async def _counted(running: Sequence[Process], handled: Mapping[str, int]) -> bool:
    # All of them first: what is counted while we look must not seem to be missing among the wanted.
    ended = sum([await each.counted("axis_messages_total") for each in running])
    for outcome, count in handled.items():
        if sum([await each.counted("axis_messages_total", outcome=outcome) for each in running]) < count:
            if ended >= sum(handled.values()):
                raise BenchFailed(f"not all messages ended as {outcome}; the worker's log says why")
            return False
    return True


@contextlib.asynccontextmanager
async def program(module: str, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Start a program of tests/bench that says `ready`, waits for a line, works, and says `done`."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        f"tests.bench.{module}",
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        await said(process, "ready")
        yield process
        if process.stdin is not None:
            process.stdin.close()
        async with asyncio.timeout(_DEADLINE_SECONDS):
            await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def tell(process: asyncio.subprocess.Process) -> None:
    """Let a program begin."""
    if process.stdin is None:
        raise BenchFailed("a program without input")
    process.stdin.write(b"go\n")
    await process.stdin.drain()


async def said(process: asyncio.subprocess.Process, word: str) -> None:
    """Wait until a program says a word."""
    if process.stdout is None:
        raise BenchFailed("a program without output")
    async with asyncio.timeout(_DEADLINE_SECONDS):
        line = await process.stdout.readline()
    if line.decode().strip() != word:
        raise BenchFailed(f"a program said {line.decode().strip() or 'nothing'!r} instead of {word!r}")


async def run_baseline(world: World, name: str, target: Target, *arguments: str) -> Run:
    """Let a baseline work off a filled queue."""
    url = world.axis.url_of(WORKER)
    async with program(f"baselines.{name}", url, *arguments) as process, asyncio.TaskGroup() as group:

        async def done() -> None:
            await said(process, "done")

        watching = group.create_task(timed(world, target, lambda: [process.pid], done))
        await tell(process)
        return await watching
