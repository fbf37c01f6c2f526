"""A private PostgreSQL node: its data folder, and the process that serves it."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

from axis.errors import Unavailable
from axis.local import ports
from axis.local.certified import NodeFiles, copied
from axis.local.layout import give
from axis.local.pids import program_of
from axis.local.process import Probe, ProcessSpec
from axis.local.programs import Postgres
from axis.local.record import DATABASE, USER, Record

INIT_SECONDS = 120
_LOCALES = ("C.UTF-8", "C")
# Commits still reach the operating system (synchronous_commit stays on): a kill loses nothing, a power cut may.
_FAST = ("fsync=off", "full_page_writes=off", "wal_level=minimal", "max_wal_senders=0")


def data_major(record: Record) -> int | None:
    """Return the major version that wrote the data; None when there is none yet."""
    try:
        return int((_data(record) / "PG_VERSION").read_text(encoding="ascii"))
    except FileNotFoundError:
        return None


def prepare(found: Postgres, record: Record, user: str | None) -> ProcessSpec:
    """Make the data folder if there is none, and return the process that serves it."""
    base = Path(record.data) / "postgres"
    give(base, user)
    if data_major(record) is None:
        _initialise(found, record, base, user)
    files = copied(record, "postgres", base) if record.pki else None
    if files is not None:
        # Who gets in without TLS is nobody; with it, whoever has the role's certificate and its password.
        access = f"hostssl all all {ports.LOOPBACK}/32 scram-sha-256 clientcert=verify-full\n"
        (base / "pg_hba.conf").write_text(access, encoding="ascii")
        give(base, user)
    _drop_stale_pid(_data(record))
    options = [
        f"listen_addresses={ports.LOOPBACK}",
        f"port={record.ports['postgres']}",
        # None: the path of a socket may hold 107 bytes, and that of a clone is often longer.
        "unix_socket_directories=",
        "shared_buffers=64MB",
        "max_connections=200",
        "jit=off",
        "logging_collector=off",
        "log_line_prefix=%m [%p] ",
        *(() if record.durable else _FAST),
        *(() if files is None else _encrypted(files, base / "pg_hba.conf")),
    ]
    return ProcessSpec(
        name="postgres",
        argv=(
            found.program("postgres"),
            "-D",
            str(_data(record)),
            *(part for item in options for part in ("-c", item)),
        ),
        env=_environment(base),
        cwd=str(base),
        ready=Probe.command(
            found.program("pg_isready"), "-q", "-h", ports.LOOPBACK, "-p", str(record.ports["postgres"]), "-d", DATABASE
        ),
        user=user,
        # SIGINT is "fast": it ends the clients' sessions; SIGTERM would wait for them.
        stop_signal=signal.SIGINT if record.durable else signal.SIGQUIT,
        stop_seconds=30.0,
    )


def _encrypted(files: NodeFiles, access: Path) -> tuple[str, ...]:
    return (
        "ssl=on",
        "ssl_min_protocol_version=TLSv1.2",
        f"ssl_ca_file={files.ca}",
        f"ssl_cert_file={files.certificate}",
        f"ssl_key_file={files.key}",
        f"ssl_crl_file={files.crl}",
        f"hba_file={access}",
    )


def _initialise(found: Postgres, record: Record, base: Path, user: str | None) -> None:
    """Make the cluster and its database beside the final place, then rename: half a cluster never counts as one."""
    fresh = base / "data.new"
    password = base / "password"
    for locale in _LOCALES:
        shutil.rmtree(fresh, ignore_errors=True)
        password.write_text(record.database_password, encoding="ascii")
        give(base, user)
        made = _run(
            [
                found.program("initdb"),
                f"--pgdata={fresh}",
                f"--username={USER}",
                f"--pwfile={password}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                f"--locale={locale}",
                *(() if record.durable else ("--no-sync",)),
            ],
            base,
            user,
        )
        password.unlink()
        if made.returncode == 0:
            break
    else:
        raise Unavailable(f"initdb failed: {made.stderr.strip() or made.stdout.strip()}", code="local/start")
    # Single-user mode needs no port and no password; `createdb` would need a running server.
    created = _run(
        [found.program("postgres"), "--single", "-D", str(fresh), "template1"],
        base,
        user,
        stdin=f"CREATE DATABASE {DATABASE}\n",
    )
    if created.returncode != 0:
        raise Unavailable(f"the database could not be created: {created.stderr.strip()}", code="local/start")
    fresh.rename(_data(record))


def _run(argv: list[str], base: Path, user: str | None, stdin: str = "") -> subprocess.CompletedProcess[str]:
    identity: int | str | None = int(user) if user is not None and user.isdecimal() else user
    return subprocess.run(
        argv,
        env=_environment(base),
        cwd=base,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=INIT_SECONDS,
        check=False,
        user=identity,
        extra_groups=None if identity is None else [],
        umask=0o077,
    )


def _drop_stale_pid(data: Path) -> None:
    """Remove the pid file of a server that was killed, if its pid is a zombie's or another program's by now.

    PostgreSQL refuses to start while that pid exists, whoever has it; in a container, where pids are few and nobody
    may collect zombies, that is common.
    """
    pid_file = data / "postmaster.pid"
    try:
        pid = int(pid_file.read_text(encoding="ascii", errors="replace").split()[0])
    except (FileNotFoundError, IndexError, ValueError):
        return
    if program_of(pid) not in ("postgres", "postmaster"):
        pid_file.unlink()


def _data(record: Record) -> Path:
    return Path(record.data) / "postgres" / "data"


def _environment(base: Path) -> dict[str, str]:
    """Leave out the caller's PG… variables."""
    return {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(base), "LANG": "C.UTF-8", "TZ": "UTC"}
