"""Whose signatures on documents count."""

import asyncio
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from axis.trust.certificates import thumbprint
from axis.trust.chains import Authorities, find_chain


@dataclass(frozen=True, slots=True)
class Trust:
    """Authorities whose certificates count, and single certificates (by thumbprint) that count by themselves."""

    authorities: Authorities = field(default_factory=Authorities)
    certificates: frozenset[str] = frozenset()

    @classmethod
    def load(cls, folder: Path) -> "Trust":
        """Read `roots/*.pem` and `intermediates/*.pem`; no folder trusts nobody. Raises Misconfigured."""
        return cls(Authorities.load(folder))

    def check(self, leaf: bytes, others: Sequence[bytes], at: dt.datetime) -> None:
        """Raise Refused certificate/* unless a certificate (DER) counts at a time; `others` came along with it.

        Not to be called where an event loop runs: the search of the chain brings its own.
        """
        if thumbprint(leaf) in self.certificates:
            return
        authorities = Authorities(self.authorities.roots, (*self.authorities.intermediates, *others))
        asyncio.run(find_chain(leaf, authorities, at))
