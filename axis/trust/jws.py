"""Detached JWS in compact form: RFC 7515 appendix F, with the payload as it is (RFC 7797, b64=false).

signature     = BASE64URL(header) ".." BASE64URL(signature bytes)
signing input = BASE64URL(header) "." body
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from axis.errors import Refused
from axis.trust import encoding
from axis.trust.algorithms import ALGORITHMS, MAX_RSA_BITS, SECOND_ALGORITHMS

MAX_HEADER_CHARACTERS = 512  # ours is 131
MAX_SIGNATURE_CHARACTERS = (MAX_RSA_BITS // 8 * 4 + 2) // 3
MAX_SECOND_CHARACTERS = (3_309 * 4 + 2) // 3  # ML-DSA-65: FIPS 204 table 2
_THUMBPRINT_BYTES = 32
_MAX_MEMBER_TOLD = 30


@dataclass(frozen=True, slots=True)
class Header:
    """What a protected header may say: with which algorithm, and under which certificate."""

    algorithm: str
    thumbprint: str


@dataclass(frozen=True, slots=True)
class Detached:
    """A signature taken apart; `prefix` goes before the body to make the signing input."""

    header: Header
    prefix: bytes
    signature: bytes


def header_segment(members: Mapping[str, object]) -> str:
    """Encode a protected header: no spaces, members in the order given."""
    return encoding.encode(json.dumps(members, separators=(",", ":")).encode("ascii"))


def detached_header(algorithm: str, thumbprint: str) -> str:
    """Encode the protected header of a detached signature."""
    return header_segment({"alg": algorithm, "b64": False, "crit": ["b64"], "x5t#S256": thumbprint})


def take_apart(signature: object, *, second: bool = False) -> Detached:
    """Parse the `axis-signature` header, or the second one; raise Refused signature/missing, malformed or algorithm."""
    if signature is None or signature == "":
        raise Refused("signature/missing")
    if not isinstance(signature, str):
        raise Refused("signature/malformed", "the axis-signature header is not a string")
    # Sizes first: what comes after may cost in proportion to them.
    limit = MAX_SECOND_CHARACTERS if second else MAX_SIGNATURE_CHARACTERS
    if len(signature) > MAX_HEADER_CHARACTERS + limit + 2:
        raise Refused("signature/malformed", f"{len(signature)} characters")
    parts = signature.split(".")
    if len(parts) != 3 or parts[1]:  # noqa: PLR2004 - header, empty payload, signature
        raise Refused("signature/malformed", "not of the form header..signature, with nothing between the dots")
    segment, _, encoded = parts
    header = _detached(segment, second)
    return Detached(header, segment.encode("ascii") + b".", signature_bytes(encoded, limit))


def signature_bytes(segment: str, limit: int = MAX_SIGNATURE_CHARACTERS) -> bytes:
    """Decode the signature segment."""
    if not segment or len(segment) > limit:
        raise Refused("signature/malformed", f"a signature of {len(segment)} characters")
    try:
        return encoding.decode(segment)
    except ValueError as error:
        raise Refused("signature/malformed", f"the signature: {error}") from error


def read_header(segment: str, *, members: frozenset[str], algorithms: frozenset[str] = ALGORITHMS) -> dict[str, Any]:
    """Decode a protected header that has exactly these members; raise Refused signature/malformed or algorithm.

    No member more: `jwk`, `jku`, `x5c`, `x5u` and `kid` all offer a key chosen by the sender (RFC 7515 section 10.3),
    and a member that one verifier heeds and another ignores makes them disagree.
    """
    if not segment or len(segment) > MAX_HEADER_CHARACTERS:
        raise Refused("signature/malformed", f"a protected header of {len(segment)} characters")
    try:
        header = json.loads(encoding.decode(segment).decode("utf-8"), object_pairs_hook=unique)
    except (ValueError, RecursionError) as error:
        raise Refused("signature/malformed", f"the protected header: {error}") from error
    if not isinstance(header, dict):
        raise Refused("signature/malformed", "the protected header is not a JSON object")
    if "alg" in header and not (isinstance(header["alg"], str) and header["alg"] in algorithms):
        raise Refused("signature/algorithm", f"alg is {_told(header['alg'])}")
    if strange := header.keys() - members:
        raise Refused("signature/malformed", f"the protected header must not have {_told(min(strange))}")
    if absent := members - header.keys():
        raise Refused("signature/malformed", f"the protected header lacks {min(absent)}")
    return header


def read_thumbprint(value: object) -> str:
    """Check the x5t#S256 member: base64url of 32 bytes."""
    try:
        if isinstance(value, str) and len(encoding.decode(value)) == _THUMBPRINT_BYTES:
            return value
    except ValueError:
        pass
    raise Refused("signature/malformed", "x5t#S256 is not the base64url of a SHA-256")


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build an object of parsed JSON; raise ValueError when a member stands twice (RFC 7515 section 4)."""
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member stands twice")
    return members


# Every message of one certificate carries the same header segment, so parsing it once is enough. Only headers that
# parse are kept: exceptions are not cached, and the size of an entry is bounded above.
@lru_cache(maxsize=8192)
def _detached(segment: str, second: bool) -> Header:
    # Each place takes its own algorithms: a second signature never stands alone, nor a classical one in its place.
    header = read_header(segment, members=_DETACHED_MEMBERS, algorithms=SECOND_ALGORITHMS if second else ALGORITHMS)
    # `crit` makes a verifier that does not know b64 stop instead of verifying something else (RFC 7797 section 6).
    if header["b64"] is not False or header["crit"] != ["b64"]:
        raise Refused("signature/malformed", 'the protected header must have "b64":false and "crit":["b64"]')
    return Header(header["alg"], read_thumbprint(header["x5t#S256"]))


_DETACHED_MEMBERS = frozenset({"alg", "b64", "crit", "x5t#S256"})


def _told(value: object) -> str:
    # Goes into receipts and logs: short, and without characters that could forge a line there.
    text = str(value)[:_MAX_MEMBER_TOLD]
    return "“" + "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text) + "”"
