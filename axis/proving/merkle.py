"""Merkle trees as RFC 6962 section 2.1 has them: hashing, and the two proofs. Verification raises, never answers.

A tree is named by its size (leaves from the left) and its root. Hashes are the 32 bytes of SHA-256.
"""

import hashlib
from collections.abc import Sequence

from axis.errors import Refused

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    """Hash a leaf: the prefix keeps a leaf from ever passing for a node."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two subtrees into the one above them."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_of(leaves: Sequence[bytes]) -> bytes:
    """Return the root over leaf hashes, all of them at hand."""
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    split = largest_power_below(len(leaves))
    return node_hash(root_of(leaves[:split]), root_of(leaves[split:]))


def largest_power_below(size: int) -> int:
    """Return the largest power of two below `size`, which is 2 or more: where RFC 6962 splits a tree."""
    return 1 << ((size - 1).bit_length() - 1)


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Check that the tree has the leaf hash at an index (RFC 9162 section 2.1.3.2); raise Refused log/inclusion."""
    if not 0 <= index < size:
        raise Refused("log/inclusion", f"a log of {size} entries has none with the index {index}")
    _check_hashes(proof, "log/inclusion")
    place, last, found = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise Refused("log/inclusion", "the proof is longer than the way to the root")
        if place & 1 or place == last:
            found = node_hash(sibling, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        place, last = place >> 1, last >> 1
    if last:
        raise Refused("log/inclusion", "the proof ends before the root")
    if found != root:
        raise Refused("log/inclusion", f"the tree of {size} entries does not have this entry at index {index}")


def verify_consistency(old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Check that the new tree begins with all of the old one (RFC 9162 section 2.1.4.2).

    Raises Refused log/consistency, also where the proof is not the one shape that belongs to the two sizes.
    """
    if not 0 <= old <= new:
        raise Refused("log/consistency", f"{old} entries cannot have become {new}: nothing is ever taken out of a log")
    _check_hashes(proof, "log/consistency")
    if old in {0, new}:
        if proof or (old == new and old_root != new_root) or (old == 0 and old_root != EMPTY_ROOT):
            raise Refused("log/consistency", f"two roots for the same {old} entries")
        return
    # Where the old tree is a complete subtree of the new one, its root is where the way begins, not in the proof.
    rest = list(proof) if old & (old - 1) else [old_root, *proof]
    if not rest:
        raise Refused("log/consistency", "the proof is empty")
    if _both_roots(old - 1, new - 1, rest) != (old_root, new_root):
        raise Refused("log/consistency", f"the log of {new} entries does not begin with the one of {old}")


def _both_roots(place: int, last: int, proof: Sequence[bytes]) -> tuple[bytes, bytes]:
    """Walk up from the old tree's last leaf and return the roots of both trees."""
    while place & 1:
        place, last = place >> 1, last >> 1
    before = after = proof[0]
    for sibling in proof[1:]:
        if last == 0:
            raise Refused("log/consistency", "the proof is longer than the way to the root")
        if place & 1 or place == last:
            before, after = node_hash(sibling, before), node_hash(sibling, after)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            after = node_hash(after, sibling)
        place, last = place >> 1, last >> 1
    if last:
        raise Refused("log/consistency", "the proof ends before the root")
    return before, after


def _check_hashes(proof: Sequence[bytes], code: str) -> None:
    # 64 levels are more than any log has; what is longer is not worth hashing.
    if len(proof) > 2 * 64 or any(len(each) != HASH_BYTES for each in proof):
        raise Refused(code, "the proof is not a list of SHA-256 hashes")
