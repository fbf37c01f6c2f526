"""Numbered SQL migrations: each applied once, in order, in its own transaction, by one program at a time.

A migration never changes once it has been applied anywhere: what is remembered of it is the digest of its text.
"""

import asyncio
import contextlib
import datetime as dt
import hashlib
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

from asyncpg import exceptions as pg

from axis.errors import Misconfigured
from axis.store.partitions import ensure_partitions
from axis.store.reaching import connection, reaching

_FILE = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")
# Any number does that no other program uses for a lock in the same database.
_LOCK = 0x61786973
# An index over years of envelopes takes longer than any query; this is for a hung server, not for a big one.
_MIGRATION_SECONDS = 3600.0
_LOCK_WAIT = "2s"
_LOCK_REST_SECONDS = 1.0
_LOCK_TRIES = 60

_CREATE = """CREATE TABLE IF NOT EXISTS axis_migration (
    number integer PRIMARY KEY, name text NOT NULL, sha256 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now()
)"""
_APPLIED = "SELECT number, name, sha256 FROM axis_migration ORDER BY number"
_RECORD = "INSERT INTO axis_migration (number, name, sha256) VALUES ($1, $2, $3)"


@dataclass(frozen=True, slots=True)
class Migration:
    """One migration file."""

    number: int
    name: str
    text: str

    @property
    def sha256(self) -> str:
        """Digest of the text, the same on systems that end lines differently."""
        return hashlib.sha256("\n".join(self.text.splitlines()).encode()).hexdigest()


def packaged() -> tuple[Migration, ...]:
    """Read the migrations that came with this program, in order."""
    found = [
        Migration(int(match[1]), entry.name.removesuffix(".sql"), entry.read_text(encoding="utf-8"))
        for entry in resources.files(__package__).joinpath("migrations").iterdir()
        if (match := _FILE.fullmatch(entry.name))
    ]
    return tuple(sorted(found, key=lambda migration: migration.number))


async def migrate(
    dsn: str, *, migrations: Sequence[Migration] | None = None, now: dt.datetime | None = None
) -> list[str]:
    """Bring the database up to date and return the names of what was applied now; safe to repeat, and twice at once.

    Raises Misconfigured when an applied migration is not the one this program has, Unavailable when there is no
    database. Partitions are made around `now` (default: this machine's clock).
    """
    known = packaged() if migrations is None else tuple(migrations)
    async with connection(dsn, "axis migrate") as link:
        with reaching("migrate", schema_is_ours=True):
            async with one_at_a_time(link):
                await link.execute(_CREATE)
                pending = check(known, await link.fetch(_APPLIED))
                for migration in pending:
                    await _apply(link, migration)
                if migrations is None:
                    await ensure_partitions(link, now or dt.datetime.now(dt.UTC))
    return [migration.name for migration in pending]


@contextlib.asynccontextmanager
async def one_at_a_time(link: Any) -> AsyncIterator[None]:
    """Change a database's shape for a block while no other program does."""
    await link.execute("SELECT pg_advisory_lock($1)", _LOCK, timeout=_MIGRATION_SECONDS)
    yield
    # Not in a `finally`: what failed closes the connection, which gives the lock back and may not answer any more.
    await link.execute("SELECT pg_advisory_unlock($1)", _LOCK)


async def _apply(link: Any, migration: Migration) -> None:
    # A statement that waits for a table makes everybody wait who comes after it, readers too: if somebody works on the
    # table for long, we step aside and come again.
    for tries_left in reversed(range(_LOCK_TRIES)):
        try:
            async with link.transaction():
                await link.execute("SELECT set_config('lock_timeout', $1, true)", _LOCK_WAIT)
                await link.execute(migration.text, timeout=_MIGRATION_SECONDS)
                await link.execute(_RECORD, migration.number, migration.name, migration.sha256)
        except (pg.LockNotAvailableError, pg.DeadlockDetectedError):
            if not tries_left:
                raise
        else:
            return
        await asyncio.sleep(_LOCK_REST_SECONDS)


def check(known: Sequence[Migration], applied: Sequence[Any]) -> tuple[Migration, ...]:
    """Return what is still to be applied; raise Misconfigured when history and program do not fit.

    A database that is further than the program is fine: the newer program was started first.
    """
    if len({migration.number for migration in known}) != len(known):
        raise Misconfigured("two migrations have the same number")
    done = {record["number"]: record for record in applied}
    for migration in known:
        record = done.get(migration.number)
        if record is not None and (record["name"], record["sha256"]) != (migration.name, migration.sha256):
            raise Misconfigured(
                f"migration {migration.name} was changed after it had been applied (the database has {record['name']}, "
                f"{record['sha256'][:12]}…, the program {migration.sha256[:12]}…): undo the change and add a new one"
            )
    pending = tuple(migration for migration in known if migration.number not in done)
    if pending and done and pending[0].number < max(done):
        raise Misconfigured(f"migration {pending[0].name} is older than what the database has already: renumber it")
    return pending


async def check_current(link: Any) -> None:
    """Raise Misconfigured when the database lacks a migration that this program needs."""
    exists = await link.fetchval("SELECT to_regclass('axis_migration') IS NOT NULL")
    pending = check(packaged(), await link.fetch(_APPLIED) if exists else [])
    if pending:
        raise Misconfigured(
            f"the database lacks migration {pending[0].name}: `axis database migrate` (or `axis up`) applies it"
        )
