"""RabbitMQ and PostgreSQL in a Docker engine, where no programs can be had on the machine itself."""

import shutil
import subprocess
import time
from collections.abc import Callable

from axis.errors import Unavailable
from axis.local.ports import LOOPBACK
from axis.local.probes import is_ready
from axis.local.process import Probe
from axis.local.record import DATABASE, USER, VHOST, Record

IMAGES = {"rabbitmq": "rabbitmq:4-management", "postgres": "postgres:17"}
ENGINE_SECONDS = 10
PULL_SECONDS = 900
START_SECONDS = 120


def engine() -> bool:
    """Whether a Docker engine answers."""
    if shutil.which("docker") is None:
        return False
    try:
        return _docker("info", "--format", "{{.ServerVersion}}", seconds=ENGINE_SECONDS).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def container(record: Record, name: str) -> str:
    """Return the container's name, which is the clone's own."""
    return f"{record.node_name.partition('@')[0]}-{name}"


def run_command(record: Record, name: str) -> list[str]:
    """Return the arguments of `docker` that start one service on loopback, its data in a volume of its own."""
    own = container(record, name)
    common = ["run", "--detach", "--rm", "--name", own, "--hostname", own]
    if name == "rabbitmq":
        return [
            *common,
            *("--volume", f"{own}:/var/lib/rabbitmq"),
            *("--publish", f"{LOOPBACK}:{record.ports['amqp']}:5672"),
            *("--publish", f"{LOOPBACK}:{record.ports['management']}:15672"),
            *("--publish", f"{LOOPBACK}:{record.ports['prometheus']}:15692"),
            *("--env", f"RABBITMQ_DEFAULT_USER={USER}"),
            *("--env", f"RABBITMQ_DEFAULT_PASS={record.broker_password}"),
            *("--env", f"RABBITMQ_DEFAULT_VHOST={VHOST}"),
            IMAGES[name],
        ]
    return [
        *common,
        *("--volume", f"{own}:/var/lib/postgresql/data"),
        *("--publish", f"{LOOPBACK}:{record.ports['postgres']}:5432"),
        *("--env", f"POSTGRES_USER={USER}"),
        *("--env", f"POSTGRES_PASSWORD={record.database_password}"),
        *("--env", f"POSTGRES_DB={DATABASE}"),
        IMAGES[name],
    ]


def running(record: Record) -> bool:
    """Whether both containers run."""
    return engine() and all(_runs(container(record, name)) for name in IMAGES)


def start(record: Record, *, progress: Callable[[str], None]) -> None:
    """Start both containers and wait until they answer.

    Raises:
        Unavailable: `local/start` with what Docker says.
    """
    for name, image in IMAGES.items():
        if _runs(container(record, name)):
            continue
        progress(f"docker run {image}")
        started = _docker(*run_command(record, name), seconds=PULL_SECONDS)
        if started.returncode != 0:
            raise Unavailable(f"docker run {image} failed: {started.stderr.strip()}", code="local/start")
    # The port forwarder accepts before the server does: ask the servers themselves.
    overview = f"http://{LOOPBACK}:{record.ports['management']}/api/overview"
    for probe in (
        Probe.http(overview, user=USER, password=record.broker_password),
        Probe.command(
            "docker", "exec", container(record, "postgres"), "pg_isready", "-q", "-h", LOOPBACK, "-d", DATABASE
        ),
    ):
        _await(probe)


def stop(record: Record) -> None:
    """Stop both containers; their volumes stay."""
    for name in IMAGES:
        _docker("stop", "--time", "30", container(record, name), seconds=60)


def _await(probe: Probe) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not is_ready(probe):
        if time.monotonic() >= deadline:
            raise Unavailable(f"a container did not answer within {START_SECONDS} s", code="local/start")
        time.sleep(0.2)


def _runs(own: str) -> bool:
    asked = _docker("inspect", "--format", "{{.State.Running}}", own, seconds=ENGINE_SECONDS)
    return asked.returncode == 0 and asked.stdout.strip() == "true"


def _docker(*arguments: str, seconds: float) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=seconds, check=False)
