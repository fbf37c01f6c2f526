"""Whose signatures on documents count."""

import asyncio
import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from axis.trust.certificates import thumbprint

if TYPE_CHECKING:
    from axis.trust.chains import Authorities


@dataclass(frozen=True, slots=True)
class Trust:
    """Authorities whose certificates count, and single certificates (by thumbprint) that count by themselves."""

    authorities: "Authorities | None" = None
    certificates: frozenset[str] = frozenset()

    @classmethod
    def load(cls, folder: Path) -> "Trust":
        """Read `roots/*.pem` and `intermediates/*.pem`; no folder trusts nobody. Raises Misconfigured."""
        if not folder.is_dir():
            return cls()
        # What finds chains takes longer to load than most commands take, and most profiles have no such folder.
        from axis.trust.chains import Authorities  # noqa: PLC0415

        return cls(Authorities.load(folder))

    @property
    def roots(self) -> tuple[bytes, ...]:
        """The roots (DER)."""
        return self.authorities.roots if self.authorities else ()

    @property
    def intermediates(self) -> tuple[bytes, ...]:
        """The authorities in between (DER), which prove nothing themselves."""
        return self.authorities.intermediates if self.authorities else ()

    @property
    def name(self) -> str:
        """A digest of who is trusted: another one when that has changed."""
        parts = [
            *sorted(self.roots),
            b"",
            *sorted(self.intermediates),
            b"",
            *sorted(map(str.encode, self.certificates)),
        ]
        return hashlib.sha256(b"".join(len(each).to_bytes(8, "big") + each for each in parts)).hexdigest()

    def check(self, leaf: bytes, others: Sequence[bytes], at: dt.datetime) -> None:
        """Raise Refused certificate/* unless a certificate (DER) counts at a time; `others` came along with it.

        Not to be called where an event loop runs: the search of the chain brings its own.
        """
        if thumbprint(leaf) in self.certificates:
            return
        from axis.trust.chains import Authorities, find_chain  # noqa: PLC0415 - as above

        authorities = Authorities(self.roots, (*self.intermediates, *others))
        asyncio.run(find_chain(leaf, authorities, at))
