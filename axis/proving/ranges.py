"""Which subtrees a proof consists of, and their hashes out of complete subtrees.

Every hash in a proof is that of a range of leaves. A range is folded from complete subtrees, which never change once
they are there, so it is they that are stored (`tiles.py`) and read.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from axis.proving.merkle import EMPTY_ROOT, largest_power_below, node_hash


@dataclass(frozen=True, slots=True, order=True)
class Node:
    """A complete subtree: the 2**level leaves from index * 2**level on."""

    level: int
    index: int


@dataclass(frozen=True, slots=True)
class Range:
    """Leaves from `start` to before `stop`, as RFC 6962 cuts them: `start` is a multiple of every power it spans."""

    start: int
    stop: int

    def nodes(self) -> list[Node]:
        """Return the complete subtrees it consists of, from the left."""
        found, start = [], self.start
        while start < self.stop:
            level = (self.stop - start).bit_length() - 1
            found.append(Node(level, start >> level))
            start += 1 << level
        return found

    def hash(self, nodes: Mapping[Node, bytes]) -> bytes:
        """Fold the range's hash out of its nodes."""
        return fold([nodes[node] for node in self.nodes()])


def fold(hashes: Sequence[bytes]) -> bytes:
    """Fold complete subtrees that stand side by side, each smaller than the one before, into one hash."""
    if not hashes:
        return EMPTY_ROOT
    *before, found = hashes
    for each in reversed(before):
        found = node_hash(each, found)
    return found


def whole(size: int) -> Range:
    """Return the range of a whole tree: its hash is the root."""
    return Range(0, size)


def inclusion(index: int, size: int) -> list[Range]:
    """Return the ranges of an inclusion proof, from the leaf's sibling up (RFC 6962 section 2.1.1)."""
    if not 0 <= index < size:
        raise ValueError(f"no leaf {index} in a tree of {size}")
    start, stop = 0, size
    way: list[Range] = []
    while stop - start > 1:
        middle = start + largest_power_below(stop - start)
        if index < middle:
            way.append(Range(middle, stop))
            stop = middle
        else:
            way.append(Range(start, middle))
            start = middle
    return way[::-1]


def consistency(old: int, new: int) -> list[Range]:
    """Return the ranges of a consistency proof (RFC 6962 section 2.1.2); none for equal sizes and from nothing."""
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {old} is no beginning of one of {new}")
    if old in {0, new}:
        return []
    start, stop = 0, new
    way: list[Range] = []
    while old != stop:
        middle = start + largest_power_below(stop - start)
        if old <= middle:
            way.append(Range(middle, stop))
            stop = middle
        else:
            way.append(Range(start, middle))
            start = middle
    # The last range is a subtree that both trees have whole. When it is all of the old tree, the verifier has its hash.
    return [*([Range(start, stop)] if start else []), *way[::-1]]
