"""What the profiler in profiled.py counted, as tables."""

import json
from pathlib import Path

from tests.bench.results import Detail
from tests.bench.running import Run

PROFILED = str(Path(__file__).with_name("profiled.py"))
_FUNCTIONS = 25
_STAGES = 18


def profile_details(title: str, path: Path, run: Run) -> list[Detail]:
    """Share a run's processor time out among functions: by their own time, and ours with what they call."""
    counts = json.loads(path.read_text(encoding="utf-8"))
    own, within = counts["own"], counts["within"]
    total = sum(own.values()) or 1

    def rows(names: list[str]) -> list[list[str | float]]:
        return [
            [name, *(round(run.process_us * share.get(name, 0) / total, 1) for share in (own, within))]
            for name in names
        ]

    head = ["function", "own µs per message", "with what it calls µs"]
    ours = [name for name in within if name.startswith(("workers.", "axis."))]
    return [
        Detail(
            f"{title} by function, most of its own time first (start included)",
            head,
            rows(sorted(own, key=own.__getitem__, reverse=True)[:_FUNCTIONS]),
        ),
        Detail(
            f"{title}'s own functions, with what they call",
            head,
            rows(sorted(ours, key=within.__getitem__, reverse=True)[:_STAGES]),
        ),
    ]
