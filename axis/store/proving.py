"""What the store holds about revocation: the seam. What authorities said, warnings, and what a key has signed."""

import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from axis.core.evidence import Answer, Evidence, Proof


@dataclass(frozen=True, slots=True)
class Stamp:
    """How new an answer was; what comes from its source later must not be older."""

    this_update: dt.datetime
    number: int | None


@dataclass(frozen=True, slots=True)
class Signed:
    """An envelope or a status that was taken under a certificate, and by which evidence.

    `at`: when it was taken, by the axis's clock; `said_by`: its sender or reporter; `about`: the envelope's document,
    or the status's envelope. Statuses recorded before migration 0024 are kept without evidence.
    """

    kind: Literal["envelope", "status"]
    id: str
    at: dt.datetime
    said_by: str
    account: str
    about: str
    proof: Proof | None


class ProofStore(ABC):
    """Evidence that certificates are not revoked."""

    @abstractmethod
    async def newest(self, sources: Collection[str]) -> dict[str, Stamp]:
        """Return how new the newest answer of each source is; sources that never gave one are left out."""

    @abstractmethod
    async def keep(self, evidence: Evidence, trusted_until: dt.datetime) -> None:
        """Store evidence with its answers, and have the certificate rely on it until then.

        The same evidence again is one row; a certificate that is not enrolled is left alone.
        """

    @abstractmethod
    async def trust(self, thumbprint: str, until: dt.datetime | None) -> None:
        """Have a certificate rely until then on what it has; None: as long as it lasts."""

    @abstractmethod
    async def proofs(self, ids: Collection[int]) -> dict[int, Proof]:
        """Return evidence by id, without its answers."""

    @abstractmethod
    async def answers(self, evidence: int) -> list[Answer]:
        """Return the answers that make up evidence, byte for byte."""

    @abstractmethod
    async def warned(self) -> dict[str, dict[int, dt.datetime]]:
        """Return thumbprint -> days before its end -> when that was warned of."""

    @abstractmethod
    async def warn(self, thumbprint: str, days: int) -> bool:
        """Note a warning; say whether it is the first: of several who call at once one is told so."""

    @abstractmethod
    def signed(
        self, thumbprint: str, *, made_since: dt.datetime, page: int = 5000
    ) -> AsyncGenerator[Sequence[Signed], None]:
        """Yield what was taken under a certificate: first envelopes, then statuses, by id.

        `made_since`: rows whose id was made before are not looked at. One statement looks at `page` rows.
        """
