"""Fetching what authorities say, from addresses that stand in certificates: whoever wrote them chose them.

So nothing here trusts an address. It must be http or https, without a user; its host must resolve to addresses of the
public network, or be one the operator has named; the connection goes to the very address that was looked at, since a
name may lead elsewhere the second time it is asked for; redirects are not followed; and what comes is limited in size
and time. A list or an answer is believed by its signature, so plain HTTP is as good as HTTPS (RFC 5280 section 8).
"""

import asyncio
import contextlib
import ipaddress
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from dataclasses import dataclass

import httpx

from axis.errors import AxisError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Fetch = Callable[[str, bytes | None], Awaitable[bytes]]

DEADLINE_SECONDS = 15.0  # for all of one answer
LIMIT_BYTES = 32 * 1024 * 1024  # the lists of large authorities have some MiB
_OCSP = {"Content-Type": "application/ocsp-request", "Accept": "application/ocsp-response"}
# What is given out to the public (RFC 4291 section 2.4): outside it stand the old forms that hide an IPv4 address.
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
_PORTS = {"http": 80, "https": 443}
_HIGHEST_PORT = 65_535


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
        if url.scheme not in _PORTS or url.userinfo or not url.host:
            raise NotFetched(f"{url}: only http:// and https:// without a user are asked")
        address = await self._address(url)
        # To the address, not to the name; the name goes along for the server, and for TLS to be checked against.
        request = self.client.build_request(
            "GET" if body is None else "POST",
            url.copy_with(host=str(address)),
            content=body,
            headers={
                "Host": url.netloc.decode("ascii"),
                "Accept-Encoding": "identity",
                **({} if body is None else _OCSP),
            },
            extensions={"sni_hostname": url.host},
        )
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

    async def _address(self, url: httpx.URL) -> Address:
        port = _PORTS[url.scheme] if url.port is None else url.port
        if not 0 < port <= _HIGHEST_PORT:
            raise NotFetched(f"{url}: there is no port {port}")
        found = await asyncio.get_running_loop().getaddrinfo(url.host, port, type=socket.SOCK_STREAM)
        addresses = [ipaddress.ip_address(each[4][0]) for each in found]
        if not addresses:
            raise NotFetched(f"{url}: {url.host} has no address")
        if url.host not in self.inside and (within := [each for each in addresses if not is_outside(each)]):
            raise NotFetched(
                f"{url}: {url.host} is {within[0]}, inside the network; if an authority is there, name its host in "
                "AXIS_EVIDENCE_HOSTS"
            )
        return addresses[0]


def is_outside(address: Address) -> bool:
    """Say whether an address belongs to the public network, also by whatever IPv4 address it stands for."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is not None:
            return is_outside(inner)
        if address not in _GLOBAL_UNICAST or address.teredo is not None:
            return False
    return address.is_global and not address.is_multicast


@contextlib.asynccontextmanager
async def fetching(inside: Collection[str] = (), *, deadline: float = DEADLINE_SECONDS) -> AsyncIterator[Fetcher]:
    """Open a fetcher for as long as the block lasts; proxies of the environment are not used."""
    async with httpx.AsyncClient(timeout=deadline, trust_env=False) as client:
        yield Fetcher(client, frozenset(inside), deadline)
