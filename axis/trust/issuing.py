"""Building certificates and revocation lists: one place for every authority of this program (RFC 5280).

All of them carry the mark of a demonstration: whoever has the folder can sign. For documents the mark is critical, so
that no other software takes them. For TLS it cannot be, because brokers and databases have to take them; enrolment
sees it all the same.
"""

import datetime as dt
import ipaddress
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from axis.errors import Malformed
from axis.trust.algorithms import PrivateKey
from axis.trust.certificates import DEMONSTRATION_OID

WARNING = "DEMONSTRATION - NOT FOR REAL USE"
MAX_NAME = 64  # RFC 5280's upper bound for a common name
CLOCK_SLACK = dt.timedelta(minutes=5)


class Purpose(StrEnum):
    """What a certificate is for."""

    AUTHORITY = "authority"
    DOCUMENTS = "documents"
    SEALING = "sealing"
    SERVER = "server"
    CLIENT = "client"


_USAGES: Mapping[Purpose, x509.ObjectIdentifier] = {
    Purpose.SERVER: ExtendedKeyUsageOID.SERVER_AUTH,
    Purpose.CLIENT: ExtendedKeyUsageOID.CLIENT_AUTH,
}


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who signs: a key, its name, and when its own certificate ends (None: it signs itself now)."""

    key: EllipticCurvePrivateKey = field(repr=False)
    name: x509.Name
    until: dt.datetime | None = None

    @classmethod
    def of(cls, key: EllipticCurvePrivateKey, certificate: x509.Certificate) -> "Issuer":
        """Sign under this certificate."""
        return cls(key, certificate.subject, certificate.not_valid_after_utc)


def certificate(
    key: PrivateKey,
    purpose: Purpose,
    subject: x509.Name,
    issuer: Issuer,
    *,
    now: dt.datetime,
    days: int,
    critical_mark: bool = False,
    path_length: int = 0,
    hosts: Sequence[str] = (),
) -> x509.Certificate:
    """Sign a certificate. It ends with its issuer's at the latest; `path_length` is an authority's alone.

    Raises Malformed `pki/host` for a host that is neither a DNS name nor an address.
    """
    authority = purpose is Purpose.AUTHORITY
    until = now + dt.timedelta(days=days)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SLACK)
        .not_valid_after(until if issuer.until is None else min(until, issuer.until))
        .add_extension(
            x509.BasicConstraints(ca=authority, path_length=path_length if authority else None), critical=True
        )
        .add_extension(_key_usage(purpose, key), critical=True)
        # RFC 5280 section 4.2.1.1 and 4.2.1.2; Python 3.13 refuses a chain without them.
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), critical=False)
        .add_extension(
            x509.UnrecognizedExtension(DEMONSTRATION_OID, _utf8_string(WARNING)),
            critical=critical_mark,
        )
    )
    if purpose in _USAGES:
        builder = builder.add_extension(x509.ExtendedKeyUsage([_USAGES[purpose]]), critical=False)
    if hosts:
        builder = builder.add_extension(x509.SubjectAlternativeName([*map(_host, hosts)]), critical=False)
    return builder.sign(issuer.key, SHA256())


def revocation_list(
    issuer: Issuer, revoked: Iterable[tuple[int, dt.datetime]], *, now: dt.datetime, days: int
) -> x509.CertificateRevocationList:
    """Sign a revocation list of serial numbers and since when; it has to be made anew within `days`."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.name)
        .last_update(now - CLOCK_SLACK)
        .next_update(now + dt.timedelta(days=days))
        # Rises with time, which is all that RFC 5280 section 5.2.3 asks; nothing has to be counted.
        .add_extension(x509.CRLNumber(int(now.timestamp() * 1000)), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), critical=False)
    )
    for serial, at in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(at).build()
        builder = builder.add_revoked_certificate(entry)
    return builder.sign(issuer.key, SHA256())


def name(common_name: str, organisation: str | None = None) -> x509.Name:
    """Write a subject in NFC; what is longer than RFC 5280 allows is cut off."""
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, _text(common_name))]
    if organisation is not None:
        attributes.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, _text(organisation)))
    return x509.Name(attributes)


def _text(given: str) -> str:
    return unicodedata.normalize("NFC", given)[:MAX_NAME]


def _key_usage(purpose: Purpose, key: PrivateKey) -> x509.KeyUsage:
    authority, sealing = purpose is Purpose.AUTHORITY, purpose is Purpose.SEALING
    rsa = isinstance(key, RSAPrivateKey)
    return x509.KeyUsage(
        digital_signature=not (authority or sealing),
        content_commitment=purpose is Purpose.DOCUMENTS,
        key_encipherment=sealing and rsa,
        data_encipherment=False,
        key_agreement=sealing and not rsa,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        pass
    try:
        return x509.DNSName(host)
    except ValueError as error:
        raise Malformed(f"“{host}” is neither an address nor a DNS name in ASCII (xn--…)", code="pki/host") from error


def _utf8_string(text: str) -> bytes:
    data = text.encode("utf-8")  # DER: tag 12, one byte of length (under 128), the text
    return b"\x0c" + bytes([len(data)]) + data
