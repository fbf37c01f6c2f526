"""Accounts, sessions and the audit in PostgreSQL."""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from axis.core.acts import Act
from axis.core.operators import FORGOTTEN, IDLE, LONGEST, Attempts, Operator, Role, Session
from axis.store import hostile
from axis.store.operator_seam import OperatorStore, SoughtActs
from axis.store.pool import Pool
from axis.store.queries import load

_SQL = load("operators")
_AUDIT = load("evidence")["audit"]
_NOTED_EVERY = dt.timedelta(minutes=1)


class PostgresOperators(OperatorStore):
    """The tables of accounts and sessions."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def add(self, operator: Operator, password: str | None, *, by: str) -> bool:
        """Make an account."""
        if unfit(operator.login):
            return False
        async with self._pool.link("add an account") as link, link.transaction():
            made = await link.fetchval(
                _SQL["add"],
                operator.login,
                hostile.text(operator.name, hostile.MAX_NAME),
                operator.role.value,
                operator.code,
                operator.created_at,
                operator.temporary,
                operator.issuer,
                operator.subject,
                password,
            )
            if made is not None:
                await _note(link, by, "operator.add", operator.login, {"after": operator.told})
        return made is not None

    async def all(self) -> tuple[Operator, ...]:
        """Return every account."""
        async with self._pool.link("list accounts") as link:
            return tuple(map(_operator, await link.fetch(_SQL["all"])))

    async def find(self, login: str) -> tuple[Operator, str | None] | None:
        """Return an account and the hash of its password."""
        if unfit(login):
            return None
        async with self._pool.link("find an account") as link:
            row = await link.fetchrow(_SQL["find"], login)
        return None if row is None else (_operator(row), row["password"])

    async def find_subject(self, issuer: str, subject: str) -> Operator | None:
        """Return the account of somebody whom a provider names."""
        if unfit(subject):
            return None
        async with self._pool.link("find an account") as link:
            row = await link.fetchrow(_SQL["find_subject"], issuer, subject)
        return None if row is None else _operator(row)

    async def change(self, operator: Operator, *, by: str) -> Operator | None:
        """Write name, role, code and closing."""
        if unfit(operator.login):
            return None
        name = hostile.text(operator.name, hostile.MAX_NAME)
        async with self._pool.link("change an account") as link, link.transaction():
            row = await link.fetchrow(_SQL["lock"], operator.login)
            if row is None:
                return None
            before = _operator(row)
            await link.execute(
                _SQL["change"], operator.login, name, operator.role.value, operator.code, operator.closed_at
            )
            if ends_sessions(before, operator):
                await link.execute(_SQL["end_all"], operator.login)
            if before.told != operator.told:
                told = {"before": before.told, "after": operator.told}
                await _note(link, by, "operator.change", operator.login, told)
        return before

    async def set_password(self, login: str, password: str, *, temporary: bool, by: str) -> bool:
        """Set the hash of a password and end all sessions."""
        if unfit(login):
            return False
        async with self._pool.link("set a password") as link, link.transaction():
            row = await link.fetchrow(_SQL["lock"], login)
            if row is None or row["issuer"] is not None:
                return False
            await link.execute(_SQL["set_password"], login, password, temporary)
            await link.execute(_SQL["end_all"], login)
            await link.execute(_SQL["unlock"], f"account:{login}")
            await _note(link, by, "operator.password", login, {"temporary": temporary})
        return True

    async def begin(self, session: Session, password: str | None) -> bool:
        """Remember a session."""
        moments = (session.begun_at, session.seen_at)
        values = (session.token, session.login, *moments, session.address, session.means, password)
        async with self._pool.link("begin a session") as link:
            return await link.fetchval(_SQL["begin"], *values) is not None

    async def session(self, token: bytes, at: dt.datetime, *, used: bool = True) -> tuple[Operator, Session] | None:
        """Return who has a session that still counts."""
        async with self._pool.link("find a session") as link:
            row = await link.fetchrow(_SQL["session"], token)
            if row is None:
                return None
            session = Session(row["token"], row["login"], row["begun_at"], row["seen_at"], row["address"], row["means"])
            if session.is_over(at):
                return None
            if used and at >= session.seen_at + _NOTED_EVERY:
                await link.execute(_SQL["seen"], token, at)
        return _operator(row), session

    async def end(self, token: bytes) -> None:
        """End a session."""
        async with self._pool.link("end a session") as link:
            await link.execute(_SQL["end"], token)

    async def end_all(self, login: str) -> None:
        """End all sessions of an account."""
        async with self._pool.link("end sessions") as link:
            await link.execute(_SQL["end_all"], login)

    async def attempt(self, keys: Collection[str], at: dt.datetime) -> tuple[Sequence[Attempts], dt.timedelta]:
        """Count a password about to be tried as wrong."""
        wanted = sorted(hostile.text(key, hostile.MAX_NAME) for key in keys)
        async with self._pool.link("count a login") as link:
            # First without writing: who has to wait must not fill the table with logins that nobody has.
            known = _attempts(await link.fetch(_SQL["attempts_so_far"], wanted))
            if wait := _wait(known, at):
                return known, wait
        async with self._pool.link("count a login") as link, link.transaction():
            await link.execute(_SQL["first_attempts"], wanted, at)
            known = _attempts(await link.fetch(_SQL["attempts"], wanted))
            if wait := _wait(known, at):
                return known, wait
            after = [each.once_more(at) for each in known]
            columns = zip(*((each.key, each.failures, each.at) for each in after), strict=True)
            await link.execute(_SQL["attempted"], *(list(column) for column in columns))
        return after, dt.timedelta()

    async def forgive(self, account: str, address: str) -> None:
        """Take back what was counted."""
        keys = (hostile.text(key, hostile.MAX_NAME) for key in (account, address))
        async with self._pool.link("count a login") as link:
            await link.execute(_SQL["forgive"], *keys)

    async def forget(self, at: dt.datetime) -> int:
        """Delete what counts no longer."""
        async with self._pool.link("forget sessions") as link:
            gone = await link.fetch(_SQL["forget_sessions"], at - IDLE, at - LONGEST)
            await link.execute(_SQL["forget_attempts"], at - FORGOTTEN)
        return len(gone)

    async def acts(self, sought: SoughtActs, *, limit: int = 50, before: int | None = None) -> tuple[Act, ...]:
        """Return acts of the audit."""
        words = (sought.actor, sought.action, sought.subject)
        fit = [None if each is None else hostile.text(each, hostile.MAX_TEXT) for each in words]
        async with self._pool.link("read the audit") as link:
            rows = await link.fetch(_SQL["acts"], *fit, sought.since, sought.until, before, limit)
        return tuple(
            Act(row["id"], row["at"], row["actor"], row["action"], row["subject"], row["detail"], row["nonce"])
            for row in rows
        )


def _attempts(rows: Sequence[Any]) -> list[Attempts]:
    return [Attempts(row["key"], row["failures"], row["at"]) for row in rows]


def _wait(known: Sequence[Attempts], at: dt.datetime) -> dt.timedelta:
    return max((each.left(at) for each in known), default=dt.timedelta())


def unfit(name: str) -> bool:
    """Say whether PostgreSQL cannot hold a name, so that nobody has it."""
    return hostile.text(name, hostile.MAX_NAME) != name


def ends_sessions(before: Operator, after: Operator) -> bool:
    """Say whether a change takes away what sessions were given."""
    return (before.role, before.code, before.closed_at) != (after.role, after.code, after.closed_at)


def _operator(row: Mapping[str, Any]) -> Operator:
    return Operator(
        login=row["login"],
        name=row["name"],
        role=Role(row["role"]),
        code=row["code"],
        created_at=row["created_at"],
        closed_at=row["closed_at"],
        temporary=row["temporary"],
        issuer=row["issuer"],
        subject=row["subject"],
    )


async def _note(link: Any, by: str, action: str, subject: str, detail: Mapping[str, object]) -> None:
    said = [hostile.text(each, hostile.MAX_TEXT) for each in (by, action, subject)]
    await link.execute(_AUDIT, *said, hostile.as_json(detail))
