"""New files, which never replace anything: what is there may be a private key."""

import os
from pathlib import Path

from axis.errors import AxisError

_CANNOT_CREATE = 73  # EX_CANTCREAT


def create(path: Path, content: bytes, *, mode: int) -> None:
    """Write a file that does not exist yet; raise file/not-created, exit code 73."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except OSError as error:
        failure = AxisError(f"cannot write {path}: {error.strerror}", code="file/not-created")
        failure.exit_code = _CANNOT_CREATE
        raise failure from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
