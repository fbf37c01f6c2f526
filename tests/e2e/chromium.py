"""The browser of the end-to-end tests: the machine's own Chromium; `python -m tests.e2e.chromium` installs it."""

import os
import shutil
import sys
from pathlib import Path

from axis.errors import AxisError, Unavailable
from axis.local.packages import can_install, install

VARIABLE = "AXIS_CHROMIUM"
_DEBIAN = Path("/usr/bin/chromium")
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--no-sandbox",  # nothing but our own pages is opened, and root has no sandbox
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


def find() -> Path | None:
    """Return the browser: the one that AXIS_CHROMIUM names, else the machine's."""
    if named := os.environ.get(VARIABLE):
        return Path(named) if os.access(named, os.X_OK) else None
    if _DEBIAN.exists():
        return _DEBIAN
    return next((Path(found) for found in map(shutil.which, _NAMES) if found is not None), None)


def ensure() -> Path:
    """Return the browser, installed first where we may; raise Unavailable with what to install."""
    if (found := find()) is not None:
        return found
    if named := os.environ.get(VARIABLE):
        raise Unavailable(f"{VARIABLE} names {named}, which is no program.", code="local/install")
    if not can_install():
        raise Unavailable(
            f"No Chromium on this machine: install it (Debian: apt-get install chromium, as root), or name one in "
            f"{VARIABLE}.",
            code="local/install",
        )
    install(["chromium"], progress=lambda line: print(line, file=sys.stderr))  # noqa: T201 - a command
    return _DEBIAN


if __name__ == "__main__":
    try:
        ensure()
    except AxisError as error:
        sys.exit(f"e2e: {error.detail}")
