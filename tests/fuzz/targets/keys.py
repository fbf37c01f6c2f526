"""The example's key, whose private half everybody has: what a fuzzer finds with it, anybody can run again."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_der_x509_certificate

from axis.trust import Keyring, SigningKey, thumbprint
from axis.trust.holders import FileKey
from schemas import Certificate, examples
from tests.builders import LONG_AGO, NOW

_DER = examples.certificate_der()
_CERTIFICATE = load_der_x509_certificate(_DER)
AXIS_CERTIFICATE = _CERTIFICATE.public_bytes(Encoding.PEM)
PRIVATE_KEY = Ed25519PrivateKey.from_private_bytes(examples.EXAMPLE_PRIVATE_KEY)
EXAMPLE_KEY = SigningKey(FileKey(PRIVATE_KEY), _CERTIFICATE)
THUMBPRINT = thumbprint(_DER)
OWNER = "G22"
RING = Keyring(
    [
        Certificate(
            thumbprint=THUMBPRINT,
            organisation=OWNER,
            subject="fuzzing",
            not_before=LONG_AGO,
            not_after=NOW.replace(year=2040),
            der=_DER,
        )
    ]
)


class NoCertificates:
    """A gateway that knows nobody."""

    async def certificate(self, thumbprint: str) -> Certificate | None:
        """Find nothing."""
        return None
