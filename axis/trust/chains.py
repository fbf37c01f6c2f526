"""The chain from a certificate up to an authority that this axis trusts: RFC 5280 section 6, by pyhanko-certvalidator.

Trusted is what lies in a folder of the machine, `roots/*.pem` and `intermediates/*.pem`: not a table, so that nobody
who can write the database can make himself an authority. The library is given no way to fetch anything.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko_certvalidator import CertificateValidator, ValidationContext
from pyhanko_certvalidator.errors import PathBuildingError, ValidationError
from pyhanko_certvalidator.path import ValidationPath
from pyhanko_certvalidator.sig_validate import DefaultSignatureValidator

from axis.core.reading import printable
from axis.errors import Misconfigured, Refused
from axis.trust.certificates import UNREADABLE, thumbprint

ROOTS, INTERMEDIATES = "roots", "intermediates"
_MAX_BYTES = 1024 * 1024


class Signatures(DefaultSignatureValidator):
    """The library's check of signatures, in which all that does not fit is an invalid signature.

    By itself it ends in an AssertionError where an algorithm and a key are of different kinds, and whoever signs
    chooses the algorithm: a list signed by somebody else must not end the process that looks at it.
    """

    def validate_signature(self, *arguments: Any, **named: Any) -> None:
        """Check a signature; raise InvalidSignature."""
        try:
            super().validate_signature(*arguments, **named)
        except (AssertionError, *UNREADABLE) as error:
            raise InvalidSignature from error


class NoChain(Refused):
    """Report that no authority known here could have issued a certificate: nothing speaks for it, nothing against it.

    Where a chain was found and does not hold (a signature that does not verify above all), this is not raised.
    """


@dataclass(frozen=True, slots=True)
class Authorities:
    """Certificates (DER) of the authorities an axis trusts, and of those in between, which prove nothing themselves."""

    roots: tuple[bytes, ...] = ()
    intermediates: tuple[bytes, ...] = ()

    @classmethod
    def load(cls, folder: Path) -> "Authorities":
        """Read a folder; no folder trusts nobody. Raises Misconfigured for a file that holds no certificate."""
        return cls(_read(folder / ROOTS), _read(folder / INTERMEDIATES))


@dataclass(frozen=True, slots=True)
class Chain:
    """A certificate and the authorities above it; `anchor` is the thumbprint of the root."""

    anchor: str
    path: ValidationPath

    @property
    def below_the_root(self) -> list[asn1.Certificate]:
        """The certificates that somebody can revoke, from the highest intermediate to the last."""
        return list(self.path.iter_certs(include_root=False))


async def find_chain(der: bytes, authorities: Authorities, at: dt.datetime) -> Chain:
    """Find the chain of a certificate (DER) at a time; raise Refused certificate/untrusted or certificate/malformed.

    NoChain is the `certificate/untrusted` of a certificate whose issuer is not known here at all.

    Signatures, validity, path lengths, name constraints, policies and critical extensions are checked; revocation is
    not, see `axis.trust.revocation`. SHA-1 and RSA below 2,048 bits are refused anywhere in the chain.
    """
    if not authorities.roots:
        raise NoChain("certificate/untrusted", "no root is trusted here: none lies in the folder of trusted roots")
    try:
        certificate = asn1.Certificate.load(der, strict=True)
        context = ValidationContext(
            trust_roots=[asn1.Certificate.load(each) for each in authorities.roots],
            other_certs=[asn1.Certificate.load(each) for each in authorities.intermediates],
            moment=at,
            allow_fetching=False,
            signature_validator=Signatures(),
        )
        path = await CertificateValidator(certificate, validation_context=context).async_validate_path()
    except PathBuildingError as error:
        # The name of an authority that is known, over a key that is not its own, is no unknown authority.
        kind = Refused if _bears_a_known_name(certificate, authorities) else NoChain
        raise kind("certificate/untrusted", printable(str(error))[:500]) from error
    except ValidationError as error:
        raise Refused("certificate/untrusted", printable(str(error))[:500]) from error
    except UNREADABLE as error:
        raise Refused("certificate/malformed", printable(f"it cannot be read: {error}")[:300]) from error
    root = path.first
    if root is None or len(path) < 2:  # noqa: PLR2004 - a root and what it vouches for
        raise Refused("certificate/untrusted", "it is an authority itself, not one that an authority vouches for")
    return Chain(thumbprint(root.dump()), path)


def _bears_a_known_name(certificate: asn1.Certificate, authorities: Authorities) -> bool:
    known = (asn1.Certificate.load(each) for each in (*authorities.roots, *authorities.intermediates))
    return any(each.subject.hashable == certificate.issuer.hashable for each in known)


def _read(folder: Path) -> tuple[bytes, ...]:
    found: list[bytes] = []
    for file in sorted(folder.glob("*.pem")):
        try:
            content = file.read_bytes()
            if len(content) > _MAX_BYTES:
                raise Misconfigured(f"{file}: {len(content)} bytes")
            found += _ders(x509.load_pem_x509_certificates(content))
        except OSError as error:
            raise Misconfigured(f"{error.filename}: {error.strerror}") from error
        except UNREADABLE as error:
            raise Misconfigured(f"{file}: no certificate in PEM: {error}"[:300]) from error
    return tuple(found)


def _ders(certificates: Iterable[x509.Certificate]) -> list[bytes]:
    return [each.public_bytes(Encoding.DER) for each in certificates]
