"""The edXML package that a partner gets of a document: the very one its sender made, or one written for it, once."""

import asyncio
import contextlib
import hashlib
import os
import tempfile
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Protocol, cast

from axis.client import Delivery
from axis.client.originals import difference
from axis.core.partners import Incoming, Partner
from axis.edxml import Naming, from_envelope, write_document
from axis.errors import AxisError, NotFound
from axis.gateway.desk.codes import Codes
from schemas import Attachment, AttachmentRole, Envelope

_PIECE = 256 * 1024


@dataclass(frozen=True, slots=True)
class Packed:
    """A package as it will be handed out, however often: exactly these bytes.

    `differs`: what the package its sender made says otherwise than the signed envelope, so that another was written.
    """

    sha256: str
    size: int
    differs: str | None = None


class Downloads(Protocol):
    """The part of an agency that reads the blobs of its documents."""

    def read(self, attachment: Attachment) -> AsyncGenerator[bytes, None]:
        """Stream a file as it is stored."""
        ...


class Packing:
    """Make packages. Those written here lie in `folder` under their SHA-256; what came as edXML stays a blob.

    Written is what did not come as edXML, and what came sealed: the blob store never gets what was opened. So is what
    came as a package that says another thing than its envelope: only that is signed for everybody to see.
    """

    def __init__(self, folder: Path, spool: Path, codes: Codes) -> None:
        self.folder = folder
        self._spool = spool
        self._codes = codes

    async def pack(self, delivery: Delivery, partner: Partner, *, concerned: Envelope | None = None) -> Packed:
        """Make the package of a document; it is on disk, or in the blob store, when this returns.

        `concerned` is what it acts on, where that is known: a package that is written here names it.

        Raises EdxmlError or Refused for a document that no package can be made of, and Unavailable.
        """
        files = await delivery.files()
        envelope = delivery.envelope.model_copy(update={"attachments": [*files], "sealed": None})
        package = next((each for each in files if each.role is AttachmentRole.PACKAGE), None)
        await asyncio.to_thread(_make_folders, self.folder, self._spool)
        with tempfile.TemporaryDirectory(dir=self._spool) as place:
            differs: str | None = None
            named = None if concerned is None else concerned.document.document_id
            if package is not None:
                path = await _fetched(delivery, package, Path(place) / "original")
                differs = await asyncio.to_thread(difference, path, envelope, self._codes.read, concerned=named)
                if differs is None and delivery.envelope.sealed is None:
                    return Packed(package.sha256, package.size)
            if package is None or differs is not None:
                path = await self._written(delivery, envelope, partner, Path(place), concerned)
            return replace(await asyncio.to_thread(_settle, path, self.folder), differs=differs)

    async def _written(
        self, delivery: Delivery, envelope: Envelope, partner: Partner, place: Path, concerned: Envelope | None
    ) -> Path:
        contents: dict[str, Path] = {}
        for each in envelope.attachments:
            if each.role is not AttachmentRole.PACKAGE and each.sha256 not in contents:
                contents[each.sha256] = await _fetched(delivery, each, place / each.sha256)
        path = place / "package"
        naming = self._codes.naming(partner.code_form)
        await asyncio.to_thread(_write, path, envelope, contents, naming, concerned)
        return path

    async def forget(self, sha256: str) -> None:
        """Remove a package that was written here; blobs are not ours to remove."""
        await asyncio.to_thread((self.folder / sha256).unlink, missing_ok=True)

    @contextlib.asynccontextmanager
    async def opened(
        self, package: Incoming, downloads: Callable[[], Downloads]
    ) -> AsyncGenerator[AsyncGenerator[bytes, None], None]:
        """Open a package to be read in pieces; raise NotFound or Unavailable before the first.

        `downloads` is asked for where the bytes are a blob.
        """
        if package.content is not None:
            pieces = _once(package.content)
        elif (path := self.folder / package.sha256).is_file():
            pieces = _from_file(path, package.sha256)
        else:
            pieces = downloads().read(
                Attachment(name="package.edxml", media_type="application/xml", size=package.size, sha256=package.sha256)
            )
        async with contextlib.aclosing(pieces):
            yield pieces


async def _fetched(delivery: Delivery, attachment: Attachment, path: Path) -> Path:
    with path.open("xb") as file:
        async with contextlib.aclosing(delivery.read(attachment)) as pieces:
            async for piece in pieces:
                await asyncio.to_thread(file.write, piece)
    return path


def _write(
    path: Path, envelope: Envelope, contents: Mapping[str, Path], naming: Naming, concerned: Envelope | None
) -> None:
    document = from_envelope(envelope, contents, naming=naming, concerned=concerned)
    with path.open("wb") as file:
        write_document(document, file)


def _make_folders(*folders: Path) -> None:
    for each in folders:
        each.mkdir(mode=0o700, parents=True, exist_ok=True)


def _settle(path: Path, folder: Path) -> Packed:
    """Put a finished file in its place, on disk before anybody is told of it."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
        os.fsync(file.fileno())
        size = file.tell()
    path.replace(folder / digest.hexdigest())
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return Packed(digest.hexdigest(), size)


async def _once(content: bytes) -> AsyncGenerator[bytes, None]:
    yield content


async def _from_file(path: Path, sha256: str) -> AsyncGenerator[bytes, None]:
    """Stream a file; its last piece comes only when all of it has the digest it is named by."""
    digest, held = hashlib.sha256(), b""
    try:
        file = cast("BinaryIO", await asyncio.to_thread(path.open, "rb"))
    except OSError as error:
        raise NotFound(f"{path.name}: {error.strerror}", code="partner/unknown-package") from error
    try:
        while piece := await asyncio.to_thread(file.read, _PIECE):
            digest.update(piece)
            if held:
                yield held
            held = piece
    finally:
        file.close()
    if digest.hexdigest() != sha256:
        raise AxisError(f"the package {path.name} is damaged")
    if held:
        yield held
