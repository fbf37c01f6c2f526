"""An axis for the tests of commands: a broker and a database of its own, workers and gateway as real processes."""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from axis import local
from axis.cli import stack
from axis.cli.onboarding import ensure_worker_account
from axis.settings import Settings
from tests import services as real
from tests.programs import AXIS

ROUTE = frozenset({"router", "tracker", "relay", "gateway"})  # what a document needs to get there
SECONDS = 180  # for one command, or for all processes to start: the machine has other tests to run


@dataclass(frozen=True, slots=True)
class Axis:
    """A running axis and a way to run commands on it."""

    home: Path
    settings: Settings

    def run(self, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        """Run a command as a user does; `code` is how it has to end."""
        environ = {**os.environ, "AXIS_HOME": str(self.home), "TZ": "Asia/Ho_Chi_Minh", "PYTHONUTF8": "1"}
        ran = subprocess.run(
            [sys.executable, *AXIS, *arguments],
            env=environ,
            cwd=self.home.parent,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert ran.returncode == code, ran.stdout + ran.stderr
        return ran

    def json(self, *arguments: str, code: int = 0) -> Any:
        """Run a command with --json."""
        return json.loads(self.run(*arguments, "--json", code=code).stdout)


@contextlib.contextmanager
def whole_axis(
    services: local.Services,
    migrated_template: str,
    root: Path,
    *,
    worker: str,
    processes: Collection[str] | None = None,
    **changes: str,
) -> Iterator[Axis]:
    """Run one below a folder until the block ends.

    `worker` is the workers' account: accounts are shared by all virtual hosts of a broker, so it is the caller's
    own, and so are the agencies.
    `processes`: those that are started, all if none are named; each costs more than a second of processor time.
    `changes`: settings that are not the usual ones.
    """
    home = root / ".axis"
    home.mkdir()
    with (
        pytest.MonkeyPatch.context() as patch,
        real.fresh_vhost(services) as vhost,
        real.fresh_database(services, migrated_template) as database,
    ):
        for name in ("AXIS_AMQP_URL", "AXIS_RABBITMQ_API_URL", "AXIS_DATABASE_URL", "AXIS_WORKER_AMQP_URL"):
            patch.delenv(name, raising=False)
        for name, value in changes.items():
            patch.setenv(f"AXIS_{name.upper()}", value)
        address = vhost.amqp_url.replace(vhost.amqp_url.partition("//")[2].partition("@")[0], f"{worker}:secret", 1)
        lines = {
            "AXIS_AMQP_URL": vhost.amqp_url,
            "AXIS_RABBITMQ_API_URL": vhost.api_url,
            "AXIS_DATABASE_URL": database,
            "AXIS_WORKER_AMQP_URL": address,
            "AXIS_WATCH_SECONDS": "3600",  # one look at the start: it must not mend what a test breaks
            **real.role_variables(database),
        }
        (home / "axis.env").write_text("".join(f"{name}={value}\n" for name, value in lines.items()))
        stack._remember(home, tls=False)
        settings = ensure_worker_account(Settings.load(home))
        settings = asyncio.run(stack._prepare(settings, lambda _: None))
        specs = [spec for spec in stack._specs(root, settings) if processes is None or spec.name in processes]
        assert processes is None or {spec.name for spec in specs} == set(processes)
        local.start_set(root, "axis", specs, owner_pid=os.getpid(), deadline=SECONDS)
        try:
            yield Axis(home, settings)
        finally:
            local.stop_set(root, "axis")
