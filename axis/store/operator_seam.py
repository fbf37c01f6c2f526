"""What the store promises about people and their sessions; `seam.py` says what holds for every call.

What changes an account is noted in the audit in the same transaction, with what was before and after.
"""

import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from axis.core.acts import Act
from axis.core.operators import Attempts, Operator, Session


@dataclass(frozen=True, slots=True)
class SoughtActs:
    """Which acts of the audit are looked for; None: all. `actor` and `subject` whole, `action` by its beginning."""

    actor: str | None = None
    action: str | None = None
    subject: str | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None


class OperatorStore(ABC):
    """Accounts, sessions, wrong passwords, and the audit to be read."""

    @abstractmethod
    async def add(self, operator: Operator, password: str | None, *, by: str) -> bool:
        """Make an account; `password` is its hash. False: the login, or the issuer's subject, is taken."""

    @abstractmethod
    async def all(self) -> tuple[Operator, ...]:
        """Return every account, closed ones too, by login."""

    @abstractmethod
    async def find(self, login: str) -> tuple[Operator, str | None] | None:
        """Return an account and the hash of its password."""

    @abstractmethod
    async def find_subject(self, issuer: str, subject: str) -> Operator | None:
        """Return the account of somebody whom an OpenID provider names."""

    @abstractmethod
    async def change(self, operator: Operator, *, by: str) -> Operator | None:
        """Write name, role, code and `closed_at`; return what was before, None when there is no such account.

        All its sessions end when it may less or other things than before: role, code or closing have changed.
        """

    @abstractmethod
    async def set_password(self, login: str, password: str, *, temporary: bool, by: str) -> bool:
        """Set the hash of a password, end all sessions of the account, and forget wrong passwords tried for it.

        False: there is no account that could have one.
        """

    @abstractmethod
    async def begin(self, session: Session, password: str | None) -> bool:
        """Remember a session; False: the account is closed, or was never there, or has another password by now.

        `password`: the hash that was proved, None for an account without. A session that began with the password
        that was changed meanwhile would outlast all those that the change ended.
        """

    @abstractmethod
    async def session(self, token: bytes, at: dt.datetime, *, used: bool = True) -> tuple[Operator, Session] | None:
        """Return who has a session that still counts at `at`, of an account that is open.

        `used`: it is in use now, and does not count as idle from here; noted once a minute at most.
        """

    @abstractmethod
    async def end(self, token: bytes) -> None:
        """End a session; one that is not there is ended already."""

    @abstractmethod
    async def end_all(self, login: str) -> None:
        """End all sessions of an account."""

    @abstractmethod
    async def attempt(self, keys: Collection[str], at: dt.datetime) -> tuple[Sequence[Attempts], dt.timedelta]:
        """Count a password about to be tried as wrong for each key; return the counts and how long to wait.

        Where one of them has to wait nothing is counted, and nothing may be tried. Attempts side by side wait for each
        other, so that of many sent at once no more pass than of as many sent one by one.
        """

    @abstractmethod
    async def forgive(self, account: str, address: str) -> None:
        """Take back what `attempt` counted, for a password that was right; all of it for the account's key."""

    @abstractmethod
    async def forget(self, at: dt.datetime) -> int:
        """Delete sessions that are over and attempts that count no longer; return how many sessions."""

    @abstractmethod
    async def acts(self, sought: SoughtActs, *, limit: int = 50, before: int | None = None) -> tuple[Act, ...]:
        """Return acts of the audit, the newest first; `before`: the id to go on from."""
