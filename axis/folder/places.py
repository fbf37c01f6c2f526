"""The two folders and what is in them, held by one watcher at a time.

OUT/            the agency's system puts packages here
OUT/sending/    picked up: NAME, and NAME.json that says under which envelope it goes
OUT/sent/       NAME with NAME.receipt.json and NAME.receipt.txt
OUT/refused/    NAME with NAME.report.json and NAME.report.txt
IN/             the agency's system finds packages here
"""

import contextlib
import errno
import fcntl
import json
import os
import socket
import stat
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from axis.errors import Misconfigured, NotFound, Unavailable
from axis.folder import disk

_LOCK, _HOLDER = ".axis-folder.lock", ".axis-folder.holder"
_HELD = frozenset({errno.EWOULDBLOCK, errno.EACCES, errno.EAGAIN})


@dataclass(frozen=True, slots=True)
class Out:
    """The folder that documents are sent from; its parts are made when it is opened, never later."""

    root: Path

    @property
    def sending(self) -> Path:
        """What is on its way."""
        return self.root / "sending"

    @property
    def sent(self) -> Path:
        """What the axis has taken."""
        return self.root / "sent"

    @property
    def refused(self) -> Path:
        """What was not sent, or not taken."""
        return self.root / "refused"

    def make(self) -> None:
        """Make the parts; raise Misconfigured for one that leads out of the folder."""
        for part in (self.sending, self.sent, self.refused):
            try:
                part.mkdir(exist_ok=True)
            except OSError as error:
                raise Misconfigured(f"{part}: {error.strerror}", code="folder/unusable") from error
            if not stat.S_ISDIR(part.lstat().st_mode):
                raise Misconfigured(f"{part} is a link: documents would leave the folder", code="folder/unusable")

    def is_taken(self, name: str) -> bool:
        """Say whether a name is in use in any of the parts, by a file or by what says something of one.

        A report without its file says nothing any more: the file is tried again.
        """
        beside = (self.sending / f"{name}.json", self.sent / f"{name}.receipt.json")
        files = (self.sending / name, self.sent / name, self.refused / name)
        return any(os.path.lexists(each) for each in (*files, *beside))


class Hold:
    """A folder held by this process; another watcher is told by whom."""

    def __init__(self, folder: Path, agency: str) -> None:
        self.folder = folder
        self._agency = agency
        self._descriptor: int | None = None
        self._checking = threading.Lock()

    def take(self) -> None:
        """Take hold of the folder.

        Raises:
            Unavailable: `folder/busy`, with the holder as it names itself.
            OSError: when the folder is not there or cannot be written to.
        """
        path = self.folder / _LOCK
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            if error.errno in _HELD:
                raise Unavailable(f"{self.folder} is watched by {self._holder()}", code="folder/busy") from error
            raise
        self.release()
        self._descriptor = descriptor
        said = {"agency": self._agency, "host": socket.gethostname(), "pid": os.getpid()}
        disk.write_whole(self.folder / _HOLDER, json.dumps(said, ensure_ascii=False).encode())

    def check(self) -> None:
        """Raise OSError when the folder is not the one that was taken: a share that went leaves an empty folder there.

        What was written into that would never be seen again once the share is back. A folder that came back as another
        (mounted anew) is taken again.
        """
        with self._checking:  # two loops may look at once, and one must not meet the other's hold
            found = os.lstat(self.folder / _LOCK)
            held = None if self._descriptor is None else os.fstat(self._descriptor)
            if held is None or (found.st_dev, found.st_ino) != (held.st_dev, held.st_ino):
                self.take()

    def release(self) -> None:
        """Let go."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _holder(self) -> str:
        try:
            said = json.loads((self.folder / _HOLDER).read_bytes())
            return f"process {said['pid']} on {said['host']}, for {said['agency']}"
        except (OSError, ValueError, KeyError, TypeError):
            return "another process"


@contextlib.contextmanager
def held(out: Out, incoming: Path, state: Path, agency: str) -> Iterator[tuple[Hold, Hold]]:
    """Hold both folders and the agency's state until the block ends: one watcher for each of them.

    Raises:
        NotFound: `folder/not-found`: folders are not made here, because one that is missing may be a share that is not
            mounted.
        Misconfigured: `folder/unusable`: they are one, or one is inside the other.
        Unavailable: `folder/busy`.
    """
    for each in (out.root, incoming):
        if not each.is_dir():
            raise NotFound(f"there is no folder {each}", code="folder/not-found")
    one, other = out.root.resolve(), incoming.resolve()
    if one.is_relative_to(other) or other.is_relative_to(one):
        raise Misconfigured(f"{one} and {other}: what arrives would be sent again", code="folder/unusable")
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    holds = [Hold(each, agency) for each in (out.root, incoming, state)]
    try:
        for hold in holds:
            _take(hold)
        out.make()
        for folder in (out.root, out.sending, out.sent, out.refused, state):
            # Of a crash; in the other folder one may be whole, and only wait for its name.
            for part in list(disk.parts(folder)):
                disk.remove(part)
        yield holds[0], holds[1]
    finally:
        for hold in holds:
            hold.release()


def _take(hold: Hold) -> None:
    try:
        hold.take()
    except OSError as error:
        raise Misconfigured(f"{hold.folder}: {error.strerror}", code="folder/unusable") from error
