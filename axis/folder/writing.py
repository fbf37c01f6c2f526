"""Packages into the folder, each whole and once.

Step by step, and what a crash does after each:

    1 written     a temporary file in the same folder, on disk    crash: removed at the next start, written again
    2 noted       the register: this envelope, this name, this    crash: the temporary file is there, so 3 is done now
                  temporary file
    3 placed      renamed to its name                             crash: the temporary file is not there any more, so it
                                                                  was placed; also when somebody has taken it since
    4 confirmed   the register: it is placed                      crash: it comes again, and 4 is known
    5 taken       the caller takes the document (01 goes out),
                  or finishes the notice

A watcher that is started with another folder after 2 or 3 cannot see whether the file is in the one before: it writes
anew what was not confirmed.

So the agency's system never sees half a package, and never the same one twice, under no name.
"""

import contextlib
import hashlib
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from axis.errors import Unavailable
from axis.folder import disk
from axis.folder.names import distinct
from axis.folder.register import Placed, Register


class Writer:
    """Blocking: called in a thread. Raises OSError when the folder does not take it, Unavailable for the register."""

    def __init__(self, folder: Path, register: Register) -> None:
        self.folder = folder
        self._register = register
        self._resolved = os.fsencode(folder.resolve()).decode("utf-8", "replace")  # the register keeps text

    def recover(self) -> None:
        """Remove the temporary files that nothing was noted of."""
        for part in list(disk.parts(self.folder)):
            if not self._register.is_part(part.name):
                part.unlink(missing_ok=True)

    def discard(self, part: Path) -> None:
        """Remove a temporary file, unless it only waits for its name."""
        with contextlib.suppress(OSError, Unavailable):
            if not self._register.is_part(part.name):
                part.unlink(missing_ok=True)

    def finish(self, identifier: str) -> str | None:
        """Return the name of what has been written for an envelope or status, placed now if need be; None: not yet."""
        placed = self._register.placed(identifier)
        if placed is None or placed.done:
            return None if placed is None else placed.name
        if placed.folder not in {self._resolved, ""}:
            return None
        try:
            disk.place(self.folder / placed.part, self.folder / placed.name)
        except FileNotFoundError:
            self.folder.stat()  # a folder that is gone has placed nothing
        self._register.place(identifier, replace(placed, done=True))
        return placed.name

    def take_back(self, identifier: str) -> bool:
        """Remove what was written for an envelope and not taken; say whether nobody can have it from here."""
        placed = self._register.placed(identifier)
        if placed is None:
            return True
        found = [each for each in (self.folder / placed.part, self.folder / placed.name) if os.path.lexists(each)]
        for each in found:
            disk.remove(each)
        return bool(found)

    def place(self, identifier: str, part: Path, name: str) -> str:
        """Give a temporary file that is on disk its name, or another where that is taken by another content."""
        if os.path.lexists(self.folder / name):
            if _digest(self.folder / name) == _digest(part):
                self._register.place(identifier, Placed(name, part.name, self._resolved, done=True))
                part.unlink()
                return name
            name = distinct(name, identifier[-4:])
        placed = Placed(name, part.name, self._resolved)
        self._register.place(identifier, placed)
        disk.place(part, self.folder / name)
        self._register.place(identifier, replace(placed, done=True))
        return name

    def write(self, identifier: str, name: str, fill: Callable[[BinaryIO], object]) -> str:
        """Write, note and place in one; `fill` writes the content."""
        part = disk.new_part(self.folder)
        try:
            with part.open("xb") as file:
                fill(file)
                disk.settle(file)
        except BaseException:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
            raise
        return self.place(identifier, part, name)


def _digest(path: Path) -> str | None:
    if disk.regular(path) is None:
        return None
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()
