"""The stream of a sealed file: what it is byte for byte, and how little of it is held."""

import base64
import hashlib
import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from axis.errors import Refused
from axis.trust.stream import SEGMENT_BYTES, Opening, new_content_key, seal, sealed_size

VECTORS = Path(__file__).parents[2] / "vectors" / "sealing"
STREAMS: dict[str, Any] = json.loads((VECTORS / "axis-seal.json").read_text(encoding="utf-8"))["streams"]


def pattern(size: int) -> bytes:
    return (bytes(range(251)) * (size // 251 + 1))[:size]


@pytest.mark.parametrize("case", STREAMS["cases"], ids=lambda case: str(case["size"]))
def test_the_vectors_are_met_byte_for_byte(case: dict[str, Any]) -> None:
    key, associated = bytes.fromhex(STREAMS["content_key_hex"]), STREAMS["associated_data"].encode()
    random = iter((bytes.fromhex(STREAMS["salt_hex"]), bytes.fromhex(STREAMS["nonce_prefix_hex"])))
    plain = pattern(case["size"])
    made = b"".join(seal([plain], key, associated, random=lambda _: next(random)))
    assert (len(made), hashlib.sha256(made).hexdigest()) == (case["sealed_size"], case["sealed_sha256"])
    assert sealed_size(case["size"]) == case["sealed_size"]
    opening = Opening(key, associated)
    assert b"".join(opening.feed(made)) + opening.finish() == plain


def test_what_tink_has_sealed_is_opened() -> None:
    vector = json.loads((VECTORS / "tink.json").read_text(encoding="utf-8"))
    opening = Opening(bytes.fromhex(vector["key_hex"]), vector["associated_data"].encode())
    assert opening.feed(base64.b64decode(vector["ciphertext_base64"])) == []
    assert opening.finish() == pattern(300)


@pytest.mark.parametrize("data", [b"", b"\x28", bytes(56), b"\x29" + bytes(55), b"\x28" + bytes(54)])
def test_what_does_not_begin_as_a_sealed_file_is_refused(data: bytes) -> None:
    opening = Opening(new_content_key(), b"axis.seal/1/0")
    opening.feed(data)
    with pytest.raises(Refused) as caught:
        opening.finish()
    assert caught.value.code == "seal/broken"


def test_a_large_file_is_never_held_whole() -> None:
    size, piece = 96 * SEGMENT_BYTES, bytes(256 * 1024)

    def generated() -> Iterator[bytes]:
        for _ in range(size // len(piece)):
            yield piece

    key = new_content_key()
    opening, total = Opening(key, b"axis.seal/1/0"), 0
    tracemalloc.start()
    try:
        for sealed in seal(generated(), key, b"axis.seal/1/0"):
            total += sum(map(len, opening.feed(sealed)))
        total += len(opening.finish())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert total == size
    assert peak < 12 * SEGMENT_BYTES
