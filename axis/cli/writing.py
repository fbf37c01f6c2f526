"""Files that commands write where they are told to."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from axis.errors import AxisError
from axis.local.layout import write_private

_CANNOT_CREATE = 73  # EX_CANTCREAT


def write_file(path: Path, text: str) -> None:
    """Write a file in one step, for its owner only; raise an error that says which could not be written."""
    with _naming(path):
        write_private(path, text)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file in one step, as new files are made here; raise an error that says which could not be written."""
    fresh = path.with_name(path.name + ".new")
    with _naming(path):
        fresh.unlink(missing_ok=True)
        with fresh.open("xb") as file:
            file.write(content)
        fresh.replace(path)


@contextlib.contextmanager
def _naming(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        failure = AxisError(f"cannot write {path}: {error.strerror}", code="file/not-created")
        failure.exit_code = _CANNOT_CREATE
        raise failure from error
