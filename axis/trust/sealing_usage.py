"""Which certificates documents may be sealed for.

A sealing key opens and never signs, a signing key signs and never opens: whoever is made to decrypt something that was
chosen for him must not have made a signature by it, and a key that is kept for years to read old documents must not be
able to sign new ones. So the certificate's key usage (RFC 5280 section 4.2.1.3) has to allow the one and not the other.
"""

from collections.abc import Sequence
from typing import TypeGuard

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from axis.errors import Refused
from axis.trust.algorithms import check_public_key, public_bytes
from schemas import Certificate

SealingPublicKey = EllipticCurvePublicKey | RSAPublicKey


def check_sealing_key(key: object) -> TypeGuard[SealingPublicKey]:
    """Refuse keys that nothing can be sealed for: `seal/key-kind`, or `certificate/malformed` as for every key."""
    check_public_key(key)
    if not isinstance(key, EllipticCurvePublicKey | RSAPublicKey):
        raise Refused("seal/key-kind", "an Ed25519 key only signs: take P-256 or RSA for sealing")
    return True


def check_sealing_usage(certificate: x509.Certificate) -> None:
    """Refuse a certificate whose key usage is not that of a key for sealing alone; raise Refused seal/* or other."""
    key = certificate.public_key()
    check_sealing_key(key)
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound as error:
        raise Refused("certificate/malformed", "a certificate for sealing has to say its key usage") from error
    if usage.digital_signature or usage.content_commitment:
        raise Refused("certificate/malformed", "its key usage allows signatures: a key for sealing must not sign")
    wanted, name = (
        (usage.key_encipherment, "keyEncipherment")
        if isinstance(key, RSAPublicKey)
        else (usage.key_agreement, "keyAgreement")
    )
    if not wanted:
        raise Refused("certificate/malformed", f"its key usage does not have {name}, which sealing for its key needs")


def check_apart(certificate: Certificate, others: Sequence[Certificate]) -> None:
    """Refuse a certificate whose key is enrolled under another one for another use: seal/key-kind.

    `others`: of the same organisation or of all. Two certificates for one key would make it sign and open after all.
    """
    key = _key_of(certificate)
    for other in others:
        if (other.role == "sealing") != (certificate.role == "sealing") and _key_of(other) == key:
            kinds = f"{certificate.role} and {other.role}"
            raise Refused("seal/key-kind", f"the key of {other.thumbprint} must not be enrolled as both {kinds}")


def _key_of(certificate: Certificate) -> bytes:
    return public_bytes(x509.load_der_x509_certificate(certificate.der))
