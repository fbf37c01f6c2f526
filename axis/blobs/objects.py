"""Named objects beside the blobs, in a folder of the same store: for what is not named by its digest."""

import asyncio
import uuid
from typing import Self

import obstore

from axis.blobs.folder import STAGING
from axis.blobs.opening import Opened, open_store
from axis.blobs.store import outside

LOG_FOLDER = "log"  # the log of receipts; a blob's first folder has two characters


class Objects:
    """Small objects under one prefix.

    Contract: when `put` returns, the object is there whole and (local file system) on disk; whatever interrupts it
    leaves the one that was there before. Names come from our own code, never from outside.
    """

    def __init__(self, opened: Opened, prefix: str) -> None:
        self._store = opened.store
        self._folder = opened.folder
        self._prefix = prefix

    @classmethod
    def open(cls, url: str, prefix: str) -> Self:
        """Open the store of a URL as `Blobs.open` does; raise Misconfigured."""
        return cls(open_store(url), prefix)

    async def put(self, name: str, content: bytes) -> None:
        """Store an object, in place of the one of that name."""
        key = f"{self._prefix}/{name}"
        if self._folder is None:
            async with outside("write"):
                await obstore.put_async(self._store, key, content)
            return
        staged = f"{STAGING}/{uuid.uuid4().hex}"
        async with outside("write"):
            await obstore.put_async(self._store, staged, content)
            await asyncio.to_thread(self._folder.settle, staged, key)

    async def get(self, name: str) -> bytes | None:
        """Return a whole object; None when there is none of that name."""
        async with outside("read"):
            try:
                found = await obstore.get_async(self._store, f"{self._prefix}/{name}")
                return bytes(await found.bytes_async())
            except FileNotFoundError:
                return None

    async def drop(self, folder: str) -> int:
        """Remove all objects whose names begin with `folder` and a slash; return how many there were."""
        async with outside("remove"):
            found = await obstore.list(self._store, prefix=f"{self._prefix}/{folder}/").collect_async()
            await obstore.delete_async(self._store, [each["path"] for each in found])
        return len(found)
