"""Where a broker and a database are: what every other part needs to know."""

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from axis.errors import Misconfigured
from axis.local.layout import folder, write_private

VARIABLES = {
    "AXIS_AMQP_URL": "amqp_url",
    "AXIS_RABBITMQ_API_URL": "api_url",
    "AXIS_DATABASE_URL": "database_url",
}

Kind = Literal["environment", "private", "docker"]


@dataclass(frozen=True, slots=True)
class Services:
    """Tell where the broker, its management API and the database are; the URLs hold passwords."""

    amqp_url: str
    api_url: str
    database_url: str
    kind: Kind
    prometheus_url: str | None = None
    details: Mapping[str, str] = field(default_factory=dict)

    @property
    def tls(self) -> bool:
        """Whether the broker takes TLS only."""
        return self.amqp_url.startswith("amqps:")

    @property
    def environment(self) -> dict[str, str]:
        """The three variables that tell another process the same."""
        return {name: getattr(self, attribute) for name, attribute in VARIABLES.items()}

    def write(self, root: Path) -> Path:
        """Write `.axis/axis.env`, which settings read; return its path."""
        path = folder(root) / "axis.env"
        # Quoted where a shell would take a part for something else (`?`, `&`): people source this file.
        lines = [f"{name}={shlex.quote(value)}\n" for name, value in self.environment.items()]
        write_private(path, "# Written by `axis local up`; holds passwords.\n" + "".join(lines))
        return path


def from_environment(environ: Mapping[str, str] = os.environ) -> Services | None:
    """Return what the environment names; None when it names nothing.

    Raises:
        Misconfigured: `local/environment` when it names some and not all: half of one place and half of another
            would mix two systems.
    """
    named = {name for name in VARIABLES if environ.get(name)}
    if not named:
        return None
    missing = sorted(set(VARIABLES) - named)
    if missing:
        raise Misconfigured(
            f"{', '.join(sorted(named))} set, but not {', '.join(missing)}: set all three or none",
            code="local/environment",
        )
    amqp_url, api_url, database_url = (environ[name] for name in VARIABLES)
    return Services(amqp_url, api_url, database_url, kind="environment")
