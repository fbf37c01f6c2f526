"""The signature algorithms, and which key may use which (RFC 7518 section 3, RFC 8037).

ML-DSA-65 (FIPS 204) only ever stands beside one of the other four, as a second signature; its JOSE name is that of
draft-ietf-cose-dilithium. Everything else, `none` and the HMAC family among them, has no entry here and so cannot be
reached.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeGuard, get_args

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey, MLDSA65PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from axis.errors import Refused

Algorithm = Literal["EdDSA", "ES256", "PS256", "RS256", "ML-DSA-65"]
SECOND_ALGORITHMS: frozenset[str] = frozenset({"ML-DSA-65"})
ALGORITHMS: frozenset[str] = frozenset(get_args(Algorithm)) - SECOND_ALGORITHMS

MIN_RSA_BITS = 2048
MAX_RSA_BITS = 8192  # verifying grows with the square; a huge key would let its owner slow the router down
MIN_RSA_EXPONENT = 65_537  # with 1 anybody can sign; small ones turn padding mistakes into forgeries
MAX_RSA_EXPONENT = 2**32

PublicKey = Ed25519PublicKey | EllipticCurvePublicKey | RSAPublicKey | MLDSA65PublicKey
PrivateKey = Ed25519PrivateKey | EllipticCurvePrivateKey | RSAPrivateKey | MLDSA65PrivateKey

_SHA256 = SHA256()
_ECDSA = ECDSA(_SHA256)
_PKCS1 = padding.PKCS1v15()
_PSS = padding.PSS(mgf=padding.MGF1(_SHA256), salt_length=_SHA256.digest_size)  # RFC 7518 section 3.5
_P256_HALF = 32

# Ed25519 points of small order, by their y coordinate: such a "public key" has no private key, and signatures that
# fit it can be made by anybody. 0, 1 and -1 have order 4, 1 and 2; the other two have order 8.
_P25519 = 2**255 - 19
_Y8 = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
_SMALL_ORDER_Y = frozenset({0, 1, _P25519 - 1, _Y8, _P25519 - _Y8})

Verify = Callable[[bytes, bytes], None]
Sign = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class VerifyingKey:
    """A public key made ready: for each algorithm that fits it, a function of signature and data.

    Each function raises InvalidSignature. ECDSA signatures stay malleable (r, n-s), so nothing may ever be identified
    by its signature; the SHA-256 of the body does that.
    """

    algorithms: Mapping[str, Verify]


def verifying_key(key: object) -> VerifyingKey:
    """Make a public key ready to verify; raise Refused certificate/malformed when the axis does not take such keys."""
    check_public_key(key)
    if isinstance(key, Ed25519PublicKey):
        # OpenSSL refuses S >= L (RFC 8032 section 5.1.7), so an Ed25519 signature has one spelling.
        return VerifyingKey({"EdDSA": key.verify})
    if isinstance(key, EllipticCurvePublicKey):
        return VerifyingKey({"ES256": _es256(key)})
    if isinstance(key, RSAPublicKey):
        return VerifyingKey({"PS256": _rsa(key, _PSS), "RS256": _rsa(key, _PKCS1)})
    if isinstance(key, MLDSA65PublicKey):
        # The pure form with an empty context; the library refuses signatures of another length (FIPS 204 section 5.3).
        return VerifyingKey({"ML-DSA-65": key.verify})
    raise TypeError("a kind of key that is checked but not known here")


def check_public_key(key: object) -> TypeGuard[PublicKey]:
    """Refuse key kinds, curves and sizes that the axis does not take."""
    if isinstance(key, Ed25519PublicKey):
        _check_ed25519(key)
    elif isinstance(key, EllipticCurvePublicKey):
        if not isinstance(key.curve, SECP256R1):
            raise Refused("certificate/malformed", f"the curve is {key.curve.name}, taken is P-256")
    elif isinstance(key, RSAPublicKey):
        _check_rsa(key)
    elif not isinstance(key, MLDSA65PublicKey):
        told = "take Ed25519, P-256 or RSA, and ML-DSA-65 for a second signature"
        raise Refused("certificate/malformed", f"a key of kind {type(key).__name__}: {told}")
    return True


def public_bytes(owner: x509.Certificate | PrivateKey) -> bytes:
    """Return the SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7), DER: the same for a key and for its certificates."""
    return owner.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def algorithm_for(key: PrivateKey) -> Algorithm:
    """Name the algorithm the axis prefers for a private key."""
    if isinstance(key, Ed25519PrivateKey):
        return "EdDSA"
    if isinstance(key, MLDSA65PrivateKey):
        return "ML-DSA-65"
    return "ES256" if isinstance(key, EllipticCurvePrivateKey) else "PS256"


def signing(key: PrivateKey, algorithm: Algorithm) -> Sign:
    """Return what signs bytes; ES256 gives the 64 bytes r‖s of RFC 7518 section 3.4, not DER."""
    if isinstance(key, Ed25519PrivateKey | MLDSA65PrivateKey):
        return key.sign
    if isinstance(key, EllipticCurvePrivateKey):
        return _sign_es256(key)
    scheme = _PSS if algorithm == "PS256" else _PKCS1
    return lambda data: key.sign(data, scheme, _SHA256)


def _sign_es256(key: EllipticCurvePrivateKey) -> Sign:
    def sign(data: bytes) -> bytes:
        r, s = decode_dss_signature(key.sign(data, _ECDSA))
        return r.to_bytes(_P256_HALF, "big") + s.to_bytes(_P256_HALF, "big")

    return sign


def _es256(key: EllipticCurvePublicKey) -> Verify:
    def verify(signature: bytes, data: bytes) -> None:
        if len(signature) != 2 * _P256_HALF:
            raise InvalidSignature
        r = int.from_bytes(signature[:_P256_HALF], "big")
        s = int.from_bytes(signature[_P256_HALF:], "big")
        key.verify(encode_dss_signature(r, s), data, _ECDSA)

    return verify


def _rsa(key: RSAPublicKey, scheme: padding.PSS | padding.PKCS1v15) -> Verify:
    def verify(signature: bytes, data: bytes) -> None:
        key.verify(signature, data, scheme, _SHA256)

    return verify


def _check_ed25519(key: Ed25519PublicKey) -> None:
    encoded = int.from_bytes(key.public_bytes(Encoding.Raw, PublicFormat.Raw), "little")
    y = encoded & (2**255 - 1)
    if y >= _P25519 or y in _SMALL_ORDER_Y:
        raise Refused("certificate/malformed", "the Ed25519 key is a point that anybody can sign for")


def _check_rsa(key: RSAPublicKey) -> None:
    if not MIN_RSA_BITS <= key.key_size <= MAX_RSA_BITS:
        raise Refused(
            "certificate/malformed", f"an RSA key of {key.key_size} bits: take {MIN_RSA_BITS} to {MAX_RSA_BITS}"
        )
    exponent = key.public_numbers().e
    if not MIN_RSA_EXPONENT <= exponent <= MAX_RSA_EXPONENT:
        raise Refused("certificate/malformed", f"the RSA exponent is {exponent}: take {MIN_RSA_EXPONENT}")
