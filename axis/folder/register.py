"""What a watcher remembers beyond the files, which others may take away: one SQLite file in the agency's state.

`claim`: which content goes (or went) under which envelope, so that the same put again is no second document.
`placed`: what has been written into the folder for incoming packages, and under which name.
`handed`: status packages that were handed over; a refusal of one may still come.
"""

import contextlib
import itertools
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from axis.errors import Misconfigured, Unavailable

_VERSION = 2
_SCHEMA = (
    "CREATE TABLE claim (sha256 TEXT PRIMARY KEY, envelope TEXT NOT NULL, name TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE placed (id TEXT PRIMARY KEY, name TEXT NOT NULL, part TEXT NOT NULL) WITHOUT ROWID",
    "CREATE INDEX placed_part ON placed (part)",
    "CREATE TABLE handed (status TEXT PRIMARY KEY, name TEXT NOT NULL) WITHOUT ROWID",
)
# By version. Of what was written before version 2, neither the folder nor whether it was placed is known.
_CHANGES = (
    _SCHEMA,
    (
        "ALTER TABLE placed ADD COLUMN folder TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE placed ADD COLUMN done INTEGER NOT NULL DEFAULT 0",
    ),
)
_BUSY_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Claim:
    """The envelope that a content goes under, and the name of the file that it first came as."""

    envelope: str
    name: str


@dataclass(frozen=True, slots=True)
class Placed:
    """An incoming package: its name, the temporary file that becomes it, in which folder, and whether it has.

    `folder` is empty where it was not written down.
    """

    name: str
    part: str
    folder: str
    done: bool = False


class Register:
    """Durable: what a method has written survives a crash of the machine. Raises Unavailable when the disk fails."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        try:
            self._db = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
            # One file for each change is cheap beside what is sent; it is not for another journal to save.
            self._db.execute("PRAGMA synchronous = FULL")
            (version,) = self._db.execute("PRAGMA user_version").fetchone()
            if version > _VERSION:
                raise Misconfigured(f"{path} was written by a newer version of the axis")
            if version < _VERSION:
                self._db.execute("BEGIN IMMEDIATE")
                for statement in itertools.chain.from_iterable(_CHANGES[version:]):
                    self._db.execute(statement)
                self._db.execute(f"PRAGMA user_version = {_VERSION}")
                self._db.execute("COMMIT")
        except sqlite3.Error as error:
            raise Unavailable(f"the register {path} cannot be used: {error}") from error

    def claimed(self, sha256: str) -> Claim | None:
        """Return what a content goes under."""
        row = self._one("SELECT envelope, name FROM claim WHERE sha256 = ?", sha256)
        return None if row is None else Claim(*row)

    def claim(self, sha256: str, claim: Claim) -> None:
        """Note what a content goes under, before anything of it is sent."""
        self._do("INSERT OR REPLACE INTO claim VALUES (?, ?, ?)", sha256, claim.envelope, claim.name)

    def release(self, sha256: str, envelope: str) -> None:
        """Forget it: nothing of it was taken, so the same content may be tried again as a new document."""
        self._do("DELETE FROM claim WHERE sha256 = ? AND envelope = ?", sha256, envelope)

    def placed(self, identifier: str) -> Placed | None:
        """Return where an incoming envelope or status was written, or was about to be."""
        row = self._one("SELECT name, part, folder, done FROM placed WHERE id = ?", identifier)
        if row is None:
            return None
        name, part, folder, done = row
        return Placed(name, part, folder, done=bool(done))

    def place(self, identifier: str, placed: Placed) -> None:
        """Note that a temporary file is whole and on disk, before it gets its name; or (`done`) that it has it."""
        self._do(
            "INSERT OR REPLACE INTO placed (id, name, part, folder, done) VALUES (?, ?, ?, ?, ?)",
            *(identifier, placed.name, placed.part, placed.folder, int(placed.done)),
        )

    def is_part(self, part: str) -> bool:
        """Say whether a temporary file is whole, and only waits for its name."""
        return self._one("SELECT name FROM placed WHERE part = ? AND NOT done", part) is not None

    def handed(self, status: str) -> str | None:
        """Return the name of the file that a status came in."""
        row = self._one("SELECT name FROM handed WHERE status = ?", status)
        return None if row is None else str(row[0])

    def hand(self, statuses: list[str], name: str) -> None:
        """Note that statuses came in a file."""
        for status in statuses:
            self._do("INSERT OR REPLACE INTO handed VALUES (?, ?)", status, name)

    def unhand(self, status: str) -> None:
        """Forget the file of a status: its refusal was acted on, and its name may be another file's by now."""
        self._do("DELETE FROM handed WHERE status = ?", status)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._db.close()

    def _one(self, query: str, *values: str) -> tuple[str, ...] | None:
        with self._errors():
            row: tuple[str, ...] | None = self._db.execute(query, values).fetchone()
            return row

    def _do(self, statement: str, *values: str | int) -> None:
        with self._errors():
            self._db.execute(statement, values)

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            with self._lock:
                yield
        except sqlite3.Error as error:
            raise Unavailable(f"the register {self._path} cannot be used: {error}") from error
