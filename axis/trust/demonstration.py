"""A certification authority for one machine: demonstrations and tests, and nothing else.

It cannot be mistaken for a real one: every name says so, every certificate carries a critical extension that no other
software understands and so must refuse (RFC 5280 section 4.2), `enrol` refuses it unless it is told otherwise, and none
lives longer than a year, the authority's own included.
"""

import datetime as dt
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from axis.errors import Misconfigured, Refused
from axis.trust.algorithms import PrivateKey
from axis.trust.certificates import DEMONSTRATION_OID, load_pem
from axis.trust.keys import load_key

WARNING = "DEMONSTRATION - NOT FOR REAL USE"
_LONGEST_DAYS = 366
_RENEW_BEFORE = dt.timedelta(days=30)
_MAX_NAME = 64  # RFC 5280's upper bound for a common name
_CLOCK_SLACK = dt.timedelta(minutes=5)


class DemonstrationCA:
    """Issue certificates that no real axis takes."""

    def __init__(self, key: EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
        self._key = key
        self._certificate = certificate

    @classmethod
    def open_or_create(cls, folder: Path, now: dt.datetime) -> Self:
        """Load the authority kept in a folder, making or renewing it there; raise Misconfigured when it is broken."""
        key_file, certificate_file = folder / "ca.key.pem", folder / "ca.certificate.pem"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with _locked(folder):
                if not key_file.exists():
                    _write_key(key_file)
                key = load_key(key_file.read_bytes())
                if not isinstance(key, EllipticCurvePrivateKey):
                    raise Misconfigured(f"{key_file} is not the key of a demonstration CA")
                certificate = load_pem(certificate_file.read_bytes()) if certificate_file.exists() else None
                if certificate is None or now > certificate.not_valid_after_utc - _RENEW_BEFORE:
                    certificate = _self_signed(key, now)
                    certificate_file.write_bytes(certificate.public_bytes(Encoding.PEM))
        except OSError as error:
            raise Misconfigured(f"{error.filename}: {error.strerror}") from error
        except Refused as refused:
            raise Misconfigured(f"{certificate_file}: {refused.detail}") from refused
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


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    # Two processes that find no key would each make one, and one of them would sign with a key nobody kept.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _write_key(path: Path) -> None:
    pem = generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    # Renamed into place: a run that is killed here must not leave half a key, which nothing would ever repair.
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(pem)
    fresh.replace(path)


def _self_signed(key: EllipticCurvePrivateKey, now: dt.datetime) -> x509.Certificate:
    name = _name(f"{WARNING} CA")
    return _certificate(key, subject=name, issuer=name, signer=key, now=now, days=_LONGEST_DAYS, ca=True)


def _certificate(
    key: PrivateKey,
    *,
    subject: x509.Name,
    issuer: x509.Name,
    signer: EllipticCurvePrivateKey,
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
        .add_extension(x509.UnrecognizedExtension(DEMONSTRATION_OID, _utf8_string(WARNING)), critical=True)
        .sign(signer, SHA256())
    )


def _utf8_string(text: str) -> bytes:
    data = text.encode("utf-8")  # DER: tag 12, one byte of length (under 128), the text
    return b"\x0c" + bytes([len(data)]) + data


def _name(common_name: str, organisation: str | None = None) -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, common_name[:_MAX_NAME])]
    if organisation is not None:
        attributes.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation[:_MAX_NAME]))
    return x509.Name(attributes)
