"""The roles of the services: made once for a whole server, given their rights in each database."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from asyncpg import exceptions as pg

from axis.errors import Misconfigured
from axis.store.grants import FUNCTIONS, TABLES
from axis.store.migrating import check_current, one_at_a_time
from axis.store.reaching import connection, reaching

_SCRAM_ROUNDS = 4096  # as PostgreSQL's own
_NO_PASSWORDS: Mapping[str, str] = MappingProxyType({})


async def ensure_roles(dsn: str, passwords: Mapping[str, str] = _NO_PASSWORDS) -> list[str]:
    """Make the roles that are missing and give every role exactly its rights; return the names of those made.

    `dsn` is the owner's. `passwords`: role -> password to be set; a role without one gets in by a certificate, or by
    what was set before. Safe to repeat, also beside running services: rights change in one transaction.

    Raises:
        Misconfigured: `database/roles` when the owner may not make roles, or the database lacks a migration.
    """
    async with connection(dsn, "axis roles") as link:
        with reaching("set up roles", schema_is_ours=True):
            await check_current(link)
            try:
                async with one_at_a_time(link):
                    made = await _make(link, passwords)
                    async with link.transaction():
                        for statement in statements(await link.fetchval("SELECT quote_ident(current_database())")):
                            await link.execute(statement)
            except pg.InsufficientPrivilegeError as error:
                raise Misconfigured(
                    f"the owner of the database may not set up roles ({error}): let an administrator run "
                    f"CREATE ROLE … LOGIN for {', '.join(TABLES)}, or give the owner CREATEROLE",
                    code="database/roles",
                ) from error
    return made


async def renew_rights(dsn: str) -> bool:
    """Give the roles their rights to what migrations have made since; False where no role was ever made.

    `dsn` is the owner's. Raises as `ensure_roles`.
    """
    async with connection(dsn, "axis roles") as link:
        with reaching("look for the roles", schema_is_ours=True):
            there: bool = await link.fetchval(
                "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = ANY ($1::text[]))", list(TABLES)
            )
    if there:
        await ensure_roles(dsn)
    return there


async def _make(link: Any, passwords: Mapping[str, str]) -> list[str]:
    known = {row["rolname"] for row in await link.fetch("SELECT rolname FROM pg_roles WHERE rolname ~ '^axis_'")}
    made = []
    for role in TABLES:
        if role not in known:
            try:
                await link.execute(f"CREATE ROLE {role} LOGIN NOINHERIT")
                made.append(role)
            except pg.DuplicateObjectError:
                pass  # made meanwhile for another database of the same server
        if role in passwords:
            try:
                # The verifier, not the password: statements may be logged.
                await link.execute(f"ALTER ROLE {role} PASSWORD '{scram(passwords[role])}'")
            except pg.InsufficientPrivilegeError:
                if role in made:
                    raise
                # An administrator made it, who then gave it its password too; if not, the service says so.
    return made


def statements(database: str) -> Iterator[str]:
    """Write what takes all rights away and gives those of the table; `database` is a quoted name."""
    everybody = ", ".join(TABLES)
    yield f"REVOKE ALL ON DATABASE {database} FROM PUBLIC, {everybody}"
    yield f"GRANT CONNECT ON DATABASE {database} TO {everybody}"
    yield "REVOKE CREATE ON SCHEMA public FROM PUBLIC"
    yield f"GRANT USAGE ON SCHEMA public TO {everybody}"
    yield f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, {everybody}"
    yield f"REVOKE ALL ON ALL FUNCTIONS IN SCHEMA public FROM {everybody}"
    for role, tables in TABLES.items():
        for table, verbs in tables.items():
            yield f"GRANT {', '.join(verbs)} ON {table} TO {role}"
        for function in FUNCTIONS.get(role, ()):
            yield f"GRANT EXECUTE ON FUNCTION {function} TO {role}"


def scram(password: str, salt: bytes | None = None) -> str:
    """Write the verifier that PostgreSQL keeps of a password (RFC 5803, RFC 7677); the password is ASCII."""
    salt = secrets.token_bytes(16) if salt is None else salt
    salted = hashlib.pbkdf2_hmac("sha256", password.encode("ascii"), salt, _SCRAM_ROUNDS)
    client = hmac.digest(salted, b"Client Key", "sha256")
    stored = hashlib.sha256(client).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    told = [base64.b64encode(part).decode("ascii") for part in (salt, stored, server)]
    return f"SCRAM-SHA-256${_SCRAM_ROUNDS}:{told[0]}${told[1]}:{told[2]}"
