"""Accounts and sessions in memory."""

import datetime as dt
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import replace

from axis.core.acts import Act
from axis.core.operators import FORGOTTEN, Attempts, Operator, Session
from axis.store import hostile
from axis.store.operator_seam import OperatorStore, SoughtActs
from axis.store.operators import ends_sessions, unfit

Note = Callable[[str, str, str, Mapping[str, object]], Awaitable[None]]


class FakeOperators(OperatorStore):
    """Accounts by login, sessions by token. Nothing is awaited between a look and a write, so nobody comes between."""

    def __init__(
        self, check: Callable[[], None], now: Callable[[], dt.datetime], acts: Sequence[Act], note: Note
    ) -> None:
        self._check = check
        self._now = now
        self._acts = acts
        self._note = note
        self._accounts: dict[str, tuple[Operator, str | None]] = {}
        self._sessions: dict[bytes, Session] = {}
        self._attempts: dict[str, Attempts] = {}

    async def add(self, operator: Operator, password: str | None, *, by: str) -> bool:
        """Make an account."""
        self._check()
        if unfit(operator.login) or operator.login in self._accounts or self._named(operator.issuer, operator.subject):
            return False
        made = replace(
            operator,
            name=hostile.text(operator.name, hostile.MAX_NAME),
            created_at=operator.created_at or self._now(),
        )
        self._accounts[operator.login] = (made, password)
        await self._note(by, "operator.add", operator.login, {"after": operator.told})
        return True

    async def all(self) -> tuple[Operator, ...]:
        """Return every account."""
        self._check()
        return tuple(operator for _, (operator, _) in sorted(self._accounts.items()))

    async def find(self, login: str) -> tuple[Operator, str | None] | None:
        """Return an account and the hash of its password."""
        self._check()
        return self._accounts.get(login)

    async def find_subject(self, issuer: str, subject: str) -> Operator | None:
        """Return the account of somebody whom a provider names."""
        self._check()
        return self._named(issuer, subject)

    async def change(self, operator: Operator, *, by: str) -> Operator | None:
        """Write name, role, code and closing."""
        self._check()
        if operator.login not in self._accounts:
            return None
        before, password = self._accounts[operator.login]
        after = replace(
            before, name=operator.name, role=operator.role, code=operator.code, closed_at=operator.closed_at
        )
        self._accounts[operator.login] = (after, password)
        if ends_sessions(before, after):
            self._end_all(operator.login)
        if before.told != after.told:
            told = {"before": before.told, "after": after.told}
            await self._note(by, "operator.change", operator.login, told)
        return before

    async def set_password(self, login: str, password: str, *, temporary: bool, by: str) -> bool:
        """Set the hash of a password and end all sessions."""
        self._check()
        if login not in self._accounts or self._accounts[login][0].issuer is not None:
            return False
        self._accounts[login] = (replace(self._accounts[login][0], temporary=temporary), password)
        self._end_all(login)
        self._attempts.pop(f"account:{login}", None)
        await self._note(by, "operator.password", login, {"temporary": temporary})
        return True

    async def begin(self, session: Session, password: str | None) -> bool:
        """Remember a session."""
        self._check()
        operator, proved = self._accounts.get(session.login, (None, None))
        if operator is None or operator.closed_at is not None or proved != password:
            return False
        self._sessions[session.token] = session
        return True

    async def session(self, token: bytes, at: dt.datetime, *, used: bool = True) -> tuple[Operator, Session] | None:
        """Return who has a session that still counts."""
        self._check()
        found = self._sessions.get(token)
        if found is None or found.is_over(at) or self._accounts[found.login][0].closed_at is not None:
            return None
        if used and at >= found.seen_at + dt.timedelta(minutes=1):
            self._sessions[token] = replace(found, seen_at=at)
        return self._accounts[found.login][0], found

    async def end(self, token: bytes) -> None:
        """End a session."""
        self._check()
        self._sessions.pop(token, None)

    async def end_all(self, login: str) -> None:
        """End all sessions of an account."""
        self._check()
        self._end_all(login)

    async def attempt(self, keys: Collection[str], at: dt.datetime) -> tuple[Sequence[Attempts], dt.timedelta]:
        """Count a password about to be tried as wrong."""
        self._check()
        wanted = sorted(hostile.text(key, hostile.MAX_NAME) for key in keys)
        known = [self._attempts.get(key, Attempts(key, 0, at)) for key in wanted]
        if wait := max((each.left(at) for each in known), default=dt.timedelta()):
            return known, wait
        after = [each.once_more(at) for each in known]
        self._attempts |= {each.key: each for each in after}
        return after, dt.timedelta()

    async def forgive(self, account: str, address: str) -> None:
        """Take back what was counted."""
        self._check()
        for key in (account, address):
            if (found := self._attempts.get(hostile.text(key, hostile.MAX_NAME))) is not None:
                left = 0 if key == account else max(0, found.failures - 1)
                self._attempts[found.key] = replace(found, failures=left)

    async def forget(self, at: dt.datetime) -> int:
        """Delete what counts no longer."""
        self._check()
        gone = [token for token, session in self._sessions.items() if session.is_over(at)]
        for token in gone:
            del self._sessions[token]
        self._attempts = {key: each for key, each in self._attempts.items() if at < each.at + FORGOTTEN}
        return len(gone)

    async def acts(self, sought: SoughtActs, *, limit: int = 50, before: int | None = None) -> tuple[Act, ...]:
        """Return acts of the audit."""
        self._check()
        found = [
            act
            for act in reversed(self._acts)
            if (sought.actor is None or act.actor == sought.actor)
            and (sought.action is None or act.action.startswith(sought.action))
            and (sought.subject is None or act.subject == sought.subject)
            and (sought.since is None or act.at >= sought.since)
            and (sought.until is None or act.at < sought.until)
            and (before is None or act.id < before)
        ]
        return tuple(found[:limit])

    def _named(self, issuer: str | None, subject: str | None) -> Operator | None:
        if issuer is None:
            return None
        accounts = (operator for operator, _ in self._accounts.values())
        return next((each for each in accounts if (each.issuer, each.subject) == (issuer, subject)), None)

    def _end_all(self, login: str) -> None:
        self._sessions = {token: each for token, each in self._sessions.items() if each.login != login}
