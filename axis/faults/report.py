"""What a run found, as lines, as JSON and as the page docs/faults.md."""

import os
import platform
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from axis.faults.account import Account
from axis.faults.playing import Played

_COUNTS = ("lost", "doubled", "misordered", "unexplained")
_KIB_PER_GIB = 1024 * 1024

_ABOUT = (
    "Each scenario starts an axis of its own (broker, database, workers), drives it with agencies on the SDK, on both "
    "lanes and with statuses flowing back, breaks it, heals it, and then accounts from the outside: what senders were "
    "told against what recipients' applications got and what the store says. `lost`: the sender was told “confirmed”, "
    "and a receipt, a delivery or a status is missing. `doubled`: an application was handed something twice. "
    "`misordered`: a document was taken before one that was answered before it was begun, or a status went backwards. "
    "`unexplained`: anything else that does not fit. The outage is the longest time in which no document came "
    "to its end while agencies were sending, in seconds."
)
_COLUMNS = ("scenario", "events", "sent", "deliveries", "statuses", "lost", "doubled", "misordered", "unexplained")


def total(played: Sequence[Played]) -> Account:
    """Add up the accounts of all scenarios."""
    found = Account()
    for each in played:
        for name in ("sent", "deliveries", "statuses", *_COUNTS):
            setattr(found, name, getattr(found, name) + getattr(each.account, name))
        found.findings += each.account.findings
    return found


def line(played: Played) -> str:
    """Say in one line how one scenario went."""
    scenario = played.scenario
    if played.skipped:
        return f"faults: {scenario.number} {scenario.name} skipped: {played.skipped}"
    account = played.account
    return (
        f"faults: {scenario.number} {scenario.name} events={sum(played.events.values())} sent={account.sent} "
        f"deliveries={account.deliveries} statuses={account.statuses} {_counts(account)} "
        f"seconds={played.seconds:.0f} longest_outage={played.outage:.1f}"
    )


def last_line(played: Sequence[Played]) -> str:
    """Say in one line how the run went; what was skipped is not in it."""
    done = [each for each in played if not each.skipped]
    events = sum(sum(each.events.values()) for each in done)
    account = total(done)
    return f"faults: scenarios={len(done)} events={events} sent={account.sent} {_counts(account)}"


def as_json(played: Sequence[Played], *, command: str, seed: int) -> dict[str, Any]:
    """Say all of it for machines."""
    account = total(played)
    return {
        "command": command,
        "seed": seed,
        "machine": machine(),
        "versions": _versions(played),
        "scenarios": [each.to_json() for each in played],
        "events": sum(sum(each.events.values()) for each in played),
        "sent": account.sent,
        **{name: getattr(account, name) for name in _COUNTS},
        "ok": account.clean,
    }


def page(played: Sequence[Played], *, command: str, seed: int) -> str:
    """Write the page: Markdown, everything in it from this one run."""
    done = [each for each in played if not each.skipped]
    parts = [
        "# The axis under fire",
        "",
        f"Written by `{command}`, not by hand. The same command and seed break the same things in the same order.",
        "",
        _ABOUT,
        "",
        f"- Seed: {seed}",
        *(f"- {name}: {value}" for name, value in {**machine(), **_versions(played)}.items()),
        "",
        f"| # | {' | '.join(_COLUMNS)} | seconds | outage |",
        f"|--:|---|{'--:|' * (len(_COLUMNS) + 1)}",
        *(_row(each) for each in done),
        "",
        f"`{last_line(played)}`",
        "",
        "## What was broken",
        "",
        *(f"- **{each.scenario.name}**: {_events(each)}" for each in done),
    ]
    if skipped := [each for each in played if each.skipped]:
        parts += ["", "## Not played on this machine", ""]
        parts += [f"- **{each.scenario.name}** ({each.scenario.title}): {each.skipped}" for each in skipped]
    if findings := [(each.scenario.name, finding) for each in done for finding in each.account.findings]:
        parts += ["", "## Findings", "", *(f"- {name}: {finding}" for name, finding in findings)]
    return "\n".join([*parts, ""])


def machine() -> dict[str, str]:
    """Say what it ran on."""
    return {
        "Machine": f"{os.cpu_count()} × {_processor()}, {_memory()}, {platform.system()} {platform.release()}",
        "Python": platform.python_version(),
    }


def _versions(played: Sequence[Played]) -> dict[str, str]:
    return {name: version for each in played for name, version in each.versions.items()}


def _row(played: Played) -> str:
    scenario, account = played.scenario, played.account
    cells = [
        scenario.number,
        f"{scenario.name}: {scenario.title}",
        sum(played.events.values()),
        account.sent,
        account.deliveries,
        account.statuses,
        *(getattr(account, name) for name in _COUNTS),
        f"{played.seconds:.0f}",
        f"{played.outage:.1f}",
    ]
    return "| " + " | ".join(map(str, cells)) + " |"


def _events(played: Played) -> str:
    return ", ".join(f"{number} × {kind}" for kind, number in Counter(played.events).most_common()) or "nothing"


def _counts(account: Account) -> str:
    return " ".join(f"{name}={getattr(account, name)}" for name in _COUNTS)


def _processor() -> str:
    return _first_line("/proc/cpuinfo", "model name") or platform.processor() or platform.machine()


def _memory() -> str:
    found = _first_line("/proc/meminfo", "MemTotal").split()
    return f"{int(found[0]) / _KIB_PER_GIB:.0f} GiB" if found else "memory unknown"


def _first_line(path: str, name: str) -> str:
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    return next((text.partition(":")[2].strip() for text in lines if text.startswith(name)), "")
