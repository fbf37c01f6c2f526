"""Private keys: made, loaded together with their certificate, and used to sign."""

from copy import copy
from pathlib import Path
from typing import Literal, Self

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from axis.core.hybrid import SEPARATOR
from axis.errors import Misconfigured, Refused
from axis.trust import encoding
from axis.trust.algorithms import (
    SECOND_ALGORITHMS,
    Algorithm,
    PrivateKey,
    check_public_key,
    public_bytes,
    verifying_key,
)
from axis.trust.certificates import UNREADABLE, load_pem, thumbprint
from axis.trust.holders import FileKey, KeyHolder
from axis.trust.jws import detached_header, header_segment
from axis.trust.locations import FilePlace, TokenPlace, read_location

KeyKind = Literal["ed25519", "p256", "rsa", "ml-dsa-65"]

KEY_FILE = "key.pem"
CERTIFICATE_FILE = "certificate.pem"
_NEW_RSA_BITS = 3072


def new_key(kind: str) -> bytes:
    """Make a private key of a kind (ed25519, p256, rsa, ml-dsa-65): PKCS #8, PEM, unencrypted: its owner's alone."""
    key: PrivateKey
    match kind:
        case "ed25519":
            key = Ed25519PrivateKey.generate()
        case "p256":
            key = generate_private_key(SECP256R1())
        case "rsa":
            key = generate_rsa(public_exponent=65_537, key_size=_NEW_RSA_BITS)
        case "ml-dsa-65":
            key = MLDSA65PrivateKey.generate()
        case _:
            raise Misconfigured(f"no kind of key “{kind}”: take ed25519, p256 or rsa, or ml-dsa-65 for a second one")
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


class SigningKey:
    """A private key, wherever it is held, with the certificate it signs under."""

    def __init__(self, holder: KeyHolder, certificate: x509.Certificate | None = None) -> None:
        self.algorithm: Algorithm = holder.algorithm
        self._sign = holder.sign
        self._second: SigningKey | None = None
        self._thumbprint = None if certificate is None else thumbprint(certificate.public_bytes(Encoding.DER))
        self.not_after = None if certificate is None else certificate.not_valid_after_utc
        self._segment = None if self._thumbprint is None else detached_header(self.algorithm, self._thumbprint)

    def __repr__(self) -> str:
        return f"<SigningKey {self.algorithm} {self._thumbprint or 'without certificate'}>"

    @classmethod
    def from_pem(cls, key_pem: bytes, certificate_pem: bytes | None) -> Self:
        """Load a key and its certificate; raise Misconfigured when they cannot be used or do not belong together."""
        key, certificate = load_key(key_pem), None if certificate_pem is None else _certificate(certificate_pem)
        if certificate is not None and public_bytes(certificate) != public_bytes(key):
            raise Misconfigured("the certificate is for another key")
        return cls(FileKey(key), certificate)

    @classmethod
    def load(cls, folder: Path, location: str | None = None) -> Self:
        """Load the key at a location (`axis.trust.locations`), or key.pem, with certificate.pem, from a folder.

        Raises Misconfigured naming what is missing or wrong, Unavailable `key/unavailable` when a token is not there.
        """
        place = FilePlace(folder / KEY_FILE) if location is None else read_location(location)
        try:
            if isinstance(place, TokenPlace):
                return cls._in_token(place, _certificate((folder / CERTIFICATE_FILE).read_bytes()))
            return cls.from_pem(place.path.read_bytes(), (folder / CERTIFICATE_FILE).read_bytes())
        except OSError as error:
            raise Misconfigured(f"{error.filename}: {error.strerror}") from error
        except Misconfigured as error:
            raise Misconfigured(f"{folder}: {error.detail}") from error

    @classmethod
    def _in_token(cls, place: TokenPlace, certificate: x509.Certificate) -> Self:
        try:
            from axis.trust.hsm import TokenKey  # noqa: PLC0415 - its library is an extra, needed for tokens alone
        except ImportError as error:
            raise Misconfigured("a key in a token needs a library: pip install 'document-axis[pkcs11]'") from error
        try:
            public = verifying_key(certificate.public_key())
        except (Refused, *UNREADABLE) as error:
            raise Misconfigured(f"the certificate's key cannot be used: {error}") from error
        return cls(TokenKey(place, public), certificate)

    @property
    def thumbprint(self) -> str:
        """The certificate's x5t#S256; raise Misconfigured when the key has no certificate."""
        if self._thumbprint is None:
            raise Misconfigured("the key has no certificate yet")
        return self._thumbprint

    def sign(self, body: bytes) -> str:
        """Sign the exact bytes; return the detached JWS, or both of a hybrid (`axis.core.hybrid`)."""
        if self._segment is None:
            raise Misconfigured("the key has no certificate yet")
        signature = self._sign(self._segment.encode("ascii") + b"." + body)
        first = f"{self._segment}..{encoding.encode(signature)}"
        return first if self._second is None else f"{first}{SEPARATOR}{self._second.sign(body)}"

    def with_second(self, second: "SigningKey") -> Self:
        """Return a key that makes hybrid signatures: this one's, and beside it one by an ML-DSA-65 key.

        Tokens (`sign_compact`) stay classical: they live for a minute.
        """
        if self.algorithm in SECOND_ALGORITHMS or second.algorithm not in SECOND_ALGORITHMS:
            raise Misconfigured(f"{second.algorithm} cannot stand beside {self.algorithm}: the second is ML-DSA-65")
        both = copy(self)
        both._second = second  # noqa: SLF001 - our own, and nobody has seen it yet
        # Either end is the end of both: a second signature that is there has to verify.
        both.not_after = min((each.not_after for each in (self, second) if each.not_after is not None), default=None)
        return both

    def sign_compact(self, members: dict[str, object], payload: bytes) -> str:
        """Sign a payload that travels inside the JWS; `members` go into the header beside alg and x5t#S256."""
        header = header_segment({"alg": self.algorithm, **members, "x5t#S256": self.thumbprint})
        signing_input = f"{header}.{encoding.encode(payload)}"
        return f"{signing_input}.{encoding.encode(self._sign(signing_input.encode('ascii')))}"


def load_key(pem: bytes) -> PrivateKey:
    """Load an unencrypted private key of a kind the axis takes; raise Misconfigured."""
    try:
        key = load_pem_private_key(pem, password=None)
        check_public_key(key.public_key())
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise Misconfigured(f"not an unencrypted private key in PEM: {error}"[:300]) from error
    except Refused as error:
        raise Misconfigured(error.detail) from error
    if not isinstance(key, Ed25519PrivateKey | EllipticCurvePrivateKey | RSAPrivateKey | MLDSA65PrivateKey):
        raise Misconfigured(f"a key of kind {type(key).__name__}: take Ed25519, P-256 or RSA")
    return key


def _certificate(pem: bytes) -> x509.Certificate:
    try:
        return load_pem(pem)
    except Refused as error:
        raise Misconfigured(error.detail) from error
