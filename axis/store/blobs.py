"""Which blobs arrived, and who may use them."""

import datetime as dt
from collections.abc import Awaitable, Callable, Collection

import asyncpg

from axis.errors import Unavailable
from axis.store.pool import Pool
from axis.store.queries import load
from axis.store.seam import BlobStore

_SQL = load("blobs")


class PostgresBlobs(BlobStore):
    """The blobs' tables in PostgreSQL."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def record_upload(self, sha256: str, size: int, account: str) -> None:
        """Remember that the account uploaded the blob."""
        digest = bytes.fromhex(sha256)
        async with self._pool.link("record an upload") as link, link.transaction():
            await link.execute(_SQL["record_blob"], digest, size)
            await link.execute(_SQL["record_upload"], digest, account)

    async def known(self, account: str, digests: Collection[str]) -> dict[str, int]:
        """Return the sizes of the blobs that the account uploaded or may read."""
        if not digests:
            return {}
        wanted = [bytes.fromhex(digest) for digest in sorted(digests)]
        async with self._pool.link("look up blobs") as link:
            found = await link.fetch(_SQL["known"], account, wanted)
        return {record["sha256"].hex(): record["size"] for record in found}

    async def may_read(self, account: str, sha256: str) -> bool:
        """Say whether the account may read the blob."""
        return bool(await self.known(account, [sha256]))

    async def unwanted(self, older_than: dt.timedelta, limit: int) -> list[str]:
        """Name blobs that are unwanted for so long."""
        async with self._pool.link("look for unwanted blobs") as link:
            return [record["sha256"].hex() for record in await link.fetch(_SQL["unwanted"], older_than, limit)]

    async def forget(self, sha256: str, remove: Callable[[str], Awaitable[None]]) -> bool:
        """Forget unwanted uploads of a blob, and the blob when nobody else needs it."""
        digest = bytes.fromhex(sha256)
        async with self._pool.link("forget a blob") as link, link.transaction():
            unwanted = await link.fetch(_SQL["take_unwanted"], digest)
            if not unwanted:
                return False
            accounts, times = zip(*((record["account"], record["at"]) for record in unwanted), strict=True)
            await link.execute(_SQL["forget_uploads"], digest, list(accounts), list(times))
            try:
                await link.execute(_SQL["forget_blob"], digest)
            except asyncpg.ForeignKeyViolationError as error:  # committed since we looked: somebody needs it again
                raise Unavailable(f"blob {sha256} is being uploaded") from error
            gone = not await link.fetchval(_SQL["is_recorded"], digest)
            if gone:
                # A crash from here on leaves the rows without the bytes: the next one removes and forgets them again.
                await remove(sha256)
        return gone
