"""Capture the vectors beside this file anew: python -m tests.vectors.signatures.capture (the keys are thrown away).

One file a case: the body, the `axis-signature` header, the time, and the reason code expected (null: it verifies).
`certificates.json` is what is enrolled. The cases need keys to be made, so they are captured, not computed in the test.
"""

import base64
import datetime as dt
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import NameOID

FOLDER = Path(__file__).parent
NOW = dt.datetime(2026, 11, 24, 8, 0, tzinfo=dt.UTC)
YEAR = dt.timedelta(days=365)
BODY = '{"sender":"H37","subject":"V/v kết nối, liên thông"}'
_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493
_SHA256 = hashes.SHA256()
_PSS = padding.PSS(padding.MGF1(_SHA256), 32)

Case = tuple[str, str, str, str | None]  # name, why, signature, expected code


def b64(data: bytes) -> str:
    """Encode base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def compact(value: Any) -> str:
    """Encode a header: JSON without spaces, or bytes as they are."""
    return b64(value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode())


class Holder:
    """A key, its certificate, and the ways to sign with it."""

    def __init__(
        self, key: Any, code: str, start: dt.datetime = NOW - YEAR, end: dt.datetime = NOW + 20 * YEAR
    ) -> None:
        self.key, self.code = key, code
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Test vector {code}")])
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        builder = builder.serial_number(x509.random_serial_number()).not_valid_before(start).not_valid_after(end)
        certificate = builder.sign(key, None if isinstance(key, ed25519.Ed25519PrivateKey) else _SHA256)
        self.der = certificate.public_bytes(serialization.Encoding.DER)
        self.thumbprint = b64(hashlib.sha256(self.der).digest())
        self.start, self.end = start, end
        self.revoked_at: dt.datetime | None = None

    def raw(self, data: bytes, algorithm: str | None = None) -> bytes:
        """Sign as the key's own algorithm does."""
        if isinstance(self.key, ed25519.Ed25519PrivateKey):
            return self.key.sign(data)
        if isinstance(self.key, ec.EllipticCurvePrivateKey):
            r, s = decode_dss_signature(self.key.sign(data, ec.ECDSA(_SHA256)))
            return r.to_bytes(32, "big") + s.to_bytes(32, "big")
        scheme = padding.PKCS1v15() if algorithm == "RS256" else _PSS
        return bytes(self.key.sign(data, scheme, _SHA256))

    def header(self, algorithm: str, **changes: Any) -> dict[str, Any]:
        """Make the protected header; None removes a member."""
        members = {"alg": algorithm, "b64": False, "crit": ["b64"], "x5t#S256": self.thumbprint, **changes}
        return {name: value for name, value in members.items() if value is not None}

    def sign(self, header: Any, body: str = BODY, algorithm: str | None = None) -> str:
        """Sign a body under any header."""
        segment = compact(header)
        return f"{segment}..{b64(self.raw(f'{segment}.{body}'.encode(), algorithm))}"

    def record(self) -> dict[str, Any]:
        """Describe the enrolled certificate."""
        return {
            "thumbprint": self.thumbprint,
            "organisation": self.code,
            "not_before": self.start.isoformat(),
            "not_after": self.end.isoformat(),
            "revoked_at": self.revoked_at and self.revoked_at.isoformat(),
            "der_base64": base64.b64encode(self.der).decode(),
        }


def main() -> None:
    """Write all files."""
    ed, p256 = Holder(ed25519.Ed25519PrivateKey.generate(), "H37"), _p256("H37")
    rsa_key = Holder(rsa.generate_private_key(65_537, 2048), "H37")
    other, unknown = _p256("G22"), _p256("H37")
    expired, future = _p256("H37", end=NOW - YEAR / 2), _p256("H37", start=NOW + YEAR)
    revoked = _p256("H37")
    revoked.revoked_at = NOW - dt.timedelta(seconds=1)
    enrolled = [ed, p256, rsa_key, other, expired, future, revoked]
    cases = [
        *_good(ed, p256, rsa_key),
        *_bodies(p256),
        *_algorithms(p256, rsa_key),
        *_headers(p256, other, unknown),
        *_spellings(p256),
        *_curves(ed, p256),
        *_rsa(rsa_key),
        *[
            (f"certificate-{what}", f"The certificate is {what}.", holder.sign(holder.header("ES256")), code)
            for what, holder, code in (
                ("unknown", unknown, "certificate/unknown"),
                ("expired", expired, "certificate/expired"),
                ("not-yet-valid", future, "certificate/not-yet-valid"),
                ("revoked", revoked, "certificate/revoked"),
            )
        ],
    ]
    for old in FOLDER.glob("*.json"):
        old.unlink()
    _write("certificates", [holder.record() for holder in enrolled])
    for name, why, signature, code in cases:
        _write(name, {"why": why, "at": NOW.isoformat(), "body": BODY, "signature": signature, "expected": code})


def _good(ed: Holder, p256: Holder, rsa_key: Holder) -> list[Case]:
    return [
        ("good-eddsa", "Ed25519 (RFC 8037).", ed.sign(ed.header("EdDSA")), None),
        ("good-es256", "P-256, r and s of 32 bytes each.", p256.sign(p256.header("ES256")), None),
        ("good-ps256", "RSA-PSS, salt of 32 bytes.", rsa_key.sign(rsa_key.header("PS256")), None),
        ("good-rs256", "RSA PKCS #1 v1.5.", rsa_key.sign(rsa_key.header("RS256"), algorithm="RS256"), None),
        (
            "good-header-order",
            "Members in another order and with spaces: the segment is signed as sent.",
            p256.sign(json.dumps(dict(reversed(p256.header("ES256").items())), indent=1).encode()),
            None,
        ),
    ]


def _bodies(p256: Holder) -> list[Case]:
    header = p256.header("ES256")
    good = p256.sign(header)
    segment, _, encoded = good.split(".")
    flipped = bytearray(base64.urlsafe_b64decode(encoded + "=="))
    flipped[40] ^= 1
    nfd = BODY.replace("ế", "e\u0302\u0301")
    return [
        ("body-altered", "One letter differs.", p256.sign(header, BODY.replace("H37", "H38")), "signature/invalid"),
        (
            "body-reserialised",
            "The same JSON with a space.",
            p256.sign(header, BODY.replace(":", ": ")),
            "signature/invalid",
        ),
        ("body-denormalised", "The same text in NFD.", p256.sign(header, nfd), "signature/invalid"),
        ("body-longer", "Signed without its last byte.", p256.sign(header, BODY[:-1]), "signature/invalid"),
        ("signature-bit-flipped", "One bit differs.", f"{segment}..{b64(bytes(flipped))}", "signature/invalid"),
    ]


def _algorithms(p256: Holder, rsa_key: Holder) -> list[Case]:
    public = rsa_key.key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    hs = compact(rsa_key.header("HS256"))
    mac = hmac.new(public, f"{hs}.{BODY}".encode(), "sha256").digest()
    refused = "signature/algorithm"
    return [
        ("alg-none", "No signature at all.", compact(p256.header("none")) + "..", refused),
        ("alg-none-signed", "alg none with a signature behind it.", p256.sign(p256.header("none")), refused),
        ("alg-none-cased", "A spelling that filters miss.", p256.sign(p256.header("nOnE")), refused),
        ("alg-hs256-public-key", "A MAC keyed with the public key (RFC 8725 2.1).", f"{hs}..{b64(mac)}", refused),
        ("alg-lower-case", "es256.", p256.sign(p256.header("es256")), refused),
        ("alg-unknown", "ES384 under a P-256 key.", p256.sign(p256.header("ES384")), refused),
        ("alg-list", "alg is a list.", p256.sign(p256.header("", alg=["ES256"])), refused),
        ("alg-absent", "There is no alg.", p256.sign(p256.header("", alg=None)), "signature/malformed"),
        ("alg-of-another-key", "PS256 under a P-256 certificate.", p256.sign(p256.header("PS256")), refused),
    ]


def _headers(p256: Holder, other: Holder, unknown: Holder) -> list[Case]:
    header = p256.header("ES256")
    numbers = unknown.key.public_key().public_numbers()
    jwk = {"kty": "EC", "crv": "P-256", "x": b64(numbers.x.to_bytes(32)), "y": b64(numbers.y.to_bytes(32))}
    attached = compact({"alg": "ES256", "x5t#S256": p256.thumbprint})
    over_base64 = b64(p256.raw(f"{attached}.{b64(BODY.encode())}".encode()))
    bad = "signature/malformed"
    text = json.dumps(header, separators=(",", ":"))
    return [
        ("key-in-jwk", "The forger's key comes along (RFC 7515 10.3).", unknown.sign({**header, "jwk": jwk}), bad),
        (
            "key-in-x5c",
            "The forger's certificate comes along.",
            unknown.sign({**header, "x5c": [base64.b64encode(b"\x30" * 40).decode()]}),
            bad,
        ),
        ("key-in-jku", "A key to be fetched.", unknown.sign({**header, "jku": "https://a.example/k"}), bad),
        ("key-in-kid", "A key named another way.", p256.sign({**header, "kid": "../../key.pem"}), bad),
        (
            "key-of-another",
            "Signed by G22, named as H37's.",
            other.sign(header),
            "signature/invalid",
        ),
        ("thumbprint-absent", "No certificate named.", p256.sign(p256.header("ES256", **{"x5t#S256": None})), bad),
        ("thumbprint-sha1", "x5t instead.", p256.sign({**header, "x5t#S256": b64(bytes(20))}), bad),
        ("thumbprint-hex", "Hexadecimal.", p256.sign({**header, "x5t#S256": "ab" * 32}), bad),
        ("b64-true", "b64 is true.", p256.sign(p256.header("ES256", b64=True)), bad),
        ("b64-absent", "An ordinary detached JWS, over the base64 of the body.", f"{attached}..{over_base64}", bad),
        ("crit-absent", "b64 without crit.", p256.sign(p256.header("ES256", crit=None)), bad),
        ("crit-unknown", "A critical member nobody knows.", p256.sign({**header, "crit": ["b64", "x"], "x": 1}), bad),
        ("crit-empty", "An empty crit.", p256.sign(p256.header("ES256", crit=[])), bad),
        (
            "duplicate-alg",
            "Two readers, two algorithms.",
            p256.sign(text.replace('"alg":', '"alg":"none","alg":').encode()),
            bad,
        ),
        (
            "duplicate-thumbprint",
            "Two readers, two certificates.",
            p256.sign(text.replace('"x5t', f'"x5t#S256":"{other.thumbprint}","x5t').encode()),
            bad,
        ),
        ("header-huge", "A header of 10 KB.", p256.sign({**header, "pad": "A" * 10_000}), bad),
        ("header-nested", "Brackets enough to exhaust a stack.", p256.sign(b"[" * 380), bad),
        ("header-utf16", "JSON, but not UTF-8.", p256.sign('{"alg":"ES256"}'.encode("utf-16")), bad),
        ("header-array", "A list.", p256.sign([header]), bad),
        (
            "token-as-signature",
            "A bearer token, replayed as a signature.",
            p256.sign({"alg": "ES256", "typ": "axis-token", "x5t#S256": p256.thumbprint}),
            bad,
        ),
    ]


def _spellings(p256: Holder) -> list[Case]:
    segment, _, encoded = p256.sign(p256.header("ES256")).split(".")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    twin = encoded[:-1] + alphabet[alphabet.index(encoded[-1]) ^ 1]
    flattened = {"protected": segment, "signature": encoded}
    bad = "signature/malformed"
    return [
        ("absent", "An empty header.", "", "signature/missing"),
        ("attached", "The payload comes along.", f"{segment}.{b64(BODY.encode())}.{encoded}", bad),
        ("one-dot", "Two parts.", f"{segment}.{encoded}", bad),
        ("three-dots", "Four parts.", f"{segment}..{encoded}.", bad),
        ("json-form", "The flattened JSON serialisation.", json.dumps(flattened), bad),
        ("base64-padded", "With =.", f"{segment}..{encoded}==", bad),
        ("base64-stray-bits", "Another spelling of the same bytes.", f"{segment}..{twin}", bad),
        ("base64-standard", "With + and /.", f"{segment}..{'+/' + encoded[2:]}", bad),
        ("base64-newline", "A newline at the end.", f"{segment}..{encoded}\n", bad),
        ("base64-full-width", "Letters that only look like ASCII.", f"{segment}..{chr(0xFF21) + encoded[1:]}", bad),
        ("signature-huge", "A signature of 10 KB.", f"{segment}..{'A' * 10_000}", bad),
        ("signature-empty", "Nothing behind the dots.", f"{segment}..", bad),
    ]


def _curves(ed: Holder, p256: Holder) -> list[Case]:
    segment, _, encoded = p256.sign(p256.header("ES256")).split(".")
    raw = base64.urlsafe_b64decode(encoded + "==")
    s = int.from_bytes(raw[32:], "big")
    twin = raw[:32] + (_P256_ORDER - s).to_bytes(32, "big")
    der = p256.key.sign(f"{segment}.{BODY}".encode(), ec.ECDSA(_SHA256))
    ed_segment, _, ed_encoded = ed.sign(ed.header("EdDSA")).split(".")
    ed_raw = base64.urlsafe_b64decode(ed_encoded + "==")
    grown = (int.from_bytes(ed_raw[32:], "little") + _ED25519_ORDER).to_bytes(32, "little")
    bad = "signature/invalid"
    return [
        ("es256-der", "DER instead of r and s.", f"{segment}..{b64(der)}", bad),
        ("es256-zeros", "r = s = 0 (CVE-2022-21449).", f"{segment}..{b64(bytes(64))}", bad),
        ("es256-short", "63 bytes.", f"{segment}..{b64(raw[:-1])}", bad),
        ("es256-long", "s with a leading zero.", f"{segment}..{b64(raw[:32] + bytes(1) + raw[32:])}", bad),
        (
            "es256-order-added",
            "r = s = the order.",
            f"{segment}..{b64(_P256_ORDER.to_bytes(32, 'big') * 2)}",
            bad,
        ),
        (
            "es256-twin-verifies",
            "(r, n-s) verifies as (r, s) does: ECDSA is malleable, so no signature may serve as an id.",
            f"{segment}..{b64(twin)}",
            None,
        ),
        ("eddsa-malleable", "S + L: refused (RFC 8032 5.1.7).", f"{ed_segment}..{b64(ed_raw[:32] + grown)}", bad),
        ("eddsa-zeros", "R = S = 0.", f"{ed_segment}..{b64(bytes(64))}", bad),
        ("eddsa-short", "63 bytes.", f"{ed_segment}..{b64(ed_raw[:-1])}", bad),
    ]


def _rsa(holder: Holder) -> list[Case]:
    def signed(label: str, scheme: Any) -> str:
        segment = compact(holder.header(label))
        return f"{segment}..{b64(holder.key.sign(f'{segment}.{BODY}'.encode(), scheme, _SHA256))}"

    bad = "signature/invalid"
    return [
        ("rsa-pss-called-rs256", "A PS256 signature under RS256.", signed("RS256", _PSS), bad),
        ("rsa-pkcs1-called-ps256", "An RS256 signature under PS256.", signed("PS256", padding.PKCS1v15()), bad),
        ("rsa-pss-no-salt", "PSS without salt.", signed("PS256", padding.PSS(padding.MGF1(_SHA256), 0)), bad),
        ("rsa-short", "255 bytes.", f"{compact(holder.header('RS256'))}..{b64(bytes(255))}", bad),
        ("rsa-zero", "The number 0.", f"{compact(holder.header('RS256'))}..{b64(bytes(256))}", bad),
        ("rsa-one", "The number 1.", f"{compact(holder.header('RS256'))}..{b64(bytes(255) + bytes([1]))}", bad),
    ]


def _p256(code: str, **times: dt.datetime) -> Holder:
    return Holder(ec.generate_private_key(ec.SECP256R1()), code, **times)


def _write(name: str, value: Any) -> None:
    (FOLDER / f"{name}.json").write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
