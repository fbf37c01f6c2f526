"""Which files in the folder are finished: a writer may still be at work on any of them.

A finished package ends with the end tag of its root. One that does, and did not change for the quiet time (or has not
for long, by its own date), is finished. One that does not is given more patience; then it is picked up all the same,
to be refused for what is wrong with it. Nothing is asked of the system but names, sizes and dates, so it works on
shares where changes are not announced. Dates are compared with themselves: the clock of a share may be wrong.
"""

import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from axis.folder import disk
from axis.folder.names import is_package, is_unfinished

_TAIL = 4_096  # bytes
_CLOSED = re.compile(rb"</(?:[^\s<>/:]{1,100}:)?edxml(?:envelope)?\s*>\s*\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _State:
    size: int
    modified: int  # nanoseconds
    inode: int


@dataclass(frozen=True, slots=True)
class Seen:
    """One look at the folder; names in the order in which they are to be sent."""

    ready: list[str] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)  # and what else is no plain file
    others: list[str] = field(default_factory=list)


class Pickup:
    """Look again and again; `quiet` and `patience` are seconds."""

    def __init__(
        self,
        folder: Path,
        *,
        quiet: float,
        patience: float,
        now: Callable[[], float] = time.monotonic,
        today: Callable[[], float] = time.time,
    ) -> None:
        self._folder = folder
        self._quiet = quiet
        self._patience = max(patience, quiet)
        self._now = now
        self._today = today
        self._states: dict[str, tuple[_State, float]] = {}

    def look(self) -> Seen:
        """Look once; raise OSError when the folder cannot be read."""
        seen = Seen()
        found: dict[str, tuple[_State, float]] = {}
        dated: list[tuple[int, str]] = []
        for name in self._names(seen):
            about = disk.regular(self._folder / name)
            if about is None:
                seen.links.append(name)
                continue
            state = _State(about.st_size, about.st_mtime_ns, about.st_ino)
            before = self._states.get(name)
            since = before[1] if before is not None and before[0] == state else self._now()
            found[name] = (state, since)
            if self._is_finished(name, state, self._now() - since):
                dated.append((state.modified, name))
            else:
                seen.unfinished.append(name)
        self._states = found
        seen.ready.extend(name for _, name in sorted(dated))
        return seen

    def _names(self, seen: Seen) -> list[str]:
        names = []
        with os.scandir(self._folder) as entries:
            for entry in entries:
                if is_package(entry.name):
                    names.append(entry.name)
                elif not is_unfinished(entry.name) and not entry.is_dir(follow_symlinks=False):
                    seen.others.append(entry.name)
        return names

    def _is_finished(self, name: str, state: _State, unchanged: float) -> bool:
        old = self._today() - state.modified / 1e9 >= self._patience
        if unchanged >= self._patience or (old and unchanged >= self._quiet):
            return True
        return (old or unchanged >= self._quiet) and self._is_closed(name)

    def _is_closed(self, name: str) -> bool:
        try:
            descriptor = os.open(self._folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            with os.fdopen(descriptor, "rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL))
                return _CLOSED.search(file.read(_TAIL)) is not None
        except OSError:
            return False
