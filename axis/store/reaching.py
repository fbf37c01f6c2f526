"""Reaching the database: deadlines, and which failures mean "try again later"."""

import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

import asyncpg
from asyncpg import exceptions as pg

from axis.errors import Misconfigured, Unavailable
from axis.store.hosts import Hosts
from axis.tls import told

CONNECT_SECONDS = 10.0
COMMAND_SECONDS = 30.0

# The same call may succeed later: the connection or the server went away, is starting, stopping, full, damaged or a
# standby now, or another transaction was in the way. Everything else is a fault over the data or of ours, and comes
# again however often the call is repeated, so it must never look like one of these: a worker would wait for ever.
_PASSING = (
    OSError,
    TimeoutError,
    pg.PostgresConnectionError,
    pg.OperatorInterventionError,
    pg.InsufficientResourcesError,
    pg.PostgresSystemError,
    pg.TransactionRollbackError,
    pg.ReadOnlySQLTransactionError,
    pg.LockNotAvailableError,
    pg.IdleInTransactionSessionTimeoutError,
    pg.TransactionTimeoutError,
    pg.InvalidCachedStatementError,
    pg.DataCorruptedError,
    pg.IndexCorruptedError,
    # What asyncpg says over a connection whose end has been announced by the server and not yet carried out.
    pg.InternalClientError,
)
# A table, column or permission that is missing. Our statements are the same for every message, so this is about no
# message but about the database: a migration on its way, a GRANT forgotten, a restore at work. Taken for poison, it
# would refuse all that comes until an operator notices.
_SCHEMA = (pg.SyntaxOrAccessError, pg.InvalidSchemaNameError)
# asyncpg reports a closed connection or pool with the class it also uses for wrong arguments; these are the latter.
_OUR_MISUSE = (pg._base.DataError, pg.ClientConfigurationError, pg.UnsupportedClientFeatureError)  # noqa: SLF001 - the public name DataError is the server's
REFUSED_CONNECTION = (
    pg.InvalidAuthorizationSpecificationError,
    pg.InvalidCatalogNameError,
    pg.ClientConfigurationError,
)


@contextlib.contextmanager
def reaching(what: str, *, schema_is_ours: bool = False) -> Iterator[None]:
    """Turn failures that may pass into Unavailable, saying what was being done; let all others through.

    `schema_is_ours`: what runs makes the tables itself, so one that is missing is its own fault.
    """
    try:
        yield
    except _OUR_MISUSE:
        raise
    except pg.CheckViolationError as error:
        # Without a constraint's name it is about a partition: the row was on its way into the DEFAULT one when its
        # month got a partition of its own, where the next try will find it.
        if error.constraint_name is not None:
            raise
        raise Unavailable(f"the database did not {what}: partitions changed meanwhile") from error
    except _SCHEMA as error:
        if schema_is_ours:
            raise
        raise Unavailable(f"the database did not {what}, it is not as this program needs it: {_told(error)}") from error
    except (*_PASSING, asyncpg.InterfaceError) as error:
        raise told(error, "the database") or Unavailable(f"the database did not {what}: {_told(error)}") from error


@contextlib.asynccontextmanager
async def connection(dsn: str, name: str) -> AsyncIterator[Any]:
    """Open one connection of its own, and close it after use."""
    with reaching("accept a connection"), connecting():
        opened = await Hosts(dsn).connect(timeout=CONNECT_SECONDS, **options(name))
    try:
        yield opened
    finally:
        try:
            await opened.close(timeout=CONNECT_SECONDS)
        except (*_PASSING, asyncpg.InterfaceError):
            opened.terminate()


@contextlib.contextmanager
def connecting() -> Iterator[None]:
    """Turn what a right address would mend into Misconfigured."""
    try:
        yield
    except REFUSED_CONNECTION as error:
        # 28000 is also what it says to who comes without TLS (nothing in pg_hba.conf fits) or without a certificate.
        unproven = "client certificate" in str(error)
        raise Misconfigured(
            f"the database refuses the connection: {error}", code="tls/client-missing" if unproven else None
        ) from error


def options(name: str) -> dict[str, Any]:
    """Say how every connection is set up; `name` is what the server shows of it."""
    return {
        "command_timeout": COMMAND_SECONDS,
        "server_settings": {
            "application_name": name,
            # Compiling a plan costs more than any of our queries, and the estimate that triggers it grows with the
            # number of partitions.
            "jit": "off",
            # Plans must not depend on statistics. On the first of a month the partition that everything goes to is
            # empty, and a plan cached then reads all of it, more of it each minute. Our questions have indexes.
            "enable_seqscan": "off",
            "enable_hashjoin": "off",
            "enable_mergejoin": "off",
            # Locks of a program that hangs, or whose machine vanished, are given to the next.
            "idle_in_transaction_session_timeout": "60s",
        },
    }


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
