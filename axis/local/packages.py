"""Install the missing packages on Debian and Ubuntu, as root, without starting any service."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from axis.errors import Unavailable
from axis.local.programs import OLDEST_POSTGRES, OLDEST_RABBITMQ, numbers

INSTALL_SECONDS = 900
SYSTEMD = Path("/run/systemd/system")  # there when systemd is the init that runs
_OLDEST = {"rabbitmq-server": OLDEST_RABBITMQ, "postgresql": (OLDEST_POSTGRES,)}

# Nothing is written to the machine to keep the services down. With SYSTEMD_OFFLINE the packages' scripts act as in a
# chroot (systemctl ignores "start"); to other init systems we are in runlevel 1, where these services do not run.
_ENVIRONMENT = {
    "DEBIAN_FRONTEND": "noninteractive",
    "DEBCONF_NONINTERACTIVE_SEEN": "true",
    "NEEDRESTART_SUSPEND": "1",
    "SYSTEMD_OFFLINE": "1",
    "RUNLEVEL": "1",
    "PREVLEVEL": "N",
    "LC_ALL": "C.UTF-8",
}


def can_install(os_release: Path = Path("/etc/os-release")) -> bool:
    """Whether this is Debian or one of its children, and we are root."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return False
    return is_debian(os_release)


def is_debian(os_release: Path = Path("/etc/os-release")) -> bool:
    """Whether the machine calls itself Debian, Ubuntu or a child of theirs."""
    try:
        lines = os_release.read_text(encoding="utf-8").splitlines()
    except OSError:
        return False
    words = {
        word
        for line in lines
        if line.partition("=")[0] in ("ID", "ID_LIKE")
        for word in line.partition("=")[2].strip("\"'").split()
    }
    return not words.isdisjoint({"debian", "ubuntu"})


def install(names: Sequence[str], *, progress: Callable[[str], None]) -> None:
    """Install the packages, after refreshing the package lists if they do not know them.

    Raises:
        Unavailable: `local/install` when apt fails or offers only versions that are too old.
    """
    if not all(_candidate(name) for name in names):
        progress("apt-get update")
        _apt("update", progress=progress)
    for name in names:
        candidate = _candidate(name)
        if not candidate:
            raise Unavailable(f"apt offers no package {name}", code="local/install")
        if numbers(candidate.partition(":")[2] or candidate) < _OLDEST.get(name, ()):
            oldest = ".".join(str(part) for part in _OLDEST[name])
            raise Unavailable(
                f"apt offers {name} {candidate}, but {oldest} or newer is needed: set AXIS_AMQP_URL, "
                "AXIS_RABBITMQ_API_URL and AXIS_DATABASE_URL, or start a Docker engine",
                code="local/install",
            )
    progress(f"apt-get install {' '.join(names)} (their own services are not started)")
    if SYSTEMD.is_dir():
        progress(f"at the next boot systemd will start them, unless you run: systemctl disable {' '.join(names)}")
    try:
        _apt(*_install_arguments(names), progress=progress)
    except Unavailable:
        # Lists from last month name files that the mirror has replaced since.
        progress("apt-get failed; updating its lists and trying once more")
        _apt("update", progress=progress)
        _apt(*_install_arguments(names), progress=progress)


def _install_arguments(names: Sequence[str]) -> list[str]:
    return ["install", "--yes", "--no-install-recommends", "-o", "Dpkg::Options::=--force-confold", *names]


def _candidate(name: str) -> str:
    """Return the version apt would install; empty when it knows none."""
    asked = subprocess.run(
        ["apt-cache", "policy", name],
        capture_output=True,
        text=True,
        env={**os.environ, **_ENVIRONMENT},
        timeout=60,
        check=False,
    )
    for line in asked.stdout.splitlines():
        word, _, version = line.strip().partition(": ")
        if word == "Candidate" and version != "(none)":
            return version
    return ""


def _apt(*arguments: str, progress: Callable[[str], None]) -> None:
    """Run apt-get to its end, even when interrupted: half an installation would stop every later one, of anything."""
    command = ["apt-get", "-q", "-o", "DPkg::Lock::Timeout=120", *arguments]
    with (
        tempfile.TemporaryFile() as output,
        subprocess.Popen(
            command,
            env={**os.environ, **_ENVIRONMENT},
            stdin=subprocess.DEVNULL,
            # A file, not a pipe, and a session of its own: neither Ctrl-C nor our own death ends dpkg half-way.
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as apt,
    ):
        try:
            _see_through(apt, progress)
        except subprocess.TimeoutExpired as error:
            apt.kill()
            detail = f"apt-get {arguments[0]} took more than {INSTALL_SECONDS} s"
            raise Unavailable(detail, code="local/install") from error
        output.seek(0)
        end = "\n".join(output.read().decode("utf-8", errors="replace").splitlines()[-8:])
    if apt.returncode != 0:
        raise Unavailable(f"apt-get {arguments[0]} failed:\n{end}", code="local/install")


def _see_through(apt: subprocess.Popen[bytes], progress: Callable[[str], None]) -> None:
    interrupt: KeyboardInterrupt | None = None
    deadline = time.monotonic() + INSTALL_SECONDS
    while apt.returncode is None:
        try:
            apt.wait(max(0.0, deadline - time.monotonic()))
        except KeyboardInterrupt as caught:
            progress("interrupted: apt-get finishes first, so that no package is left half installed")
            interrupt = caught
    if interrupt is not None:
        raise interrupt
