"""People who look at the console: what each may do, and how long who guesses passwords has to wait.

Whoever is an agency's user sees what that agency sent and received, and nothing else.
"""

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Literal

IDLE = dt.timedelta(minutes=30)  # a session that nobody used for so long is over
LONGEST = dt.timedelta(hours=12)  # and so is one that began so long ago
FORGOTTEN = dt.timedelta(hours=12)  # wrong passwords count no longer after that
LONGEST_WAIT = dt.timedelta(minutes=15)
# What is typed to log in. No spaces and no letters that look like others: it is written in the audit.
LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")


class Role(StrEnum):
    """What somebody may do; each may do what those before it may, but for agency users, who stand apart."""

    AGENCY = "agency"
    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMINISTRATOR = "administrator"


@dataclass(frozen=True, slots=True)
class Operator:
    """An account. `code`: the agency of an agency user, else None. `temporary`: its password was given by another.

    `issuer` and `subject`: whom OpenID Connect names; such an account has no password, and its role is given anew with
    each login.
    """

    login: str
    name: str
    role: Role
    code: str | None = None
    created_at: dt.datetime | None = None
    closed_at: dt.datetime | None = None
    temporary: bool = False
    issuer: str | None = None
    subject: str | None = None

    def __post_init__(self) -> None:
        """Raise ValueError for an agency user without an agency, and for anybody else with one."""
        if (self.role is Role.AGENCY) != (self.code is not None):
            raise ValueError("an agency user, and nobody else, has a code")

    @property
    def told(self) -> dict[str, object]:
        """What the audit says of it."""
        return {"name": self.name, "role": self.role.value, "code": self.code, "closed": self.closed_at is not None}


@dataclass(frozen=True, slots=True)
class Session:
    """A browser that is logged in. `token`: the SHA-256 of what is in its cookie, which is kept nowhere."""

    token: bytes
    login: str
    begun_at: dt.datetime
    seen_at: dt.datetime
    address: str
    means: Literal["password", "oidc"]

    def is_over(self, at: dt.datetime) -> bool:
        """Say whether it counts no longer."""
        return at >= self.seen_at + IDLE or at >= self.begun_at + LONGEST


# How many wrong passwords in a row cost nothing: of one account, from one address, where many may sit together, and
# from one browser that an account was logged in with before or is logged in with now, which counts by itself.
FREE: Mapping[str, int] = MappingProxyType({"account": 5, "address": 30, "browser": 5})


@dataclass(frozen=True, slots=True)
class Attempts:
    """How often in a row a password was wrong for `key`, “account:…”, “address:…” or “browser:…”, and when last."""

    key: str
    failures: int
    at: dt.datetime

    @property
    def wait(self) -> dt.timedelta:
        """How long after `at` nothing is tried: nothing at first, then a second, doubled with each, at most 15 min."""
        over = self.failures - FREE[self.key.partition(":")[0]]
        if over < 0:
            return dt.timedelta()
        return min(LONGEST_WAIT, dt.timedelta(seconds=2 ** min(over, 12)))

    def left(self, at: dt.datetime) -> dt.timedelta:
        """How much of the wait is left; a clock that was set back makes it no longer than it is."""
        return max(dt.timedelta(), min(self.wait, self.at + self.wait - at))

    def once_more(self, at: dt.datetime) -> "Attempts":
        """Count one more."""
        old = at >= self.at + FORGOTTEN
        return Attempts(self.key, 1 if old else self.failures + 1, at)
