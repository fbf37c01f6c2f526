"""The enrolled certificates, ready to verify with: a look-up by thumbprint, no chains, no revocation lists.

Everything slow was done at enrolment and when the ring is built; per message there is one dictionary look-up, two
comparisons of times, and the signature itself.
"""

import datetime as dt
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Self

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from axis.core.enrolment import Enrolment, State
from axis.core.hybrid import SEPARATOR
from axis.core.messages import Signer
from axis.errors import Refused
from axis.trust.algorithms import VerifyingKey, verifying_key
from axis.trust.certificates import UNREADABLE
from axis.trust.certificates import thumbprint as thumbprint_of
from axis.trust.jws import take_apart
from schemas import Certificate

log = logging.getLogger("axis.trust")


@dataclass(frozen=True, slots=True)
class _Entry:
    """A certificate made ready: `since` and `until` bound the time in which its signatures are taken."""

    enrolment: Enrolment
    certificate: Certificate
    since: dt.datetime
    until: dt.datetime
    signer: Signer | None  # None: a sealing key, which signs nothing
    key: VerifyingKey


class Keyring:
    """Verify signatures under the certificates given. Never changes; `updated` makes another one."""

    _entries: Mapping[str, _Entry]

    def __init__(self, certificates: Iterable[Certificate]) -> None:
        self._entries = _entries(certificates, {})

    def updated(self, certificates: Iterable[Certificate]) -> Self:
        """Return a ring in which these certificates are new or replaced."""
        ring = type(self)(())
        # The same class builds itself: nobody has seen this ring yet.
        changed = tuple(certificates)
        # What is replaced is gone even when its replacement cannot be used: the old row may be the unrevoked one.
        kept = dict(self._entries)
        for certificate in changed:
            kept.pop(certificate.thumbprint, None)
        ring._entries = {**kept, **_entries(changed, self._entries)}  # noqa: SLF001 - our own
        return ring

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, thumbprint: str) -> Certificate | None:
        """Return a certificate's record."""
        entry = self._entries.get(thumbprint)
        return None if entry is None else entry.certificate

    def certificates(self) -> list[Enrolment]:
        """Return what is known of all certificates in it."""
        return [entry.enrolment for entry in self._entries.values()]

    def verify(self, body: bytes, signature: str | None, at: dt.datetime) -> Signer:
        """Return who signed these exact bytes; raise Refused signature/* or certificate/* when nobody provably did."""
        if isinstance(signature, str) and SEPARATOR in signature:
            first, second = signature.split(SEPARATOR, 1)
            if first and second:  # a space around a single one makes no hybrid of it, and is malformed below
                return self._verify_both(body, first, second, at)
        detached = take_apart(signature)
        header = detached.header
        return self.check(header.thumbprint, header.algorithm, detached.signature, detached.prefix + body, at)

    def _verify_both(self, body: bytes, first: str, second: str, at: dt.datetime) -> Signer:
        """Verify a hybrid: the classical signature as ever, and the second one for the same organisation and role."""
        signer = self.verify(body, first, at)
        detached = take_apart(second, second=True)
        header = detached.header
        other = self.check(header.thumbprint, header.algorithm, detached.signature, detached.prefix + body, at)
        if (other.organisation, other.role) != (signer.organisation, signer.role):
            told = f"one is of {signer.organisation} ({signer.role}), the other of {other.organisation} ({other.role})"
            raise Refused("signature/second-mismatch", told)
        return replace(signer, second=other.thumbprint)

    def check(self, thumbprint: str, algorithm: str, signature: bytes, signed: bytes, at: dt.datetime) -> Signer:
        """Check a signature over a whole signing input; raises as `verify`."""
        entry = self._entries.get(thumbprint)
        if entry is None:
            raise Refused("certificate/unknown", f"no certificate {thumbprint} is enrolled")
        if entry.signer is None:
            raise Refused("abuse/signer", f"{thumbprint} is enrolled for sealing: its key signs nothing")
        if not entry.since <= at < entry.until:
            raise _out_of_time(entry.enrolment, at)
        verify = entry.key.algorithms.get(algorithm)
        if verify is None:
            raise Refused("signature/algorithm", f"{algorithm} does not go with the key of {thumbprint}")
        try:
            verify(signature, signed)
        except InvalidSignature as error:
            raise Refused("signature/invalid", f"not signed by the key of {entry.signer.organisation}") from error
        return entry.signer


def _out_of_time(certificate: Enrolment, at: dt.datetime) -> Refused:
    """Say why a signature comes too late or too early; of several reasons the gravest."""
    match certificate.state(at):
        case State.REVOKED:
            return Refused("certificate/revoked", f"revoked at {_written(certificate.revoked_at)}")
        case State.RETIRED:
            return Refused("certificate/retired", f"retired at {_written(certificate.retired_at)}")
        case State.UNPROVEN:
            told = f"nobody says since {_written(certificate.trusted_until)} that it is not revoked"
            return Refused("certificate/unproven", told)
        case State.EXPIRED:
            return Refused("certificate/expired", f"it ended at {_written(certificate.not_after)}")
        case _:
            return Refused("certificate/not-yet-valid", f"valid from {_written(certificate.not_before)}")


def _written(moment: dt.datetime | None) -> str:
    return "" if moment is None else moment.isoformat()


def _entries(certificates: Iterable[Certificate], before: Mapping[str, _Entry]) -> dict[str, _Entry]:
    found: dict[str, _Entry] = {}
    for certificate in certificates:
        old = before.get(certificate.thumbprint)
        try:
            key = old.key if old is not None and old.certificate.der == certificate.der else _key_of(certificate)
        except (Refused, *UNREADABLE) as error:
            # One bad row must not take the others with it; its owner is told certificate/unknown.
            log.error(  # noqa: TRY400 - the sentence says all, a traceback only where it was found
                "certificate %s of %s cannot be used: %s", certificate.thumbprint, certificate.organisation, error
            )
            continue
        enrolment, role = Enrolment.of(certificate), certificate.role
        signer = (
            None
            if role == "sealing"
            else Signer(certificate.organisation, certificate.thumbprint, role, enrolment.evidence)
        )
        found[certificate.thumbprint] = _Entry(
            enrolment, enrolment.certificate, enrolment.not_before, enrolment.until, signer, key
        )
    return found


def _key_of(certificate: Certificate) -> VerifyingKey:
    if thumbprint_of(certificate.der) != certificate.thumbprint:
        raise ValueError("the thumbprint is of another certificate")
    return verifying_key(x509.load_der_x509_certificate(certificate.der).public_key())
