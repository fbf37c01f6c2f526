"""A token is good for one request of one agency, for a minute."""

import base64
import datetime as dt
import json
from typing import Any

import pytest

from axis.errors import Refused
from axis.trust import Keyring, issue_token, verify_token
from schemas import REASONS
from tests.builders import NOW
from tests.unit.trust.certified import AFTER, KINDS, certified

PATH = "/v1/blobs/" + "0" * 64


def ring(kind: str = "p256") -> Keyring:
    return Keyring([certified(kind)[1]])


def token(kind: str = "p256", **changes: Any) -> str:
    request = {"code": "H37", "method": "GET", "path": PATH, "now": NOW, **changes}
    return issue_token(certified(kind)[0], **request)


def with_claims(**changes: Any) -> str:
    seconds = int(NOW.timestamp())
    claims = {"iss": "H37", "aud": "axis-gateway", "iat": seconds, "exp": seconds + 60, "htm": "GET", "htu": PATH}
    kept = {name: value for name, value in {**claims, **changes}.items() if value is not None}
    return certified("p256")[0].sign_compact({"typ": "axis-token"}, json.dumps(kept).encode())


def refused(value: str, at: dt.datetime = NOW, keyring: Keyring | None = None) -> str:
    with pytest.raises(Refused) as caught:
        verify_token(value, ring() if keyring is None else keyring, method="GET", path=PATH, now=at)
    assert caught.value.code in REASONS
    return caught.value.code


@pytest.mark.parametrize("kind", KINDS)
def test_a_fresh_token_names_its_agency(kind: str) -> None:
    assert verify_token(token(kind), ring(kind), method="GET", path=PATH, now=NOW) == "H37"
    # A certificate speaks for the units below its organisation.
    assert verify_token(token(kind, code="H37.05"), ring(kind), method="GET", path=PATH, now=NOW) == "H37.05"


def test_it_is_for_no_other_request() -> None:
    assert refused(token(method="PUT")) == "token/invalid"
    assert refused(token(path=PATH[:-1] + "1")) == "token/invalid"
    assert refused(token(path="/v1/blobs/../" + PATH)) == "token/invalid"


def test_it_is_over_after_a_minute_and_not_good_before() -> None:
    assert verify_token(token(), ring(), method="GET", path=PATH, now=NOW + dt.timedelta(seconds=80)) == "H37"
    assert refused(token(), NOW + dt.timedelta(seconds=100)) == "token/invalid"
    assert refused(token(), NOW - dt.timedelta(seconds=40)) == "token/invalid"


def test_it_is_for_nobody_elses_code() -> None:
    assert refused(token(code="G22")) == "abuse/signer"
    # No codes at all, though they begin like the certificate’s:
    assert refused(token(code="H3")) == "token/invalid"
    assert refused(token(code="H370")) == "token/invalid"


def test_its_certificate_must_hold() -> None:
    assert refused(token(), keyring=Keyring([])) == "certificate/unknown"
    assert refused(token(now=AFTER), AFTER) == "certificate/expired"
    other = Keyring([certified("p256")[1].model_copy(update={"der": certified("p256", "G22")[1].der})])
    # A row whose thumbprint is not that of its bytes was changed by hand; it is not used at all.
    assert refused(token(), keyring=other) == "certificate/unknown"


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "elsewhere"},
        {"exp": 10**11},
        {"exp": 0},
        {"exp": None},
        {"iat": "now"},
        {"iat": True},
        {"exp": 1.5},
        {"admin": True},
        {"iss": ["H37"]},
        {"iss": "h37"},
        {"iss": ""},
        {"iss": "H37."},
        {"iss": "H37.05\u0000"},
        {"iss": "H37.05\n"},
        {"iss": "H37.\ud800"},
        {"iss": "H37." + "A" * 40},
    ],
)
def test_claims_have_one_form(changes: dict[str, Any]) -> None:
    assert refused(with_claims(**changes)) == "token/invalid"


def test_a_claim_stands_once() -> None:
    seconds = int(NOW.timestamp())
    claims = f'"aud":"axis-gateway","iat":{seconds},"exp":{seconds + 60},"htm":"GET","htu":"{PATH}"'
    twice = '{"iss":"H37","iss":"H37.05",' + claims + "}"
    assert refused(certified("p256")[0].sign_compact({"typ": "axis-token"}, twice.encode())) == "token/invalid"


def test_a_signature_for_something_else_is_no_token() -> None:
    key, _, _ = certified("p256")
    payload = json.dumps({"iss": "H37"}).encode()
    assert refused(key.sign_compact({"typ": "JWT"}, payload)) == "token/invalid"
    assert refused(key.sign(payload)) in {"signature/malformed", "token/invalid"}
    head = base64.urlsafe_b64encode(b'{"alg":"none","typ":"axis-token"}').rstrip(b"=").decode()
    assert refused(f"{head}.e30.") == "signature/algorithm"


@pytest.mark.parametrize("value", ["", "a", "a.b", "a.b.c.d", ".", "..", "é.é.é", "A" * 5000])
def test_nonsense_is_refused(value: str) -> None:
    assert refused(value).startswith(("token/", "signature/"))


def test_a_changed_claim_breaks_the_signature() -> None:
    head, payload, signature = token().split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    forged = base64.urlsafe_b64encode(json.dumps({**claims, "iss": "H37.01"}).encode()).rstrip(b"=").decode()
    assert refused(f"{head}.{forged}.{signature}") == "signature/invalid"
