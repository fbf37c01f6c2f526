"""The page docs/bench.md, made from a run's results."""

import os
import platform
import re
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


def page(lines: Sequence[Mapping[str, Any]], before: str = "") -> str:
    """Write the page; benches that were not run keep what the page said of them `before`."""
    measured = tuple(dict.fromkeys(line["bench"] for line in lines))
    rows, sections, machines = _kept(before, measured)
    for name in measured:
        found = [line for line in lines if line["bench"] == name]
        rows[name] = markdown_table(HEAD, map(cells, found)).split("\n")[2:]
        sections[name] = _section(name, found)
    names = sorted(sections, key=[*catalogue.BENCHES, *sections].index)
    ran_on = dict.fromkeys([*(f"Machine: {line['machine']}." for line in lines), *machines])
    table = [*markdown_table(HEAD, []).split("\n"), *(row for name in names for row in rows[name])]
    return "\n\n".join([_TOP.rstrip("\n"), *ran_on, "\n".join(table), *(sections[name] for name in names)]) + "\n"


def _kept(before: str, measured: Sequence[str]) -> tuple[dict[str, list[str]], dict[str, str], list[str]]:
    """Take apart what a page says of other benches: rows and section by name, and the machines they ran on."""
    head, *found = re.split(r"^## ", before, flags=re.MULTILINE)
    sections = {name: f"## {text.rstrip()}" for text in found if (name := text.partition("\n")[0]) not in measured}
    rows: dict[str, list[str]] = {name: [] for name in sections}
    for line in head.split("\n"):
        name = line.removeprefix("| ").partition(" |")[0]
        if line.startswith("| ") and name in rows:
            rows[name].append(line)
    return rows, sections, [line for line in head.split("\n") if line.startswith("Machine: ")] if sections else []


def _section(name: str, lines: Sequence[Mapping[str, Any]]) -> str:
    parts = [f"## {name}"]
    if name in catalogue.BENCHES:
        about = catalogue.BENCHES[name].about
        parts.append(f"{about[:1].upper()}{about[1:]}.")
    for line in lines:
        parts.append(_spread(line))
        for detail in line.get("details", ()):
            parts += [f"{detail['title']}:", markdown_table(detail["head"], detail["rows"])]
    return "\n\n".join(parts)


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
