"""The whole axis on one machine: nodes, migrations, keys, topology, and the axis's processes under one keeper."""

import asyncio
import datetime as dt
import os
import sys
from collections.abc import Callable
from pathlib import Path

from axis import local
from axis.cli.accounts import ensure_database_roles
from axis.cli.env_file import remember, remembered
from axis.cli.onboarding import apply_topology, ensure_worker_account
from axis.client.logs import write_keys
from axis.client.settings import LOG_KEYS
from axis.errors import Misconfigured
from axis.local import Probe, ProcessSpec, SetState
from axis.local.certified import PKI
from axis.local.layout import write_private
from axis.local.ports import choose, free_port
from axis.proving import NoteSigner
from axis.proving.notes import KEY_FILES
from axis.settings import Settings
from axis.store import Store, migrate
from axis.trust import DemonstrationCA, SigningKey, enrol, new_key

Progress = Callable[[str], None]

AXIS_CODE = "W00"  # interconnection centres carry W codes; the axis signs its receipts as this one
SET_NAME = "axis"
_GATEWAY, _CONSOLE, _ADMINISTRATOR = "gateway", "console", "axis"
WORKERS = ("router", "tracker", "relay", "notary", "papers", "auditor", "registrar", "herald")
_PROCESSES = f"{', '.join(WORKERS)}, gateway and console"
_START_SECONDS = 180.0  # one process after another, on two slow cores that do other things as well
_PASSED_ON = frozenset({"PATH", "HOME", "USER", "LANG", "TZ", "TMPDIR", "VIRTUAL_ENV"})
_PASSED_PREFIXES = ("AXIS_", "PYTHON", "LC_", "SSL_CERT_", "AWS_", "AZURE_", "GOOGLE_")  # the last three: blob stores
_KEY_DAYS = 365


def bring_up(root: Path, *, progress: Progress, owner_pid: int | None = None, tls: bool = False) -> Settings:
    """Start what does not run yet, in order; safe to repeat. `owner_pid`: all of it ends with that process.

    With `tls` everything that listens takes nobody without TLS and a certificate of the clone's own authority.
    """
    services = local.up(root, progress=progress, assume_yes=not sys.stdin.isatty(), owner_pid=owner_pid, tls=tls)
    if tls and not services.tls:
        raise Misconfigured(
            "broker and database are those of the environment, whose TLS is set there: leave --tls away",
            code="local/tls",
        )
    home = root.resolve() / ".axis"
    _remember(home, tls=tls)
    settings = ensure_worker_account(Settings.load(home))
    settings = asyncio.run(_prepare(settings, progress))
    progress(f"starting {_PROCESSES} …")
    local.start_set(root, SET_NAME, _specs(root, settings), owner_pid=owner_pid, deadline=_START_SECONDS)
    return settings


def take_down(root: Path, *, progress: Progress) -> bool:
    """Stop the axis's processes, then the nodes; data stays. False when nothing ran."""
    before = running(root)
    progress(f"stopping {_PROCESSES} …")
    local.stop_set(root, SET_NAME)
    progress("stopping RabbitMQ and PostgreSQL …")
    return local.down(root) or before is not None


def running(root: Path) -> SetState | None:
    """Return the state of the axis's processes if they run."""
    state = local.set_state(root, SET_NAME)
    return state if state is not None and state.phase in {"starting", "ready"} else None


async def _prepare(settings: Settings, progress: Progress) -> Settings:
    if applied := await migrate(settings.database_url.get_secret_value()):
        progress(f"database: {len(applied)} migrations applied")
    settings = await ensure_database_roles(settings)
    async with Store.connect(settings.operator_database) as store:
        await _ensure_axis_key(settings, store, progress)
        _ensure_log_key(settings, progress)
        if changes := await apply_topology(settings, store, progress=lambda _: None):
            progress(f"broker: {changes} objects created or changed")
    return settings


async def _ensure_axis_key(settings: Settings, store: Store, progress: Progress) -> None:
    """Make the axis's own key, certified by the demonstration CA of this machine, and enrol it."""
    folder = settings.axis_key
    if not (folder / "certificate.pem").exists():
        if settings.key is not None:
            raise Misconfigured(
                f"{folder}/certificate.pem is missing: put the certificate of the key in AXIS_KEY there"
            )
        now = dt.datetime.now(dt.UTC)
        authority = DemonstrationCA.open_or_create(settings.home / "demonstration-ca", now)
        key = new_key("p256")
        certificate = authority.issue(AXIS_CODE, key, name="The axis", now=now, days=_KEY_DAYS)
        folder.mkdir(parents=True, exist_ok=True)
        write_private(folder / "key.pem", key.decode())
        (folder / "certificate.pem").write_bytes(certificate)
        progress("made the axis's own key (demonstration certificate)")
    certificate = (folder / "certificate.pem").read_bytes()
    record = enrol(certificate, AXIS_CODE, "axis", dt.datetime.now(dt.UTC), allow_demonstration=True)
    await store.directory.put_certificate(record)
    SigningKey.load(folder, settings.key)  # fails here, with a sentence, rather than in three workers


def _ensure_log_key(settings: Settings, progress: Progress) -> None:
    """Make the key that signs the log of receipts; it has no certificate, its public half goes into profiles."""
    path = settings.axis_key / "log-key.pem"
    if not list(settings.axis_key.glob(KEY_FILES)):
        write_private(path, new_key("ed25519").decode())
        progress("made the key of the log of receipts")
    signers = NoteSigner.load_all(settings.axis_key, settings.log_origin)
    (settings.axis_key / LOG_KEYS).write_text(write_keys(signer.public for signer in signers), encoding="utf-8")


def _remember(home: Path, *, tls: bool) -> None:
    """Choose the ports of gateway and console once: profiles and bookmarks name them. TLS follows the nodes."""
    known = remembered(home)
    port = known.get("AXIS_GATEWAY_PORT") or str(free_port())
    issued = home / PKI / "issued"
    server, console = (issued / "server" / name for name in (_GATEWAY, _CONSOLE))
    client = issued / "client" / _ADMINISTRATOR
    files = {
        "AXIS_GATEWAY_CERTIFICATE": server / "certificate.pem",
        "AXIS_GATEWAY_KEY": server / "key.pem",
        "AXIS_GATEWAY_CLIENT_CA": server / "ca.pem",
        "AXIS_GATEWAY_CLIENT_CRL": home / PKI / "crl.pem",
        "AXIS_CONSOLE_CERTIFICATE": console / "certificate.pem",
        "AXIS_CONSOLE_KEY": console / "key.pem",
        "AXIS_TLS_CA": client / "ca.pem",
        "AXIS_TLS_CERTIFICATE": client / "certificate.pem",
        "AXIS_TLS_KEY": client / "key.pem",
    }
    # In a clone that has moved they name files of the old place; they are written anew with what is prepared.
    stale = {
        name: None
        for name, value in known.items()
        if name.endswith("_DATABASE_URL") and str(home) not in value and "sslcert=" in value
    }
    remember(
        home,
        {
            "AXIS_GATEWAY_PORT": port,
            "AXIS_CONSOLE_PORT": known.get("AXIS_CONSOLE_PORT") or str(free_port()),
            "AXIS_GATEWAY_URL": f"{'https' if tls else 'http'}://127.0.0.1:{port}",
            **{name: str(path) if tls else None for name, path in files.items()},
            **stale,
        },
    )


def _environment() -> dict[str, str]:
    """Take what our processes need of the environment: the keeper writes it down, so nothing else belongs there."""
    return {
        name: value for name, value in os.environ.items() if name in _PASSED_ON or name.startswith(_PASSED_PREFIXES)
    }


def _specs(root: Path, settings: Settings) -> list[ProcessSpec]:
    env = {**_environment(), "AXIS_HOME": str(settings.home), "PYTHONUNBUFFERED": "1"}
    ports = choose(WORKERS)
    specs = [
        ProcessSpec(
            name=name,
            argv=(sys.executable, "-P", "-m", "workers", name),
            env={**env, "AXIS_METRICS_PORT": str(ports[name])},
            cwd=str(root.resolve()),
            ready=Probe.http(f"http://127.0.0.1:{ports[name]}/metrics"),
        )
        for name in WORKERS
    ]
    tls = [path for path in (settings.tls_ca, settings.tls_certificate, settings.tls_key) if path is not None]
    pages = ((_GATEWAY, f"{settings.gateway_url}/v1/health"), (_CONSOLE, f"{settings.console_address}/health"))
    specs += [
        ProcessSpec(
            name=name,
            argv=(sys.executable, "-P", "-m", f"axis.{name}"),
            env=env,
            cwd=str(root.resolve()),
            ready=Probe.http(page, tls=tls),
        )
        for name, page in pages
    ]
    return specs
