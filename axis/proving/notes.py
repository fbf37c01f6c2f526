"""Signed notes (c2sp.org/signed-note): a text and signatures under it, each naming its key.

Only Ed25519 (type 0x01). A key is changed by signing with the old and the new one for a while: whoever knows either
can open the note, and signatures of keys nobody told us about are no reason to refuse it.
"""

import base64
import binascii
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from axis.errors import Misconfigured, Refused

KEY_FILES = "log-key*.pem"
MAX_NOTE_BYTES = 64 * 1024
_MAX_SIGNATURES = 64
_ED25519 = b"\x01"
_ID_BYTES = 4
_KEY_BYTES = 32
_SIGNATURE_BYTES = 64
_DASH = "\N{EM DASH} "


@dataclass(frozen=True, slots=True)
class NoteKey:
    """A public key by name, as verifiers know it: `<name>+<id, 8 hexadecimal digits>+<base64>` (a “vkey”)."""

    name: str
    public: bytes = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a vkey; raise Misconfigured, for it is given by whoever verifies."""
        name, _, rest = text.strip().partition("+")
        identifier, _, encoded = rest.partition("+")
        try:
            decoded = base64.b64decode(encoded, validate=True)
        except binascii.Error as error:
            raise Misconfigured(f"not a log's public key: {text[:200]!r}") from error
        key = cls(name, decoded[1:])
        if (
            not _is_key_name(name)
            or decoded[:1] != _ED25519
            or len(key.public) != _KEY_BYTES
            or text.strip() != str(key)
        ):
            raise Misconfigured(f"not a log's public key, or its id {identifier[:20]!r} is another's: {text[:200]!r}")
        return key

    @property
    def id(self) -> bytes:
        """The four bytes that stand before each of its signatures."""
        return hashlib.sha256(self.name.encode() + b"\n" + _ED25519 + self.public).digest()[:_ID_BYTES]

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(_ED25519 + self.public).decode()}"

    def check(self, text: str, signature: bytes) -> None:
        """Check a signature; raise Refused log/signature."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text.encode())
        except (InvalidSignature, ValueError) as error:
            raise Refused("log/signature", f"{self.name} ({self.id.hex()}) did not sign this text") from error


class NoteSigner:
    """A private key that signs notes under a name."""

    def __init__(self, name: str, key: Ed25519PrivateKey) -> None:
        if not _is_key_name(name):
            raise Misconfigured(f"a log's name has no spaces and no plus: {name!r}")
        self._key = key
        self.public = NoteKey(name, key.public_key().public_bytes_raw())

    def __repr__(self) -> str:
        return f"<NoteSigner {self.public}>"

    @classmethod
    def from_pem(cls, name: str, pem: bytes) -> Self:
        """Load an unencrypted Ed25519 key (PKCS #8, PEM); raise Misconfigured."""
        try:
            key = load_pem_private_key(pem, password=None)
        except (ValueError, TypeError) as error:
            raise Misconfigured(f"not an unencrypted private key in PEM: {error}"[:300]) from error
        if not isinstance(key, Ed25519PrivateKey):
            raise Misconfigured("a log signs with Ed25519: `axis key new --kind ed25519`")
        return cls(name, key)

    @classmethod
    def load_all(cls, folder: Path, name: str) -> list[Self]:
        """Load every log-key….pem of a folder, by name: two while the key is changed. Raise Misconfigured."""
        paths = sorted(folder.glob(KEY_FILES))
        if not paths:
            raise Misconfigured(
                f"no {KEY_FILES} in {folder}: `axis up` makes one, or axis key new --kind ed25519 --out …/log-key.pem"
            )
        try:
            return [cls.from_pem(name, path.read_bytes()) for path in paths]
        except OSError as error:
            raise Misconfigured(f"{error.filename}: {error.strerror}") from error

    def line(self, text: str) -> str:
        """Sign a text; return the signature line."""
        encoded = base64.b64encode(self.public.id + self._key.sign(text.encode())).decode()
        return f"{_DASH}{self.public.name} {encoded}\n"


@dataclass(frozen=True, slots=True)
class Opened:
    """A note's text, and the keys of ours that have signed it: at least one."""

    text: str
    keys: tuple[NoteKey, ...]


def sign_note(text: str, signers: Sequence[NoteSigner]) -> str:
    """Put signatures under a text, which has to end with a newline."""
    if not _is_note_text(text) or not signers:
        raise ValueError("a note is lines of text, signed by somebody")
    return text + "\n" + "".join(signer.line(text) for signer in signers)


def open_note(note: str, keys: Iterable[NoteKey]) -> Opened:
    """Return what known keys have signed.

    Raises Refused log/malformed, log/unknown-key when no known key signed it, and log/signature when one is named that
    did not: then somebody changed it.
    """
    text, lines = _apart(note)
    known = {(key.name, key.id): key for key in keys}
    signed: dict[tuple[str, bytes], NoteKey] = {}
    for name, blob in map(_signature, lines):
        key = known.get((name, blob[:_ID_BYTES]))
        if key is not None:
            if len(blob) != _ID_BYTES + _SIGNATURE_BYTES:
                raise Refused("log/signature", f"{name}: not an Ed25519 signature")
            key.check(text, blob[_ID_BYTES:])
            signed[key.name, key.id] = key
    if not signed:
        raise Refused("log/unknown-key", f"signed by none of {', '.join(sorted(map(str, known.values()))) or 'no key'}")
    return Opened(text, tuple(signed.values()))


def _apart(note: str) -> tuple[str, list[str]]:
    if len(note.encode(errors="replace")) > MAX_NOTE_BYTES:
        raise Refused("log/malformed", "the note is too long")
    # By the last empty line: the text may have some of its own.
    text, gap, signatures = note.rpartition("\n\n")
    text += "\n"
    lines = signatures.split("\n")
    if not gap or not _is_note_text(text) or lines[-1] or not 1 < len(lines) <= _MAX_SIGNATURES + 1:
        raise Refused("log/malformed", "not a signed note: a text, an empty line, and signature lines")
    return text, lines[:-1]


def _signature(line: str) -> tuple[str, bytes]:
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    try:
        blob = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Refused("log/malformed", f"not a signature line: {line[:100]!r}") from error
    spelled = base64.b64encode(blob).decode() == encoded  # one spelling: stray bits are none
    if not line.startswith(_DASH) or not _is_key_name(name) or len(blob) <= _ID_BYTES or not spelled:
        raise Refused("log/malformed", f"not a signature line: {line[:100]!r}")
    return name, blob


def _is_key_name(name: str) -> bool:
    return bool(name) and "+" not in name and not any(each.isspace() or ord(each) < ord(" ") for each in name)


def _is_note_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return len(text) > 1 and text.endswith("\n") and all(each >= " " or each == "\n" for each in text)
