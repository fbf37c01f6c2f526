"""A file of 1 GiB from one agency to two: how much more memory any process needs meanwhile, and how long it takes."""

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from axis.client import write_profile
from tests.bench.processes import forget_peak, memory_bytes, peak_bytes, quiet, resident_bytes
from tests.bench.results import Detail, Goal, Result
from tests.bench.running import Options, program, said, tell
from tests.bench.world import SENDER, BenchFailed, Progress, Stage, World

_MIB = 2**20
_SIZE_MIB = 1024
_RECIPIENTS = ("H37", "G12")
_READY_SECONDS = 60.0
_PASS_SECONDS = 600.0
_LOOK_SECONDS = 0.1
_ROUNDS = 3

Memory = dict[str, int]


@dataclass(frozen=True, slots=True)
class Passage:
    """What one passage took: memory of each process before and at most (bytes), and seconds; `by_hand` the baseline."""

    idle: Memory
    peak: Memory
    seconds: float
    by_hand: float

    @property
    def grown(self) -> Memory:
        return {name: most - self.idle[name] for name, most in self.peak.items()}


async def blob_memory(stage: Stage, options: Options, progress: Progress) -> list[Result]:
    """Send a file through SDK, gateway and axis; peaks are the kernel's, those of broker and database are sampled."""
    size, passages = options.counted(_SIZE_MIB), await _passages(stage, options, progress)
    worst = max(passages, key=lambda each: max(each.grown.values()))
    rows: list[list[str | float]] = [
        [name, *(round(value / _MIB, 1) for value in (worst.idle[name], most, worst.grown[name]))]
        for name, most in worst.peak.items()
    ]
    return [
        Result(
            "blob-memory",
            "MiB more",
            [max(each.grown.values()) / _MIB for each in passages],
            goal=Goal("<=", 64, of="ours"),
            details=[Detail(f"blob-memory: MiB while {size} MiB pass", ["process", "idle", "peak", "more"], rows)],
            facts={"file_mib": size, "all_processes_mib": round(sum(worst.grown.values()) / _MIB, 1)},
        ),
        Result(
            "blob-time",
            "s",
            [each.seconds for each in passages],
            [each.by_hand for each in passages],
            goal=Goal("<=", 2),
            facts={"file_mib": size, "recipients": len(_RECIPIENTS)},
        ),
    ]


async def _passages(stage: Stage, options: Options, progress: Progress) -> list[Passage]:
    size, found = options.counted(_SIZE_MIB), []
    async with stage.world(progress) as world:
        await world.join([SENDER, *_RECIPIENTS])
        await world.certify(_RECIPIENTS[1])
        async with world.axis.worker("router") as router, gateway(world) as (gateway_pid, url):
            for code in (SENDER, *_RECIPIENTS):
                profile(world, code, url)
            named = {"gateway": gateway_pid, "router": router.process.pid}
            for number in range(min(options.rounds, _ROUNDS)):
                each = await _pass(world, size, named)
                most, name = max((more, who) for who, more in each.grown.items())
                took = f"{each.seconds:.1f} s, by hand {each.by_hand:.1f} s"
                progress(f"blob-memory {number + 1}: at most {most / _MIB:.1f} MiB more ({name}); {took}")
                found.append(each)
    return found


async def _pass(world: World, size: int, named: Mapping[str, int]) -> Passage:
    """Send one file and take it twice; then do by hand what cannot be left out."""
    folder = world.axis.folder
    path, taken = folder / "map.bin", {code: folder / f"taken-{code}" for code in _RECIPIENTS}
    await asyncio.to_thread(_write, path, size)
    with contextlib.ExitStack() as stack:
        stack.callback(path.unlink)
        for place in taken.values():
            place.mkdir()
            stack.callback(_remove, place)
        async with contextlib.AsyncExitStack() as running:
            recipients = [
                await running.enter_async_context(program("transfer", "take", str(folder / code), str(place)))
                for code, place in taken.items()
            ]
            sender = await running.enter_async_context(
                program("transfer", "send", str(folder / SENDER), str(path), *_RECIPIENTS)
            )
            single = {**named, "the sender's SDK": sender.pid}
            single |= {f"{code}'s SDK": each.pid for code, each in zip(_RECIPIENTS, recipients, strict=True)}
            trees = {name: pid for name, pid in _trees(world).items() if pid is not None}
            for pid in trees.values():
                await quiet(pid)
            for pid in single.values():
                forget_peak(pid)
            idle = {name: resident_bytes(pid) for name, pid in single.items()}
            idle |= {name: memory_bytes(pid) for name, pid in trees.items()}
            peaks = dict(idle)
            async with asyncio.timeout(_PASS_SECONDS), asyncio.TaskGroup() as group:
                watching = group.create_task(_watch(trees, peaks))
                for each in recipients:
                    await tell(each)
                began = time.monotonic()
                await tell(sender)
                for each in (sender, *recipients):
                    await said(each, "done")
                seconds = time.monotonic() - began
                watching.cancel()
            peaks |= {name: peak_bytes(pid) for name, pid in single.items()}
        for place in taken.values():
            found = [each.stat().st_size for each in place.iterdir()]
            if found != [size * _MIB]:
                raise BenchFailed(f"a recipient has files of {found} bytes")
        copy = folder / "by-hand.bin"
        stack.callback(copy.unlink, missing_ok=True)
        by_hand = await _by_hand(path, copy)
    return Passage(idle, peaks, seconds, by_hand)


async def _by_hand(path: Path, copy: Path) -> float:
    """Copy and hash the file with `cp` and `sha256sum`, twice, one after the other; return the seconds."""
    began = time.monotonic()
    for _ in range(2):
        for command in (("cp", str(path), str(copy)), ("sha256sum", str(copy))):
            process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL)
            async with asyncio.timeout(_PASS_SECONDS):
                if await process.wait():
                    raise BenchFailed(f"{command[0]} failed")
    return time.monotonic() - began


def _trees(world: World) -> dict[str, int | None]:
    return {"broker": world.servers.broker, "database": world.servers.database}


async def _watch(trees: Mapping[str, int], peaks: Memory) -> None:
    while True:
        for name, pid in trees.items():
            peaks[name] = max(peaks[name], memory_bytes(pid))
        await asyncio.sleep(_LOOK_SECONDS)


def _write(path: Path, size: int) -> None:
    """Write a file that was never sent before and is no run of zeros."""
    piece = os.urandom(_MIB)
    with path.open("wb") as file:
        for _ in range(size):
            file.write(piece)


def _remove(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()


def profile(world: World, code: str, gateway_url: str) -> None:
    """Write an agency's profile."""
    key, certificate = world.pem[code]
    write_profile(
        world.axis.folder / code,
        code=code,
        amqp_url=world.axis.url_of(code),
        gateway_url=gateway_url,
        key=key,
        certificate=certificate,
        axis_certificate=(world.axis.folder / "axis-key" / "certificate.pem").read_bytes(),
    )


@contextlib.asynccontextmanager
async def gateway(world: World) -> AsyncIterator[tuple[int, str]]:
    """Run a gateway until the block ends; its process and its address."""
    port_file = world.axis.folder / "gateway.port"
    with (world.axis.folder / "gateway.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "axis.gateway", "--port-file", str(port_file)),
            env={**os.environ, **world.axis.environment(), "AXIS_GATEWAY_PORT": "0"},
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
        )
    try:
        if process.stdout is None:
            raise BenchFailed("a gateway without output")
        async with asyncio.timeout(_READY_SECONDS):
            line = (await process.stdout.readline()).decode().strip()
        if not line:
            raise BenchFailed("the gateway did not start")
        yield process.pid, line.removeprefix("gateway: ")
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
