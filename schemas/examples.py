"""Worked examples: every body, and one signature that any library must arrive at byte for byte."""

import base64
import datetime as dt
import hashlib
import json
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

# A key for the example alone: 32 bytes counting up. Ed25519 signatures are deterministic, so the example is too.
EXAMPLE_PRIVATE_KEY = bytes(range(32))
_START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def body_of(value: dict[str, Any]) -> bytes:
    """Write an example as the bytes that are signed and sent."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


ENVELOPE_ID = "01995f1c-7a3e-7c21-9f5e-3b7d9c0a4e11"

ENVELOPE: dict[str, Any] = {
    "schema": "axis.envelope/1",
    "id": ENVELOPE_ID,
    "sender": "G22",
    "recipients": ["H37", "H37.05", "G12"],
    "action": "new",
    "sent_at": "2026-11-24T15:00:00+07:00",
    "document": {
        "document_id": "G22,2026/11/24,7816/VPCP-TTĐT",
        "number": "7816",
        "notation": "VPCP-TTĐT",
        "issued_on": "2026-11-24",
        "place": "Hà Nội",
        "kind": "Công văn",
        "subject": "V/v kết nối, liên thông phần mềm quản lý văn bản",
        "signer": {"name": "Nguyễn Văn An", "position": "Phó Chủ nhiệm", "competence": "KT. BỘ TRƯỞNG, CHỦ NHIỆM"},
        "priority": "urgent",
        "due_on": "2026-12-01",
        "pages": 2,
    },
    "attachments": [
        {
            "name": "7816-VPCP-TTĐT.pdf",
            "media_type": "application/pdf",
            "size": 48213,
            "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "role": "main",
        }
    ],
}

STATUS: dict[str, Any] = {
    "schema": "axis.status/1",
    "id": "01995f20-1b2c-7d3e-8f40-5a6b7c8d9e0f",
    "reporter": "H37",
    "envelope": ENVELOPE_ID,
    "code": "03",
    "at": "2026-11-24T15:04:12+07:00",
    "staff": {"department": "Văn thư", "name": "Hoàng Thị Bình"},
}

# After the plain 15: the copy is gone, and which files those were.
DESTROYED: dict[str, Any] = {
    "schema": "axis.status/1",
    "id": "01995f24-9c1d-7a10-8b20-3c4d5e6f7081",
    "reporter": "H37",
    "envelope": "01995f22-51aa-7b00-9c10-2b3c4d5e6f70",
    "code": "15",
    "at": "2026-11-24T15:41:02+07:00",
    "destroyed": {
        "at": "2026-11-24T15:41:00+07:00",
        "files": ["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    },
}

RECEIPT: dict[str, Any] = {
    "schema": "axis.receipt/1",
    "id": "01995f1c-7b01-7a00-8a55-0d1e2f3a4b5c",
    "message_type": "document",
    "message_id": ENVELOPE_ID,
    "message_sha256": hashlib.sha256(body_of(ENVELOPE)).hexdigest(),
    "signature_sha256": "5e3bb2d8d4d35bbd9d2fdcf0b2a25d4fd2b3dbe3e0bd44b9a8f3cb9df2d1c0b7",
    "account": "G22",
    "outcome": "partial",
    "recipients": [
        {"recipient": "H37", "outcome": "routed", "resolved": "H37", "mailbox": "H37", "via": []},
        {"recipient": "H37.05", "outcome": "routed", "resolved": "H37.05", "mailbox": "H37", "via": ["via H37"]},
        {"recipient": "G12", "outcome": "refused", "code": "recipient/no-mailbox", "via": []},
    ],
    "at": "2026-11-24T08:00:00.412Z",
}

ORGANISATION: dict[str, Any] = {
    "code": "H22",
    "name": "Ủy ban nhân dân tỉnh Hà Giang",
    "valid_from": "2016-04-01T00:00:00+07:00",
    "valid_to": "2025-07-01T00:00:00+07:00",
    "successor": "H60",
    "forwarding": True,
    "code102": "000.00.00.H22",
}


def certificate_der() -> bytes:
    """Issue the example key's certificate: self-signed, the same bytes on every run."""
    key = Ed25519PrivateKey.from_private_bytes(EXAMPLE_PRIVATE_KEY)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "EXAMPLE ONLY - the key is public")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(_START).not_valid_after(_START.replace(year=2027))
    return builder.sign(key, None).public_bytes(Encoding.DER)


def signature_example() -> dict[str, Any]:
    """Sign the example envelope step by step: every intermediate value, for checking another implementation."""
    key = Ed25519PrivateKey.from_private_bytes(EXAMPLE_PRIVATE_KEY)
    der = certificate_der()
    thumbprint = _base64url(hashlib.sha256(der).digest())
    header = _json({"alg": "EdDSA", "b64": False, "crit": ["b64"], "x5t#S256": thumbprint})
    segment = _base64url(header.encode())
    body = body_of(ENVELOPE)
    signature = key.sign(segment.encode() + b"." + body)
    return {
        **_key_members(key),
        "certificate_der_base64": base64.b64encode(der).decode(),
        "thumbprint": thumbprint,
        "body": body.decode(),
        "body_sha256": hashlib.sha256(body).hexdigest(),
        "protected_header": header,
        "protected_segment": segment,
        "signing_input": f"{segment}." + body.decode(),
        "axis-signature": f"{segment}..{_base64url(signature)}",
    }


def token_example() -> dict[str, Any]:
    """Make a bearer token for one upload step by step."""
    key = Ed25519PrivateKey.from_private_bytes(EXAMPLE_PRIVATE_KEY)
    path = "/v1/blobs/" + ENVELOPE["attachments"][0]["sha256"]
    issued = 1_795_507_200  # 2026-11-24T08:00:00Z
    thumbprint = _base64url(hashlib.sha256(certificate_der()).digest())
    header = _json({"alg": "EdDSA", "typ": "axis-token", "x5t#S256": thumbprint})
    claims = _json({"iss": "G22", "aud": "axis-gateway", "iat": issued, "exp": issued + 60, "htm": "PUT", "htu": path})
    signing_input = f"{_base64url(header.encode())}.{_base64url(claims.encode())}"
    return {
        **_key_members(key),
        "request": f"PUT {path}",
        "header": header,
        "claims": claims,
        "signing_input": signing_input,
        "token": f"{signing_input}.{_base64url(key.sign(signing_input.encode()))}",
    }


def _key_members(key: Ed25519PrivateKey) -> dict[str, Any]:
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": _base64url(public), "d": _base64url(EXAMPLE_PRIVATE_KEY)}
    return {"private_key_hex": EXAMPLE_PRIVATE_KEY.hex(), "public_key_hex": public.hex(), "private_key_jwk": jwk}


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, separators=(",", ":"))


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
