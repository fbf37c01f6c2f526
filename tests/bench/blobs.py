"""blob-memory: how much more memory any process needs while a file of 1 GiB goes from one agency to another."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from axis.client import write_profile
from tests.bench.processes import forget_peak, memory_bytes, peak_bytes, quiet, resident_bytes
from tests.bench.results import Detail, Goal, Result
from tests.bench.running import Options, program, said, tell
from tests.bench.world import SENDER, BenchFailed, Progress, Stage, World

_MIB = 2**20
_SIZE_MIB = 1024
_RECIPIENT = "H37"
_READY_SECONDS = 60.0
_PASS_SECONDS = 600.0
_LOOK_SECONDS = 0.1
_ROUNDS = 3

Memory = dict[str, int]


async def blob_memory(stage: Stage, options: Options, progress: Progress) -> list[Result]:
    """Send a file through SDK, gateway and axis; peaks are the kernel's, those of broker and database are sampled."""
    size = options.counted(_SIZE_MIB)
    rounds: list[tuple[Memory, Memory]] = []
    async with stage.world(progress) as world:
        await world.join([SENDER, _RECIPIENT])
        async with world.axis.worker("router") as router, _gateway(world) as (gateway, url):
            for code in (SENDER, _RECIPIENT):
                _profile(world, code, url)
            named = {"gateway": gateway, "router": router.process.pid}
            for number in range(min(options.rounds, _ROUNDS)):
                rounds.append(await _pass(world, size, named))
                most, name = max((peak - rounds[-1][0][who], who) for who, peak in rounds[-1][1].items())
                progress(f"blob-memory {number + 1}: at most {most / _MIB:.1f} MiB more ({name})")
    grown = [[peak[name] - idle[name] for name in peak] for idle, peak in rounds]
    worst = max(range(len(rounds)), key=lambda number: max(grown[number]))
    idle, peak = rounds[worst]
    rows: list[list[str | float]] = [
        [name, *(round(value / _MIB, 1) for value in (idle[name], peak[name], peak[name] - idle[name]))]
        for name in peak
    ]
    return [
        Result(
            "blob-memory",
            "MiB more",
            [max(each) / _MIB for each in grown],
            goal=Goal("<=", 64, of="ours"),
            details=[Detail(f"blob-memory: MiB while {size} MiB pass", ["process", "idle", "peak", "more"], rows)],
            facts={"file_mib": size, "all_processes_mib": round(sum(grown[worst]) / _MIB, 1)},
        )
    ]


async def _pass(world: World, size: int, named: Mapping[str, int]) -> tuple[Memory, Memory]:
    """Send and take one file; return the memory of each process before, and its peak."""
    folder = world.axis.folder
    path, taken = folder / "map.bin", folder / "taken"
    await asyncio.to_thread(_write, path, size)
    with contextlib.ExitStack() as stack:
        stack.callback(path.unlink)
        taken.mkdir()
        stack.callback(_remove, taken)
        async with (
            program("transfer", "take", str(folder / _RECIPIENT), str(taken)) as recipient,
            program("transfer", "send", str(folder / SENDER), str(path), _RECIPIENT) as sender,
        ):
            single = {**named, "the sender's SDK": sender.pid, "the recipient's SDK": recipient.pid}
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
                await tell(recipient)
                await tell(sender)
                await said(sender, "done")
                await said(recipient, "done")
                watching.cancel()
            peaks |= {name: peak_bytes(pid) for name, pid in single.items()}
        found = [each.stat().st_size for each in taken.iterdir()]
        if found != [size * _MIB]:
            raise BenchFailed(f"the recipient has files of {found} bytes")
    return idle, peaks


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


def _profile(world: World, code: str, gateway_url: str) -> None:
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
async def _gateway(world: World) -> AsyncIterator[tuple[int, str]]:
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
