"""A small file system of one's own, to be filled and freed; it never outlives the process that mounted it."""

import asyncio
import contextlib
import functools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

_SECONDS = 120
_PAGE = 4096
# Whatever ends us, kill -9 too, ends the pipe, and then this takes the file system away; Ctrl-C does not reach it.
_GUARD = 'read -r _; umount -l "$1" 2>/dev/null'


class Disk:
    """A file system in memory, mounted at a folder. Full is made of it by taking its room away, not by using memory."""

    def __init__(self, folder: Path, megabytes: int) -> None:
        self.folder = folder
        self._filler = folder / ".full"
        self._bytes = megabytes * 1024 * 1024

    @property
    def free_bytes(self) -> int:
        """How much can still be written."""
        found = os.statvfs(self.folder)
        return found.f_bavail * found.f_frsize

    def fill(self) -> None:
        """Leave no room for anything more."""
        with contextlib.suppress(OSError):  # full already
            self._filler.write_bytes(b"\0")  # what is empty cannot be made small enough
        while self.free_bytes > 0:
            found = os.statvfs(self.folder)
            # Refused when somebody has written meanwhile: then again.
            self._resize((found.f_blocks - found.f_bfree) * found.f_frsize)

    def free(self) -> None:
        """Give back the room."""
        self._filler.unlink(missing_ok=True)
        self._resize(self._bytes)

    def _resize(self, size: int) -> None:
        argv = ["mount", "-o", f"remount,size={max(size, _PAGE)}", str(self.folder)]
        subprocess.run(argv, capture_output=True, timeout=_SECONDS, check=False)


@contextlib.contextmanager
def mounted(folder: Path, megabytes: int) -> Iterator[Disk]:
    """Mount an empty file system at an existing folder until the block ends; what was in it is hidden meanwhile."""
    found = folder.stat()
    options = f"size={megabytes}m,mode={found.st_mode & 0o7777:o},uid={found.st_uid},gid={found.st_gid}"
    with _guarded(folder):
        _run("mount", "-t", "tmpfs", "-o", options, "axis-faults", str(folder))
        yield Disk(folder, megabytes)


@contextlib.asynccontextmanager
async def moved_to_disk(folder: Path, megabytes: int) -> AsyncIterator[Disk]:
    """Keep what is in a folder on a small disk until the block ends; nobody may use it at the two moves."""
    aside = _set_aside(folder)
    try:
        with mounted(folder, megabytes) as disk:
            await asyncio.to_thread(_run, "cp", "-a", f"{aside}/.", str(folder))
            try:
                yield disk
            finally:
                disk.free()
                await asyncio.to_thread(_replace, folder, aside)
    finally:
        _put_back(aside, folder)


@functools.cache
def no_disks() -> str | None:
    """Say why no file system can be mounted here; None when one can."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "mounting a small file system takes root, on Linux"
    with tempfile.TemporaryDirectory() as folder:
        try:
            with mounted(Path(folder), 1):
                return None
        except (OSError, subprocess.SubprocessError) as error:
            said = error.stderr.strip() if isinstance(error, subprocess.CalledProcessError) else str(error)
            return f"this machine lets nobody mount a small file system: {said}"


@contextlib.contextmanager
def _guarded(folder: Path) -> Iterator[None]:
    guard = subprocess.Popen(
        ["/bin/sh", "-c", _GUARD, "guard", str(folder)], stdin=subprocess.PIPE, start_new_session=True, cwd="/"
    )
    try:
        yield
    finally:
        if folder.is_mount():
            # Lazily where somebody still has a file open: it goes away with the last of them.
            quick = subprocess.run(["umount", str(folder)], capture_output=True, timeout=_SECONDS, check=False)
            if quick.returncode != 0:
                _run("umount", "-l", str(folder))
        guard.kill()
        guard.communicate(timeout=_SECONDS)


def _set_aside(folder: Path) -> Path:
    """Put an empty folder of the same owner in the place of one that is renamed; return its new name."""
    aside = folder.rename(folder.with_name(folder.name + ".aside"))
    found = aside.stat()
    folder.mkdir(mode=found.st_mode & 0o7777)
    os.chown(folder, found.st_uid, found.st_gid)
    return aside


def _put_back(aside: Path, folder: Path) -> None:
    folder.rmdir()
    aside.rename(folder)


def _replace(source: Path, target: Path) -> None:
    for found in target.iterdir():
        if found.is_dir() and not found.is_symlink():
            shutil.rmtree(found)
        else:
            found.unlink()
    _run("cp", "-a", f"{source}/.", str(target))


def _run(*argv: str) -> None:
    subprocess.run(argv, capture_output=True, text=True, timeout=_SECONDS, check=True)
