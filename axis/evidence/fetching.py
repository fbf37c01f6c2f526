"""Fetching what authorities say, from addresses that stand in certificates: whoever wrote them chose them.

So nothing here trusts an address: `axis.outside` says where it may lead. Redirects are not followed; and what comes is
limited in size and time. A list or an answer is believed by its signature, so plain HTTP is as good as HTTPS (RFC 5280
section 8).
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from dataclasses import dataclass

import httpx

from axis.errors import AxisError
from axis.outside import Forbidden, Outside, request_to

Fetch = Callable[[str, bytes | None], Awaitable[bytes]]

DEADLINE_SECONDS = 15.0  # for all of one answer
LIMIT_BYTES = 32 * 1024 * 1024  # the lists of large authorities have some MiB
_OCSP = {"Content-Type": "application/ocsp-request", "Accept": "application/ocsp-response"}


class NotFetched(AxisError):
    """Report that an address gave nothing; nobody's message is at fault."""

    code = "evidence/not-fetched"
    exit_code = 69


@dataclass(frozen=True, slots=True)
class Fetcher:
    """Fetches over HTTP. `inside`: hosts that may have addresses inside the network, such as an authority there."""

    client: httpx.AsyncClient
    inside: Collection[str] = ()
    deadline: float = DEADLINE_SECONDS
    limit: int = LIMIT_BYTES

    async def __call__(self, url: str, body: bytes | None) -> bytes:
        """Get an address, or post `body` (an OCSP request, RFC 6960 appendix A); raise NotFetched."""
        try:
            async with asyncio.timeout(self.deadline):
                return await self._fetch(httpx.URL(url), body)
        except TimeoutError as error:
            raise NotFetched(f"{url}: no answer within {self.deadline:g} s") from error
        except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError, ValueError) as error:
            raise NotFetched(f"{url}: {type(error).__name__} {error}"[:300]) from error

    async def _fetch(self, url: httpx.URL, body: bytes | None) -> bytes:
        try:
            address = await Outside(hosts=self.inside).address(url)
        except Forbidden as error:
            hint = "; if an authority is there, name its host in AXIS_EVIDENCE_HOSTS"
            raise NotFetched(f"{url}: {error}{hint if error.inside is not None else ''}") from error
        method, headers = ("GET", {}) if body is None else ("POST", _OCSP)
        request = request_to(self.client, address, method, url, content=body, headers=headers)
        response = await self.client.send(request, stream=True, follow_redirects=False)
        async with contextlib.aclosing(response):
            if response.status_code != httpx.codes.OK:
                raise NotFetched(f"{url}: it answers {response.status_code}")
            if (coding := response.headers.get("content-encoding", "identity").strip().lower()) != "identity":
                raise NotFetched(f"{url}: it answers in {coding!r:.60}, which was not asked for")
            return await self._body(url, response)

    async def _body(self, url: httpx.URL, response: httpx.Response) -> bytes:
        content = bytearray()
        # As it comes over the wire, unpacked by nobody: a few bytes may unpack to very many, before they are counted.
        async for piece in response.aiter_raw(64 * 1024):
            content += piece
            if len(content) > self.limit:
                raise NotFetched(f"{url}: more than {self.limit} bytes")
        return bytes(content)


@contextlib.asynccontextmanager
async def fetching(inside: Collection[str] = (), *, deadline: float = DEADLINE_SECONDS) -> AsyncIterator[Fetcher]:
    """Open a fetcher for as long as the block lasts; proxies of the environment are not used."""
    async with httpx.AsyncClient(timeout=deadline, trust_env=False) as client:
        yield Fetcher(client, frozenset(inside), deadline)
