"""The private keys that open sealed documents: one in use, and retired ones for what was sealed before."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from joserfc.jwk import ECKey, RSAKey

from axis.errors import AxisError, Misconfigured
from axis.trust.algorithms import public_bytes
from axis.trust.certificates import load_pem, thumbprint
from axis.trust.keys import load_key

KEY_SUFFIX = ".key.pem"
CERTIFICATE_SUFFIX = ".certificate.pem"


class SealingKey:
    """A private key with the certificate that documents are sealed for; the certificate may have ended long ago."""

    def __init__(self, key: EllipticCurvePrivateKey | RSAPrivateKey, certificate: x509.Certificate) -> None:
        if public_bytes(key) != public_bytes(certificate):
            raise Misconfigured("the certificate is for another key")
        self.thumbprint = thumbprint(certificate.public_bytes(Encoding.DER))
        self.jwk = ECKey.import_key(key) if isinstance(key, EllipticCurvePrivateKey) else RSAKey.import_key(key)

    def __repr__(self) -> str:
        return f"<SealingKey {self.thumbprint}>"

    @classmethod
    def from_pem(cls, key_pem: bytes, certificate_pem: bytes) -> Self:
        """Load a key and its certificate; raise Misconfigured when they cannot open anything."""
        try:
            key, certificate = load_key(key_pem), load_pem(certificate_pem)
        except AxisError as error:
            raise Misconfigured(error.detail) from error
        if not isinstance(key, EllipticCurvePrivateKey | RSAPrivateKey):
            raise Misconfigured("an Ed25519 key only signs: take P-256 or RSA for sealing", code="seal/key-kind")
        return cls(key, certificate)


def load_sealing_keys(folder: Path) -> Mapping[str, SealingKey]:
    """Load every NAME.key.pem with its NAME.certificate.pem, by thumbprint; no folder is no keys.

    A retired key stays in the folder as long as documents of its time may have to be opened: a document names the
    certificate it was sealed for, so nothing has to be said about which key is the one in use.
    """
    keys: dict[str, SealingKey] = {}
    problems: list[str] = []
    for path in sorted(folder.glob(f"*{KEY_SUFFIX}")) if folder.is_dir() else ():
        certificate = path.with_name(path.name.removesuffix(KEY_SUFFIX) + CERTIFICATE_SUFFIX)
        try:
            key = SealingKey.from_pem(path.read_bytes(), certificate.read_bytes())
        except OSError as error:
            problems.append(f"{error.filename}: {error.strerror}")
        except Misconfigured as error:
            problems.append(f"{path}: {error.detail}")
        else:
            keys[key.thumbprint] = key
    if problems:
        raise Misconfigured("; ".join(problems))
    return MappingProxyType(keys)
