"""Find the RabbitMQ and PostgreSQL programs on this machine."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

OLDEST_RABBITMQ = (3, 10)
OLDEST_POSTGRES = 15

_RABBITMQ_PLACES = (
    "/usr/lib/rabbitmq/lib/rabbitmq_server-*",
    "/opt/rabbitmq*",
    "/usr/local/lib/rabbitmq*",
    "/opt/homebrew/opt/rabbitmq",
    "/usr/local/opt/rabbitmq",
)
_POSTGRES_PLACES = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/usr/local/pgsql/bin",
)


@dataclass(frozen=True, slots=True)
class Rabbitmq:
    """Name a RabbitMQ installation: its home (with `sbin/rabbitmq-server`), version, and the epmd beside its Erlang."""

    home: Path
    version: str
    epmd: Path

    @property
    def server(self) -> Path:
        """The server's own script; unlike a distribution's wrapper it runs as anybody."""
        return self.home / "sbin" / "rabbitmq-server"


@dataclass(frozen=True, slots=True)
class Postgres:
    """Name a PostgreSQL installation: the folder of its programs, and its major version."""

    programs: Path
    major: int

    def program(self, name: str) -> str:
        """Return the path of one of its programs."""
        return str(self.programs / name)


def find_rabbitmq() -> Rabbitmq | None:
    """Return the newest RabbitMQ that is new enough; None when there is none, or no Erlang for it."""
    epmd = _epmd()
    if epmd is None:
        return None
    found = [(version, home) for home in _rabbitmq_homes() if (version := _rabbitmq_version(home))]
    usable = [(numbers(version), version, home) for version, home in found if numbers(version) >= OLDEST_RABBITMQ]
    if not usable:
        return None
    _, version, home = max(usable)
    return Rabbitmq(home, version, epmd)


def find_postgres(data_major: int | None = None) -> Postgres | None:
    """Return the newest PostgreSQL that is new enough, or the one that wrote existing data; None without one."""
    found = {major: folder for folder in _postgres_folders() if (major := _postgres_major(folder)) is not None}
    if data_major is not None:
        folder = found.get(data_major)
        return None if folder is None else Postgres(folder, data_major)
    usable = [major for major in found if major >= OLDEST_POSTGRES]
    return Postgres(found[max(usable)], max(usable)) if usable else None


def numbers(version: str) -> tuple[int, ...]:
    """Read the numbers at the start of a version, for comparing: "3.10.8-1" is (3, 10, 8)."""
    found = re.match(r"\d+(\.\d+)*", version)
    return tuple(int(part) for part in found[0].split(".")) if found else ()


def _places(patterns: tuple[str, ...]) -> Iterator[Path]:
    for pattern in patterns:
        yield from Path("/").glob(pattern.removeprefix("/"))


def _rabbitmq_homes() -> Iterator[Path]:
    yield from _places(_RABBITMQ_PLACES)
    on_path = shutil.which("rabbitmq-server")
    if on_path is not None:
        yield Path(on_path).resolve().parent.parent


def _rabbitmq_version(home: Path) -> str | None:
    if not (home / "sbin" / "rabbitmq-server").exists() or not (home / "sbin" / "rabbitmq-defaults").exists():
        return None
    for plugin in sorted((home / "plugins").glob("rabbit-*")):
        found = re.match(r"rabbit-(\d+\.\d+\.\d+)", plugin.name)
        if found:
            return found[1]
    return None


def _epmd() -> Path | None:
    on_path = shutil.which("epmd")
    if on_path is not None:
        return Path(on_path)
    erlang = shutil.which("erl")
    if erlang is None:
        return None
    # `erl` lies in <root>/bin or <root>/erts-*/bin; epmd always in the latter.
    root = Path(erlang).resolve().parent.parent
    return next(iter(sorted(root.glob("erts-*/bin/epmd"))), None) or next(iter(root.parent.glob("bin/epmd")), None)


def _postgres_folders() -> Iterator[Path]:
    on_path = shutil.which("postgres")
    if on_path is not None:
        yield Path(on_path).resolve().parent
    yield from _places(_POSTGRES_PLACES)


def _postgres_major(folder: Path) -> int | None:
    if not (folder / "initdb").exists():
        return None
    try:
        asked = subprocess.run(
            [str(folder / "postgres"), "--version"], capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r"\b(\d+)[.\w]", asked.stdout)
    return int(found[1]) if found else None
