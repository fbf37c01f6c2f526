"""The hashes of RFC 6962, against the published vectors of Certificate Transparency's own test trees."""

import pytest

from axis.errors import Refused
from axis.proving.merkle import EMPTY_ROOT, leaf_hash, root_of, verify_consistency, verify_inclusion

# Eight entries, and the roots of their trees: facts that every implementation of RFC 6962 is tested with.
ENTRIES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
A, B, C = (
    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
)
D, E, F = (
    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
)
LEAVES = [leaf_hash(bytes.fromhex(entry)) for entry in ENTRIES]


def hashes(*texts: str) -> list[bytes]:
    return [bytes.fromhex(text) for text in texts]


def test_the_empty_tree() -> None:
    assert root_of([]) == EMPTY_ROOT
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize("size", range(1, 9))
def test_published_roots(size: int) -> None:
    assert root_of(LEAVES[:size]).hex() == ROOTS[size - 1]


@pytest.mark.parametrize(
    ("index", "size", "proof"),
    [(0, 1, []), (0, 8, [A, B, C]), (5, 8, [D, E, ROOTS[3]]), (2, 3, [ROOTS[1]])],
)
def test_published_inclusion_proofs(index: int, size: int, proof: list[str]) -> None:
    verify_inclusion(LEAVES[index], index, size, hashes(*proof), bytes.fromhex(ROOTS[size - 1]))


@pytest.mark.parametrize(
    ("old", "new", "proof"),
    [(1, 1, []), (1, 8, [A, B, C]), (6, 8, [F, E, ROOTS[3]]), (2, 5, [B, D])],
)
def test_published_consistency_proofs(old: int, new: int, proof: list[str]) -> None:
    verify_consistency(old, bytes.fromhex(ROOTS[old - 1]), new, bytes.fromhex(ROOTS[new - 1]), hashes(*proof))


def test_a_leaf_never_passes_for_a_node() -> None:
    left, right = LEAVES[:2]
    assert leaf_hash(left + right) != root_of([left, right])


def test_nothing_is_consistent_only_with_itself() -> None:
    root = bytes.fromhex(ROOTS[2])
    verify_consistency(0, EMPTY_ROOT, 3, root, [])
    for old, old_root, proof in ((0, root, []), (0, EMPTY_ROOT, [root]), (3, EMPTY_ROOT, []), (3, root, [root])):
        with pytest.raises(Refused, match="log/consistency"):
            verify_consistency(old, old_root, 3, root, proof)


@pytest.mark.parametrize("proof", [[b"short"], [b"\0" * 32] * 1000])
def test_what_is_no_list_of_hashes_is_not_hashed(proof: list[bytes]) -> None:
    root = bytes.fromhex(ROOTS[7])
    with pytest.raises(Refused, match="not a list of SHA-256"):
        verify_inclusion(LEAVES[0], 0, 8, proof, root)
    with pytest.raises(Refused, match="not a list of SHA-256"):
        verify_consistency(3, root, 8, root, proof)


@pytest.mark.parametrize("index", [-1, 8])
def test_an_index_outside_of_the_tree(index: int) -> None:
    with pytest.raises(Refused, match="none with the index"):
        verify_inclusion(LEAVES[0], index, 8, hashes(A, B, C), bytes.fromhex(ROOTS[7]))
