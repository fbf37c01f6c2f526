"""The files of a document that arrived, opened where it is sealed."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Protocol

from axis.core.reading import parse_sealed
from axis.core.sealing import associated_data, check_contents
from axis.edxml.errors import EdxmlError
from axis.errors import AxisError, Misconfigured, NotFound, Refused
from axis.trust import SealingKey, encoding, load_sealing_keys
from axis.trust.stream import Opening
from axis.trust.wrapping import unwrap
from schemas import MAX_KEYS_BYTES, Attachment, Envelope, SealContents
from schemas.sealing import Sealed

# What no key, no other setting and no waiting ever opens: it is damaged, or was never right. A file that is gone
# (blob/not-found) is not among it: no envelope passes the router that names a file the axis does not have, so that is
# the axis's loss to mend, and the sender must not be told that the document is wrong.
_NEVER_OPENED = frozenset({"seal/malformed", "seal/other-envelope", "seal/broken", "blob/digest"})

_KEY_MAY_COME = frozenset({"seal/no-key", "seal/not-for-you"})


def is_its_senders(error: AxisError) -> bool:
    """Say whether a document that cannot be opened or written as a package is to be refused to its sender with 02.

    Whatever else went wrong is this side's or passes: the document is left where it is (QĐ 28/2018 article 9.1 asks for
    a word to the sender about what is wrong with the document, not with us).
    """
    return isinstance(error, EdxmlError) or error.code in _NEVER_OPENED


class Downloads(Protocol):
    """The part of the gateway that is needed here."""

    def download(self, sha256: str, size: int) -> AsyncGenerator[bytes, None]:
        """Stream a blob; its last piece comes only when the whole has the right size and digest."""
        ...


class Opened:
    """The files of one document as their author knows them, whether they were sealed or not."""

    def __init__(
        self, envelope: Envelope, gateway: Downloads, *, files: tuple[Attachment, ...], key: bytes | None
    ) -> None:
        self.files = files
        self._stored = tuple(envelope.attachments)
        self._gateway = gateway
        self._key = key

    def read(self, attachment: Attachment) -> AsyncGenerator[bytes, None]:
        """Stream a file, named as in `files` or as in the envelope.

        The last piece is handed out only when the whole is right; Refused blob/digest or seal/broken is raised in its
        place.
        """
        number = self._number(attachment)
        stored = self._stored[number]
        if self._key is None:
            return self._gateway.download(stored.sha256, stored.size)
        return self._open(number, Opening(self._key, associated_data(number)))

    def _number(self, attachment: Attachment) -> int:
        for named in (self.files, self._stored):
            if attachment in named:
                return named.index(attachment)
        raise NotFound(f"“{attachment.name}” is not a file of this document", code="file/not-found")

    async def _open(self, number: int, opening: Opening) -> AsyncGenerator[bytes, None]:
        stored, file = self._stored[number], self.files[number]
        digest, size, held = hashlib.sha256(), 0, b""

        def step(piece: bytes | None) -> list[bytes]:
            opened = [opening.finish()] if piece is None else opening.feed(piece)
            for each in opened:
                digest.update(each)
            return opened

        async with aclosing(self._gateway.download(stored.sha256, stored.size)) as pieces:
            async for piece in pieces:
                for each in await asyncio.to_thread(step, piece):
                    size += len(each)
                    if held:
                        yield held
                    held = each
        (last,) = await asyncio.to_thread(step, None)
        if size + len(last) != file.size or digest.hexdigest() != file.sha256:
            raise Refused("seal/broken", f"“{file.name}” opens to other bytes than its sender sealed")
        for each in (held, last):
            if each:
                yield each


class Opener:
    """Open documents with an agency's sealing keys (by thumbprint); retired ones open what was sealed for them.

    Where no key opens a document, those in `folder` are read anew: one may have come since.
    """

    def __init__(self, gateway: Downloads, keys: Mapping[str, SealingKey], folder: Path | None = None) -> None:
        self._gateway = gateway
        self._keys = keys
        self._folder = folder

    async def open(self, envelope: Envelope) -> Opened:
        """Return the files of a document.

        Raises:
            Refused: seal/no-key or seal/not-for-you when we cannot open it; seal/malformed, seal/other-envelope,
                seal/broken or blob/digest when nobody should; blob/not-found.
            Unavailable: the gateway was away.
        """
        if envelope.sealed is None:
            return Opened(envelope, self._gateway, files=tuple(envelope.attachments), key=None)
        try:
            return await self._open(envelope, envelope.sealed)
        except Refused as error:
            if error.code not in _KEY_MAY_COME or not await self._came():
                raise
        return await self._open(envelope, envelope.sealed)

    async def _came(self) -> bool:
        """Read the keys anew; say whether there are more."""
        if self._folder is None:
            return False
        try:
            found = await asyncio.to_thread(load_sealing_keys, self._folder)
        except Misconfigured:  # one is being written
            return False
        more = bool(found.keys() - self._keys.keys())
        self._keys = {**self._keys, **found}
        return more

    async def _open(self, envelope: Envelope, sealed: Sealed) -> Opened:
        if not self._keys:
            raise Refused("seal/no-key")
        keys = sealed.keys
        async with aclosing(self._gateway.download(keys.sha256, keys.size)) as pieces:
            blob = b"".join([piece async for piece in pieces])
        content = await asyncio.to_thread(unwrap, blob, self._keys)
        contents = parse_sealed(content, SealContents, MAX_KEYS_BYTES)
        check_contents(contents, envelope)
        try:
            key = encoding.decode(contents.key)
        except ValueError as error:
            raise Refused("seal/malformed", "the content key is not base64url of 32 bytes") from error
        return Opened(envelope, self._gateway, files=tuple(contents.files), key=key)
