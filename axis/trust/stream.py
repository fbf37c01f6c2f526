"""One file as a stream of sealed segments: AES-256-GCM, a key of its own, an order that cannot be changed.

This is Tink's AES256_GCM_HKDF_1MB, byte for byte (https://developers.google.com/tink/streaming-aead/
aes_gcm_hkdf_streaming, after Hoang, Reyhanitabar, Rogaway and Vizár, "Online Authenticated-Encryption and its
Nonce-Reuse Misuse-Resistance", 2015, and the analysis by Hoang and Shen, 2020): Java, Go, C++ and Rust have it ready.

header     40 (one byte) | salt (32 bytes) | nonce prefix (7 bytes)
file key   HKDF-SHA-256(content key, salt, info = associated data), 32 bytes
segment n  AES-256-GCM(file key, nonce = prefix | n (4 bytes, big-endian) | 1 if it is the last, else 0), tag behind it

Every segment but the last has 1 MiB as ciphertext, the first with the header before it. A segment that is left out,
moved, doubled, taken from another file or cut off has another nonce or another key than it was sealed with.
"""

import secrets
from collections.abc import Callable, Iterable, Iterator

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from axis.errors import Refused

KEY_BYTES = 32
SEGMENT_BYTES = 1 << 20
HEADER_BYTES = 40
TAG_BYTES = 16
_SALT_BYTES = 32
_PREFIX_BYTES = 7


def new_content_key() -> bytes:
    """Make a content key; one for each envelope, never used again."""
    return secrets.token_bytes(KEY_BYTES)


def sealed_size(size: int) -> int:
    """Say how many bytes a file of `size` bytes has when it is sealed."""
    further = max(0, -(-(size - _first(SEGMENT_BYTES)) // (SEGMENT_BYTES - TAG_BYTES)))
    return HEADER_BYTES + size + TAG_BYTES * (1 + further)


def seal(
    pieces: Iterable[bytes],
    key: bytes,
    associated: bytes,
    *,
    segment_bytes: int = SEGMENT_BYTES,
    random: Callable[[int], bytes] = secrets.token_bytes,
) -> Iterator[bytes]:
    """Seal a file given in pieces of any size; hold about two segments of it at a time.

    `associated` says which file of the document it is. Other segments than of 1 MiB, and `random`, are for tests: salt
    and prefix must never come twice under one content key.
    """
    salt, prefix = random(_SALT_BYTES), random(_PREFIX_BYTES)
    cipher = AESGCM(_file_key(key, salt, associated))
    number, cutter = 0, _Cutter(_first(segment_bytes), segment_bytes - TAG_BYTES)
    yield bytes([HEADER_BYTES]) + salt + prefix
    for piece in pieces:
        for segment in cutter.feed(piece):
            yield cipher.encrypt(_nonce(prefix, number, last=False), segment, None)
            number += 1
    yield cipher.encrypt(_nonce(prefix, number, last=True), cutter.finish(), None)


class Opening:
    """Open a sealed file as its bytes come; what it gives out is proved, and only `finish` proves that it is all."""

    def __init__(self, key: bytes, associated: bytes, *, segment_bytes: int = SEGMENT_BYTES) -> None:
        self._key = key
        self._associated = associated
        self._cutter = _Cutter(segment_bytes, segment_bytes)
        self._cipher: AESGCM | None = None
        self._prefix = b""
        self._number = 0

    def feed(self, data: bytes) -> list[bytes]:
        """Take bytes, return what they open to so far; raise Refused seal/broken."""
        return [self._open(segment, last=False) for segment in self._cutter.feed(data)]

    def finish(self) -> bytes:
        """Return the end of the file; raise Refused seal/broken when something is missing or behind it."""
        return self._open(self._cutter.finish(), last=True)

    def _open(self, segment: bytes, *, last: bool) -> bytes:
        if self._cipher is None:
            segment = self._begin(segment)
        try:
            opened = self._cipher_now.decrypt(_nonce(self._prefix, self._number, last=last), segment, None)
        except InvalidTag as error:
            what = "altered, cut off, out of its place or of another file"
            raise Refused("seal/broken", f"segment {self._number} is {what}") from error
        self._number += 1
        return opened

    def _begin(self, segment: bytes) -> bytes:
        if len(segment) < HEADER_BYTES + TAG_BYTES or segment[0] != HEADER_BYTES:
            raise Refused("seal/broken", "it does not begin as a sealed file does")
        salt, self._prefix = segment[1 : 1 + _SALT_BYTES], segment[1 + _SALT_BYTES : HEADER_BYTES]
        self._cipher = AESGCM(_file_key(self._key, salt, self._associated))
        return segment[HEADER_BYTES:]

    @property
    def _cipher_now(self) -> AESGCM:
        if self._cipher is None:
            raise RuntimeError("the header comes first")
        return self._cipher


class _Cutter:
    """Cut bytes into segments; the last is known only when nothing comes behind it, so it is held back."""

    def __init__(self, first: int, further: int) -> None:
        self._size = first
        self._further = further
        self._held = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        self._held += data
        while len(self._held) > self._size:
            segment = bytes(memoryview(self._held)[: self._size])
            del self._held[: self._size]
            self._size = self._further
            yield segment

    def finish(self) -> bytes:
        segment, self._held = bytes(self._held), bytearray()
        return segment


def _first(segment_bytes: int) -> int:
    """Say how many bytes of the file are in the first segment."""
    return segment_bytes - HEADER_BYTES - TAG_BYTES


def _file_key(key: bytes, salt: bytes, associated: bytes) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, salt, associated).derive(key)


def _nonce(prefix: bytes, number: int, *, last: bool) -> bytes:
    return prefix + number.to_bytes(4, "big") + bytes([last])
