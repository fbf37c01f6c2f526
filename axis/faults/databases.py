"""A private PostgreSQL that can be killed, stopped, paused and started, with the data it had."""

import asyncio
import signal
import time
from pathlib import Path
from typing import Any, Literal

import asyncpg

from axis.errors import Unavailable
from axis.faults.processes import Program, accepts
from axis.local import ports, postgres
from axis.local.layout import service_user
from axis.local.programs import Postgres
from axis.local.record import Record

START_SECONDS = 60.0
_ASK_SECONDS = 30.0
_MODES = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}


class Database:
    """One server, a direct child. Make it with `Database.make`, which makes its data folder too."""

    def __init__(self, record: Record, found: Postgres, server: Program) -> None:
        self.record = record
        self.version = str(found.major)
        self.programs = found
        self.url = record.database_url
        self.data = Path(record.data) / "postgres" / "data"
        self.server = server

    @classmethod
    async def make(cls, record: Record, found: Postgres, log_folder: Path) -> "Database":
        """Make the data folder; the server is started by `start`."""
        user = service_user(Path(record.data) / "postgres", "postgres", "nobody")
        spec = await asyncio.to_thread(postgres.prepare, found, record, user)
        return cls(record, found, Program(spec, log_folder))

    @property
    def pid(self) -> int | None:
        """The server's process, while it runs."""
        return self.server.pid

    @property
    def alive(self) -> bool:
        """Whether it runs; a paused one does."""
        return self.server.alive

    async def start(self, deadline: float = START_SECONDS) -> None:
        """Start it and return when it answers; nothing happens when it runs."""
        end = time.monotonic() + deadline
        while True:
            self.server.start()
            while self.server.alive and time.monotonic() < end:
                if await accepts(ports.LOOPBACK, self.record.ports["postgres"]) and await self._answers():
                    return
                await asyncio.sleep(0.05)
            # The last backend of a killed server may still hold its shared memory for a moment.
            if time.monotonic() >= end or "shared memory block" not in self.server.last_words():
                raise Unavailable(f"PostgreSQL did not start{self.server.last_words()}")
            await asyncio.sleep(0.2)

    async def kill(self) -> None:
        """SIGKILL to the server; it stays away until `start`."""
        self.server.kill()
        await self.server.wait()

    async def stop(self, mode: Literal["smart", "fast", "immediate"] = "fast") -> None:
        """Stop it as `pg_ctl stop -m` does; it stays away until `start`."""
        self.server.send(_MODES[mode])
        await self.server.wait(60.0)

    def pause(self) -> None:
        """SIGSTOP: no new connections; backends that run go on."""
        self.server.pause()

    def resume(self) -> None:
        """SIGCONT."""
        self.server.resume()

    async def execute(self, sql: str, *arguments: Any) -> list[Any]:
        """Run a statement as the superuser on a connection of its own; return the rows."""
        async with asyncio.timeout(_ASK_SECONDS):
            link = await asyncpg.connect(self.url, server_settings={"application_name": "faults"})
            try:
                rows: list[Any] = await link.fetch(sql, *arguments)
            finally:
                await link.close()
        return rows

    async def close(self) -> None:
        """End it; its data is of no use any more."""
        self.server.resume()
        self.server.kill()
        await self.server.close()

    async def _answers(self) -> bool:
        try:
            await self.execute("SELECT 1")
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return False
        return True
