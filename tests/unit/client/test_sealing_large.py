"""A sealed file of any size goes through the SDK in bounded memory."""

import hashlib
import tracemalloc
from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from axis.client import File
from axis.client.addressing import Ways
from axis.client.gateway import PIECE, Uploaded
from axis.client.opening import Opener
from axis.client.sealing import Sealer
from axis.core.ids import new_id
from axis.core.reading import parse_envelope
from axis.trust.stream import SEGMENT_BYTES
from tests.unit.client.doubles import NOW, Shelf, World


@dataclass
class Disk:
    """A gateway whose files are on disk, so that only what the SDK holds counts."""

    folder: Path
    shelf: Shelf

    async def ways(self, recipients: Sequence[str]) -> Ways:
        return await self.shelf.ways(recipients)

    async def upload(self, file: File) -> Uploaded:
        digest, size, part = hashlib.sha256(), 0, self.folder / "part"
        with part.open("wb") as out:
            for piece in file.chunks(PIECE):
                digest.update(piece)
                size += out.write(piece)
        part.replace(self.folder / digest.hexdigest())
        return Uploaded(digest.hexdigest(), size)

    async def download(self, sha256: str, size: int) -> AsyncGenerator[bytes, None]:
        with (self.folder / sha256).open("rb") as file:
            while piece := file.read(PIECE):
                yield piece


@dataclass(frozen=True)
class Generated:
    """A file that is written nowhere."""

    pieces: int

    def chunks(self, size: int) -> Iterator[bytes]:
        for number in range(self.pieces):
            yield bytes([number % 251]) * size


async def test_a_large_file_is_held_neither_when_it_is_sealed_nor_when_it_is_opened(
    sealed_world: World, tmp_path: Path
) -> None:
    world, pieces = sealed_world, 96 * SEGMENT_BYTES // PIECE
    disk, identifier = Disk(tmp_path, world.shelf), new_id(NOW)
    file = File(Generated(pieces), "Lớn.bin")
    described = [file.attachment(0, sha256="0" * 64, size=0)]
    opener = Opener(disk, world.settings.sealing_keys)
    tracemalloc.start()
    try:
        sealer = Sealer(disk, tmp_path / "spool", {}, lambda: NOW)
        parts = await sealer.seal([file], described, recipients=["H37"], envelope_id=identifier, sender="G22")
        submission = world.document(attachments=parts.attachments, sealed=parts.sealed, identifier=identifier)
        opened = await opener.open(parse_envelope(submission.body))
        digest = hashlib.sha256()
        async for piece in opened.read(opened.files[0]):
            digest.update(piece)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert opened.files[0].size == pieces * PIECE
    assert digest.hexdigest() == opened.files[0].sha256
    assert peak < 16 * SEGMENT_BYTES
