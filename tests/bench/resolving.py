"""resolve-100k: finding a recipient's mailbox among 100,000 organisations and among 100."""

import gc
import random
import time
from collections.abc import Sequence

from axis.core.directory import Directory
from axis.core.resolving import resolve
from tests.bench.results import Goal, Result
from tests.bench.running import Options
from tests.bench.world import Progress, Stage
from tests.builders import mailbox, organisation
from tests.rig import now

_LARGE = (63, 40, 39)
_SMALL = (4, 4, 5)
_RESOLVES = 20_000


async def resolve_100k(stage: Stage, options: Options, progress: Progress) -> list[Result]:
    """Resolve units of the third level, whose mailbox is two levels above; each asked for at random."""
    count = options.counted(_RESOLVES)
    large, small = _directory(*_LARGE), _directory(*_SMALL)
    ours: list[float] = []
    baseline: list[float] = []
    gc.collect()
    gc.freeze()  # a hundred thousand organisations are not looked through again and again while the clock runs
    try:
        for number in range(options.rounds):
            first, second = (ours, large), (baseline, small)
            for times, (directory, codes) in (first, second) if number % 2 else (second, first):
                times.append(_microseconds(directory, codes, count))
            progress(f"resolve-100k {number + 1}/{options.rounds}: {ours[-1]:.2f} against {baseline[-1]:.2f} µs")
    finally:
        gc.unfreeze()
    sizes = {"organisations": _size(*_LARGE), "against": _size(*_SMALL)}
    return [Result("resolve-100k", "µs per resolve", ours, baseline, goal=Goal("<=", 1.5), facts=sizes)]


def _directory(provinces: int, districts: int, units: int) -> tuple[Directory, list[str]]:
    tops = [f"H{number:02}" for number in range(1, provinces + 1)]
    middle = [f"{top}.{number:02}" for top in tops for number in range(1, districts + 1)]
    leaves = [f"{code}.{number:02}" for code in middle for number in range(1, units + 1)]
    organisations = [organisation(code) for code in (*tops, *middle, *leaves)]
    return Directory.build(organisations, [mailbox(code) for code in tops]), leaves


def _size(provinces: int, districts: int, units: int) -> int:
    return provinces * (1 + districts * (1 + units))


def _microseconds(directory: Directory, codes: Sequence[str], count: int) -> float:
    asked = random.Random(count).choices(codes, k=count)  # noqa: S311 - the same draw for both sides, not a secret
    at = now()
    started = time.perf_counter()
    for code in asked:
        if resolve(directory, code, at).mailbox is None:
            raise AssertionError(code)
    return 1e6 * (time.perf_counter() - started) / count
