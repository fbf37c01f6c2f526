"""The address of a broker, and how to speak to it safely."""

import re
import ssl
from dataclasses import dataclass, field
from typing import NamedTuple, Self
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from axis.errors import Misconfigured

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
    tls: ssl.SSLContext | None = None
    mechanism: str = "PLAIN"

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read `amqp[s]://user:password@host:port/vhost?cafile=…&certfile=…&keyfile=…&auth=external`.

        A cluster's nodes are named one after the other: `amqp://user:password@one:5672,two:5672,three:5672/vhost`;
        any of them will do. An absent virtual host is `/`. Server certificates are always checked.

        Raises:
            Misconfigured: when it is no such address. The text never holds the address: it has a password in it.
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
        return cls(
            places=places,
            user=unquote(parts.username or "guest"),
            password=unquote(parts.password or "guest"),
            vhost=vhost_of(url),
            tls=_tls(options) if parts.scheme == "amqps" else None,
            mechanism=options.get("auth", "plain").upper(),
        )


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


def _tls(options: dict[str, str]) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=options.get("cafile"))
        if "certfile" in options:
            context.load_cert_chain(options["certfile"], options.get("keyfile"))
    except OSError as error:
        raise Misconfigured(f"the certificates for the broker cannot be read: {error}") from error
    return context
