"""Certificates at enrolment: what is taken, and under which name it is known afterwards."""

import datetime as dt
import hashlib
from typing import Literal

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding

from axis.errors import Refused
from axis.trust import encoding
from axis.trust.algorithms import check_public_key
from schemas import Certificate

# An extension of our demonstration CA. The arc is that of UUIDs (2.25), which anybody may use: it names nothing else.
DEMONSTRATION_OID = x509.ObjectIdentifier("2.25.214748364799000000001")
_MAX_PEM_BYTES = 64 * 1024


def thumbprint(der: bytes) -> str:
    """Name a certificate as a signature's header does: x5t#S256, RFC 7515 section 4.1.8."""
    return encoding.encode(hashlib.sha256(der).digest())


def load_pem(pem: bytes) -> x509.Certificate:
    """Parse one PEM certificate; raise Refused certificate/malformed."""
    if len(pem) > _MAX_PEM_BYTES:
        raise Refused("certificate/malformed", f"{len(pem)} bytes")
    try:
        return x509.load_pem_x509_certificate(pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Refused("certificate/malformed", f"not an X.509 certificate in PEM: {error}"[:300]) from error


def enrol(
    certificate_pem: bytes,
    organisation: str,
    role: Literal["agency", "gateway", "axis"],
    at: dt.datetime,
    *,
    allow_demonstration: bool = False,
) -> Certificate:
    """Check a certificate and make the record under which its key may sign; raise Refused certificate/*.

    Who issued it is for the operator to judge before enrolling: enrolment by thumbprint is what makes it trusted.
    """
    certificate = load_pem(certificate_pem)
    try:
        check_public_key(certificate.public_key())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Refused("certificate/malformed", f"its public key cannot be read: {error}"[:300]) from error
    _check_validity(certificate, at)
    _check_usage(certificate)
    if is_demonstration(certificate) and not allow_demonstration:
        raise Refused(
            "certificate/malformed", "it is of a demonstration CA, whose key anybody may have: not for a real axis"
        )
    der = certificate.public_bytes(Encoding.DER)
    return Certificate(
        thumbprint=thumbprint(der),
        organisation=organisation,
        role=role,
        subject=_subject(certificate),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        der=der,
    )


def is_demonstration(certificate: x509.Certificate) -> bool:
    """Say whether a certificate carries the mark of a demonstration CA."""
    return any(extension.oid == DEMONSTRATION_OID for extension in certificate.extensions)


def _check_validity(certificate: x509.Certificate, at: dt.datetime) -> None:
    if at < certificate.not_valid_before_utc:
        raise Refused("certificate/not-yet-valid", f"valid from {certificate.not_valid_before_utc.isoformat()}")
    if at >= certificate.not_valid_after_utc:
        raise Refused("certificate/expired", f"it ended at {certificate.not_valid_after_utc.isoformat()}")


def _check_usage(certificate: x509.Certificate) -> None:
    try:
        extensions = certificate.extensions
    except (ValueError, x509.DuplicateExtension) as error:
        raise Refused("certificate/malformed", f"its extensions cannot be read: {error}"[:300]) from error
    for extension in extensions:
        value = extension.value
        if isinstance(value, x509.BasicConstraints) and value.ca:
            # A CA's key signs certificates; one that also signs documents would be worth stealing twice.
            raise Refused("certificate/malformed", "a CA certificate does not sign documents")
        if isinstance(value, x509.KeyUsage) and not (value.digital_signature or value.content_commitment):
            raise Refused("certificate/malformed", "its key usage does not allow signatures")


def _subject(certificate: x509.Certificate) -> str:
    text = certificate.subject.rfc4514_string()
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)[:500]
