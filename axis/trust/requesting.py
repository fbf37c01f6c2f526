"""Certificate signing requests (PKCS #10, RFC 2986): what an agency sends to its authority."""

import unicodedata

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from axis.trust.keys import load_key

_LONGEST_NAME = 64  # RFC 5280 appendix A: ub-organization-name, ub-common-name


def request(key_pem: bytes, organisation: str, name: str) -> bytes:
    """Write a request (PEM) for an organisation's key; raise Misconfigured when the key cannot be used.

    The subject carries the code as serialNumber, which is where `axis.trust.belonging` looks for it.
    """
    key = load_key(key_pem)
    written = unicodedata.normalize("NFC", name)[:_LONGEST_NAME]
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "VN"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, written),
            x509.NameAttribute(NameOID.COMMON_NAME, written),
            x509.NameAttribute(NameOID.SERIAL_NUMBER, organisation),
        ]
    )
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    hashed = None if isinstance(key, Ed25519PrivateKey | MLDSA65PrivateKey) else SHA256()
    return builder.sign(key, hashed).public_bytes(Encoding.PEM)
