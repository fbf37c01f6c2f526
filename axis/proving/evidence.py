"""A proof that can be kept: checkpoint, index and inclusion proof in one text (c2sp.org/tlog-proof)."""

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from axis.errors import Refused
from axis.proving.checkpoints import Checkpoint, read_checkpoint
from axis.proving.entries import Entry
from axis.proving.merkle import HASH_BYTES, leaf_hash, verify_inclusion
from axis.proving.notes import NoteKey

_FIRST = "c2sp.org/tlog-proof@v1"
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,17})")
_MAX_CHARACTERS = 80 * 1024


@dataclass(frozen=True, slots=True)
class LogProof:
    """Where an entry stands, the hashes up to the root, and the signed checkpoint (a note) that has this root."""

    index: int
    hashes: tuple[bytes, ...]
    note: str

    @property
    def text(self) -> str:
        """Write it as one text."""
        lines = [_FIRST, f"index {self.index}", *(base64.b64encode(each).decode() for each in self.hashes)]
        return "\n".join(lines) + "\n\n" + self.note

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read it; raise Refused log/malformed. Extra data, which nobody signed, is passed over."""
        head, gap, note = text.partition("\n\n")
        lines = head.split("\n")
        if len(text) > _MAX_CHARACTERS or not gap or lines[0] != _FIRST:
            raise Refused("log/malformed", f"not a proof of a log: its first line has to be {_FIRST}")
        rest = lines[2:] if len(lines) > 1 and lines[1].startswith("extra ") else lines[1:]
        index = _INDEX.fullmatch(rest[0]) if rest else None
        if index is None:
            raise Refused("log/malformed", "the proof does not say which entry it is about")
        return cls(int(index[1]), tuple(map(_hash, rest[1:])), note)

    def verify(self, entry: Entry, keys: Iterable[NoteKey]) -> Checkpoint:
        """Return the checkpoint of a log that provably has this entry.

        Raises Refused log/malformed, log/unknown-key, log/signature and log/inclusion.
        """
        checkpoint = read_checkpoint(self.note, keys)
        verify_inclusion(leaf_hash(entry.data), self.index, checkpoint.size, self.hashes, checkpoint.root)
        return checkpoint


def _hash(line: str) -> bytes:
    try:
        found = base64.b64decode(line, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Refused("log/malformed", "the proof has a line that is no hash") from error
    if len(found) != HASH_BYTES or base64.b64encode(found).decode() != line:
        raise Refused("log/malformed", "the proof has a line that is no SHA-256 in base64")
    return found
