"""What is done to files here, each step whole: after a crash it has happened or it has not."""

import contextlib
import errno
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

PART_PREFIX, PART_SUFFIX = ".axis-", ".part"
# A share may have nothing to sync a folder with; then the rename is as durable as the share makes it.
_NO_SYNC = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EACCES, errno.EBADF, errno.EISDIR, errno.EPERM})


def regular(path: Path) -> os.stat_result | None:
    """Return what is known of a plain file; None for a link, a folder, a pipe, or nothing."""
    try:
        found = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found if stat.S_ISREG(found.st_mode) else None


def move(source: Path, target: Path) -> None:
    """Rename within one file system; both folders know it when this returns."""
    source.rename(target)
    sync_folder(target.parent)
    sync_folder(source.parent)


def write_whole(path: Path, data: bytes) -> None:
    """Write a file that nobody ever sees a half of, in the place of what is there."""
    part = new_part(path.parent)
    try:
        with part.open("xb") as file:
            file.write(data)
            settle(file)
        place(part, path)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise


def remove(path: Path) -> None:
    """Remove a file, if it is there."""
    try:
        path.unlink()
    except FileNotFoundError:
        return
    sync_folder(path.parent)


def empty(folder: Path) -> None:
    """Make a folder that only we may read, without anything that a crash has left in it."""
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(mode=0o700, parents=True)


def new_part(folder: Path) -> Path:
    """Name a temporary file of ours in a folder."""
    return folder / f"{PART_PREFIX}{secrets.token_hex(8)}{PART_SUFFIX}"


def place(part: Path, path: Path) -> None:
    """Give a temporary file that is on disk its name."""
    part.replace(path)
    sync_folder(path.parent)


def parts(folder: Path) -> Iterator[Path]:
    """Find what crashes have left of temporary files."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(PART_PREFIX) and entry.name.endswith(PART_SUFFIX):
                yield folder / entry.name


def settle(file: BinaryIO) -> None:
    """Return when what was written is on disk."""
    file.flush()
    os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Return when a folder's entries are on disk."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        if error.errno in _NO_SYNC:
            return
        raise
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise
    finally:
        os.close(descriptor)
