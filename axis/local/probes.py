"""Ask a process whether it is ready."""

import base64
import http.client
import socket
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

from axis.errors import Misconfigured
from axis.local.process import Probe
from axis.tls import Credentials

ASK_SECONDS = 2.0


def is_ready(probe: Probe | None) -> bool:
    """Ask once, for at most two seconds."""
    if probe is None:
        return True
    if probe.kind == "tcp":
        return _accepts(probe.target[0], int(probe.target[1]))
    if probe.kind == "http":
        return _answers(*probe.target)
    return _succeeds(probe.target)


def _accepts(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=ASK_SECONDS):
            return True
    except OSError:
        return False


def _answers(url: str, user: str, password: str, *tls: str) -> bool:
    parts = urlsplit(url)
    headers = {}
    if user:
        token = base64.b64encode(f"{user}:{password}".encode()).decode()
        headers["Authorization"] = f"Basic {token}"
    # Not urllib.request: it would ask a proxy of the user's environment for a page on this machine.
    host, port = parts.hostname or "", parts.port
    connection = http.client.HTTPConnection(host, port, timeout=ASK_SECONDS)
    try:
        if parts.scheme == "https":
            context = Credentials(*map(Path, tls)).context()
            connection = http.client.HTTPSConnection(host, port, timeout=ASK_SECONDS, context=context)
        connection.request("GET", parts.path or "/", headers=headers)
        return 200 <= connection.getresponse().status < 300  # noqa: PLR2004 - the meaning of HTTP status classes
    except (OSError, http.client.HTTPException, Misconfigured):
        return False
    finally:
        connection.close()


def _succeeds(argv: tuple[str, ...]) -> bool:
    try:
        asked = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=ASK_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return asked.returncode == 0
