"""A certification authority for one machine: demonstrations and tests, and nothing else.

It cannot be mistaken for a real one: every name says so, every certificate carries a critical extension that no other
software understands and so must refuse (RFC 5280 section 4.2), `enrol` refuses it unless it is told otherwise, and none
lives longer than a year, the authority's own included.
"""

import datetime as dt
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import Encoding

from axis.errors import Misconfigured, Refused
from axis.trust import issuing
from axis.trust.certificates import load_pem
from axis.trust.files import authority_key, locked
from axis.trust.issuing import WARNING, Issuer, Purpose
from axis.trust.keys import load_key

_LONGEST_DAYS = 366
_RENEW_BEFORE = dt.timedelta(days=30)


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
            with locked(folder):
                key = authority_key(key_file)
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

    def issue(
        self, code: str, key_pem: bytes, *, name: str, now: dt.datetime, days: int = 90, sealing: bool = False
    ) -> bytes:
        """Issue a certificate (PEM) for an organisation's key, to sign or to seal for; `days` at most a year."""
        certificate = issuing.certificate(
            load_key(key_pem),
            Purpose.SEALING if sealing else Purpose.DOCUMENTS,
            issuing.name(f"{code} {WARNING}", organisation=f"{name} ({WARNING})"),
            Issuer(self._key, self._certificate.subject),
            now=now,
            days=min(days, _LONGEST_DAYS),
            critical_mark=True,
        )
        return certificate.public_bytes(Encoding.PEM)


def _self_signed(key: EllipticCurvePrivateKey, now: dt.datetime) -> x509.Certificate:
    name = issuing.name(f"{WARNING} CA")
    return issuing.certificate(
        key, Purpose.AUTHORITY, name, Issuer(key, name), now=now, days=_LONGEST_DAYS, critical_mark=True
    )
