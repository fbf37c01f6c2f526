"""Published examples and attacks: the texts of the RFCs, and Project Wycheproof for every algorithm of the axis.

The vectors are facts of their sources, named in each file of tests/vectors/published, in a format of ours.
"""

import base64
import hmac
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import load_der_public_key

from axis.errors import Refused
from axis.trust import Keyring, encoding
from axis.trust.algorithms import ALGORITHMS, VerifyingKey, verifying_key
from axis.trust.jws import take_apart
from tests.builders import NOW

FOLDER = Path(__file__).parents[2] / "vectors" / "published"
RFC = json.loads((FOLDER / "rfc-jose.json").read_text(encoding="utf-8"))

# What the axis makes of keys that a source calls acceptable, or valid and weak: nobody may enrol them, so nothing
# verifies under them. Of RSA only this one encoding of a hash is taken, whatever a source thinks of others.
KEY_REFUSED = {"SmallOrderPublicKey", "SmallPublicKey"}
NOT_VERIFIED = {"MissingNull"}


def key_of(der: str) -> VerifyingKey | None:
    """Make a published key ready; None when the axis takes no such key."""
    try:
        return verifying_key(load_der_public_key(base64.b64decode(der)))
    except Refused:
        return None


def verdict(key: VerifyingKey | None, algorithm: str, signature: bytes, message: bytes) -> str:
    if key is None:
        return "key refused"
    try:
        key.algorithms[algorithm](signature, message)
    except InvalidSignature:
        return "invalid"
    return "valid"


def allowed(case: dict[str, Any]) -> set[str]:
    flags = set(case["flags"])
    if flags & KEY_REFUSED:
        return {"key refused"}
    if flags & NOT_VERIFIED:
        return {"invalid"}
    # A key with a part of small order is one that its owner made so: who holds it can sign anyhow.
    return {"valid", "invalid"} if case["published"] == "acceptable" else {case["published"]}


@pytest.mark.parametrize("algorithm", sorted(ALGORITHMS))
def test_wycheproof(algorithm: str) -> None:
    document = json.loads((FOLDER / f"wycheproof-{algorithm}.json").read_text(encoding="utf-8"))
    keys = [key_of(der) for der in document["keys"]]
    wrong, counted = [], Counter[str]()
    for case in document["cases"]:
        signature, message = base64.b64decode(case["signature"]), base64.b64decode(case["message"])
        found = verdict(keys[case["key"]], algorithm, signature, message)
        counted[found] += 1
        if found not in allowed(case):
            wrong.append((case["number"], case["why"], case["flags"], case["published"], found))
    assert wrong == []
    assert counted["valid"] > 5
    assert counted["invalid"] > 40


@pytest.mark.parametrize("example", RFC["verify"], ids=lambda example: example["where"])
def test_an_example_of_an_rfc_verifies_and_any_other_text_does_not(example: dict[str, Any]) -> None:
    signing_input, _, signature = example["jws"].rpartition(".")
    key = key_of(example["key"])
    assert key is not None
    key.algorithms[example["algorithm"]](encoding.decode(signature), signing_input.encode())
    with pytest.raises(InvalidSignature):
        key.algorithms[example["algorithm"]](encoding.decode(signature), signing_input.encode() + b"A")


@pytest.mark.parametrize("example", RFC["verify"] + RFC["refused"], ids=lambda example: example["where"])
def test_no_example_of_an_rfc_is_a_signature_of_the_axis(example: dict[str, Any]) -> None:
    """They are attached, without x5t#S256, and some under algorithms that the axis does not take."""
    segment, _, signature = example["jws"].split(".")
    for text in (example["jws"], f"{segment}..{signature}"):
        with pytest.raises(Refused) as caught:
            Keyring([]).verify(b"", text, NOW)
        assert caught.value.code in {"signature/malformed", "signature/algorithm"}


def test_an_unencoded_payload_is_signed_as_rfc_7797_says() -> None:
    """RFC 7797 has its examples under HS256 only; the rule, header segment, dot, bytes as they are, is the same."""
    example = RFC["unencoded"]
    header = json.loads(encoding.decode(example["header"]))
    assert (header["b64"], header["crit"]) == (False, ["b64"])
    with pytest.raises(Refused) as caught:
        take_apart(f"{example['header']}..{example['signature']}")
    assert caught.value.code == "signature/algorithm"
    # The axis's own signing input, made from a header it takes, begins as the example's does.
    own = encoding.encode(json.dumps({**header, "alg": "ES256", "x5t#S256": "A" * 43}).encode())
    assert take_apart(f"{own}..AAAA").prefix == f"{own}.".encode()
    signing_input = f"{example['header']}.".encode() + example["payload"].encode()
    made = hmac.digest(encoding.decode(example["secret"]), signing_input, "sha256")
    assert encoding.encode(made) == example["signature"]
