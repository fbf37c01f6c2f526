"""Where the database is: one server, or several of which one takes writes now.

An address names several as libpq does: `postgresql://user:password@one:5432,two:5432/axis`. Each is asked with its own
share of the time: a machine that vanished answers nothing, and must not use up the time of the one that took over.
"""

import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

import asyncpg
from asyncpg import exceptions as pg

from axis.errors import Misconfigured
from axis.tls import check_account, is_loopback

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


def unsafe_hosts(dsn: str) -> list[str]:
    """Name the hosts that an address would reach over a network without proof of who they are.

    Anything below verify-full takes whoever answers for the server: `require` encrypts for him.
    """
    options = dict(parse_qsl(dsn.partition("?")[2]))
    if options.get("sslmode") == "verify-full":
        return []
    found = _ADDRESS.fullmatch(dsn)
    named = "" if found is None else found["servers"]
    hosts = [urlsplit(f"//{server}").hostname or "" for server in named.split(",")] if named else []
    hosts = hosts or (options.get("host") or os.environ.get("PGHOST") or "").split(",")
    if hosts == [""] and (service := options.get("service") or os.environ.get("PGSERVICE")):
        return [f"the service {service}"]  # whatever a file of this user says now
    # Without a name, or with a path, it is a socket on this machine.
    return [host for host in hosts if host and not host.startswith("/") and not is_loopback(host)]


def with_role(dsn: str, role: str, password: str, certificate: tuple[Path, Path] | None = None) -> str:
    """Return an address under another role; `certificate`: the role's own certificate and key."""
    found = _ADDRESS.fullmatch(dsn)
    if found is None:
        raise Misconfigured("a database's address looks like postgresql://user:password@host:port/database")
    scheme = found["before"].partition("://")[0]
    path, _, query = found["after"].partition("?")
    options = {name: value for name, value in parse_qsl(query) if name not in {"sslcert", "sslkey"}}
    if certificate is not None:
        options |= {"sslcert": str(certificate[0]), "sslkey": str(certificate[1])}
    account = f"{quote(role, safe='')}:{quote(password, safe='')}"
    wanted = f"?{urlencode(options, safe='/')}" if options else ""
    return f"{scheme}://{account}@{found['servers']}{path}{wanted}"


def check_role(dsn: str) -> None:
    """Raise Misconfigured `tls/account` when the address names a client certificate that is not its role's.

    The server would only say that authentication failed.
    """
    certificate = dict(parse_qsl(dsn.partition("?")[2])).get("sslcert")
    account = dsn.partition("://")[2].partition("/")[0].rpartition("@")[0].partition(":")[0]
    if certificate is not None and account:
        check_account(Path(certificate), unquote(account))


def _server(dsn: str) -> str:
    found = _ADDRESS.fullmatch(dsn)
    return "" if found is None else found["servers"]


def _says_which(dsn: str) -> bool:
    return f"{_WANTED}=" in dsn.partition("?")[2] or "PGTARGETSESSIONATTRS" in os.environ
