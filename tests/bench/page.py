"""The page docs/bench.md, made from a run's results."""

import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.bench import catalogue
from tests.bench.results import HEAD, cells, markdown_table, number

_TOP = """# Benchmarks

<!-- Made by `make bench PAGE=docs/bench.md`; do not edit by hand. -->

Measured side by side in one run: ours and the baseline take turns, and the ratio is the median of the rounds' own
ratios, so that a machine with other work disturbs both alike. Absolute numbers are this machine's; ratios are what to
compare. `make bench BENCH=<name>` runs one row, `ROUNDS=` and `COUNT=` change its size.

Broker and database are private nodes with the durability of production (quorum queues, fsync on). Ours are the
workers' own processes with their production log. A baseline is one Python process against one of ours, and is written
as well as its library allows: prefetch 256, every message in a task of its own, publishes persistent, mandatory and
confirmed, nothing logged (`tests/bench/baselines`). Both sides get envelopes or statuses of the same size, signed with
ES256, from a queue that was filled before, and are looked at from outside in the same way.
"""


def machine(versions: str) -> str:
    """Describe the machine of a run."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} processors ({_processor()}), {memory:.0f} GiB, {_system()}, "
        f"Python {platform.python_version()}{', ' + versions if versions else ''}"
    )


def page(lines: Sequence[Mapping[str, Any]]) -> str:
    """Write the page."""
    parts = [_TOP, *(f"Machine: {text}." for text in dict.fromkeys(line["machine"] for line in lines)), ""]
    parts.append(markdown_table(HEAD, map(cells, lines)))
    for name in dict.fromkeys(line["bench"] for line in lines):
        parts += [
            "",
            f"## {name}",
            "",
            f"{catalogue.BENCHES[name].about[:1].upper()}{catalogue.BENCHES[name].about[1:]}.",
        ]
        for line in lines:
            if line["bench"] != name:
                continue
            parts += ["", _spread(line)]
            for detail in line.get("details", ()):
                parts += ["", f"{detail['title']}:", "", markdown_table(detail["head"], detail["rows"])]
    return "\n".join(parts) + "\n"


def plain(detail: Mapping[str, Any]) -> str:
    """Lay a detail out for a terminal."""
    rows = [detail["head"], *([number(cell) for cell in row] for row in detail["rows"])]
    widths = [max(len(str(row[column])) for row in rows) for column in range(len(detail["head"]))]
    return "\n".join(
        [detail["title"]]
        + [
            "  " + "  ".join(str(cell).ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in rows
        ]
    )


def _spread(line: Mapping[str, Any]) -> str:
    parts = [f"{name} {number(low)} to {number(high)}" for name, (low, high) in line["spread"].items()]
    case = f"{line['case']}: " if line.get("case") else ""
    cpu = ""
    if line.get("python_cpu_ratio") is not None:
        cpu = f" By processor time: Python {number(line['python_cpu_ratio'])}×"
        cpu += f", everything {number(line['all_cpu_ratio'])}×." if line.get("all_cpu_ratio") is not None else "."
    return f"{case}{line['rounds']} rounds; {'; '.join(parts)}.{cpu}"


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        return platform.system()
