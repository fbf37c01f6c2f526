"""What is remembered about a clone's private nodes: ports, names, passwords, where the data lies."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Self
from urllib.parse import urlencode

from axis.errors import Misconfigured
from axis.local import ports
from axis.local.layout import folder, place, write_private

BROKER_PORTS = ("epmd", "distribution", "amqp", "management", "prometheus")
PORTS = ("postgres", *BROKER_PORTS)
USER = "axis"
VHOST = "axis"
DATABASE = "axis"


@dataclass(frozen=True, slots=True)
class Record:
    """Remember the private nodes of one clone; kept in `.axis/nodes.json`, readable by its owner only."""

    kind: str
    data: str
    ports: Mapping[str, int]
    node_name: str = field(default_factory=lambda: f"axis-{secrets.token_hex(4)}@localhost")
    cookie: str = field(default_factory=lambda: secrets.token_hex(20))
    broker_password: str = field(default_factory=lambda: secrets.token_hex(16))
    database_password: str = field(default_factory=lambda: secrets.token_hex(16))
    versions: Mapping[str, str] = field(default_factory=dict)
    durable: bool = True
    pki: str = ""  # the authority's folder; empty: without TLS

    @property
    def amqp_url(self) -> str:
        """Where AMQP clients connect, as administrator of the virtual host."""
        place = f"{USER}:{self.broker_password}@{ports.LOOPBACK}:{self.ports['amqp']}/{VHOST}"
        options = urlencode({"auth": "external", **self._files}, safe="/")
        return f"amqps://{place}?{options}" if self.pki else f"amqp://{place}"

    @property
    def api_url(self) -> str:
        """Where the management API answers."""
        place = f"{USER}:{self.broker_password}@{ports.LOOPBACK}:{self.ports['management']}"
        return f"https://{place}?{urlencode(self._files, safe='/')}" if self.pki else f"http://{place}"

    @property
    def prometheus_url(self) -> str:
        """Where the broker shows its metrics."""
        return f"http://{ports.LOOPBACK}:{self.ports['prometheus']}/metrics"

    @property
    def database_url(self) -> str:
        """Where PostgreSQL listens, as its superuser."""
        place = f"{USER}:{self.database_password}@{ports.LOOPBACK}:{self.ports['postgres']}/{DATABASE}"
        if not self.pki:
            return f"postgresql://{place}"
        named = {"cafile": "sslrootcert", "certfile": "sslcert", "keyfile": "sslkey"}
        options = {"sslmode": "verify-full", **{named[name]: path for name, path in self._files.items()}}
        return f"postgresql://{place}?{urlencode(options, safe='/')}"

    @property
    def _files(self) -> dict[str, str]:
        own = Path(self.pki) / "issued" / "client" / USER
        return {
            "cafile": str(own / "ca.pem"),
            "certfile": str(own / "certificate.pem"),
            "keyfile": str(own / "key.pem"),
        }

    def with_free_ports(self, *, names: tuple[str, ...] = PORTS, afresh: bool = False) -> Self:
        """Keep the ports of last time if they are all free, else choose others."""
        if not afresh and all(ports.is_free(self.ports[name]) for name in names):
            return self
        return replace(self, ports={**self.ports, **ports.choose(names)})

    def write(self, root: Path) -> None:
        """Remember."""
        write_private(folder(root) / "nodes.json", json.dumps(asdict(self), indent=1))


def read_record(root: Path) -> Record | None:
    """Return what is remembered of a clone; None when nothing is."""
    path = place(root) / "nodes.json"
    try:
        return Record(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except PermissionError as error:
        raise Misconfigured(f"{path} belongs to another user", code="local/folder") from error
    except (ValueError, TypeError) as error:
        raise Misconfigured(
            f"{path} cannot be read ({error}): remove it to start afresh", code="local/record"
        ) from error
