"""The secrets of partners: files of their owner alone, read when they are needed and never logged.

A file holds one secret a line; a line `<secret> until <time>` is one that was replaced and counts till then. It lies in
`<home>/desk/secrets/<system id>`, or as `axis_partner_<system id>` in the folder AXIS_SECRETS_DIR, which goes first.
"""

import datetime as dt
import secrets
import stat
from pathlib import Path

from axis.core.partners import SYSTEM_PATTERN
from axis.errors import Malformed, Misconfigured
from axis.trust.files import write

_FOLDERS = ("desk", "secrets")
_PROVIDED = "axis_partner_"
_MOST_BYTES = 16 * 1024
_UNTIL = " until "


def check_system_id(text: str) -> str:
    """Return a system's id; raise Malformed `partner/system-id`. It is also the name of a file."""
    if not SYSTEM_PATTERN.fullmatch(text):
        raise Malformed(f"{text[:80]!r} is no system id", code="partner/system-id")
    return text


class Secrets:
    """Find the secrets of systems. `provided`: the folder that an operator's machinery fills."""

    def __init__(self, home: Path, provided: Path | None = None) -> None:
        self._own = home.joinpath(*_FOLDERS)
        self._provided = provided

    def of(self, system_id: str, now: dt.datetime) -> tuple[bytes, ...]:
        """Return the secrets that count now; raise Misconfigured `partner/secret`, which never says one."""
        lines = self._lines(check_system_id(system_id))
        return tuple(secret.encode() for secret, until in lines if until is None or now < until)

    def make(self, system_id: str, now: dt.datetime, *, overlap: dt.timedelta = dt.timedelta(0)) -> str:
        """Write a new secret and return it; those that count now do so for `overlap` yet."""
        path = self._own / check_system_id(system_id)
        if self._is_provided(system_id):
            raise Misconfigured(
                f"the secret of {system_id} comes from {self._provided}: change it there", code="partner/secret"
            )
        until = now + overlap
        old = self._lines(system_id) if path.is_file() and overlap else []
        made = secrets.token_urlsafe(32)
        lines = [made, *(f"{each}{_UNTIL}{min(end or until, until).isoformat()}" for each, end in old)]
        self._own.mkdir(mode=0o700, parents=True, exist_ok=True)
        write(path, "".join(f"{line}\n" for line in lines).encode(), 0o600)
        return made

    def has(self, system_id: str) -> bool:
        """Say whether there is a file for a system."""
        return self._is_provided(system_id) or (self._own / system_id).is_file()

    def remove(self, system_id: str) -> None:
        """Remove our own file; what is provided is not ours to remove."""
        (self._own / check_system_id(system_id)).unlink(missing_ok=True)

    def _is_provided(self, system_id: str) -> bool:
        return self._provided is not None and (self._provided / f"{_PROVIDED}{system_id}").is_file()

    def _lines(self, system_id: str) -> list[tuple[str, dt.datetime | None]]:
        path = self._own / system_id
        if self._provided is not None and self._is_provided(system_id):
            # Whoever provides secrets sees to their rights: mounted ones are often readable by a group.
            path = self._provided / f"{_PROVIDED}{system_id}"
        elif path.is_file() and stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise Misconfigured(f"{path} can be read by others: chmod 600", code="partner/secret")
        try:
            with path.open(encoding="utf-8") as file:
                text = file.read(_MOST_BYTES)
            lines = [line.strip().partition(_UNTIL) for line in text.splitlines() if line.strip()]
            return [(secret, dt.datetime.fromisoformat(until) if until else None) for secret, _, until in lines]
        except (OSError, UnicodeDecodeError, ValueError) as error:
            told = error.strerror if isinstance(error, OSError) else "it cannot be read"
            raise Misconfigured(f"{path}: {told}", code="partner/secret") from None
