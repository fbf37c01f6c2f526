"""The address of a broker, and how to speak to it safely."""

import re
import ssl
from dataclasses import dataclass, field
from typing import NamedTuple, Self
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from axis.errors import Misconfigured
from axis.tls import Credentials, check_account, is_loopback

_PORTS = {"amqp": 5672, "amqps": 5671}
_OPTIONS = frozenset({"cafile", "certfile", "keyfile", "auth"})
_ASIDE = frozenset({"heartbeat", "name", "timeout"})  # said by us; other clients' addresses carry them


class Place(NamedTuple):
    """Where one node of a broker listens."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Address:
    """Where a broker is and as whom to speak to it; `mechanism` is PLAIN, or EXTERNAL for a client certificate."""

    places: tuple[Place, ...]
    user: str
    password: str = field(repr=False)
    vhost: str
    credentials: Credentials | None = None  # None: without TLS
    mechanism: str = "PLAIN"

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read `amqp[s]://user:password@host:port/vhost?cafile=…&certfile=…&keyfile=…&auth=external`.

        A cluster's nodes are named one after the other: `amqp://user:password@one:5672,two:5672,three:5672/vhost`;
        any of them will do. An absent virtual host is `/`. Server certificates are always checked. Who logs in by
        certificate is whom it names; a user in the address only says whom it has to name.

        Raises:
            Misconfigured: when it is no such address, `tls/files` when a file cannot be used, `tls/account` when the
                certificate is another's. The text never holds the address: it has a password in it.
        """
        try:
            parts, hosts = split_address(url)
            places = _places(hosts, _PORTS.get(parts.scheme, 0))
        except ValueError as error:
            raise Misconfigured("the broker's address cannot be read") from error
        if parts.scheme not in _PORTS or not all(place.host for place in places):
            raise Misconfigured("a broker's address looks like amqp://user:password@host:port/vhost")
        options = dict(parse_qsl(parts.query))
        if unknown := sorted(options.keys() - _OPTIONS - _ASIDE):
            raise Misconfigured(f"the broker's address has unknown options: {', '.join(unknown)}")
        mechanism = options.get("auth", "plain").upper()
        credentials = Credentials.of(options) if parts.scheme == "amqps" else None
        if mechanism == "EXTERNAL" and credentials is None:
            raise Misconfigured("auth=external needs amqps://", code="tls/plain")
        if credentials is not None:
            credentials.context()  # what cannot be used is said now, not at the first connection
            if mechanism == "EXTERNAL" and credentials.certificate is not None and parts.username:
                check_account(credentials.certificate, unquote(parts.username))
        return cls(
            places=places,
            user=unquote(parts.username or "guest"),
            password=unquote(parts.password or "guest"),
            vhost=vhost_of(url),
            credentials=credentials,
            mechanism=mechanism,
        )

    @property
    def by_certificate(self) -> bool:
        """Whether the certificate says who logs in."""
        return self.mechanism == "EXTERNAL"

    def context(self) -> ssl.SSLContext | None:
        """Make the TLS side for one connection: certificates that were renewed count from the next one on."""
        return None if self.credentials is None else self.credentials.context()


def unsafe_hosts(amqp_url: str) -> list[str]:
    """Name the hosts that an address would send passwords to in the clear, over a network."""
    try:
        parts, hosts = split_address(amqp_url)
        places = _places(hosts, 0)
    except ValueError as error:
        raise Misconfigured("the broker's address cannot be read") from error
    return [] if parts.scheme == "amqps" else [place.host for place in places if not is_loopback(place.host)]


def vhost_of(amqp_url: str) -> str:
    """Return the virtual host of an AMQP address; without a path it is `/`."""
    return unquote(split_address(amqp_url)[0].path.removeprefix("/")) or "/"


def split_address(amqp_url: str) -> tuple[SplitResult, str]:
    """Split an AMQP address into its parts and its hosts; raise ValueError.

    The parts name “host” instead: `urlsplit` takes one host, and newer Pythons refuse `[::1]` among several.
    """
    scheme, mark, rest = amqp_url.partition("://")
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    account, at, hosts = authority.rpartition("@")
    return urlsplit(f"{scheme}{mark}{account}{at}host{rest[len(authority) :]}"), hosts


def _places(hosts: str, port: int) -> tuple[Place, ...]:
    parts = [urlsplit(f"//{host}") for host in hosts.split(",")]
    return tuple(Place(part.hostname or "", part.port or port) for part in parts)
