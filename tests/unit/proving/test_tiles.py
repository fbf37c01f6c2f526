"""The layout of c2sp.org/tlog-tiles, with the examples its page gives."""

import asyncio
import hashlib
import json

import pytest

from axis.errors import NotFound, Refused
from axis.proving import Entry, LogProof, LogReader, NoteSigner, leaf_hash
from axis.proving.checkpoints import Checkpoint
from axis.proving.edge import Edge
from axis.proving.entries import receipt_entry
from axis.proving.tiles import Tile, hashes_of, is_name, partial_tiles, read_bundle, tile_at
from axis.trust import new_key

KEY = NoteSigner.from_pem("axis.example/log", new_key("ed25519"))
RECEIPT_ID = "01995f1c-7b01-7a00-8a55-0d1e2f3a4b5c"


def test_names_as_the_page_has_them() -> None:
    assert Tile(0, 1_234_067).path == "tile/0/x001/x234/067"
    assert Tile(1, 0, 17).path == "tile/1/000.p/17"
    assert Tile(None, 273, 112).path == "tile/entries/273.p/112"
    assert Tile(2, 1000).path == "tile/2/x001/000"


def test_a_tree_of_70000_has_the_tiles_the_page_says() -> None:
    assert partial_tiles(70_000) == [Tile(0, 273, 112), Tile(1, 1, 17), Tile(2, 0, 1)]
    assert partial_tiles(256) == [Tile(1, 0, 1)]
    assert partial_tiles(0) == []
    assert tile_at(0, 273, 70_000) == Tile(0, 273, 112)
    assert tile_at(None, 272, 70_000) == Tile(None, 272)


@pytest.mark.parametrize(
    "path", ["checkpoint", "tile/0/000", "tile/63/x001/x234/067.p/255", "tile/entries/000.p/1", "tile/9/999"]
)
def test_names_a_log_may_have(path: str) -> None:
    assert is_name(path)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "checkpoint/",
        "tile/64/000",
        "tile/00/000",
        "tile/0/0",
        "tile/0/x000/x/000",
        "tile/0/001/000",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/../../ab/cd",
        "tile/0/000\n",
        "../checkpoint",
        "tile/0/\u0661\u0661\u0661",
    ],
)
def test_names_it_may_not_have(path: str) -> None:
    assert not is_name(path)


def test_a_tile_has_as_many_hashes_as_its_name_says() -> None:
    tile = Tile(0, 0, 2)
    assert hashes_of(tile, b"a" * 32 + b"b" * 32) == [b"a" * 32, b"b" * 32]
    assert hashes_of(tile, b"a" * 32 + b"b" * 32 + b"c" * 32) == [b"a" * 32, b"b" * 32]
    for content in (b"", b"a" * 32, b"a" * 65, b"a" * 32 * 257):
        with pytest.raises(Refused, match="log/malformed"):
            hashes_of(tile, content)


@pytest.mark.parametrize("content", [b"", b"\0", b"\0\3ab", b"\0\1a", b"\0\1a\0\1b\0"])
def test_a_bundle_that_is_cut_off_or_too_short_is_malformed(content: bytes) -> None:
    with pytest.raises(Refused, match="log/malformed"):
        read_bundle(Tile(None, 0, 2), content)


def test_entries_say_digests_and_never_content() -> None:
    body, signature = "biên nhận".encode(), "header..signature"
    entry = receipt_entry(RECEIPT_ID, body, signature)
    assert json.loads(entry.data) == {
        "schema": "axis.log/1",
        "kind": "receipt",
        "id": RECEIPT_ID,
        "sha256": hashlib.sha256(body).hexdigest(),
        "signature_sha256": hashlib.sha256(signature.encode()).hexdigest(),
    }
    assert entry.data.startswith(b'{"schema":"axis.log/1","kind":"receipt","id":"')
    assert Entry("act", "7", "0" * 64).data == b'{"schema":"axis.log/1","kind":"act","id":"7","sha256":"%s"}' % (
        b"0" * 64
    )


class Nothing:
    async def get(self, path: str) -> bytes | None:
        return None


def test_a_missing_file_is_named() -> None:
    with pytest.raises(NotFound, match=r"tile/0/000\.p/3"):
        asyncio.run(LogReader(Nothing()).root(3))
    assert asyncio.run(LogReader(Nothing()).checkpoint()) is None


def proof_of(entries: list[Entry], index: int) -> LogProof:
    edge, files = Edge(0, {}), {}
    for tile, content in edge.append(leaf_hash(entry.data) for entry in entries).items():
        files[tile.path] = content

    class Files:
        async def get(self, path: str) -> bytes | None:
            return files.get(path)

    hashes = asyncio.run(LogReader(Files()).inclusion(index, edge.size))
    return LogProof(index, tuple(hashes), Checkpoint(KEY.public.name, edge.size, edge.root()).signed([KEY]))


ENTRIES = [receipt_entry(RECEIPT_ID, f"receipt {number}".encode(), "signature") for number in range(5)]


@pytest.mark.parametrize("index", range(5))
def test_a_proof_survives_being_written_down(index: int) -> None:
    proof = proof_of(ENTRIES, index)
    assert proof.text.startswith(f"c2sp.org/tlog-proof@v1\nindex {index}\n")
    read = LogProof.parse(proof.text)
    assert read == proof
    assert read.verify(ENTRIES[index], [KEY.public]).size == 5
    with_extra = proof.text.replace("\nindex", "\nextra AAAA\nindex", 1)
    assert LogProof.parse(with_extra) == proof


def test_a_proof_of_another_entry_is_none() -> None:
    with pytest.raises(Refused, match="log/inclusion"):
        proof_of(ENTRIES, 2).verify(ENTRIES[3], [KEY.public])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("tlog-proof@v1", "tlog-proof@v2"),
        ("index 2", "index 02"),
        ("index 2", "index -2"),
        ("index 2\n", ""),
        ("index 2\n", "index 2\nAAAA\n"),
        ("index 2\n", "index 2\n!\n"),
        ("\n\n", "\n"),
    ],
)
def test_a_proof_that_cannot_be_read_is_malformed(old: str, new: str) -> None:
    text = proof_of(ENTRIES, 2).text.replace(old, new, 1)
    with pytest.raises(Refused, match="log/malformed"):
        LogProof.parse(text).verify(ENTRIES[2], [KEY.public])
