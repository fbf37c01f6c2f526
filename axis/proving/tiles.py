"""How a log lies in files: c2sp.org/tlog-tiles. Hashes in tiles of 256, entries in bundles of the same 256.

A tile at level L holds hashes of complete subtrees of 256**L leaves. What is not full yet is named by its width beside
the full one's name (`….p/<width>`), so no file ever changes.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from axis.errors import Refused
from axis.proving.merkle import HASH_BYTES, node_hash
from axis.proving.ranges import Node

WIDTH = 256
HEIGHT = 8  # 2**8 = WIDTH
CHECKPOINT = "checkpoint"
ENTRIES = "entries"
MAX_ENTRY_BYTES = 0xFFFF
MAX_TILE_BYTES = WIDTH * HASH_BYTES
MAX_BUNDLE_BYTES = WIDTH * (2 + MAX_ENTRY_BYTES)

_LEVEL = r"(?:0|[1-9]|[1-5][0-9]|6[0-3])"
_INDEX = r"(?:x[0-9]{3}/){0,6}[0-9]{3}"
_PARTIAL = r"(?:\.p/(?:[1-9]|[1-9][0-9]|1[0-9]{2}|2[0-4][0-9]|25[0-5]))"
_NAME = re.compile(rf"{CHECKPOINT}|timestamp/[1-9][0-9]{{0,17}}|tile/(?:{_LEVEL}|{ENTRIES})/{_INDEX}{_PARTIAL}?")


@dataclass(frozen=True, slots=True, order=True)
class Tile:
    """A tile of hashes, or (`level` None) a bundle of entries; `width` of 256 is full."""

    level: int | None
    index: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        """The file's name below the log's prefix."""
        return self.full_path if self.width == WIDTH else f"{self.full_path}.p/{self.width}"

    @property
    def full_path(self) -> str:
        """The name it has once it is full."""
        level = ENTRIES if self.level is None else self.level
        return f"tile/{level}/{_index(self.index)}"

    @property
    def partials(self) -> str:
        """The folder of what it was while it grew."""
        return f"{self.full_path}.p"


def is_name(path: str) -> bool:
    """Say whether a log may have a file of that name; there is one spelling of each."""
    return _NAME.fullmatch(path) is not None


def timestamp_name(size: int) -> str:
    """Return the name of the timestamp (RFC 3161) of the checkpoint of a size; not of C2SP, beside its files."""
    return f"timestamp/{size}"


def tile_with(node: Node, size: int) -> Tile:
    """Return the tile, as a tree of `size` leaves has it, out of which a complete subtree's hash is made."""
    level = node.level // HEIGHT
    first = node.index << (node.level % HEIGHT)  # in hashes of the tile's level
    return tile_at(level, first >> HEIGHT, size)


def tile_at(level: int | None, index: int, size: int) -> Tile:
    """Return a tile as wide as a tree of `size` leaves makes it."""
    hashes = size >> (HEIGHT * (level or 0))
    return Tile(level, index, min(WIDTH, hashes - index * WIDTH))


def partial_tiles(size: int) -> list[Tile]:
    """Return the tiles of hashes at the right edge that are not full, from level 0 up."""
    found, level = [], 0
    while hashes := size >> (HEIGHT * level):
        if hashes % WIDTH:
            found.append(Tile(level, hashes // WIDTH, hashes % WIDTH))
        level += 1
    return found


def hash_in(content: Sequence[bytes], node: Node) -> bytes:
    """Return a subtree's hash out of the hashes of its tile."""
    width = 1 << (node.level % HEIGHT)
    first = (node.index * width) % WIDTH
    hashes = list(content[first : first + width])
    while len(hashes) > 1:
        hashes = [node_hash(*pair) for pair in zip(hashes[::2], hashes[1::2], strict=True)]
    return hashes[0]


def hashes_of(tile: Tile, content: bytes) -> list[bytes]:
    """Cut a tile into its hashes; raise Refused log/malformed unless there are as many as its width says.

    A file that is wider is fine: a full tile stands in for a partial one that was removed.
    """
    if len(content) % HASH_BYTES or not tile.width * HASH_BYTES <= len(content) <= MAX_TILE_BYTES:
        raise Refused("log/malformed", f"{tile.path}: {len(content)} bytes are not {tile.width} hashes")
    return [content[at : at + HASH_BYTES] for at in range(0, tile.width * HASH_BYTES, HASH_BYTES)]


def write_bundle(entries: Sequence[bytes]) -> bytes:
    """Write entries one after the other, each behind its length (two bytes, big-endian)."""
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def read_bundle(tile: Tile, content: bytes) -> list[bytes]:
    """Cut a bundle into its entries; raise Refused log/malformed if there are fewer than its width says."""
    found, at = [], 0
    while at < len(content):
        stop = at + 2 + int.from_bytes(content[at : at + 2], "big")
        if stop > len(content):
            raise Refused("log/malformed", f"{tile.path}: the last entry is cut off")
        found.append(content[at + 2 : stop])
        at = stop
    if not tile.width <= len(found) <= WIDTH:
        raise Refused("log/malformed", f"{tile.path}: {len(found)} entries, not {tile.width}")
    return found[: tile.width]


def nodes_in(tiles: Mapping[Tile, Sequence[bytes]], nodes: Sequence[Node], size: int) -> dict[Node, bytes]:
    """Return the hashes of subtrees out of the tiles they lie in."""
    return {node: hash_in(tiles[tile_with(node, size)], node) for node in nodes}


def _index(number: int) -> str:
    digits = f"{number:d}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    *before, last = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    return "/".join([*(f"x{each}" for each in before), last])
