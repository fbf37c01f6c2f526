"""A streaming copy of a database: it follows, is promoted, and the one it followed follows it in turn."""

import asyncio
import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg

from axis.errors import Unavailable
from axis.faults.databases import Database
from axis.faults.processes import Program
from axis.local import postgres
from axis.local.layout import give
from axis.local.ports import LOOPBACK, free_port

_COPY_SECONDS = 300.0
_FOLLOW_SECONDS = 120.0
_ASK_SECONDS = 10.0
_POLL_SECONDS = 0.05
# A server alone may have been started without them. A kill loses nothing without fsync, and a start is quick then.
_SENDING = ("wal_level=replica", "max_wal_senders=5", "fsync=off")


class Pair:
    """Two servers, of which one takes writes and the other follows it; `url` names both, as a program is told."""

    def __init__(self, first: Database, second: Database) -> None:
        self.primary = first
        self.standby = second
        servers = ",".join(f"{LOOPBACK}:{each.record.ports['postgres']}" for each in (first, second))
        parts = urlsplit(first.url)
        self.url = parts._replace(netloc=f"{parts.netloc.rpartition('@')[0]}@{servers}").geturl()

    @classmethod
    async def make(cls, database: Database, *options: str) -> "Pair":
        """Give a running database a standby, and let its commits wait for it; the database is started anew.

        `options` (`name=value`) are for both: a standby has to be as large as whom it follows.
        """
        options = (*_SENDING, *options)
        await with_options(database, *options)
        pair = cls(database, await _beside(database, options))
        await pair.standby.start()
        await pair.in_step()
        return pair

    async def fail_over(self) -> None:
        """Let the standby take over from a primary that is gone or fenced; whoever commits waits for nobody then."""
        async with connected(self.standby.url) as link:
            if not await link.fetchval("SELECT pg_promote(true, 60)"):
                raise Unavailable("the standby was not promoted")
        self.primary, self.standby = self.standby, self.primary
        await self.alone()

    async def rejoin(self) -> None:
        """Make the standby anew from the primary: what it had that the primary has not got is gone for good."""
        await self.standby.kill()
        await copy(self.primary, self.standby.data, self.standby.server.spec.user)
        await self.standby.start()
        await self.in_step()

    async def in_step(self) -> None:
        """Let commits wait for the standby, and wait until it has all that there is."""
        end = time.monotonic() + _FOLLOW_SECONDS
        async with connected(self.primary.url) as link:
            await link.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
            await link.execute("SELECT pg_reload_conf()")
            while not await link.fetchval("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'"):
                if time.monotonic() >= end:
                    raise Unavailable("the standby does not follow")
                await asyncio.sleep(_POLL_SECONDS)

    async def alone(self) -> None:
        """Let commits wait for no standby."""
        async with connected(self.primary.url) as link:
            await link.execute("ALTER SYSTEM RESET synchronous_standby_names")
            await link.execute("SELECT pg_reload_conf()")

    async def close(self, kept: Database) -> None:
        """Bring the writes back to `kept`, and end the other server."""
        if self.primary is not kept:
            await self.rejoin()
            await self.primary.kill()
            await self.fail_over()
        await self.alone()
        await self.standby.close()


async def copy(source: Database, data: Path, user: str | None) -> None:
    """Make a data folder anew that follows `source` when a server is started with it."""
    await asyncio.to_thread(shutil.rmtree, data, ignore_errors=True)
    parts = urlsplit(source.url)
    said = await asyncio.to_thread(
        _run,
        [
            source.programs.program("pg_basebackup"),
            *("--host", LOOPBACK, "--port", str(parts.port), "--username", parts.username or ""),
            *("--pgdata", str(data), "--checkpoint=fast", "--wal-method=stream", "--write-recovery-conf", "--no-sync"),
        ],
        {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(data.parent),
            "LANG": "C.UTF-8",
            "TZ": "UTC",
            "PGPASSWORD": parts.password or "",
        },
        user,
    )
    if said:
        raise Unavailable(f"the database could not be copied: {said}")


@contextlib.asynccontextmanager
async def connected(url: str) -> AsyncIterator[Any]:
    """Open a session of the operator's, whose commits wait for no standby: that may be what is missing."""
    async with asyncio.timeout(_ASK_SECONDS):
        link = await asyncpg.connect(url)
    try:
        await link.execute("SET synchronous_commit = local")
        yield link
    finally:
        link.terminate()


async def with_options(database: Database, *options: str) -> None:
    """Start a server anew with more options; of two with one name the later one counts."""
    await database.stop()
    database.server = _with(database.server, options)
    await database.start()


async def _beside(database: Database, options: Sequence[str]) -> Database:
    """Copy a running database to a server with a folder and a port of its own."""
    record = replace(
        database.record,
        data=str(Path(database.record.data) / "standby"),
        ports={**database.record.ports, "postgres": free_port()},
    )
    user = database.server.spec.user
    base = Path(record.data) / "postgres"
    _make_folder(base, user)
    await copy(database, base / "data", user)
    spec = await asyncio.to_thread(postgres.prepare, database.programs, record, user)
    server = Program(replace(spec, name="standby"), database.server.log.parent)
    return Database(record, database.programs, _with(server, options))


def _with(server: Program, options: Sequence[str]) -> Program:
    more = [part for option in options for part in ("-c", option)]
    return Program(replace(server.spec, argv=(*server.spec.argv, *more)), server.log.parent)


def _make_folder(base: Path, user: str | None) -> None:
    base.parent.mkdir(mode=0o711, exist_ok=True)
    give(base, user)


def _run(argv: list[str], environment: dict[str, str], user: str | None) -> str:
    identity: int | str | None = int(user) if user is not None and user.isdecimal() else user
    made = subprocess.run(
        argv,
        env=environment,
        cwd="/",
        capture_output=True,
        text=True,
        timeout=_COPY_SECONDS,
        check=False,
        user=identity,
        extra_groups=None if identity is None else [],
        umask=0o077,
    )
    return "" if made.returncode == 0 else made.stderr.strip() or f"exit {made.returncode}"
