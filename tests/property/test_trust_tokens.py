"""Tokens: for any request, any moment and any claims, good for what they say and for nothing else."""

import datetime as dt
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from axis.core.codes import is_within
from axis.errors import Refused
from axis.trust import Keyring, issue_token, verify_token
from schemas import REASONS
from tests.builders import NOW
from tests.unit.trust.certified import certified

RELAXED = settings(deadline=None)  # a busy machine must not fail a test of verdicts
METHODS = st.sampled_from(["GET", "HEAD", "PUT", "get", "DELETE"])
PATHS = st.one_of(
    st.sampled_from(["/v1/blobs/" + "0" * 64, "/v1/blobs/" + "1" * 64, "/v1/blobs//", "/v1/blobs/%2e%2e"]),
    st.text(st.characters(codec="utf-8"), max_size=60).map(lambda text: "/" + text),
)
CODES = st.from_regex(r"[GH]3[678](\.[A-Z0-9]{1,4}){0,3}", fullmatch=True) | st.sampled_from(["H37", "H37.05", "H38"])
SECONDS = st.integers(-200, 200)
JSON = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10) | st.lists(st.integers(), max_size=2)
)


def refusal(token: str, *, method: str = "GET", path: str = "/", now: dt.datetime = NOW) -> str | None:
    """Return why, None when it is taken; everything but Refused is a failure of the test."""
    ring = Keyring([certified("ed25519")[1]])
    try:
        verify_token(token, ring, method=method, path=path, now=now)
    except Refused as error:
        why = error.code
    else:
        return None
    assert why in REASONS
    return why


def claims_at(issued: int, life: int) -> dict[str, Any]:
    return {"iss": "H37", "aud": "axis-gateway", "iat": issued, "exp": issued + life, "htm": "GET", "htu": "/"}


def signed(payload: bytes) -> str:
    return certified("ed25519")[0].sign_compact({"typ": "axis-token"}, payload)


@RELAXED
@given(method=METHODS, path=PATHS, other_method=METHODS, other_path=PATHS)
def test_it_is_for_one_request(method: str, path: str, other_method: str, other_path: str) -> None:
    token = issue_token(certified("ed25519")[0], code="H37", method=method, path=path, now=NOW)
    assert refusal(token, method=method, path=path) is None
    same = (method, path) == (other_method, other_path)
    assert refusal(token, method=other_method, path=other_path) == (None if same else "token/invalid")


@RELAXED
@given(code=CODES)
def test_it_is_for_the_certificates_code_or_one_below(code: str) -> None:
    token = issue_token(certified("ed25519")[0], code=code, method="GET", path="/", now=NOW)
    assert refusal(token) == (None if is_within(code, "H37") else "abuse/signer")


@RELAXED
@given(issued=SECONDS, life=SECONDS)
def test_it_is_good_for_two_minutes_at_most_and_half_a_minute_of_clocks(issued: int, life: int) -> None:
    why = refusal(signed(json.dumps(claims_at(int(NOW.timestamp()) + issued, life)).encode()))
    holds = 0 < life <= 120 and issued - 30 <= 0 <= issued + life + 30
    assert why == (None if holds else "token/invalid")


@RELAXED
@given(
    changes=st.dictionaries(st.sampled_from(["iss", "aud", "iat", "exp", "htm", "htu", "sub", "nbf"]), JSON, min_size=1)
)
def test_other_claims_are_refused_though_the_key_signed_them(changes: dict[str, Any]) -> None:
    good = claims_at(int(NOW.timestamp()), 60)
    why = refusal(signed(json.dumps(good | changes).encode()))
    assert why in {"token/invalid", "abuse/signer"}


@RELAXED
@given(payload=st.binary(max_size=100))
def test_no_payload_crashes_the_verifier(payload: bytes) -> None:
    assert refusal(signed(payload)) == "token/invalid"


@RELAXED
@given(text=st.text(max_size=100))
def test_no_text_is_a_token(text: str) -> None:
    assert refusal(text) is not None


@RELAXED
@given(place=st.integers(0, 10_000), character=st.sampled_from("ABCabc019-_.=+/ \n\u00e9"))
def test_no_character_can_be_changed(place: int, character: str) -> None:
    good = issue_token(certified("ed25519")[0], code="H37", method="GET", path="/", now=NOW)
    place %= len(good)
    bad = good[:place] + character + good[place + 1 :]
    assert bad == good or refusal(bad) is not None


@RELAXED
@given(body=st.binary(max_size=50))
def test_a_signature_of_a_message_is_no_token_and_a_token_no_signature(body: bytes) -> None:
    key, record, _ = certified("ed25519")
    assert refusal(key.sign(body)) is not None
    head, _, signature = signed(body).split(".")
    with pytest.raises(Refused) as caught:
        Keyring([record]).verify(body, f"{head}..{signature}", NOW)
    assert caught.value.code == "signature/malformed"
