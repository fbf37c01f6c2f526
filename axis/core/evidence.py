"""What shows that a certificate is not revoked, and how long the axis takes that for granted."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from axis.core.codes import lineage

EVERYBODY = "*"


class Standing(StrEnum):
    """How well it was shown, when an envelope was accepted, that its signer's certificate was not revoked."""

    FRESH = "fresh"  # by an answer that was still good by its own word
    STALE = "stale"  # by one whose time was over; the policy allowed that for a while
    NONE = "none"  # by none: nobody is asked about such a certificate, or nobody has answered yet


@dataclass(frozen=True, slots=True)
class Answer:
    """What an authority said: a revocation list (RFC 5280 section 5) or an OCSP answer (RFC 6960), as received.

    `source` says what is asked for, where: answers from one source must never go back in time. `number` is a list's
    (RFC 5280 section 5.2.3).
    """

    kind: Literal["crl", "ocsp"]
    source: str
    sha256: str
    this_update: dt.datetime
    next_update: dt.datetime
    number: int | None
    body: bytes


@dataclass(frozen=True, slots=True)
class Evidence:
    """Proof that a certificate and all authorities above it were not revoked: one answer for each of them.

    `as_of`: when the oldest of them was made. `good_until`: when the first of them ends to be good by its own word.
    """

    thumbprint: str
    answers: tuple[Answer, ...]

    @property
    def as_of(self) -> dt.datetime:
        """When the oldest answer was made."""
        return min(answer.this_update for answer in self.answers)

    @property
    def good_until(self) -> dt.datetime:
        """When the first answer ends to be good."""
        return min(answer.next_update for answer in self.answers)


@dataclass(frozen=True, slots=True)
class Proof:
    """Evidence as the store tells it with an envelope."""

    id: int
    as_of: dt.datetime
    good_until: dt.datetime

    def standing(self, at: dt.datetime) -> Standing:
        """Say how well it showed something at a moment."""
        return Standing.FRESH if at < self.good_until else Standing.STALE


@dataclass(frozen=True, slots=True)
class GracePolicy:
    """How long signatures are taken after the evidence for their certificate has ended to be good.

    `hours` by code, for it and all below; the nearest counts, `*` is everybody else.
    """

    hours: Mapping[str, float]

    def of(self, organisation: str) -> dt.timedelta:
        """Return the grace of an organisation."""
        for code in lineage(organisation):
            if code in self.hours:
                return dt.timedelta(hours=self.hours[code])
        return dt.timedelta(hours=self.hours.get(EVERYBODY, 0.0))

    def trusted_until(self, organisation: str, good_until: dt.datetime) -> dt.datetime:
        """Return when signatures stop being taken, if nothing newer comes."""
        return good_until + self.of(organisation)
