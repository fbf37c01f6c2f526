"""Passwords: argon2id (RFC 9106), one or two at a time, and the same time for whoever does not exist."""

import asyncio
import secrets
import unicodedata

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from axis.errors import Refused
from axis.web.problems import HttpRefused

SHORTEST, LONGEST = 12, 256
_AT_ONCE = 2
_WAIT_SECONDS = 10.0


class Passwords:
    """Hash and check passwords.

    The parameters are the second choice of RFC 9106 section 4: 64 MiB, three passes, four lanes; about 0.1 s. What it
    takes in memory is bounded by how many are checked at once.
    """

    def __init__(self, *, memory_kib: int = 64 * 1024, passes: int = 3, lanes: int = 4) -> None:
        self._hasher = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=lanes, type=Type.ID)
        self._free = asyncio.Semaphore(_AT_ONCE)
        self._nobody = self._hasher.hash(secrets.token_urlsafe(16))

    def hash(self, password: str) -> str:
        """Hash a password that was checked."""
        return self._hasher.hash(_same(password))

    async def hash_beside(self, password: str) -> str:
        """Hash a password, without holding up others."""
        return str(await self._beside(self.hash, password))

    async def fits(self, password: str, hashed: str | None) -> bool:
        """Say whether a password is the one that was hashed; None, nobody's, takes as long and says no.

        Raises HttpRefused http/busy when too many are being checked.
        """
        fits = await self._beside(self._verify, hashed or self._nobody, password)
        return bool(fits) and hashed is not None

    def _verify(self, hashed: str, password: str) -> bool:
        try:
            return self._hasher.verify(hashed, _same(password))
        except (VerificationError, InvalidHashError):
            return False

    async def _beside(self, function: object, *arguments: str) -> object:
        try:
            async with asyncio.timeout(_WAIT_SECONDS) as waiting, self._free:
                waiting.reschedule(None)  # the deadline was for the place; the hashing ends by itself
                return await asyncio.to_thread(function, *arguments)  # type: ignore[arg-type]
        except TimeoutError as error:
            raise HttpRefused("http/busy", "Too many log in at once.") from error


def one_time_password() -> str:
    """Make a password to be typed once: 100 bits, in groups of four."""
    letters = "abcdefghijkmnpqrstuvwxyz23456789"  # five bits each, and nothing that looks like another
    return "-".join("".join(secrets.choice(letters) for _ in range(4)) for _ in range(5))


def check_new(password: str, again: str, login: str) -> None:
    """Raise Refused console/password for a password that is too short, too long, the login, or typed differently."""
    if password != again:
        raise Refused("console/password", "The two are not the same.")
    if not SHORTEST <= len(_same(password)) <= LONGEST:
        raise Refused("console/password", f"{SHORTEST} to {LONGEST} characters.")
    if _same(password).casefold() == _same(login).casefold() or len(set(password)) < 4:  # noqa: PLR2004 - aaaa…
        raise Refused("console/password", "It is too easy to guess.")


def _same(password: str) -> str:
    """Bring what different keyboards make of one text to one form (RFC 8265 section 4.2)."""
    return unicodedata.normalize("NFC", password)
