"""Sealing what is sent: each file encrypted once, the content key wrapped for each mailbox.

A file is encrypted into a temporary file without a name and uploaded from there, not encrypted again for each attempt:
a source that changes in between would be two texts under one key and nonce, and that gives both away (RFC 5116 section
5.1.1). What is left after a crash is ciphertext whose key is gone.
"""

import asyncio
import datetime as dt
import hashlib
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Protocol

import orjson

from axis.client.addressing import Pins, Ways, choose
from axis.client.building import File
from axis.client.gateway import PIECE, Uploaded
from axis.core.reading import parse_sealed
from axis.core.sealing import KEYS_NAME, associated_data
from axis.errors import Misconfigured, Refused
from axis.trust import encoding
from axis.trust.stream import new_content_key, seal
from axis.trust.wrapping import Addressee, wrap
from schemas import MAX_KEYS_BYTES, SEAL_SCHEME, SealContents
from schemas.sealing import SEALED_MEDIA_TYPE


class SealingGateway(Protocol):
    """The part of the gateway that is needed here."""

    async def upload(self, file: File) -> Uploaded:
        """Put a file into the blob store."""
        ...

    async def ways(self, recipients: Sequence[str]) -> Ways:
        """Say where recipients' documents go, and which certificates are for sealing there."""
        ...


@dataclass(frozen=True, slots=True)
class SealedParts:
    """What goes into the envelope: `attachments` and `sealed`."""

    attachments: list[dict[str, object]]
    sealed: dict[str, object]


@dataclass(frozen=True, slots=True)
class Sealer:
    """Seal documents for whoever will open them; `folder` is where ciphertext waits to be uploaded."""

    gateway: SealingGateway
    folder: Path
    pins: Pins
    now: Callable[[], dt.datetime]

    async def seal(
        self,
        files: Sequence[File],
        described: Sequence[dict[str, object]],
        *,
        recipients: Sequence[str],
        envelope_id: str,
        sender: str,
    ) -> SealedParts:
        """Encrypt and upload the files; `described` is what only recipients see of them.

        Raises Refused seal/* before anything is encrypted, Malformed for a file that cannot be read, Unavailable.
        """
        if not files:
            raise Refused("seal/no-files")
        addressees = choose(await self.gateway.ways(recipients), recipients, self.pins, self.now())
        key = new_content_key()
        attachments, opened = [], []
        for number, (file, said) in enumerate(zip(files, described, strict=True)):
            plain, sealed = await self._upload(file, key, number)
            opened.append({**said, "size": plain.size, "sha256": plain.sha256})
            attachments.append(_outside(number, said, sealed))
        content = _contents(envelope_id=envelope_id, sender=sender, key=key, files=opened)
        keys = await self._wrap(content, list(addressees.values()))
        return SealedParts(
            attachments,
            {
                "scheme": SEAL_SCHEME,
                "keys": {"sha256": keys.sha256, "size": keys.size},
                "mailboxes": sorted(addressees),
            },
        )

    async def _upload(self, file: File, key: bytes, number: int) -> tuple[Uploaded, Uploaded]:
        """Seal one file and upload it; return what it is, and what it is sealed."""
        try:
            out = await asyncio.to_thread(_temporary, self.folder)
        except OSError as error:
            raise _no_room(self.folder, error) from error
        with out:
            try:
                plain = await asyncio.to_thread(_seal_into, out, file, key, associated_data(number))
            except OSError as error:
                raise _no_room(self.folder, error) from error
            return plain, await self.gateway.upload(File(_Spool(out), _name(number)))

    async def _wrap(self, content: bytes, addressees: Sequence[Addressee]) -> Uploaded:
        blob = await asyncio.to_thread(wrap, content, addressees)
        if len(blob) > MAX_KEYS_BYTES:
            raise Refused(
                "message/too-large", f"the wrapped keys have {len(blob)} bytes, the limit is {MAX_KEYS_BYTES}"
            )
        return await self.gateway.upload(File.of_bytes(KEYS_NAME, blob))


def with_sealed(body: bytes, parts: SealedParts) -> bytes:
    """Put the sealed parts into an envelope written without them."""
    return orjson.dumps({**orjson.loads(body), "attachments": parts.attachments, "sealed": parts.sealed})


@dataclass(frozen=True, slots=True)
class _Spool:
    """Sealed bytes on disk; several readers at once do not disturb each other."""

    file: IO[bytes]
    lock: threading.Lock = field(default_factory=threading.Lock)

    def chunks(self, size: int) -> Iterator[bytes]:
        """Yield the bytes from the start in pieces of at most `size`."""
        at = 0
        while piece := self._read(at, size):
            yield piece
            at += len(piece)

    def _read(self, at: int, size: int) -> bytes:
        with self.lock:
            self.file.seek(at)
            return self.file.read(size)


def _seal_into(out: IO[bytes], file: File, key: bytes, associated: bytes) -> Uploaded:
    """Write a file sealed; return the size and digest of it unsealed, of the very bytes that were sealed."""
    digest, size = hashlib.sha256(), 0

    def counted() -> Iterator[bytes]:
        nonlocal size
        for piece in file.chunks(PIECE):
            digest.update(piece)
            size += len(piece)
            yield piece

    for segment in seal(counted(), key, associated):
        out.write(segment)
    out.flush()
    file.check(digest.hexdigest())
    return Uploaded(digest.hexdigest(), size)


def _temporary(folder: Path) -> IO[bytes]:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return tempfile.TemporaryFile(dir=folder)


def _outside(number: int, said: dict[str, object], sealed: Uploaded) -> dict[str, object]:
    """Describe a sealed file as everybody may see it: neither its name nor its kind nor a description."""
    return {
        "name": _name(number),
        "media_type": SEALED_MEDIA_TYPE,
        "size": sealed.size,
        "sha256": sealed.sha256,
        "role": said["role"],
    }


def _name(number: int) -> str:
    return f"{number + 1}.sealed"


def _contents(*, envelope_id: str, sender: str, key: bytes, files: list[dict[str, object]]) -> bytes:
    content = orjson.dumps(
        {
            "schema": SEAL_SCHEME,
            "envelope": envelope_id,
            "sender": sender,
            "key": encoding.encode(key),
            "files": files,
        }
    )
    parse_sealed(content, SealContents, MAX_KEYS_BYTES)  # as strictly as whoever opens it will
    return content


def _no_room(folder: Path, error: OSError) -> Misconfigured:
    return Misconfigured(f"a sealed file cannot be kept in {folder}: {error.strerror}", code="file/not-created")
