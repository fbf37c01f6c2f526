"""Files that commands write where they are told to."""

from pathlib import Path

from axis.errors import AxisError
from axis.local.layout import write_private

_CANNOT_CREATE = 73  # EX_CANTCREAT


def write_file(path: Path, text: str) -> None:
    """Write a file in one step, for its owner only; raise an error that says which could not be written."""
    try:
        write_private(path, text)
    except OSError as error:
        failure = AxisError(f"cannot write {path}: {error.strerror}", code="file/not-created")
        failure.exit_code = _CANNOT_CREATE
        raise failure from error
