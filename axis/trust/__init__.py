"""Signatures, certificates and tokens: bytes in, verdict out; what cannot be proved raises."""

from axis.trust.authority import Authority
from axis.trust.certificates import enrol, is_demonstration, is_second, thumbprint
from axis.trust.demonstration import DemonstrationCA
from axis.trust.keyring import Keyring
from axis.trust.keys import SigningKey, new_key
from axis.trust.sealing_keys import SealingKey, load_sealing_keys
from axis.trust.tokens import issue_token, read_token, verify_token

__all__ = [
    "Authority",
    "DemonstrationCA",
    "Keyring",
    "SealingKey",
    "SigningKey",
    "enrol",
    "is_demonstration",
    "is_second",
    "issue_token",
    "load_sealing_keys",
    "new_key",
    "read_token",
    "thumbprint",
    "verify_token",
]
