"""The right edge of a growing log: all that has to be known of it to go on."""

from collections.abc import Iterable, Mapping, Sequence

from axis.proving.merkle import node_hash
from axis.proving.ranges import fold
from axis.proving.tiles import HEIGHT, WIDTH, Tile, hashes_of, partial_tiles


class Edge:
    """The hashes of the tiles that are not full, level by level: at most 255 a level, whatever the size."""

    def __init__(self, size: int, partials: Mapping[Tile, bytes]) -> None:
        """Begin at a size with the content of `partial_tiles(size)`; raises Refused log/malformed."""
        self.size = size
        self._levels: list[list[bytes]] = []
        for tile in partial_tiles(size):
            self._level(tile.level or 0).extend(hashes_of(tile, partials[tile]))

    def append(self, leaves: Iterable[bytes]) -> dict[Tile, bytes]:
        """Add leaf hashes; return the content of all tiles that are new: those that became full, and the new edge."""
        made: dict[Tile, bytes] = {}
        for leaf in leaves:
            self._add(0, leaf, made)
            self.size += 1
        for tile in partial_tiles(self.size):
            made[tile] = b"".join(self._levels[tile.level or 0])
        return made

    def root(self) -> bytes:
        """Return the root of the tree as it is now."""
        return fold([peak for level in reversed(self._levels) for peak in _peaks(level)])

    def _add(self, level: int, found: bytes, made: dict[Tile, bytes]) -> None:
        hashes = self._level(level)
        hashes.append(found)
        if len(hashes) == WIDTH:
            index = self.size >> (HEIGHT * (level + 1))  # of the leaf being added
            made[Tile(level, index)] = b"".join(hashes)
            (top,) = _peaks(hashes)
            hashes.clear()
            self._add(level + 1, top, made)

    def _level(self, number: int) -> list[bytes]:
        while len(self._levels) <= number:
            self._levels.append([])
        return self._levels[number]


def _peaks(hashes: Sequence[bytes]) -> list[bytes]:
    """Return the complete subtrees that hashes of one level make, the largest first."""
    peaks: list[bytes] = []
    start = 0
    while start < len(hashes):
        width = 1 << ((len(hashes) - start).bit_length() - 1)
        part = list(hashes[start : start + width])
        while len(part) > 1:
            part = [node_hash(*pair) for pair in zip(part[::2], part[1::2], strict=True)]
        peaks += part
        start += width
    return peaks
