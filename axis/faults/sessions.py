"""What other sessions and operators do to a database in use; each lasts as long as its block."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import asyncpg

from axis.faults.databases import Database
from axis.faults.replicas import connected

_PROGRAMS = "datname = current_database() AND application_name LIKE 'axis%' AND pid <> pg_backend_pid()"
_CONNECT_SECONDS = 10.0
# More than any server here allows.
_CROWD = 300


@contextlib.asynccontextmanager
async def locked(database: Database, table: str) -> AsyncIterator[None]:
    """Hold a table so that nobody else can even read it."""
    async with connected(database.url) as link, link.transaction():
        await link.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield


@contextlib.asynccontextmanager
async def rows_locked(database: Database, table: str) -> AsyncIterator[None]:
    """Hold the newest rows of a table in a transaction that does nothing more."""
    async with connected(database.url) as link, link.transaction():
        await link.execute(f"SELECT 1 FROM {table} ORDER BY 1 DESC LIMIT 500 FOR UPDATE")  # noqa: S608 - our own names
        yield


@contextlib.asynccontextmanager
async def renamed(database: Database, table: str) -> AsyncIterator[None]:
    """Take a table away as a migration gone wrong does."""
    await database.execute(f"ALTER TABLE {table} RENAME TO {table}_away")
    try:
        yield
    finally:
        await database.execute(f"ALTER TABLE {table}_away RENAME TO {table}")


@contextlib.asynccontextmanager
async def read_only(database: Database) -> AsyncIterator[None]:
    """Let no transaction write, as a server does that was fenced."""
    async with connected(database.url) as link:
        await link.execute("ALTER SYSTEM SET default_transaction_read_only = on")
        await link.execute("SELECT pg_reload_conf()")
        try:
            yield
        finally:
            await link.execute("ALTER SYSTEM RESET default_transaction_read_only")
            await link.execute("SELECT pg_reload_conf()")


@contextlib.asynccontextmanager
async def crowded(database: Database) -> AsyncIterator[int]:
    """Take all connections there are, those that the axis had too; yields how many."""
    async with contextlib.AsyncExitStack() as stack:
        operator = await stack.enter_async_context(connected(database.url))
        taken = await _crowd(stack, database.url)
        await operator.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {_PROGRAMS}")  # noqa: S608
        taken += await _crowd(stack, database.url)
        yield taken


async def end_sessions(database: Database) -> None:
    """End every session of the axis."""
    await database.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {_PROGRAMS}")  # noqa: S608


async def cancel_statements(database: Database) -> None:
    """Cancel what the axis's sessions are at; not a COMMIT, which is not undone by it but made visible too early."""
    await database.execute(
        f"SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE {_PROGRAMS}"  # noqa: S608
        " AND state = 'active' AND query NOT ILIKE 'commit%'"
    )


@contextlib.contextmanager
def frozen(database: Database) -> Iterator[None]:
    """Stop every process of the server: connections stay open, new ones are taken by the kernel, nobody answers."""
    server = database.pid
    if server is None:
        yield
        return
    # The server first, so that it starts no others meanwhile.
    pids = [server]
    _signal(pids, signal.SIGSTOP)
    pids += _children(server)
    _signal(pids[1:], signal.SIGSTOP)
    try:
        yield
    finally:
        _signal(reversed(pids), signal.SIGCONT)


async def _crowd(stack: contextlib.AsyncExitStack, url: str) -> int:
    for taken in range(_CROWD):
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                link: Any = await asyncpg.connect(url)
        except asyncpg.TooManyConnectionsError:
            return taken
        stack.callback(link.terminate)
    return _CROWD


def _children(parent: int) -> list[int]:
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # The name of the program stands in parentheses and may itself hold some.
            fields = entry.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            if int(fields[1]) == parent:
                found.append(int(entry.parent.name))
    return found


def _signal(pids: Iterator[int] | list[int], number: int) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
