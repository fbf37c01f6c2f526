"""Certificates as JSON (the gateway's, and our cache's) and as the PEM pinned in a profile."""

import json
import re
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pydantic import ConfigDict

from axis.errors import Misconfigured
from axis.trust import thumbprint
from schemas import Certificate

AXIS = "W00"  # the code under which the axis signs receipts
_BLOCK = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_SUBJECT = 500  # characters, the schema's limit


class _Json(Certificate):
    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")


def read_certificate(text: bytes) -> Certificate:
    """Read the JSON form, DER in base64 of either alphabet; raise ValueError for anything else."""
    members: dict[str, Any] = json.loads(text)
    if not isinstance(members, dict) or not isinstance(members.get("der"), str):
        raise ValueError("not a certificate")  # noqa: TRY004 - wrong bytes, not a wrong call
    der = members["der"].replace("+", "-").replace("/", "_").rstrip("=")
    read = _Json.model_validate_json(json.dumps({**members, "der": der + "=" * (-len(der) % 4)}))
    return Certificate(**{name: getattr(read, name) for name in Certificate.model_fields})


def write_certificate(certificate: Certificate) -> bytes:
    """Write the JSON form."""
    return _Json(**{name: getattr(certificate, name) for name in Certificate.model_fields}).model_dump_json().encode()


def pinned(pem: bytes) -> list[Certificate]:
    """Read the axis's own certificates from PEM, one or more (two while its key changes)."""
    try:
        found = [x509.load_pem_x509_certificate(block) for block in _BLOCK.findall(pem)]
    except ValueError as error:
        raise Misconfigured(f"the axis's certificate cannot be read: {error}") from error
    if not found:
        raise Misconfigured("there is no certificate of the axis in the profile")
    return [_of_axis(certificate) for certificate in found]


def _of_axis(certificate: x509.Certificate) -> Certificate:
    der = certificate.public_bytes(Encoding.DER)
    return Certificate(
        thumbprint=thumbprint(der),
        organisation=AXIS,
        role="axis",
        subject=certificate.subject.rfc4514_string()[:_SUBJECT],
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        der=der,
    )
