"""Durability of a blob store on the local file system.

obstore's local store renames a finished file into place but never calls fsync, so a power cut soon after could leave
an empty file under a digest the axis has already told an agency about. Blobs are therefore written to `staging/` and
settled from there. What a crash leaves behind at each point:

    while bytes arrive          staging/<id>#1   obstore's own part file; swept
    before settle               staging/<id>     complete, digest checked, not visible; swept
    after fsync, before rename  staging/<id>     the same
    after rename                ab/cd/<digest>   complete and on disk; the directory entry may still be lost, and then
                                                 nobody was told that the blob is there
    after fsync of the folders  ab/cd/<digest>   durable; only now does `put` return
"""

import contextlib
import os
import time
from datetime import timedelta
from pathlib import Path

STAGING = "staging"
# Agencies' documents: nobody but the gateway's own user may look inside.
_FOLDER_MODE = 0o700


class Folder:
    """The root folder of a local blob store. Every method blocks: call it in a thread."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def prepare(self) -> None:
        """Make the folder and its staging area."""
        self.root.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
        (self.root / STAGING).mkdir(mode=_FOLDER_MODE, exist_ok=True)
        _sync(self.root)

    def settle(self, staged: str, key: str) -> None:
        """Move a complete staged file to its key so that it survives a power cut."""
        source, target = self.root / staged, self.root / key
        try:
            _sync(source)
            folders = [self.root, *(self.root / part for part in reversed(Path(key).parents[:-1]))]
            for folder in folders[1:]:
                folder.mkdir(mode=_FOLDER_MODE, exist_ok=True)
            source.replace(target)
            for folder in reversed(folders):
                _sync(folder)
        except OSError:
            source.unlink(missing_ok=True)
            raise

    def sweep(self, older_than: timedelta) -> int:
        """Remove staged files nobody has written to for that long; return how many."""
        limit = time.time() - older_than.total_seconds()
        removed = 0
        for path in (self.root / STAGING).iterdir():
            # An upload that ends while we look removes its own file.
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_mtime < limit:
                    path.unlink()
                    removed += 1
        return removed

    def check(self) -> None:
        """Raise OSError unless blobs can be written here."""
        if not os.access(self.root / STAGING, os.W_OK | os.X_OK):
            raise PermissionError(f"{self.root / STAGING} is not a folder this process may write to")


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
