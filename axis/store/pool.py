"""The pool of connections, each use of it with a deadline and with failures told apart."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import asyncpg
from asyncpg.exceptions import ReadOnlySQLTransactionError

from axis.errors import Unavailable
from axis.store.hosts import Hosts
from axis.store.migrating import check_current
from axis.store.reaching import CONNECT_SECONDS, REFUSED_CONNECTION, connection, options, reaching

_CLOSE_SECONDS = 10.0


class _Link(asyncpg.Connection):  # type: ignore[misc]  # asyncpg tells no types
    """A connection that is closed within a deadline, and without a word where the server has gone before."""

    async def close(self, *, timeout: float | None = None) -> None:  # noqa: ASYNC109 - asyncpg's own name
        try:
            await super().close(timeout=_CLOSE_SECONDS if timeout is None else timeout)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            self.terminate()


@dataclass(frozen=True, slots=True)
class Pool:
    """Connections to one database."""

    dsn: str
    name: str
    _pool: Any

    @contextlib.asynccontextmanager
    async def link(self, what: str) -> AsyncIterator[Any]:
        """Borrow a connection; failures inside that may pass become Unavailable, saying `what` could not be done."""
        async with self.lend() as link:
            with reaching(what):
                yield link

    @contextlib.asynccontextmanager
    async def lend(self) -> AsyncIterator[Any]:
        """Borrow a connection for a block that does other things too, whose failures are its own to tell apart."""
        with reaching("lend a connection"):
            link = await self._acquire()
        try:
            yield link
        except Unavailable as error:
            # A server that takes no writes any more still answers, and its connections would be lent for ever; one
            # that hangs costs a deadline for each connection.
            if isinstance(error.__cause__, (ReadOnlySQLTransactionError, TimeoutError)):
                await self._pool.expire_connections()
            raise
        finally:
            with reaching("take a connection back"):
                await self._pool.release(link, timeout=CONNECT_SECONDS)

    async def _acquire(self) -> Any:
        try:
            return await self._pool.acquire(timeout=CONNECT_SECONDS)
        except REFUSED_CONNECTION as error:
            # It let us in when we started, so this is somebody's work on it and no fault over a message.
            raise Unavailable(f"the database refuses new connections: {error}") from error


@contextlib.asynccontextmanager
async def open_pool(dsn: str, name: str, connections: int) -> AsyncIterator[Pool]:
    """Open a pool, make sure that the database is one for this program, and close it after use."""
    async with connection(dsn, name) as link:
        with reaching("say which migrations it has"):
            await check_current(link)
    # No connection is kept for its own sake: asyncpg would try to restore it all through an outage, and log each time.
    pool = await asyncpg.create_pool(
        connect=Hosts(dsn).connect,
        connection_class=_Link,
        min_size=0,
        max_size=connections,
        timeout=CONNECT_SECONDS,
        **options(name),
    )
    try:
        yield Pool(dsn, name, pool)
    finally:
        try:
            with reaching("close"):
                await _close(pool)
        except Unavailable:
            pool.terminate()


async def _close(pool: Any) -> None:
    async with asyncio.timeout(_CLOSE_SECONDS):
        await pool.close()
