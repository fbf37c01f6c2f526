"""Where the database is: one server, or several of which one takes writes now.

An address names several as libpq does: `postgresql://user:password@one:5432,two:5432/axis`. Each is asked with its own
share of the time: a machine that vanished answers nothing, and must not use up the time of the one that took over.
"""

import os
import re
from typing import Any

import asyncpg
from asyncpg import exceptions as pg

_ADDRESS = re.compile(r"(?P<before>\w+://(?:[^/?]*@)?)(?P<servers>[^/?]*)(?P<after>.*)", re.DOTALL)
_WANTED = "target_session_attrs"
# Whatever one of several servers says, another may be the one.
_NEXT = (OSError, pg.PostgresError, asyncpg.InterfaceError, pg.InternalClientError)


class Hosts:
    """Connect to the server that fits, beginning with the one that did the last time."""

    def __init__(self, dsn: str) -> None:
        self._dsns = split(dsn)
        several = len(self._dsns) > 1
        # Whoever names several means the one that takes writes, whether it says so or not.
        self._wanted = {_WANTED: "read-write"} if several and not _says_which(dsn) else {}
        self._first = 0

    async def connect(self, *_: object, timeout: float, **options: Any) -> Any:  # noqa: ASYNC109 - asyncpg's own name
        """Return a connection; fits asyncpg's `connect=`, which gives the address too.

        Raises what the only server said, or a ConnectionError that tells what each of several did.
        """
        count = len(self._dsns)
        order = [(self._first + step) % count for step in range(count)]
        said: list[str] = []
        for at in order:
            try:
                opened = await asyncpg.connect(self._dsns[at], timeout=timeout / count, **options, **self._wanted)
            except _NEXT as error:
                if count == 1:
                    raise
                said.append(f"{_server(self._dsns[at])}: {type(error).__name__}: {error}")
            else:
                self._first = at
                return opened
        raise ConnectionError("; ".join(said))


def split(dsn: str) -> tuple[str, ...]:
    """Write an address for each server in `dsn`; a list in `?host=` is left to asyncpg."""
    found = _ADDRESS.fullmatch(dsn)
    if found is None:
        return (dsn,)
    return tuple(f"{found['before']}{server}{found['after']}" for server in found["servers"].split(","))


def _server(dsn: str) -> str:
    found = _ADDRESS.fullmatch(dsn)
    return "" if found is None else found["servers"]


def _says_which(dsn: str) -> bool:
    return f"{_WANTED}=" in dsn.partition("?")[2] or "PGTARGETSESSIONATTRS" in os.environ
