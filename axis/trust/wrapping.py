"""The wrapped keys of a sealed document: a JWE in general JSON serialisation (RFC 7516 section 7.2.1).

Its content is small (the content key, and what the files are) and encrypted once; the JWE's own key is wrapped for each
certificate: ECDH-ES+A256KW with a fresh key pair each for P-256, RSA-OAEP-256 for RSA (RFC 7518 sections 4.6 and 4.3).
A header names its certificate by x5t#S256, as signatures do. Nothing else may be in it: what the model does not have is
refused, so there is no `zip` to blow up, no `p2c` to count for hours, and no algorithm that a sender chose for us.
"""

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from joserfc.errors import JoseError
from joserfc.jwe import GeneralJSONEncryption, GeneralJSONSerialization, JWERegistry, decrypt_json, encrypt_json
from joserfc.jwk import ECKey, RSAKey

from axis.core.reading import parse_sealed
from axis.errors import Refused
from axis.trust import encoding
from axis.trust.certificates import UNREADABLE
from axis.trust.certificates import thumbprint as thumbprint_of
from axis.trust.sealing_keys import SealingKey
from axis.trust.sealing_usage import SealingPublicKey, check_sealing_key, check_sealing_usage
from schemas import Certificate
from schemas.sealing import MAX_KEYS_BYTES, MAX_MAILBOXES, PROTECTED, SealKeys, WrappedKey

ECDH = "ECDH-ES+A256KW"
RSA = "RSA-OAEP-256"
_HEADER: dict[str, Any] = {"enc": "A256GCM", "typ": "axis-seal"}
_THUMBPRINTS_TOLD = 3


class _Registry(JWERegistry):
    """What is taken, however many the recipients are."""

    max_recipients = MAX_MAILBOXES
    max_encrypted_key_length = 2048
    max_ciphertext_length = MAX_KEYS_BYTES


_REGISTRY = _Registry(algorithms=(ECDH, RSA, "A256GCM"))


@dataclass(frozen=True, slots=True)
class Addressee:
    """A certificate that a key is wrapped for."""

    thumbprint: str
    key: SealingPublicKey


def addressee(certificate: Certificate, mailbox: str, at: dt.datetime) -> Addressee:
    """Take a certificate that was offered for a mailbox; raise Refused seal/certificate, saying why not.

    Everything is looked at again by who seals: the directory says whose certificate it is, and no more.
    """
    try:
        return Addressee(certificate.thumbprint, _key_of(certificate, mailbox, at))
    except (Refused, *UNREADABLE) as error:
        told = error.detail if isinstance(error, Refused) else str(error)
        raise Refused("seal/certificate", f"{mailbox}: {certificate.thumbprint}: {told}"[:500]) from error


def _key_of(certificate: Certificate, mailbox: str, at: dt.datetime) -> SealingPublicKey:
    if certificate.role != "sealing" or certificate.organisation != mailbox:
        raise ValueError(f"it is for {certificate.organisation}, role {certificate.role}")
    if certificate.thumbprint != thumbprint_of(certificate.der):
        raise ValueError("it is another certificate than its thumbprint says")
    if certificate.revoked_at is not None and certificate.revoked_at <= at:
        raise ValueError("it is revoked")
    loaded = x509.load_der_x509_certificate(certificate.der)
    if not loaded.not_valid_before_utc <= at < loaded.not_valid_after_utc:
        raise ValueError("it is not valid now")
    check_sealing_usage(loaded)
    key = loaded.public_key()
    if not check_sealing_key(key):
        raise TypeError("a kind of key that is checked but not known here")
    return key


def wrap(content: bytes, addressees: Sequence[Addressee]) -> bytes:
    """Encrypt the content once and wrap its key for each addressee; return the JWE as the bytes that are stored."""
    jwe = GeneralJSONEncryption(dict(_HEADER), content)
    for each in addressees:
        if isinstance(each.key, EllipticCurvePublicKey):
            jwe.add_recipient({"alg": ECDH, "x5t#S256": each.thumbprint}, ECKey.import_key(each.key))
        else:
            jwe.add_recipient({"alg": RSA, "x5t#S256": each.thumbprint}, RSAKey.import_key(each.key))
    made = encrypt_json(jwe, None, registry=_REGISTRY)
    if made["protected"] != PROTECTED:
        raise RuntimeError("the protected header is not written as other languages read it")
    return json.dumps(made, separators=(",", ":")).encode("ascii")


def unwrap(blob: bytes, keys: Mapping[str, SealingKey]) -> bytes:
    """Open the wrapped keys with whichever of our keys fits.

    Raises Refused seal/not-for-you, seal/malformed or seal/broken.
    """
    jwe = parse_sealed(blob, SealKeys, MAX_KEYS_BYTES)
    ours = next((each for each in jwe.recipients if each.header.x5t in keys), None)
    if ours is None:
        named = ", ".join(each.header.x5t for each in jwe.recipients[:_THUMBPRINTS_TOLD])
        more = len(jwe.recipients) - _THUMBPRINTS_TOLD
        told = f"sealed for the certificates {named}" + (f" and {more} more" if more > 0 else "")
        raise Refused("seal/not-for-you", f"{told}; our keys are for {', '.join(sorted(keys))}")
    return _decrypt(jwe, ours, keys[ours.header.x5t])


def _decrypt(jwe: SealKeys, ours: WrappedKey, key: SealingKey) -> bytes:
    wanted = ECDH if isinstance(key.jwk, ECKey) else RSA
    if ours.header.alg != wanted:
        raise Refused("seal/malformed", f"{ours.header.alg} does not go with the key of {key.thumbprint}")
    alone: GeneralJSONSerialization = {
        "protected": jwe.protected,
        "iv": jwe.iv,
        "ciphertext": jwe.ciphertext,
        "tag": jwe.tag,
        "recipients": [
            {"header": ours.header.model_dump(by_alias=True), "encrypted_key": ours.encrypted_key},
        ],
    }
    try:
        for segment in (jwe.iv, jwe.ciphertext, jwe.tag, ours.encrypted_key):
            encoding.decode(segment)  # one spelling each: the library takes stray bits
        content = decrypt_json(alone, key.jwk, registry=_REGISTRY).plaintext
    except (JoseError, InvalidTag, ValueError, TypeError, AssertionError) as error:
        # Which step failed is not said: it would help whoever tries out altered keys.
        raise Refused("seal/broken", f"the wrapped key for {key.thumbprint} does not open the JWE") from error
    if content is None:
        raise Refused("seal/broken", "the JWE is empty")
    return content
