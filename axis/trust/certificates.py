"""Certificates at enrolment: what is taken, and under which name it is known afterwards."""

import datetime as dt
import hashlib
import re
import unicodedata
import warnings

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PublicKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.oid import ExtensionOID

from axis.core.enrolment import Enrolment
from axis.errors import Refused
from axis.trust import encoding
from axis.trust.algorithms import check_public_key
from axis.trust.sealing_usage import check_sealing_key, check_sealing_usage
from schemas import Certificate, CertificateRole

# An extension of our demonstration CA. The arc is that of UUIDs (2.25), which anybody may use: it names nothing else.
DEMONSTRATION_OID = x509.ObjectIdentifier("2.25.214748364799000000001")
_MAX_PEM_BYTES = 64 * 1024
# What cryptography raises on hostile or broken DER, besides ValueError; certificates are parsed piece by piece, so any
# look at one can raise any of these.
UNREADABLE = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
    CryptographyDeprecationWarning,
)
_PEM_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,40})-----")
# RFC 5280 section 4.2: who does not understand a critical extension refuses the certificate. These are looked at
# below, or say nothing about signing documents.
_UNDERSTOOD = frozenset(
    {
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
        ExtensionOID.CERTIFICATE_POLICIES,
        DEMONSTRATION_OID,
    }
)


def thumbprint(der: bytes) -> str:
    """Name a certificate as a signature's header does: x5t#S256, RFC 7515 section 4.1.8."""
    return encoding.encode(hashlib.sha256(der).digest())


def load_pem(pem: bytes) -> x509.Certificate:
    """Parse a PEM file that holds one certificate and nothing else; raise Refused certificate/malformed."""
    if len(pem) > _MAX_PEM_BYTES:
        raise Refused("certificate/malformed", f"{len(pem)} bytes")
    blocks = _PEM_BLOCK.findall(pem)
    if any(block.endswith(b"PRIVATE KEY") for block in blocks):
        raise Refused("certificate/malformed", "the file holds a private key: keep that, give the certificate alone")
    if len(blocks) > 1:
        # Which of a chain is meant would be a guess; the order differs between authorities.
        raise Refused("certificate/malformed", f"the file holds {len(blocks)} blocks: give the one that signs, alone")
    try:
        with warnings.catch_warnings():
            # What the library still reads but calls a breach of RFC 5280 (a negative serial number) it will refuse
            # one day, and every worker that loads it then would stop taking it: refuse it now.
            warnings.simplefilter("error", CryptographyDeprecationWarning)
            return x509.load_pem_x509_certificate(pem)
    except UNREADABLE as error:
        raise Refused("certificate/malformed", f"not an X.509 certificate in PEM: {error}"[:300]) from error


def enrol(
    certificate_pem: bytes,
    organisation: str,
    role: CertificateRole,
    at: dt.datetime,
    *,
    allow_demonstration: bool = False,
) -> Enrolment:
    """Check a certificate by itself and make the record under which its key may sign, or be sealed for (`sealing`).

    Raises Refused certificate/*, or seal/key-kind.

    Who issued it and whose it is, `axis.trust.enrolling` checks; demonstration certificates alone go without.
    """
    certificate = load_pem(certificate_pem)
    sealing = role == "sealing"
    try:
        (check_sealing_key if sealing else check_public_key)(certificate.public_key())
    except UNREADABLE as error:
        raise Refused("certificate/malformed", f"its public key cannot be read: {error}"[:300]) from error
    _check_validity(certificate, at)
    _check_usage(certificate, sealing=sealing)
    if is_demonstration(certificate) and not allow_demonstration:
        raise Refused(
            "certificate/malformed", "it is of a demonstration CA, whose key anybody may have: not for a real axis"
        )
    der = certificate.public_bytes(Encoding.DER)
    return Enrolment(
        thumbprint=thumbprint(der),
        organisation=organisation,
        role=role,
        subject=_subject(certificate),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        der=der,
        matched="demonstration" if is_demonstration(certificate) else None,
    )


def is_demonstration(certificate: x509.Certificate) -> bool:
    """Say whether a certificate carries the mark of a demonstration CA."""
    return any(extension.oid == DEMONSTRATION_OID for extension in certificate.extensions)


def is_second(certificate: Certificate) -> bool:
    """Say whether an enrolled certificate's key makes second signatures (ML-DSA-65), which never stand alone."""
    try:
        return isinstance(x509.load_der_x509_certificate(certificate.der).public_key(), MLDSA65PublicKey)
    except UNREADABLE:
        return False  # it verifies nothing, in either place


def _check_validity(certificate: x509.Certificate, at: dt.datetime) -> None:
    if at < certificate.not_valid_before_utc:
        raise Refused("certificate/not-yet-valid", f"valid from {certificate.not_valid_before_utc.isoformat()}")
    if at >= certificate.not_valid_after_utc:
        raise Refused("certificate/expired", f"it ended at {certificate.not_valid_after_utc.isoformat()}")


def _check_usage(certificate: x509.Certificate, *, sealing: bool) -> None:
    try:
        extensions = certificate.extensions
    except UNREADABLE as error:
        raise Refused("certificate/malformed", f"its extensions cannot be read: {error}"[:300]) from error
    for extension in extensions:
        value = extension.value
        if isinstance(value, x509.BasicConstraints) and value.ca:
            # A CA's key signs certificates; one that also signs documents would be worth stealing twice.
            # `openssl req -x509` makes such a one unless it is told otherwise.
            raise Refused("certificate/malformed", "a CA certificate (CA:TRUE) does not sign documents: take CA:FALSE")
        if isinstance(value, x509.KeyUsage):
            _check_key_usage(value, sealing=sealing)
        if extension.critical and extension.oid not in _UNDERSTOOD:
            oid = extension.oid.dotted_string
            raise Refused("certificate/malformed", f"its critical extension {oid} is not understood here")
    if sealing:
        check_sealing_usage(certificate)


def _check_key_usage(usage: x509.KeyUsage, *, sealing: bool) -> None:
    if usage.key_cert_sign or usage.crl_sign:
        raise Refused("certificate/malformed", "its key usage is that of a CA, which does not sign documents")
    if not sealing and not (usage.digital_signature or usage.content_commitment):
        raise Refused("certificate/malformed", "its key usage does not allow signatures")


def _subject(certificate: x509.Certificate) -> str:
    try:
        text = unicodedata.normalize("NFC", certificate.subject.rfc4514_string())
    except UNREADABLE as error:
        raise Refused("certificate/malformed", f"its subject cannot be read: {error}"[:300]) from error
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)[:500]
