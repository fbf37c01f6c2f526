"""What `axis up` remembers in `<home>/stack.env`, a line a setting, as a shell reads it; its owner's alone."""

import shlex
from collections.abc import Mapping
from pathlib import Path

from axis.local.layout import write_private

FILE = "stack.env"  # not axis.env: `axis local up` writes that one anew each time
_HEADING = "# Written by `axis up`; holds passwords."


def remembered(home: Path) -> dict[str, str]:
    """Return variable -> value."""
    split = (line.partition("=") for line in _lines(home) if not line.startswith("#"))
    return {name: "".join(shlex.split(value)) for name, mark, value in split if mark}


def remember(home: Path, changes: Mapping[str, str | None]) -> None:
    """Change some lines; None forgets one. Nothing is written when nothing changes."""
    before = _lines(home)
    left = dict(changes)
    after: list[str] = []
    for line in before or [_HEADING]:
        name = line.partition("=")[0]
        value = left.pop(name) if name in left else None
        if name not in changes:
            after.append(line)
        elif value is not None:
            after.append(f"{name}={shlex.quote(value)}")
    after += [f"{name}={shlex.quote(value)}" for name, value in left.items() if value is not None]
    if after != before:
        home.mkdir(parents=True, exist_ok=True)
        write_private(home / FILE, "\n".join(after) + "\n")


def _lines(home: Path) -> list[str]:
    path = home / FILE
    return path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
