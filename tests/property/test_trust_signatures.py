"""Signatures and the keyring, for any body, any header, any moment and any order of changes."""

import base64
import datetime as dt
import functools
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jws as joserfc
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from axis.errors import Refused
from axis.trust import Keyring, encoding
from axis.trust.algorithms import PrivateKey, signing
from axis.trust.keys import load_key
from schemas import REASONS, Certificate
from tests.builders import NOW
from tests.unit.trust.certified import certified

# RFC 9864 renames EdDSA to Ed25519; the name on our wire is the older one, which every library knows.
pytestmark = pytest.mark.filterwarnings("ignore:EdDSA is deprecated")

ORACLE_KEYS: dict[str, Any] = {"ed25519": OKPKey, "p256": ECKey, "rsa": RSAKey}
WAYS = (("ed25519", "EdDSA"), ("p256", "ES256"), ("rsa", "PS256"), ("rsa", "RS256"))
KINDS = ("ed25519", "p256")  # where the algorithm does not matter: RSA is slow to sign with
RELAXED = settings(deadline=None)  # a busy machine must not fail a test of verdicts
OWNERS = ("H37", "G22", "H37.05", "K11")
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

# The oracle takes unencoded payloads in UTF-8 only; ours are JSON.
TEXTS = st.text(max_size=100).map(str.encode)
BODIES = st.one_of(st.binary(max_size=300), TEXTS, st.sampled_from([b"", b".", b".."]))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
MOMENTS = st.integers(-5, 5).map(lambda days: NOW + dt.timedelta(days=days))


# Loading checks an RSA key for primality: once is enough.
@functools.cache
def private(kind: str) -> PrivateKey:
    return load_key(certified(kind)[2])


@functools.cache
def oracle_key(kind: str) -> Any:
    return ORACLE_KEYS[kind].import_key(certified(kind)[2].decode())


def header_of(kind: str, algorithm: str) -> dict[str, Any]:
    return {"alg": algorithm, "b64": False, "crit": ["b64"], "x5t#S256": certified(kind)[0].thumbprint}


def registry(algorithm: str) -> joserfc.JWSRegistry:
    return joserfc.JWSRegistry(algorithms=[algorithm], strict_check_header=False)


def refusal(ring: Keyring, body: bytes, signature: Any, at: dt.datetime = NOW) -> str | None:
    """Return why, None when it verifies; everything but Refused is a failure of the test."""
    try:
        ring.verify(body, signature, at)
    except Refused as error:
        why = error
    else:
        return None
    assert why.code in REASONS
    assert why.detail.isprintable()
    return why.code


def held(ring: Keyring) -> dict[str, Certificate]:
    """Return what a ring holds of the certificates of the owners."""
    known = [certified("ed25519", code)[1].thumbprint for code in OWNERS]
    return {thumbprint: record for thumbprint in known if (record := ring.get(thumbprint)) is not None}


@pytest.mark.parametrize(("kind", "algorithm"), WAYS)
@RELAXED
@given(body=TEXTS)
def test_two_implementations_agree_on_any_text(kind: str, algorithm: str, body: bytes) -> None:
    _, record, _ = certified(kind)
    oracle = oracle_key(kind)
    theirs = joserfc.serialize_compact(header_of(kind, algorithm), body, oracle, registry=registry(algorithm))
    head, signature = theirs[: theirs.index(".")], theirs[theirs.rindex(".") + 1 :]
    assert refusal(Keyring([record]), body, f"{head}..{signature}") is None

    head = base64.urlsafe_b64encode(json.dumps(header_of(kind, algorithm)).encode()).rstrip(b"=").decode()
    ours = signing(private(kind), algorithm)(head.encode() + b"." + body)  # type: ignore[arg-type] # a Literal, listed above
    joserfc.deserialize_compact(f"{head}..{encoding.encode(ours)}", oracle, payload=body, registry=registry(algorithm))


@pytest.mark.parametrize("kind", KINDS)
@RELAXED
@given(body=BODIES, other=BODIES)
def test_a_signature_is_for_one_body(kind: str, body: bytes, other: bytes) -> None:
    key, record, _ = certified(kind)
    assert refusal(Keyring([record]), other, key.sign(body)) == (None if other == body else "signature/invalid")


@pytest.mark.parametrize("kind", KINDS)
@RELAXED
@given(data=st.data())
def test_no_character_of_a_signature_can_be_changed_dropped_or_added(kind: str, data: st.DataObject) -> None:
    key, record, _ = certified(kind)
    good = key.sign(b"body")
    place = data.draw(st.integers(0, len(good) - 1))
    character = data.draw(st.one_of(st.sampled_from(ALPHABET + ".=+/ \n"), st.characters()))
    for bad in (
        good[:place] + character + good[place + 1 :],
        good[:place] + good[place + 1 :],
        good[:place] + character + good[place:],
    ):
        assert bad == good or refusal(Keyring([record]), b"body", bad) is not None


@pytest.mark.parametrize(("kind", "algorithm"), WAYS)
@RELAXED
@given(changes=st.dictionaries(st.sampled_from(["alg", "b64", "crit", "x5t#S256", "jwk", "x5c", "kid", "typ"]), JSON))
def test_a_header_that_says_anything_else_is_refused_though_the_key_signed_it(
    kind: str, algorithm: str, changes: dict[str, Any]
) -> None:
    _, record, _ = certified(kind)
    good = header_of(kind, algorithm)
    head = encoding.encode(json.dumps(good | changes).encode())
    signature = encoding.encode(signing(private(kind), algorithm)(f"{head}.body".encode()))  # type: ignore[arg-type] # as above
    why = refusal(Keyring([record]), b"body", f"{head}..{signature}")
    # By type too: Python's 0 equals False, a header's does not.
    same = json.dumps(good | changes, sort_keys=True) == json.dumps(good, sort_keys=True)
    assert (why is None) == same


@RELAXED
@given(head=st.one_of(JSON.map(lambda value: json.dumps(value).encode()), st.binary(max_size=100)), rest=st.text())
def test_no_header_crashes_the_verifier(head: bytes, rest: str) -> None:
    ring = Keyring([certified("p256")[1]])
    for tail in (rest, "AAAA"):
        assert refusal(ring, b"body", f"{encoding.encode(head)}..{tail}") is not None


@RELAXED
@given(body=TEXTS, r=st.integers(0, 2**256 - 1), s=st.integers(0, 2**256 - 1))
def test_no_pair_of_numbers_is_a_signature(body: bytes, r: int, s: int) -> None:
    _, record, _ = certified("p256")
    head = encoding.encode(json.dumps(header_of("p256", "ES256")).encode())
    signature = f"{head}..{encoding.encode(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"
    assert refusal(Keyring([record]), body, signature) == "signature/invalid"
    oracle = oracle_key("p256")
    with pytest.raises(JoseError):
        joserfc.deserialize_compact(signature, oracle, payload=body, registry=registry("ES256"))


@RELAXED
@given(start=MOMENTS, end=MOMENTS, revoked=st.none() | MOMENTS, at=MOMENTS)
def test_a_certificate_holds_from_its_start_until_its_end_or_revocation(
    start: dt.datetime, end: dt.datetime, revoked: dt.datetime | None, at: dt.datetime
) -> None:
    key, record, _ = certified("ed25519")
    changed = record.model_copy(update={"not_before": start, "not_after": end, "revoked_at": revoked})
    why = refusal(Keyring([changed]), b"body", key.sign(b"body"), at)
    holds = start <= at < end and (revoked is None or at < revoked)
    assert (why is None) == holds
    assert holds or str(why).startswith("certificate/")


@RELAXED
@given(st.lists(st.lists(st.tuples(st.sampled_from(OWNERS), st.none() | MOMENTS), max_size=4), max_size=5))
def test_a_ring_changed_step_by_step_is_the_ring_built_at_once(
    steps: list[list[tuple[str, dt.datetime | None]]],
) -> None:
    ring, model = Keyring([]), dict[str, Certificate]()
    for step in steps:
        rows = [certified("ed25519", code)[1].model_copy(update={"revoked_at": at}) for code, at in step]
        before, kept = ring, dict(model)
        ring = ring.updated(rows)
        model |= {row.thumbprint: row.certificate for row in rows}
        assert held(before) == kept
        assert held(ring) == held(Keyring(model.values())) == model
        assert len(ring) == len(model)


@RELAXED
@given(st.one_of(st.binary(max_size=100).map(encoding.encode), st.text(ALPHABET, max_size=12), st.text(max_size=12)))
def test_base64url_has_one_spelling(text: str) -> None:
    try:
        data = encoding.decode(text)
    except ValueError:
        return
    assert encoding.encode(data) == text
    assert base64.urlsafe_b64encode(data).rstrip(b"=").decode() == text


@RELAXED
@given(st.binary(max_size=100))
def test_base64url_comes_back(data: bytes) -> None:
    assert encoding.decode(encoding.encode(data)) == data
