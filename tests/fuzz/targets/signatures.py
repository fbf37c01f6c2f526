"""Signatures and tokens: everything a stranger can put into the `axis-signature` header or an Authorization header.

The first byte chooses. Even: the rest is the header as it comes. Odd: the rest is a protected header and, after a NUL
byte, a body, and the example's key signs them, so that what stands behind the check of the signature is reached too.
Another implementation (joserfc) has to agree with whatever is taken.
"""

import json
import warnings
from collections.abc import Mapping

from joserfc import jws as joserfc
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import OKPKey

from axis.errors import Refused
from axis.trust import encoding, issue_token, verify_token
from axis.trust.jws import take_apart
from tests.builders import NOW
from tests.fuzz.oracle import Target, holds, other_reading, read_or_refused
from tests.fuzz.targets.keys import EXAMPLE_KEY, OWNER, PRIVATE_KEY, RING, THUMBPRINT

# RFC 9864 renames EdDSA to Ed25519; the name on our wire is the older one, which every library knows.
warnings.filterwarnings("ignore", category=SecurityWarning, message="EdDSA")
_ORACLE_KEY = OKPKey.import_key(
    {"kty": "OKP", "crv": "Ed25519", "x": encoding.encode(PRIVATE_KEY.public_key().public_bytes_raw())}
)
_ORACLE = joserfc.JWSRegistry(algorithms=["EdDSA"], strict_check_header=False)
_HEADER = {"alg": "EdDSA", "b64": False, "crit": ["b64"], "x5t#S256": THUMBPRINT}
_TOKEN_HEADER = {"alg": "EdDSA", "typ": "axis-token", "x5t#S256": THUMBPRINT}
_PATH = "/v1/blobs/" + "0" * 64
_GROUPS = ("signature", "certificate")


def check_signature(data: bytes) -> None:
    """Take a signature apart and verify it."""
    if not data:
        return
    if data[0] % 2:
        header, _, body = data[1:].partition(b"\0")
        segment = encoding.encode(header)
        text = f"{segment}..{encoding.encode(PRIVATE_KEY.sign(segment.encode() + b'.' + body))}"
    else:
        text, body = data[1:].decode("utf-8", "surrogateescape"), b"body"
    detached = read_or_refused(lambda: take_apart(text), Refused, *_GROUPS)
    signer = read_or_refused(lambda: RING.verify(body, text, NOW), Refused, *_GROUPS)
    if detached is None:
        holds(signer is None, "verified, and cannot be taken apart")
        return
    segment, _, signature = text.split(".")
    holds(encoding.encode(detached.signature) == signature, "one signature has two spellings")
    members = other_reading(encoding.decode(segment))
    holds(members == {**_HEADER, "alg": members["alg"], "x5t#S256": members["x5t#S256"]}, "the header says more")
    if signer is None:
        return
    holds(members == _HEADER, "verified under another header than the key's own")
    holds(RING.verify(body, text, NOW) == signer, "what verified once does not verify again")
    _disagrees(body + b" ", text)
    _disagrees(body, text[:-2] + ("A" if text[-2] != "A" else "B") + text[-1])
    try:
        body.decode("utf-8")
        joserfc.deserialize_compact(text, _ORACLE_KEY, payload=body, registry=_ORACLE)
    except UnicodeDecodeError:
        return  # the other implementation takes payloads in UTF-8 only
    except (JoseError, ValueError) as error:
        raise AssertionError(f"verified, and the other implementation says: {error}") from error


def check_token(data: bytes) -> None:
    """Verify a gateway token."""
    if not data:
        return
    if data[0] % 2:
        header, _, claims = data[1:].partition(b"\0")
        signing_input = f"{encoding.encode(header)}.{encoding.encode(claims)}"
        token = f"{signing_input}.{encoding.encode(PRIVATE_KEY.sign(signing_input.encode()))}"
    else:
        token = data[1:].decode("utf-8", "surrogateescape")
    code = read_or_refused(
        lambda: verify_token(token, RING, method="PUT", path=_PATH, now=NOW), Refused, "token", "abuse", *_GROUPS
    )
    if code is None:
        return
    holds(code == OWNER or code.startswith(f"{OWNER}."), f"a certificate of {OWNER} speaks for {code}")
    segment, payload, _ = token.split(".")
    holds(other_reading(encoding.decode(segment)) == _TOKEN_HEADER, "taken with another header")
    claims_read = other_reading(encoding.decode(payload))
    expected = {"iss": code, "aud": "axis-gateway", "htm": "PUT", "htu": _PATH}
    holds({name: claims_read[name] for name in expected} == expected, "taken for another request")
    holds(abs(NOW.timestamp() - claims_read["iat"]) <= 150, "taken out of its time")
    try:
        joserfc.deserialize_compact(token, _ORACLE_KEY, registry=_ORACLE)
    except (JoseError, ValueError) as error:
        raise AssertionError(f"taken, and the other implementation says: {error}") from error


def _disagrees(body: bytes, text: str) -> None:
    try:
        RING.verify(body, text, NOW)
    except Refused:
        return
    holds(False, "other bytes verify too")  # noqa: FBT003 - the failing branch


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _signatures() -> Mapping[str, bytes]:
    signed = EXAMPLE_KEY.sign(b"body").encode()
    headers = {
        "good": _HEADER,
        "none": {**_HEADER, "alg": "none"},
        "hmac": {**_HEADER, "alg": "HS256"},
        "another-algorithm": {**_HEADER, "alg": "ES256"},
        "encoded": {**_HEADER, "b64": True},
        "zero-is-not-false": {**_HEADER, "b64": 0},
        "critical-unknown": {**_HEADER, "crit": ["b64", "exp"]},
        "key-inside": {**_HEADER, "jwk": {"kty": "OKP"}},
        "thumbprint-number": {**_HEADER, "x5t#S256": 5},
        "list": [_HEADER],
    }
    return {
        "as-it-comes": b"\0" + signed,
        "three-dots": b"\0" + signed.replace(b"..", b"..."),
        "padded": b"\0" + signed + b"=",
        "not-ascii": b"\0" + "é".encode() + signed,
        "not-utf-8": b"\0" + signed + b"\xff",
        "huge": b"\0" + b"A" * 4_000,
        **{f"signed-{name}": b"\1" + _json(header) + b"\0body" for name, header in headers.items()},
        "signed-alg-twice": b"\1" + _json(_HEADER)[:-1] + b',"alg":"none"}\0body',
        "signed-nested": b"\1" + b"[" * 300 + b"\0body",
        "signed-without-body": b"\1" + _json(_HEADER),
        "signed-binary-body": b"\1" + _json(_HEADER) + b"\0\xff\0\xfe",
    }


def _tokens() -> Mapping[str, bytes]:
    token = issue_token(EXAMPLE_KEY, code=OWNER, method="PUT", path=_PATH, now=NOW).encode()
    issued = int(NOW.timestamp())
    claims = {"iss": OWNER, "aud": "axis-gateway", "iat": issued, "exp": issued + 60, "htm": "PUT", "htu": _PATH}
    others = {
        "good": claims,
        "of-a-unit": {**claims, "iss": f"{OWNER}.05"},
        "of-another": {**claims, "iss": "H37"},
        "of-a-lookalike": {**claims, "iss": f"{OWNER}0"},
        "of-no-code": {**claims, "iss": f"{OWNER}."},
        "long": {**claims, "exp": issued + 100_000},
        "huge-times": {**claims, "iat": 10**400, "exp": 10**400 + 60},
        "old": {**claims, "iat": issued - 1_000, "exp": issued - 940},
        "true-is-not-one": {**claims, "iat": True},
        "another-path": {**claims, "htu": "/"},
        "a-claim-more": {**claims, "sub": OWNER},
    }
    header = _json(_TOKEN_HEADER)
    return {
        "as-it-comes": b"\0" + token,
        "a-signature": b"\0" + EXAMPLE_KEY.sign(b"body").encode(),
        **{f"signed-{name}": b"\1" + header + b"\0" + _json(value) for name, value in others.items()},
        "signed-claim-twice": b"\1" + header + b"\0" + _json(claims)[:-1] + b',"iss":"H37"}',
        "signed-not-a-number": b"\1" + header + b"\0" + _json(claims).replace(str(issued).encode(), b"NaN", 1),
        "signed-untyped": b"\1" + _json({**_TOKEN_HEADER, "typ": "JWT"}) + b"\0" + _json(claims),
    }


_WORDS = (b'"alg":', b'"b64":false', b'"crit":["b64"]', b'"x5t#S256":', b'"jwk":', b'"jku":', b'"x5c":', b'"kid":')
_WORDS_TOO = (b'"none"', b'"HS256"', b'"EdDSA"', b'"ES256"', b'"PS256"', b'"RS256"', b"..", b"=", b"\0", b"\1", b"{}")
_CLAIMS = (
    b'"iss":',
    b'"aud":',
    b'"iat":',
    b'"exp":',
    b'"htm":',
    b'"htu":',
    b'"typ":',
    b"1e400",
    b"-1",
    b"NaN",
    b"true",
)
SIGNATURE = Target(check_signature, _signatures, (*_WORDS, *_WORDS_TOO, THUMBPRINT.encode()), 8_192)
TOKEN = Target(check_token, _tokens, (*_CLAIMS, *_WORDS, *_WORDS_TOO, THUMBPRINT.encode()), 8_192)
