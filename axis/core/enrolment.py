"""A certificate as the axis holds it: what the wire says of it, and its life here.

    request ──▶ enrolled ──▶ retired   its owner has another one; nothing it signed is in doubt
                   │   └───▶ expired   its own end
                   └───────▶ revoked   what it signed since `invalid_since` is in doubt

A successor is enrolled while the old one still counts: both sign until the old one is retired.
"""

import datetime as dt
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field

from schemas import Certificate
from schemas.base import Moment, Text500, Thumbprint


class State(StrEnum):
    """Where a certificate is in its life."""

    NOT_YET_VALID = "not yet valid"
    VALID = "valid"
    UNPROVEN = "unproven"  # nobody has said for too long that it is not revoked; refused until somebody does
    RETIRED = "retired"
    EXPIRED = "expired"
    REVOKED = "revoked"


class Enrolment(Certificate):
    """A certificate with what only the axis knows of it; agencies are shown the `Certificate` in it."""

    retired_at: Moment | None = None
    invalid_since: Annotated[Moment | None, Field(description="Since when its signatures are in doubt.")] = None
    revocation: Annotated[Text500 | None, Field(description="Why it was revoked, and by whose word.")] = None
    evidence: Annotated[int | None, Field(description="What shows now that it is not revoked.")] = None
    trusted_until: Annotated[Moment | None, Field(description="How long that suffices; None: not asked for.")] = None
    anchor: Annotated[Thumbprint | None, Field(description="The root its chain ends in; None: not checked.")] = None
    matched: Annotated[Text500 | None, Field(description="How it was found to be the organisation's.")] = None
    predecessor: Thumbprint | None = None

    @classmethod
    def of(cls, certificate: Certificate) -> Self:
        """Take a certificate as one of whose life nothing is known."""
        if isinstance(certificate, cls):
            return certificate
        return cls(**{name: getattr(certificate, name) for name in Certificate.model_fields})

    @property
    def certificate(self) -> Certificate:
        """What agencies may see of it."""
        return Certificate(**{name: getattr(self, name) for name in Certificate.model_fields})

    @property
    def until(self) -> dt.datetime:
        """When its signatures stop being taken, as things stand."""
        ends = (self.not_after, self.revoked_at, self.retired_at, self.trusted_until)
        return min(each for each in ends if each is not None)

    def state(self, at: dt.datetime) -> State:
        """Say where it is in its life; of several ends the gravest counts."""
        for state, since in (
            (State.REVOKED, self.revoked_at),
            (State.EXPIRED, self.not_after),
            (State.RETIRED, self.retired_at),
            (State.UNPROVEN, self.trusted_until),
        ):
            if since is not None and at >= since:
                return state
        return State.VALID if at >= self.not_before else State.NOT_YET_VALID
