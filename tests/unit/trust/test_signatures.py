"""Detached signatures: what verifies, and every way of cheating with a code of its own."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jws as joserfc
from joserfc.jwk import ECKey, OKPKey, RSAKey

from axis.errors import Refused
from axis.trust import Keyring
from axis.trust.algorithms import signing
from axis.trust.keys import load_key
from schemas import REASONS
from tests.builders import NOW
from tests.unit.trust.certified import AFTER, BEFORE, KINDS, certified

BODY = '{"subject":"Hỏa tốc"}'.encode()
# RFC 9864 renames EdDSA to Ed25519; the name on our wire is the older one, which every library knows.
pytestmark = pytest.mark.filterwarnings("ignore:EdDSA is deprecated")

ORACLE_KEYS: dict[str, Any] = {"ed25519": OKPKey, "p256": ECKey, "rsa": RSAKey}


def segment(members: Any) -> str:
    raw = members if isinstance(members, bytes) else json.dumps(members, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def header_of(kind: str = "p256", **changes: Any) -> dict[str, Any]:
    key, _, _ = certified(kind)
    base = {"alg": key.algorithm, "b64": False, "crit": ["b64"], "x5t#S256": key.thumbprint}
    return {name: value for name, value in {**base, **changes}.items() if value is not None}


def signed_with(members: Any, body: bytes = BODY, kind: str = "p256", algorithm: str | None = None) -> str:
    """Sign under any protected header at all."""
    key, _, pem = certified(kind)
    head = segment(members)
    raw = signing(load_key(pem), algorithm or key.algorithm)(head.encode() + b"." + body)  # type: ignore[arg-type]
    return f"{head}..{base64.urlsafe_b64encode(raw).rstrip(b'=').decode()}"


def refused(signature: Any, body: bytes = BODY, kind: str = "p256", at: Any = NOW) -> str:
    with pytest.raises(Refused) as caught:
        Keyring([certified(kind)[1]]).verify(body, signature, at)
    assert caught.value.code in REASONS
    assert caught.value.detail.isprintable()
    return caught.value.code


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_key_signs_its_certificate_verifies(kind: str) -> None:
    key, record, _ = certified(kind)
    signer = Keyring([record]).verify(BODY, key.sign(BODY), NOW)
    assert (signer.organisation, signer.thumbprint, signer.role) == ("H37", record.thumbprint, "agency")


@pytest.mark.parametrize("kind", KINDS)
def test_another_implementation_verifies_what_we_sign(kind: str) -> None:
    key, _, pem = certified(kind)
    oracle = ORACLE_KEYS[kind].import_key(pem.decode())
    head, _, signature = key.sign(BODY).split(".")
    registry = joserfc.JWSRegistry(algorithms=[key.algorithm], strict_check_header=False)
    value = f"{head}..{signature}"
    found = joserfc.deserialize_compact(value, oracle, payload=BODY, registry=registry)
    assert found.protected["x5t#S256"] == key.thumbprint


@pytest.mark.parametrize(
    ("kind", "algorithm"), [("ed25519", "EdDSA"), ("p256", "ES256"), ("rsa", "PS256"), ("rsa", "RS256")]
)
def test_we_verify_what_another_implementation_signs(kind: str, algorithm: str) -> None:
    _, record, pem = certified(kind)
    oracle = ORACLE_KEYS[kind].import_key(pem.decode())
    registry = joserfc.JWSRegistry(algorithms=[algorithm], strict_check_header=False)
    value = joserfc.serialize_compact(header_of(kind, alg=algorithm), BODY, oracle, registry=registry)
    head, _, signature = value.split(".")
    assert Keyring([record]).verify(BODY, f"{head}..{signature}", NOW).organisation == "H37"


@pytest.mark.parametrize("kind", KINDS)
@settings(deadline=None)
@given(data=st.data())
def test_no_bit_of_body_or_signature_can_be_changed(kind: str, data: st.DataObject) -> None:
    key, record, _ = certified(kind)
    signature = key.sign(BODY)
    ring = Keyring([record])
    place = data.draw(st.integers(0, len(BODY) * 8 - 1))
    body = bytearray(BODY)
    body[place // 8] ^= 1 << place % 8
    with pytest.raises(Refused) as caught:
        ring.verify(bytes(body), signature, NOW)
    assert caught.value.code == "signature/invalid"
    head, _, encoded = signature.split(".")
    raw = bytearray(base64.urlsafe_b64decode(encoded + "=="))
    place = data.draw(st.integers(0, len(raw) * 8 - 1))
    raw[place // 8] ^= 1 << place % 8
    forged = f"{head}..{base64.urlsafe_b64encode(bytes(raw)).rstrip(b'=').decode()}"
    with pytest.raises(Refused) as caught:
        ring.verify(BODY, forged, NOW)
    assert caught.value.code == "signature/invalid"


@settings(deadline=None)
@given(st.text(max_size=200))
def test_no_text_crashes_the_verifier(text: str) -> None:
    assert refused(text).startswith(("signature/", "certificate/"))


@pytest.mark.parametrize("signature", [None, "", 7, b"a..b"])
def test_a_signature_must_be_there_and_be_text(signature: object) -> None:
    assert refused(signature) in {"signature/missing", "signature/malformed"}


@pytest.mark.parametrize(
    "algorithm", ["none", "None", "HS256", "ES384", "RS512", "", "EdDSA ", 5, None, ["ES256"], {"a": 1}]
)
def test_no_other_algorithm(algorithm: object) -> None:
    members = header_of()
    members["alg"] = algorithm
    assert refused(signed_with(members)) == "signature/algorithm"


def test_an_algorithm_of_another_kind_of_key() -> None:
    for algorithm in ("EdDSA", "RS256", "PS256"):
        assert refused(signed_with(header_of(alg=algorithm))) == "signature/algorithm"


@pytest.mark.parametrize(
    "extra", [{"jwk": {}}, {"x5c": ["MII"]}, {"kid": "1"}, {"jku": "x"}, {"typ": "axis-token"}, {"exp": 1}]
)
def test_a_header_says_nothing_more(extra: dict[str, Any]) -> None:
    assert refused(signed_with({**header_of(), **extra})) == "signature/malformed"


@pytest.mark.parametrize(
    "members",
    [
        header_of(b64=True),
        header_of(b64="false"),
        header_of(b64=0),
        header_of(crit=["b64", "exp"]),
        header_of(crit=[]),
        header_of(crit="b64"),
        {"alg": "ES256", "b64": False, "crit": ["b64"]},
        {"alg": "ES256", "x5t#S256": "A" * 43},
        {**header_of(), "x5t#S256": "short"},
        {**header_of(), "x5t#S256": 5},
        [],
        "text",
        b'{"alg":"ES256","alg":"ES256","b64":false,"crit":["b64"],"x5t#S256":"' + b"A" * 43 + b'"}',
        b"not json",
        b"\xff",
        b"[" * 200,
    ],
)
def test_a_header_has_one_form(members: Any) -> None:
    assert refused(signed_with(members)) == "signature/malformed"


def test_the_compact_form_is_detached_and_spelled_one_way() -> None:
    key, _, _ = certified("p256")
    head, _, signature = key.sign(BODY).split(".")
    payload = segment(BODY)
    for value in (
        f"{head}.{payload}.{signature}",
        f"{head}.{signature}",
        f"{head}..{signature}.",
        f"{head}..{signature}=",
        f"{head}..{signature}\n",
        f" {head}..{signature}",
        f"{head}..",
        f"..{signature}",
        f"{head}..{signature[:-1]}",
        f"{head}..{'A' * 5000}",
        "A" * 10_000,
    ):
        assert refused(value) in {"signature/malformed", "signature/invalid"}, value
    # The last character of 64 bytes carries unused bits: another spelling of the same signature.
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    twin = signature[:-1] + alphabet[alphabet.index(signature[-1]) ^ 1]
    assert refused(f"{head}..{twin}") == "signature/malformed"


def test_a_der_signature_is_not_es256() -> None:
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.hashes import SHA256

    _, _, pem = certified("p256")
    private = load_key(pem)
    assert isinstance(private, EllipticCurvePrivateKey)
    head = segment(header_of())
    raw = private.sign(head.encode() + b"." + BODY, ECDSA(SHA256()))
    assert refused(f"{head}..{base64.urlsafe_b64encode(raw).rstrip(b'=').decode()}") == "signature/invalid"


def test_certificates_are_looked_at_in_time() -> None:
    key, record, _ = certified("p256")
    signature = key.sign(BODY)
    assert refused(signature, at=BEFORE) == "certificate/not-yet-valid"
    assert refused(signature, at=AFTER) == "certificate/expired"
    assert refused(signature, at=record.not_after) == "certificate/expired"
    with pytest.raises(Refused) as caught:
        Keyring([record.model_copy(update={"revoked_at": NOW})]).verify(BODY, signature, NOW)
    assert caught.value.code == "certificate/revoked"
    with pytest.raises(Refused) as caught:
        Keyring([]).verify(BODY, signature, NOW)
    assert caught.value.code == "certificate/unknown"


def test_a_replaced_certificate_is_gone_even_when_the_new_row_cannot_be_used() -> None:
    key, record, _ = certified("p256")
    ring = Keyring([record]).updated([record.model_copy(update={"der": b"nonsense", "revoked_at": NOW})])
    with pytest.raises(Refused) as caught:
        ring.verify(BODY, key.sign(BODY), NOW)
    assert (caught.value.code, len(ring)) == ("certificate/unknown", 0)


def test_a_ring_is_replaced_never_changed_and_one_bad_row_harms_nobody() -> None:
    key, record, _ = certified("p256")
    other, other_record, _ = certified("ed25519", "G22")
    ring = Keyring([record])
    bad = record.model_copy(update={"thumbprint": "B" * 43, "der": b"nonsense"})
    grown = ring.updated([other_record, bad])
    assert (len(ring), len(grown)) == (1, 2)
    assert grown.verify(BODY, key.sign(BODY), NOW).organisation == "H37"
    assert grown.verify(BODY, other.sign(BODY), NOW).organisation == "G22"
    revoked = grown.updated([record.model_copy(update={"revoked_at": NOW})])
    with pytest.raises(Refused):
        revoked.verify(BODY, key.sign(BODY), NOW)
    assert grown.verify(BODY, key.sign(BODY), NOW).organisation == "H37"
