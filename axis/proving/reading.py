"""Proofs and entries out of a log's files, wherever those lie."""

from collections.abc import Sequence
from typing import Protocol

from axis.errors import NotFound
from axis.proving import ranges
from axis.proving.edge import Edge
from axis.proving.ranges import Node, Range
from axis.proving.tiles import (
    CHECKPOINT,
    WIDTH,
    Tile,
    hashes_of,
    nodes_in,
    partial_tiles,
    read_bundle,
    tile_at,
    tile_with,
)


class Source(Protocol):
    """Where the files are: a blob store, a folder, or a gateway."""

    async def get(self, path: str) -> bytes | None:
        """Return a whole file; None when there is none of that name. Raises Unavailable."""
        ...


class LogReader:
    """Read a log of which somebody trustworthy told the size; nothing here is verified but by who folds it to a root.

    Every method raises Unavailable, NotFound (a file is missing) and Refused log/malformed.
    """

    def __init__(self, source: Source) -> None:
        self._source = source

    async def checkpoint(self) -> str | None:
        """Return the newest checkpoint as it is there, unverified; None where no log has begun."""
        content = await self._source.get(CHECKPOINT)
        return None if content is None else content.decode(errors="replace")

    async def root(self, size: int) -> bytes:
        """Return the root of the first `size` entries."""
        whole = ranges.whole(size)
        return whole.hash(await self._nodes(whole.nodes(), size))

    async def inclusion(self, index: int, size: int) -> list[bytes]:
        """Return the proof that the tree of `size` entries has the one at `index`."""
        return await self._hashes(ranges.inclusion(index, size), size)

    async def consistency(self, old: int, new: int) -> list[bytes]:
        """Return the proof that the tree of `new` entries begins with that of `old`."""
        return await self._hashes(ranges.consistency(old, new), new)

    async def edge(self, size: int) -> Edge:
        """Return what is needed to go on from `size` entries."""
        return Edge(size, {tile: await self._file(tile) for tile in partial_tiles(size)})

    async def bundle(self, index: int, size: int) -> list[bytes]:
        """Return the 256 entries from index * 256 on, fewer at the end of a log of `size` entries."""
        tile = tile_at(None, index, size)
        return read_bundle(tile, await self._file(tile))

    async def leaves(self, index: int, size: int) -> list[bytes]:
        """Return the leaf hashes of the same entries."""
        tile = tile_at(0, index, size)
        return hashes_of(tile, await self._file(tile))

    async def _hashes(self, wanted: Sequence[Range], size: int) -> list[bytes]:
        nodes = await self._nodes([node for each in wanted for node in each.nodes()], size)
        return [each.hash(nodes) for each in wanted]

    async def _nodes(self, nodes: Sequence[Node], size: int) -> dict[Node, bytes]:
        wanted = sorted({tile_with(node, size) for node in nodes}, key=lambda tile: tile.path)
        tiles = {tile: hashes_of(tile, await self._file(tile)) for tile in wanted}
        return nodes_in(tiles, nodes, size)

    async def _file(self, tile: Tile) -> bytes:
        content = await self._source.get(tile.path)
        if content is None and tile.width != WIDTH:
            content = await self._source.get(tile.full_path)  # it became full, and the partial one was removed
        if content is None:
            raise NotFound(f"the log has no file {tile.path}", code="log/not-found")
        return content
