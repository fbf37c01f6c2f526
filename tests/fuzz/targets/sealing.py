"""Sealed documents: the wrapped keys as a recipient opens them, and a sealed file as it comes.

The first byte of a stream chooses in pieces of how many bytes it comes: the answer must not depend on that.
"""

import datetime as dt
import json
from collections.abc import Mapping

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID

from axis.core.reading import parse_sealed
from axis.core.sealing import associated_data
from axis.errors import Refused
from axis.trust.sealing_keys import SealingKey
from axis.trust.stream import HEADER_BYTES, KEY_BYTES, TAG_BYTES, Opening, seal
from axis.trust.wrapping import unwrap
from schemas import SealContents, examples
from schemas.sealing import MAX_KEYS_BYTES
from tests.builders import LONG_AGO
from tests.fuzz.oracle import Target, holds, other_reading, read_or_refused

_SCALAR = 0x1234567890ABCDEF  # the whole secret; everybody has it
_KEY, _SEGMENT, _PREFIX_AT = bytes(range(KEY_BYTES)), 128, HEADER_BYTES - 7
# Wrapped once for the key below: wrapping draws fresh keys, so it cannot be made the same again.
_WRAPPED = {
    "protected": "eyJlbmMiOiJBMjU2R0NNIiwidHlwIjoiYXhpcy1zZWFsIn0",
    "iv": "wO5hFV31ieQFXr9G",
    "ciphertext": "LiGErpC54CuFG4p8NcRnvS4I0PvTSoXH",
    "tag": "xjZ69RwcIwlU1UlO58COcQ",
}
_EPHEMERAL = {
    "kty": "EC",
    "crv": "P-256",
    "x": "kTS6xGjMEn0mPjxMZCTYfv-6wxmDZyJojhKohaLWlEA",
    "y": "uYuiJHEy89B5xg4ayGFCZUNrdoDQC3KTpck-2iLl8dU",
}
_ENCRYPTED_KEY = "9Fy2yPqASfSG0uuh4HZRwpZ3jleSyoA4a0UPMTh44ce2V0J5yZP1yA"


def _sealing_key() -> SealingKey:
    key = derive_private_key(_SCALAR, SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "FUZZING ONLY - the key is public")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(LONG_AGO).not_valid_after(LONG_AGO + dt.timedelta(days=9_000))
    return SealingKey(key, builder.sign(key, SHA256(), ecdsa_deterministic=True))


_OURS = _sealing_key()


def check_keys(data: bytes) -> None:
    """Open wrapped keys; and read the same bytes as what wrapped keys open to."""
    opened = read_or_refused(lambda: unwrap(data, {_OURS.thumbprint: _OURS}), Refused, "seal")
    if opened is not None:
        said = other_reading(data)
        holds(said["protected"] == _WRAPPED["protected"], "opened under another header")
        holds(unwrap(data, {_OURS.thumbprint: _OURS}) == opened, "what opened once does not open again")
        holds(len(opened) == len(said["ciphertext"]) * 3 // 4, "it opens to more than was sealed")
    contents = read_or_refused(lambda: parse_sealed(data, SealContents, MAX_KEYS_BYTES), Refused, "seal")
    if contents is not None:
        other_reading(data)
        again = SealContents.model_validate_json(contents.model_dump_json(by_alias=True))
        holds(again == contents, "written and read again it says something else")


def check_stream(data: bytes) -> None:
    """Open a sealed file: whole or not at all, and only as it was sealed."""
    if not data:
        return
    size, sealed = data[0] + 1, data[1:]
    whole = read_or_refused(lambda: _opened(sealed, len(sealed) or 1), Refused, "seal")
    holds(read_or_refused(lambda: _opened(sealed, size), Refused, "seal") == whole, f"in pieces of {size} it differs")
    if whole is None:
        return
    drawn = iter((sealed[1:_PREFIX_AT], sealed[_PREFIX_AT:HEADER_BYTES]))
    again = seal([whole], _KEY, associated_data(0), segment_bytes=_SEGMENT, random=lambda _: next(drawn))
    holds(b"".join(again) == sealed, "two sealed files open to the same with the same salt")
    holds(len(whole) <= len(sealed) - HEADER_BYTES - TAG_BYTES, "it opens to more than was sealed")


def _opened(sealed: bytes, size: int) -> bytes:
    opening = Opening(_KEY, associated_data(0), segment_bytes=_SEGMENT)
    pieces = [piece for at in range(0, len(sealed), size) for piece in opening.feed(sealed[at : at + size])]
    return b"".join(pieces) + opening.finish()


def _recipient(**changes: object) -> dict[str, object]:
    header = {"alg": "ECDH-ES+A256KW", "x5t#S256": _OURS.thumbprint, "epk": _EPHEMERAL, **changes}
    return {"header": header, "encrypted_key": _ENCRYPTED_KEY}


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _keys() -> Mapping[str, bytes]:
    wrapped = {**_WRAPPED, "recipients": [_recipient()]}
    rsa = {"header": {"alg": "RSA-OAEP-256", "x5t#S256": _OURS.thumbprint}, "encrypted_key": "AAAA"}
    contents = {
        "schema": "axis.seal/1",
        "envelope": examples.ENVELOPE_ID,
        "sender": "G22",
        "key": "A" * 43,
        "files": examples.ENVELOPE["attachments"],
    }
    return {
        "wrapped": _json(wrapped),
        "of-another": _json({**wrapped, "recipients": [_recipient(**{"x5t#S256": "A" * 43})]}),
        "another-algorithm": _json({**wrapped, "recipients": [rsa]}),
        "off-the-curve": _json({**wrapped, "recipients": [_recipient(epk={**_EPHEMERAL, "y": "A" * 43})]}),
        "algorithm-not-taken": _json({**wrapped, "recipients": [_recipient(alg="dir")]}),
        "zipped": _json({**wrapped, "protected": "eyJlbmMiOiJBMjU2R0NNIiwiemlwIjoiREVGIn0"}),
        "altered": _json({**wrapped, "tag": "A" * 22}),
        "stray-bits": _json({**wrapped, "tag": "xjZ69RwcIwlU1UlO58COcR"}),
        "recipients-many": _json({**wrapped, "recipients": [rsa] * 40 + [_recipient()]}),
        "recipients-twice": _json(wrapped)[:-1] + b',"recipients":[]}',
        "contents": _json(contents),
        "contents-key-short": _json({**contents, "key": "AAAA"}),
        "contents-path": _json({**contents, "files": [{**contents["files"][0], "name": "../x"}]}),
    }


def _streams() -> Mapping[str, bytes]:
    def made(data: bytes, number: int = 0) -> bytes:
        pieces = seal([data], _KEY, associated_data(number), segment_bytes=_SEGMENT, random=lambda size: b"\7" * size)
        return b"".join(pieces)

    three = made(bytes(250))
    return {
        "nothing": b"\0" + made(b""),
        "one": b"\x10" + made(b"one"),
        "full": b"\x7f" + made(bytes(_SEGMENT - HEADER_BYTES - TAG_BYTES)),
        "three": b"\x03" + three,
        "cut-at-a-segment": b"\x03" + three[: 2 * _SEGMENT],
        "swapped": b"\x03" + three[:_SEGMENT] + three[2 * _SEGMENT :] + three[_SEGMENT : 2 * _SEGMENT],
        "longer": b"\x03" + three + b"\0",
        "of-another-file": b"\x03" + made(b"one", 1),
        "header-alone": b"\x03" + three[:HEADER_BYTES],
        "another-version": b"\x03\x29" + three[1:],
    }


_WORDS = (b'"recipients":', b'"header":', b'"alg":', b'"epk":', b'"x5t#S256":', b'"encrypted_key":', b'"protected":')
_WORDS_TOO = (b'"ECDH-ES+A256KW"', b'"RSA-OAEP-256"', b'"dir"', b'"zip":"DEF"', b'"p2c":1000000', b'"iv":', b'"tag":')
KEYS = Target(check_keys, _keys, (*_WORDS, *_WORDS_TOO, _OURS.thumbprint.encode()), json=True)
STREAM = Target(
    check_stream, _streams, (b"\x28", b"\x28" + b"\7" * 39, bytes(16), b"\xff" * 4, b"\0\0\0\1", b"\1"), 2_048
)
