"""What the log says of a receipt or of an act of administration: its id and its digests, never its content.

Anybody may read the log. A receipt names agencies and reasons, so only whoever has it can tell which entry is its own:
its id and its signature are nothing one could guess. Of an act the digest is over a row that has a random number in it.
"""

import hashlib
from dataclasses import dataclass
from typing import Literal, Self, get_args

import orjson

from axis.errors import Refused

Kind = Literal["receipt", "act"]
_KINDS = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry; digests are SHA-256 in hexadecimal. `signature` is the digest of a receipt's own signature."""

    kind: Kind
    id: str
    sha256: str
    signature_sha256: str | None = None

    @property
    def data(self) -> bytes:
        """The exact bytes that are hashed into the tree: JSON, members in this order, without spaces."""
        members = {"schema": "axis.log/1", "kind": self.kind, "id": self.id, "sha256": self.sha256}
        if self.signature_sha256 is not None:
            members["signature_sha256"] = self.signature_sha256
        return orjson.dumps(members)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read an entry; raise Refused log/malformed unless these are the exact bytes that it is written as."""
        try:
            members = orjson.loads(data)
            entry = cls(members["kind"], members["id"], members["sha256"], members.get("signature_sha256"))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Refused("log/malformed", f"not an entry of a log: {data[:80]!r}") from error
        if entry.kind not in _KINDS or entry.data != data:
            raise Refused("log/malformed", f"not an entry of a log: {data[:80]!r}")
        return entry


def receipt_entry(identifier: str, body: bytes, signature: str) -> Entry:
    """Return the entry of a receipt: its id, exact bytes and detached signature."""
    return Entry("receipt", identifier, digest(body), digest(signature.encode()))


def digest(data: bytes) -> str:
    """SHA-256, hexadecimal."""
    return hashlib.sha256(data).hexdigest()
