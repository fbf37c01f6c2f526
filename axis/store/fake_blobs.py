"""The blobs' part of the fake store."""

import datetime as dt
from collections.abc import Awaitable, Callable, Collection
from contextlib import AbstractAsyncContextManager

from axis.core.records import DeliveryState
from axis.store.fake_memory import Memory
from axis.store.seam import BlobStore


class FakeBlobs(BlobStore):
    """Which blobs arrived, in memory."""

    def __init__(
        self, alone: Callable[[], AbstractAsyncContextManager[Memory]], now: Callable[[], dt.datetime]
    ) -> None:
        self._alone = alone
        self._now = now

    async def record_upload(self, sha256: str, size: int, account: str) -> None:
        """Remember that the account uploaded the blob."""
        async with self._alone() as memory:
            memory.blobs.setdefault(sha256, size)
            memory.uploads[sha256, account] = self._now()
            memory.unwanted.pop((sha256, account), None)

    async def known(self, account: str, digests: Collection[str]) -> dict[str, int]:
        """Return the sizes of the blobs that the account uploaded or may read."""
        async with self._alone() as memory:
            return {
                digest: memory.blobs[digest]
                for digest in digests
                if digest in memory.blobs and _may_use(memory, account, digest)
            }

    async def may_read(self, account: str, sha256: str) -> bool:
        """Say whether the account may read the blob."""
        return bool(await self.known(account, [sha256]))

    async def unwanted(self, older_than: dt.timedelta, limit: int) -> list[str]:
        """Name blobs that are unwanted for so long."""
        async with self._alone() as memory:
            due = {digest: at for (digest, _), at in memory.unwanted.items() if at <= self._now() - older_than}
            return sorted(due, key=lambda digest: (due[digest], digest))[:limit]

    async def forget(self, sha256: str, remove: Callable[[str], Awaitable[None]]) -> bool:
        """Forget unwanted uploads of a blob, and the blob when nobody else needs it."""
        async with self._alone() as memory:
            for key in [key for key in memory.unwanted if key[0] == sha256]:
                memory.uploads.pop(key, None)
            needed = any(digest == sha256 for digest, _ in memory.uploads) or any(
                attachment.sha256 == sha256 for attachment in memory.attachments
            )
            if not needed:
                memory.blobs.pop(sha256, None)
                await remove(sha256)
            for key in [key for key in memory.unwanted if key[0] == sha256]:
                del memory.unwanted[key]
            return not needed


def _may_use(memory: Memory, account: str, digest: str) -> bool:
    if (digest, account) in memory.uploads and (digest, account) not in memory.unwanted:
        return True
    return any(
        memory.envelopes[attachment.envelope_id].row.account == account
        or any(
            each.row.mailbox == account and each.row.state not in {DeliveryState.REFUSED, DeliveryState.WITHDRAWN}
            for each in memory.deliveries[attachment.envelope_id]
        )
        for attachment in memory.attachments
        if attachment.sha256 == digest
    )
