"""The axis's gateway over HTTP: files by their SHA-256, and certificates by their thumbprint."""

import asyncio
import base64
import contextlib
import datetime as dt
import hashlib
import random
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Self

import httpx

from axis.client.addressing import Ways, read_ways
from axis.client.building import File
from axis.client.certificates import read_certificate
from axis.errors import NotFound, Refused, Unavailable
from axis.tls import told
from axis.trust import SigningKey, issue_token
from schemas import Certificate
from schemas.reasons import WIRE

_ASKED_AT_ONCE = 100  # recipients in one request about sealing
PIECE = 256 * 1024  # bytes read, sent and held at a time
_WAITS = (0.1, 0.4, 1.6, 3.2, 4.8)  # seconds between attempts: long enough for a gateway that is started again
_FAILED = 500
_BAD = 400
_NOT_FOUND = 404
_PART = 206
_ELSEWHERE = 307
_CODE_HEADER = "axis-code"  # where an answer to HEAD says its code, having no body


# Is told of every piece of a file: its name (digest, where it comes), bytes so far, bytes in all. From any thread.
Moved = Callable[[str, int, int], None]
_Request = Callable[[], Awaitable[httpx.Response]]


@dataclass(frozen=True, slots=True)
class Uploaded:
    """A file as it lies in the blob store."""

    sha256: str
    size: int


class Gateway:
    """Reach the gateway as one agency. `deadline` (seconds) is for an answer to begin, and between pieces of a file.

    Raises Unavailable when it cannot be reached, Refused with the gateway's own code when it says no.
    """

    def __init__(
        self,
        url: str,
        *,
        code: str,
        key: SigningKey,
        now: Callable[[], dt.datetime],
        deadline: float,
        verify: ssl.SSLContext | bool = True,
        transport: httpx.AsyncBaseTransport | None = None,
        moved: Moved | None = None,
    ) -> None:
        self._moved = moved
        self._code = code
        self._key = key
        self._now = now
        self._deadline = deadline
        # Proxies and the like come from settings, never from the environment of whoever embeds us.
        self._http = httpx.AsyncClient(
            base_url=url,
            timeout=deadline,
            verify=verify,
            transport=transport,
            trust_env=False,
            headers={"accept-encoding": "identity"},  # digests are of the bytes themselves
        )

    async def __aenter__(self) -> Self:
        """Return itself; connections are made when they are needed."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def upload(self, file: File) -> Uploaded:
        """Put a file into the blob store, unless it is there already."""
        uploaded = await asyncio.to_thread(_digest, file)
        path = f"/v1/blobs/{uploaded.sha256}"
        if not await self._is_there(path):
            await self._put(path, file, uploaded.size)
        return uploaded

    async def download(self, sha256: str, size: int) -> AsyncGenerator[bytes, None]:
        """Stream a file.

        The last piece is handed out only when the whole has the right size and digest; otherwise Refused blob/digest
        is raised in its place, so bytes that were read to the end are the right ones.
        """
        path = f"/v1/blobs/{sha256}"
        digest, received, held = hashlib.sha256(), 0, b""
        waits = iter(_WAITS)
        while True:
            try:
                async with aclosing(self._pieces(path, received)) as pieces:
                    async for piece in pieces:
                        received += len(piece)
                        self._tell(sha256, received, size)
                        if received > size:
                            break
                        await asyncio.to_thread(digest.update, piece)
                        if held:
                            yield held
                        held = piece
                break
            except Unavailable:
                # What has come is hashed already, so the next attempt goes on where this one broke off.
                if received and received == size:
                    break
                if (wait := next(waits, None)) is None:
                    raise
                await asyncio.sleep(wait * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, not a secret
        if received != size or digest.hexdigest() != sha256:
            raise Refused("blob/digest", f"the gateway's bytes for {sha256} are not the ones that were named")
        if held:
            yield held

    async def _pieces(self, path: str, start: int) -> AsyncGenerator[bytes, None]:
        part = {"range": f"bytes={start}-"} if start else {}
        try:
            async with contextlib.AsyncExitStack() as opened:
                ask = self._http.stream("GET", path, headers=self._bearer("GET", path) | part)
                response = await opened.enter_async_context(ask)
                if response.status_code == _ELSEWHERE:
                    # The token is for the gateway alone. Whatever comes from elsewhere is held against the digest.
                    place = self._elsewhere(response)
                    response = await opened.enter_async_context(self._http.stream("GET", place, headers=part))
                    if response.status_code >= _BAD:
                        raise Unavailable(f"the object store answered {response.status_code}")
                await _check(response)
                if start and response.status_code != _PART:
                    raise Unavailable("the gateway does not go on where the download broke off")
                async for piece in response.aiter_bytes(PIECE):
                    yield piece
        except (httpx.HTTPError, ssl.SSLError) as error:
            raise _unreachable(error) from error

    def _elsewhere(self, response: httpx.Response) -> httpx.URL:
        place = self._http.base_url.join(response.headers.get("location", ""))
        if place.scheme != self._http.base_url.scheme:
            raise Unavailable(f"the gateway sends us to {place.scheme}://{place.host}")
        return place

    async def certificate(self, thumbprint: str) -> Certificate | None:
        """Fetch an enrolled certificate; None when there is none with this thumbprint."""
        path = f"/v1/certificates/{thumbprint}"

        async def get() -> httpx.Response:
            async with asyncio.timeout(self._deadline):
                return await self._http.get(path, headers=self._bearer("GET", path))

        response = await self._retried(get, absent="certificate/unknown")
        if response is None:
            return None
        try:
            return read_certificate(response.content)
        except ValueError as error:
            raise Unavailable("the gateway's answer is not a certificate") from error

    async def ways(self, recipients: Sequence[str]) -> Ways:
        """Ask where recipients' documents go, and for which certificates they can be sealed there."""
        path, found = "/v1/sealing-keys", Ways((), ())
        for start in range(0, len(recipients), _ASKED_AT_ONCE):
            asked = [("to", code) for code in recipients[start : start + _ASKED_AT_ONCE]]

            async def get(asked: Sequence[tuple[str, str]] = asked) -> httpx.Response:
                async with asyncio.timeout(self._deadline):
                    return await self._http.get(path, params=[*asked], headers=self._bearer("GET", path))

            response = await self._retried(get)
            try:
                found += read_ways(b"" if response is None else response.content)
            except ValueError as error:
                raise Unavailable("the gateway's answer says nothing about sealing") from error
        return found

    async def ask(self, path: str, query: Mapping[str, str], *, patience: float = 0.0) -> Mapping[str, Any]:
        """Ask the agency API; `patience`: for how many seconds more than usual the answer is waited for."""

        async def get() -> httpx.Response:
            async with asyncio.timeout(self._deadline + patience):
                headers, deadline = self._bearer("GET", path), self._deadline + patience
                return await self._http.get(path, params=dict(query), headers=headers, timeout=deadline)

        response = await self._retried(get)
        try:
            answer = None if response is None else response.json()
        except ValueError as error:
            raise Unavailable("the gateway's answer is no JSON") from error
        if not isinstance(answer, dict):
            raise Unavailable("the gateway's answer is no JSON object")
        return answer

    async def proof(self, receipt_id: str) -> tuple[str, bytes | None]:
        """Fetch the proof that a receipt is in the log (c2sp.org/tlog-proof), and a timestamp where there is one.

        Raises NotFound log/not-logged while it is not.
        """
        path = f"/v1/receipts/{receipt_id}/proof"

        async def get() -> httpx.Response:
            async with asyncio.timeout(self._deadline):
                return await self._http.get(path, headers=self._bearer("GET", path))

        response = await self._retried(get, absent="log/not-logged")
        if response is None:
            raise NotFound(f"{receipt_id} is not in the log yet", code="log/not-logged")
        try:
            answer = response.json()
            stamp = answer["timestamp"]
            return str(answer["log"]), None if stamp is None else base64.b64decode(stamp, validate=True)
        except (ValueError, KeyError, TypeError) as error:
            raise Unavailable("the gateway's answer is not a proof") from error

    async def _is_there(self, path: str) -> bool:
        async def head() -> httpx.Response:
            async with asyncio.timeout(self._deadline):
                return await self._http.head(path, headers=self._bearer("HEAD", path))

        return await self._retried(head, absent="blob/not-found") is not None

    async def _put(self, path: str, file: File, size: int) -> None:
        async def put() -> httpx.Response:
            headers = {
                **self._bearer("PUT", path),
                "content-type": "application/octet-stream",
                "content-length": str(size),
            }
            return await self._http.put(path, headers=headers, content=_in_thread(self._told(file, size)))

        await self._retried(put)

    def _told(self, file: File, size: int) -> Iterator[bytes]:
        sent = 0
        for piece in file.chunks(PIECE):
            yield piece
            sent += len(piece)
            self._tell(file.name, sent, size)

    def _tell(self, what: str, moved: int, size: int) -> None:
        if self._moved is not None:
            self._moved(what, moved, size)

    async def _retried(self, request: _Request, *, absent: str | None = None) -> httpx.Response | None:
        # Every request here may be repeated: blobs and certificates are named by their content.
        for wait in _WAITS:
            try:
                return await _answer(request, absent)
            except Unavailable:
                await asyncio.sleep(wait * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, not a secret
        return await _answer(request, absent)

    def _bearer(self, method: str, path: str) -> dict[str, str]:
        token = issue_token(self._key, code=self._code, method=method, path=path, now=self._now())
        return {"authorization": f"Bearer {token}"}


async def _answer(request: _Request, absent: str | None) -> httpx.Response | None:
    """Return the answer; None when it is the code `absent`, as a thing not found and not as a wrong address."""
    try:
        response = await request()
    except (httpx.HTTPError, ssl.SSLError, TimeoutError) as error:
        raise _unreachable(error) from error
    if response.status_code == _NOT_FOUND and absent is not None and _problem(response)[0] == absent:
        return None
    await _check(response)
    return response


async def _check(response: httpx.Response) -> None:
    if response.status_code < _BAD:
        return
    await response.aread()
    code, detail = _problem(response)
    if response.status_code >= _FAILED or code not in WIRE:
        raise Unavailable(detail)
    after = response.headers.get("retry-after", "")
    raise Refused(code, detail, retry_after=int(after) if after.isdecimal() else None)


def _problem(response: httpx.Response) -> tuple[str, str]:
    """Read the stable code and the detail out of problem+json (RFC 9457)."""
    fallback = f"the gateway answered {response.status_code}"
    try:
        problem = response.json()
        return str(problem["code"]), str(problem.get("detail") or fallback)
    except (ValueError, KeyError, TypeError, AttributeError):
        return response.headers.get(_CODE_HEADER, ""), fallback


def _unreachable(error: Exception) -> Unavailable:
    return told(error, "the gateway") or Unavailable(f"the gateway cannot be reached: {error or type(error).__name__}")


def _digest(file: File) -> Uploaded:
    digest, size = hashlib.sha256(), 0
    for piece in file.chunks(PIECE):
        digest.update(piece)
        size += len(piece)
    file.check(digest.hexdigest())
    return Uploaded(digest.hexdigest(), size)


async def _in_thread(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    while piece := await asyncio.to_thread(next, pieces, b""):
        yield piece
