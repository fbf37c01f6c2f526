"""PUT, HEAD and GET of blobs."""

import datetime as dt
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AsyncExitStack, aclosing
from typing import Protocol

import orjson
from starlette.requests import Request
from starlette.responses import Response

from axis.blobs import Blobs, Corrupted
from axis.errors import AxisError, NotFound, Refused, Unavailable
from axis.gateway.access import account_of
from axis.gateway.download import Download
from axis.gateway.enrolled import Enrolled
from axis.gateway.metrics import Metrics
from axis.gateway.observing import Entry, entry_of
from axis.gateway.quotas import UploadQuotas
from axis.gateway.ranges import part_asked
from axis.gateway.slots import Slots
from axis.web.body import read_body
from axis.web.limits import Limits
from axis.web.problems import HttpRefused


class BlobRights(Protocol):
    """The part of the store that knows whose blobs are whose."""

    async def record_upload(self, sha256: str, size: int, account: str) -> None:
        """Remember that the account uploaded the blob."""

    async def may_read(self, account: str, sha256: str) -> bool:
        """Say whether the account uploaded it, or sent or receives an envelope that names it."""


class Transfers:
    """Blobs in and out, each only for whom it concerns."""

    def __init__(
        self,
        *,
        blobs: Blobs,
        rights: BlobRights,
        enrolled: Enrolled,
        now: Callable[[], dt.datetime],
        limits: Limits,
        metrics: Metrics,
        quotas: UploadQuotas | None,
    ) -> None:
        self._blobs = blobs
        self._rights = rights
        self._enrolled = enrolled
        self._now = now
        self._limits = limits
        self._metrics = metrics
        self._quotas = quotas
        self._uploads = Slots(limits.uploads, per_account=limits.per_account, wait_seconds=limits.wait_seconds)
        self._downloads = Slots(limits.downloads, per_account=limits.per_account, wait_seconds=limits.wait_seconds)
        metrics.transfers.labels("in").set_function(lambda: self._uploads.taken)
        metrics.transfers.labels("out").set_function(lambda: self._downloads.taken)

    async def answer(self, request: Request) -> Response:
        """Answer one request about a blob."""
        entry = entry_of(request)
        entry.route = "blob"
        entry.account = account_of(request, self._enrolled.keyring, self._now())
        entry.subject = request.path_params["sha256"]
        match request.method:
            case "PUT":
                return await self._put(request, entry, entry.account, entry.subject)
            case "HEAD":
                return await self._head(entry.account, entry.subject)
            case _:
                return await self._get(request, entry, entry.account, entry.subject)

    async def limits(self, request: Request) -> Response:
        """Tell the account what it may bring, before it brings anything; null: no limit."""
        entry = entry_of(request)
        entry.route = "limits"
        entry.account = account_of(request, self._enrolled.keyring, self._now())
        quota = self._enrolled.quota_of(entry.account, self._now())
        told = {
            "blob_bytes": self._limits.blob_bytes,
            "uploads_per_day": quota.uploads_per_day,
            "upload_bytes_per_day": quota.upload_bytes_per_day,
        }
        return Response(orjson.dumps(told), 200, {"cache-control": "no-store"}, "application/json")

    async def _put(self, request: Request, entry: Entry, account: str, sha256: str) -> Response:
        limit = self._limits.blob_bytes
        announced = int(request.headers.get("content-length", "0"))
        # Refused before anything of the body is asked for.
        if announced > limit:
            raise Refused("blob/too-large", f"The limit is {limit} bytes; {announced} were announced.")
        if "content-range" in request.headers:
            raise HttpRefused("http/content-range")
        if self._quotas is not None:
            await self._quotas.take(account, announced, self._now())

        async def counted(chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
            async for chunk in chunks:
                entry.received += len(chunk)
                yield chunk

        async with (
            self._uploads.take(account),
            aclosing(read_body(request.receive, self._limits)) as body,
            aclosing(counted(body)) as chunks,
        ):
            size = await self._blobs.put(sha256, chunks, limit)
        if self._quotas is not None and size > announced:
            await self._quotas.owe(account, size - announced, self._now())
        # A crash here leaves bytes that belong to nobody: unreadable, and stored again by the next attempt.
        await self._rights.record_upload(sha256, size, account)
        if await self._blobs.size(sha256) is None:
            # Forgotten between the two, as the file of a state secret; a client that means another document repeats it.
            raise Unavailable(f"The blob {sha256} was removed while it was stored; store it again.")
        content = orjson.dumps({"sha256": sha256, "size": size})
        return Response(content, 201, {"etag": f'"{sha256}"', "location": request.url.path}, "application/json")

    async def _head(self, account: str, sha256: str) -> Response:
        size = await self._size_for(account, sha256)
        if size is None:
            raise _not_found()  # so that whoever has the bytes uploads them again
        return Response(None, 200, _headers(sha256, size, size), "application/octet-stream")

    async def _get(self, request: Request, entry: Entry, account: str, sha256: str) -> Response:
        size = await self._size_for(account, sha256)
        if size is None:
            raise AxisError(f"The blob {sha256} is recorded but its bytes are not in the store.")
        if self._limits.redirect_seconds:
            address = await self._blobs.signed_url(sha256, dt.timedelta(seconds=self._limits.redirect_seconds))
            if address is not None:
                # The rights were looked at here; the bytes come from where they are. Who follows checks the digest.
                return Response(None, 307, {"location": address, "cache-control": "no-store"})
        header = request.headers.get("range")
        if request.headers.get("if-range", f'"{sha256}"') != f'"{sha256}"':
            header = None
        part = part_asked(header, size)
        async with AsyncExitStack() as held:
            await held.enter_async_context(self._downloads.take(account))
            try:
                rest = self._blobs.get_part(sha256, *part) if part else (await self._blobs.get(sha256))[1]
                first = await anext(rest, b"")
            except Corrupted:
                self._metrics.corrupted.inc()
                raise
            start, stop = part or (0, size)
            headers = _headers(sha256, size, stop - start)
            if part:
                headers["content-range"] = f"bytes {start}-{stop - 1}/{size}"
            return Download(
                status=206 if part else 200,
                headers=headers,
                first=first,
                rest=rest,
                held=held.pop_all(),
                entry=entry,
                metrics=self._metrics,
            )

    async def _size_for(self, account: str, sha256: str) -> int | None:
        """Return the size of a blob the account may read, None if we lost it; all else is one and the same answer."""
        size = await self._blobs.size(sha256)
        if not await self._rights.may_read(account, sha256):
            raise _not_found()
        if size is None:
            self._metrics.lost.inc()
        return size


def _not_found() -> NotFound:
    return NotFound("There is no such blob, or it is not yours to read.", code="blob/not-found")


def _headers(sha256: str, size: int, length: int) -> dict[str, str]:
    return {
        "etag": f'"{sha256}"',
        "content-length": str(length),
        "accept-ranges": "bytes",
        "axis-blob-size": str(size),
        # Documents of agencies, some not for everybody: no cache on the way keeps them, no browser opens them.
        "cache-control": "private, no-store",
        "content-disposition": "attachment",
        "x-content-type-options": "nosniff",
    }
