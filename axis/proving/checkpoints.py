"""Checkpoints (c2sp.org/tlog-checkpoint): a log's name, size and root, as the text of a signed note."""

import base64
import binascii
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from axis.errors import Refused
from axis.proving.merkle import HASH_BYTES
from axis.proving.notes import NoteKey, NoteSigner, open_note, sign_note

_SIZE = re.compile(r"0|[1-9][0-9]{0,17}")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A log as it was with `size` entries; `root` is its Merkle tree hash."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """What is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    def signed(self, signers: Sequence[NoteSigner]) -> str:
        """Write the signed note."""
        return sign_note(self.text, signers)


def read_checkpoint(note: str, keys: Iterable[NoteKey]) -> Checkpoint:
    """Open a signed checkpoint of the log whose keys these are.

    Raises Refused log/malformed, log/unknown-key and log/signature. A key speaks for the log it is named after: one log
    cannot sign another's checkpoints. Lines after the third are refused, because nobody could audit what they say.
    """
    opened = open_note(note, keys)
    lines = opened.text.split("\n")
    if len(lines) != 4 or not _SIZE.fullmatch(lines[1]):  # noqa: PLR2004 - origin, size, root, and the end
        raise Refused("log/malformed", "not a checkpoint: its lines are a name, a size and a root")
    try:
        root = base64.b64decode(lines[2], validate=True)
    except (binascii.Error, ValueError) as error:
        raise Refused("log/malformed", "the checkpoint's root is not base64") from error
    checkpoint = Checkpoint(lines[0], int(lines[1]), root)
    if len(root) != HASH_BYTES or checkpoint.text != opened.text:
        raise Refused("log/malformed", "the checkpoint's root is not a SHA-256 in base64")
    if all(key.name != checkpoint.origin for key in opened.keys):
        raise Refused("log/unknown-key", f"a checkpoint of “{checkpoint.origin}”, signed by the key of another log")
    return checkpoint
