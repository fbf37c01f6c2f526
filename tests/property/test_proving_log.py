"""Any log, in whatever portions it grew: every proof verifies, and nothing altered does."""

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from axis.errors import Refused
from axis.proving import Edge, LogReader, verify_consistency, verify_inclusion
from axis.proving.merkle import EMPTY_ROOT, leaf_hash, node_hash, root_of
from axis.proving.tiles import Tile, partial_tiles, write_bundle

MANY = 700  # entries: two full tiles of level 0 and a part of one


class Files(dict[str, bytes]):
    """A log's files in memory."""

    async def get(self, path: str) -> bytes | None:  # type: ignore[override]  # asked for as a source asks
        return super().get(path)

    def leave_partials(self, size: int) -> None:
        """Remove what a log may remove: partial tiles that have become full."""
        for tile in partial_tiles(size):
            for path in [path for path in self if path.startswith(tile.partials) and path != tile.path]:
                del self[path]


def entry(number: int) -> bytes:
    return f"entry {number}".encode()


def leaves(count: int) -> list[bytes]:
    return [leaf_hash(entry(number)) for number in range(count)]


def grown(portions: Sequence[int]) -> tuple[Files, list[tuple[int, bytes]]]:
    """Let a log grow; return its files, and size and root after each portion."""
    files, heads, edge = Files(), [(0, EMPTY_ROOT)], Edge(0, {})
    for portion in portions:
        hashes = [leaf_hash(entry(edge.size + number)) for number in range(portion)]
        files.update({tile.path: content for tile, content in edge.append(hashes).items()})
        heads.append((edge.size, edge.root()))
        # As a notary does: the next portion begins with what is in the files.
        edge = asyncio.run(LogReader(files).edge(edge.size))
    return files, heads


portions = st.lists(st.integers(0, 300), min_size=1, max_size=6).filter(lambda each: 0 < sum(each) <= MANY)


def path_of(index: int, hashes: Sequence[bytes]) -> list[bytes]:
    """PATH(m, D[n]) word for word (RFC 6962 section 2.1.1)."""
    if len(hashes) == 1:
        return []
    split = 1 << ((len(hashes) - 1).bit_length() - 1)
    if index < split:
        return [*path_of(index, hashes[:split]), root_of(hashes[split:])]
    return [*path_of(index - split, hashes[split:]), root_of(hashes[:split])]


def subproof(size: int, hashes: Sequence[bytes], *, whole: bool) -> list[bytes]:
    """SUBPROOF(m, D[n], b) word for word (RFC 6962 section 2.1.2)."""
    if size == len(hashes):
        return [] if whole else [root_of(hashes)]
    split = 1 << ((len(hashes) - 1).bit_length() - 1)
    if size <= split:
        return [*subproof(size, hashes[:split], whole=whole), root_of(hashes[split:])]
    return [*subproof(size - split, hashes[split:], whole=False), root_of(hashes[:split])]


@given(portions)
def test_roots_are_those_of_the_leaves_however_they_came(portions: list[int]) -> None:
    _, heads = grown(portions)
    for size, root in heads:
        assert root == root_of(leaves(size))


@given(portions, st.data())
def test_every_inclusion_proof_is_the_one_of_the_rfc_and_verifies(portions: list[int], data: st.DataObject) -> None:
    files, heads = grown(portions)
    size, root = data.draw(st.sampled_from([head for head in heads if head[0]]))
    index = data.draw(st.integers(0, size - 1))
    files.leave_partials(size)
    proof = asyncio.run(LogReader(files).inclusion(index, size))
    assert proof == path_of(index, leaves(size))
    verify_inclusion(leaf_hash(entry(index)), index, size, proof, root)
    assert asyncio.run(LogReader(files).root(size)) == root


@given(portions, st.data())
def test_every_consistency_proof_is_the_one_of_the_rfc_and_verifies(portions: list[int], data: st.DataObject) -> None:
    files, heads = grown(portions)
    (old, old_root), (new, new_root) = sorted(data.draw(st.tuples(st.sampled_from(heads), st.sampled_from(heads))))
    proof = asyncio.run(LogReader(files).consistency(old, new))
    if 0 < old < new:
        assert proof == subproof(old, leaves(new), whole=True)
    verify_consistency(old, old_root, new, new_root, proof)


def altered(value: bytes, data: st.DataObject) -> bytes:
    at = data.draw(st.integers(0, len(value) - 1))
    return value[:at] + bytes([value[at] ^ data.draw(st.integers(1, 255))]) + value[at + 1 :]


@given(st.integers(1, 200), st.data())
def test_an_inclusion_proof_with_anything_altered_fails(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    hashes = leaves(size)
    leaf, root, proof = hashes[index], root_of(hashes), path_of(index, hashes)
    match data.draw(st.sampled_from(["leaf", "root", "hash", "index", "size", "longer", "shorter", "swapped"])):
        case "leaf":
            leaf = altered(leaf, data)
        case "root":
            root = altered(root, data)
        case "hash" if proof:
            at = data.draw(st.integers(0, len(proof) - 1))
            proof[at] = altered(proof[at], data)
        case "index" if size > 1:
            index = data.draw(st.integers(0, size - 1).filter(lambda other: other != index))
        case "size":
            size = 2 * size + 1  # the way to the root is longer there, whatever the index
        case "shorter" if proof:
            proof.pop(data.draw(st.integers(0, len(proof) - 1)))
        case "swapped" if len(proof) > 1 and proof[0] != proof[-1]:
            proof[0], proof[-1] = proof[-1], proof[0]
        case _:
            proof.insert(data.draw(st.integers(0, len(proof))), leaf)
    with pytest.raises(Refused) as refused:
        verify_inclusion(leaf, index, size, proof, root)
    assert refused.value.code == "log/inclusion"


@given(st.integers(1, 150), st.integers(1, 150), st.data())
def test_a_consistency_proof_with_anything_altered_fails(old: int, more: int, data: st.DataObject) -> None:
    hashes = leaves(old + more)
    old_root, new_root = root_of(hashes[:old]), root_of(hashes)
    proof, new = subproof(old, hashes, whole=True), old + more
    match data.draw(st.sampled_from(["old", "new", "hash", "longer", "shorter", "turned"])):
        case "old":
            old_root = altered(old_root, data)
        case "new":
            new_root = altered(new_root, data)
        case "hash":
            at = data.draw(st.integers(0, len(proof) - 1))
            proof[at] = altered(proof[at], data)
        case "shorter":
            proof.pop(data.draw(st.integers(0, len(proof) - 1)))
        case "turned":
            old, new = new, old
        case _:
            proof.insert(data.draw(st.integers(0, len(proof))), new_root)
    with pytest.raises(Refused) as refused:
        verify_consistency(old, old_root, new, new_root, proof)
    assert refused.value.code == "log/consistency"


@given(st.integers(2, 150), st.data())
def test_a_log_that_was_rewritten_cannot_be_shown_consistent(old: int, data: st.DataObject) -> None:
    """Whatever of the honest proof of either tree is shown."""
    hashes = leaves(old + data.draw(st.integers(1, 50)))
    rewritten = list(hashes)
    rewritten[data.draw(st.integers(0, old - 1))] = leaf_hash(b"what should have been there")
    for shown in (subproof(old, hashes, whole=True), subproof(old, rewritten, whole=True)):
        with pytest.raises(Refused):
            verify_consistency(old, root_of(hashes[:old]), len(rewritten), root_of(rewritten), shown)


def test_a_tree_of_three_levels_of_tiles() -> None:
    """65,536 entries fill a tile of level 1, so level 2 begins; built from a few hashes, not from so many entries."""
    size = 256 * 256 + 300
    full = [leaf_hash(entry(number)) for number in range(256)]
    edge, files = Edge(0, {}), Files()
    for _ in range(size // 256):
        files.update({tile.path: content for tile, content in edge.append(full).items()})
    files.update({tile.path: content for tile, content in edge.append(full[: size % 256]).items()})
    assert (edge.size, files["tile/2/000.p/1"]) == (size, _folded(files["tile/1/000"]))
    assert files["tile/0/256"] == files["tile/0/000"] == b"".join(full)
    reader = LogReader(files)
    root = asyncio.run(reader.root(size))
    assert root == edge.root()
    for index in (0, 255, 256, 65_535, 65_536, size - 1):
        proof = asyncio.run(reader.inclusion(index, size))
        verify_inclusion(full[index % 256], index, size, proof, root)
    old = 65_536 - 5
    verify_consistency(old, asyncio.run(reader.root(old)), size, root, asyncio.run(reader.consistency(old, size)))


def _folded(content: bytes) -> bytes:
    hashes = [content[at : at + 32] for at in range(0, len(content), 32)]
    while len(hashes) > 1:
        hashes = [node_hash(*pair) for pair in zip(hashes[::2], hashes[1::2], strict=True)]
    return hashes[0]


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=256))
def test_a_bundle_holds_what_was_put_in(entries: list[bytes]) -> None:
    files = Files({Tile(None, 0, len(entries)).path: write_bundle(entries)})
    assert asyncio.run(LogReader(files).bundle(0, len(entries))) == entries
