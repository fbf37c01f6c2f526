"""Connecting to addresses that somebody else has chosen: in certificates, for webhooks.

Nothing here trusts an address. It must be without a user; its host must resolve to addresses of the public network
alone, or to such as the operator has named; the connection goes to the very address that was looked at, since a name
may lead elsewhere the second time it is asked for; and no redirect is followed. What comes back is for the caller to
limit.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import httpx

from axis.errors import Refused

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# What is given out to the public (RFC 4291 section 2.4): outside it stand the old forms that hide an IPv4 address.
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
_PORTS = {"http": 80, "https": 443}
_HIGHEST_PORT = 65_535
# Where clouds answer questions about the machine, although the addresses are the public's (Azure; Oracle's is below).
_METADATA = frozenset({ipaddress.ip_address("168.63.129.16")})
# Nobody's server (IANA's registries of special-purpose addresses): for protocols, for the relays of old that took IPv4
# into IPv6, for examples. Which of them `is_global` knows depends on the patch version of Python.
_SPECIAL: tuple[Network, ...] = tuple(
    ipaddress.ip_network(each) for each in ("192.0.0.0/24", "192.88.99.0/24", "2001::/23", "3fff::/20")
)


class Forbidden(ValueError):
    """Say why an address is not connected to. `inside`: the address inside the network that it leads to."""

    def __init__(self, told: str, inside: Address | None = None) -> None:
        super().__init__(told)
        self.inside = inside


@dataclass(frozen=True, slots=True)
class Outside:
    """What may be connected to: the public network, and inside ours what is named by host or by network."""

    hosts: Collection[str] = ()
    networks: Collection[Network] = ()

    def allows(self, host: str, address: Address) -> bool:
        """Say whether the address, as which a host is known, may be connected to."""
        if host in self.hosts or is_outside(address):
            return True
        plain = plain_of(address)
        return any(plain in network for network in self.networks if network.version == plain.version)

    async def address(self, url: httpx.URL) -> Address:
        """Look the host up, once; raise Forbidden, or OSError when there is no answer."""
        port = port_of(url)
        found = await asyncio.get_running_loop().getaddrinfo(url.host, port, type=socket.SOCK_STREAM)
        addresses = [ipaddress.ip_address(each[4][0]) for each in found]
        if not addresses:
            raise Forbidden(f"{url.host} has no address")
        # All of them: whoever answers chooses which of them comes first the next time.
        if within := [each for each in addresses if not self.allows(url.host, each)]:
            raise Forbidden(f"{url.host} is {within[0]}, inside the network", within[0])
        return addresses[0]


def port_of(url: httpx.URL) -> int:
    """Return the port of an address of the web; raise Forbidden when it is none."""
    if url.scheme not in _PORTS or url.userinfo or not url.host:
        raise Forbidden("only http:// and https:// without a user are asked")
    port = _PORTS[url.scheme] if url.port is None else url.port
    if not 0 < port <= _HIGHEST_PORT:
        raise Forbidden(f"there is no port {port}")
    return port


def request_to(
    client: httpx.AsyncClient,
    address: Address,
    method: str,
    url: httpx.URL,
    *,
    content: bytes | None = None,
    headers: Mapping[str, str],
) -> httpx.Request:
    """Build a request to the address, not to the name; the name goes along for the server, and for TLS to check."""
    return client.build_request(
        method,
        url.copy_with(host=str(address)),
        content=content,
        headers={"Host": url.netloc.decode("ascii"), "Accept-Encoding": "identity", **headers},
        extensions={"sni_hostname": url.host},
    )


def is_outside(address: Address) -> bool:
    """Say whether an address belongs to the public network, also by whatever IPv4 address it stands for."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is not None:
            return is_outside(inner)
        if address not in _GLOBAL_UNICAST:
            return False
    if address in _METADATA or any(address in network for network in _SPECIAL if network.version == address.version):
        return False
    return address.is_global and not address.is_multicast


def plain_of(address: Address) -> Address:
    """Return the IPv4 address that a mapped one stands for (RFC 4291 section 2.5.5.2), else the address."""
    inner = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return inner or address


@dataclass(frozen=True, slots=True)
class Destinations:
    """Which addresses of agencies' own systems the axis calls. `networks`: inside ours; `ports`: on which alone.

    Over https; to a loopback address that is among the networks also over http, for trying things out on one machine.
    """

    networks: Collection[Network] = ()
    ports: Collection[int] = (443,)

    def check(self, text: str) -> httpx.URL:
        """Read an address; raise Refused `webhook/address`, without looking any name up."""
        try:
            url = httpx.URL(text)
            port = port_of(url)
        except (httpx.InvalidURL, UnicodeError, ValueError) as error:
            raise Refused("webhook/address", str(error)[:200]) from error
        literal = _literal(url.host)
        if url.scheme != "https" and (literal is None or not literal.is_loopback):
            raise Refused("webhook/address", "only https:// is called")
        if port not in self.ports:
            raise Refused("webhook/address", f"port {port} is none of {', '.join(map(str, sorted(self.ports)))}")
        if "#" in text or not text.isascii() or not text.isprintable() or " " in text:
            raise Refused("webhook/address", "write it in ASCII, without spaces and without #")
        if literal is not None and not self._outside.allows(url.host, literal):
            raise Refused("webhook/address", f"{url.host} is inside the network")
        return url

    async def address(self, url: httpx.URL) -> Address:
        """Look an address up that was checked; raise Forbidden, or OSError when there is no answer."""
        return await self._outside.address(url)

    @property
    def _outside(self) -> Outside:
        return Outside(networks=self.networks)


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
