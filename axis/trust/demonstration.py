"""A certification authority for one machine: demonstrations and tests, and nothing else.

It cannot be mistaken for a real one: every name says so, every certificate carries an extension that `enrol` refuses
unless it is told otherwise, and none lives longer than a year.
"""

import datetime as dt
import os
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from axis.errors import Misconfigured
from axis.trust.algorithms import PrivateKey
from axis.trust.certificates import DEMONSTRATION_OID, load_pem
from axis.trust.keys import load_key

WARNING = "DEMONSTRATION - NOT FOR REAL USE"
_CA_DAYS = 3650
_LONGEST_DAYS = 366
_MAX_NAME = 64  # RFC 5280's upper bound for a common name
_CLOCK_SLACK = dt.timedelta(minutes=5)


class DemonstrationCA:
    """Issue certificates that no real axis takes."""

    def __init__(self, key: EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
        self._key = key
        self._certificate = certificate

    @classmethod
    def open_or_create(cls, folder: Path, now: dt.datetime) -> Self:
        """Load the authority kept in a folder, or make one there; raise Misconfigured when its files are broken."""
        key_file, certificate_file = folder / "ca.key.pem", folder / "ca.certificate.pem"
        if not certificate_file.exists():
            folder.mkdir(parents=True, exist_ok=True)
            made = generate_private_key(SECP256R1())
            certificate = _certificate(
                made,
                subject=_name(f"{WARNING} CA"),
                issuer=_name(f"{WARNING} CA"),
                signer=made,
                now=now,
                days=_CA_DAYS,
                ca=True,
            )
            pem = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            with os.fdopen(os.open(key_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(pem)
            certificate_file.write_bytes(certificate.public_bytes(Encoding.PEM))
        try:
            key = load_key(key_file.read_bytes())
            certificate = load_pem(certificate_file.read_bytes())
        except OSError as error:
            raise Misconfigured(f"{error.filename}: {error.strerror}") from error
        if not isinstance(key, EllipticCurvePrivateKey):
            raise Misconfigured(f"{key_file} is not the key of a demonstration CA")
        return cls(key, certificate)

    @property
    def certificate(self) -> bytes:
        """The authority's own certificate, PEM."""
        return self._certificate.public_bytes(Encoding.PEM)

    def issue(self, code: str, key_pem: bytes, *, name: str, now: dt.datetime, days: int = 90) -> bytes:
        """Issue a certificate (PEM) for an organisation's key; `days` at most a year."""
        key = load_key(key_pem)
        subject = _name(f"{code} {WARNING}", organisation=f"{name} ({WARNING})")
        certificate = _certificate(
            key,
            subject=subject,
            issuer=self._certificate.subject,
            signer=self._key,
            now=now,
            days=min(days, _LONGEST_DAYS),
            ca=False,
        )
        return certificate.public_bytes(Encoding.PEM)


def _certificate(
    key: PrivateKey,
    *,
    subject: x509.Name,
    issuer: x509.Name,
    signer: EllipticCurvePrivateKey | Ed25519PrivateKey,
    now: dt.datetime,
    days: int,
    ca: bool,
) -> x509.Certificate:
    usage = x509.KeyUsage(
        digital_signature=not ca,
        content_commitment=not ca,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SLACK)
        .not_valid_after(now + dt.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=0 if ca else None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.UnrecognizedExtension(DEMONSTRATION_OID, WARNING.encode("ascii")), critical=False)
        .sign(signer, SHA256())
    )


def _name(common_name: str, organisation: str | None = None) -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, common_name[:_MAX_NAME])]
    if organisation is not None:
        attributes.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation[:_MAX_NAME]))
    return x509.Name(attributes)
