"""Where things lie under `.axis/`, and whose they are."""

import os
import pwd
import re
import secrets
import subprocess
from pathlib import Path
from typing import BinaryIO

from axis.errors import Misconfigured

# RabbitMQ hands its paths to a shell (df) and packs them as Latin-1: blanks, quotes and Vietnamese letters end it.
_PLAIN_PATH = re.compile(r"[A-Za-z0-9_./+@-]+")

SHARED_TEMPORARY = Path("/var/tmp")  # noqa: S108 - a fallback that survives a restart; the name below it is random


def place(root: Path) -> Path:
    """Return the `.axis` folder of a clone, whether or not it is there."""
    return root.resolve() / ".axis"


def folder(root: Path) -> Path:
    """Return the `.axis` folder of a clone, made if need be."""
    home = place(root)
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Misconfigured(f"cannot make {home}: {error.strerror}", code="local/folder") from error
    if not os.access(home, os.W_OK | os.X_OK):
        raise Misconfigured(
            f"{home} belongs to {owner_of(home)}: run as that user, or remove the folder to start afresh",
            code="local/folder",
        )
    return home


def write_private(path: Path, text: str) -> None:
    """Replace a file that holds secrets in one step; only its owner can read it at any time."""
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
        out.write(text)
    hand_over(fresh)
    fresh.replace(path)


def hand_over(path: Path) -> None:
    """Give what root has made to the owner of the folder around it, who must be able to go on without root."""
    owner = path.parent.stat()
    if os.geteuid() == 0 and owner.st_uid != 0:
        os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


def open_lock(path: Path) -> int:
    """Open a lock file, made if need be; return its descriptor."""
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    hand_over(path)
    return lock


def open_log(path: Path) -> BinaryIO:
    """Open a log to append to, it and its folder made if need be."""
    if not path.parent.exists():
        path.parent.mkdir()
        hand_over(path.parent)
    opened = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    hand_over(path)
    return os.fdopen(opened, "ab")


def owner_of(path: Path) -> str:
    """Return the name of a file's owner, or the uid where it has no name."""
    uid = path.stat().st_uid
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def service_user(data: Path, *candidates: str) -> str | None:
    """Choose whom a node runs as: None for the caller itself, else (as root) a user without rights.

    Data that exists decides: a folder once made by an ordinary user stays that user's when root comes along.
    """
    if os.geteuid() != 0:
        return None
    if data.exists() and data.stat().st_uid != 0:
        return owner_of(data)
    for name in candidates:
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    return None


def give(path: Path, user: str | None) -> None:
    """Make the folder, and make it the user's alone."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.chmod(0o700)
    if user is None:
        return
    entry = pwd.getpwuid(int(user)) if user.isdecimal() else pwd.getpwnam(user)
    for found in [path, *path.rglob("*")]:
        if found.lstat().st_uid != entry.pw_uid:
            os.chown(found, entry.pw_uid, entry.pw_gid, follow_symlinks=False)


def data_folder(root: Path, recorded: str | None, users: set[str]) -> Path:
    """Return the folder that holds the nodes' data: under `.axis`, unless the nodes cannot live there.

    A clone under a closed folder such as /root cannot be entered by the user `postgres`, and RabbitMQ cannot cope
    with every path. Nothing above the clone is opened or renamed for that; the data goes to a folder of its own under
    /var/tmp, and its name is recorded.
    """
    if recorded is not None and Path(recorded).is_dir():
        return Path(recorded)
    inside = folder(root) / "data"
    if _PLAIN_PATH.fullmatch(str(inside)):
        inside.mkdir(mode=0o711, exist_ok=True)
        inside.chmod(0o711)
        hand_over(inside)
        if all(_can_enter(user, inside) for user in users):
            return inside
        inside.rmdir()
    outside = SHARED_TEMPORARY / f"axis-{secrets.token_hex(6)}"
    outside.mkdir(mode=0o711)
    outside.chmod(0o711)
    return outside


def _can_enter(user: str, path: Path) -> bool:
    identity: int | str = int(user) if user.isdecimal() else user
    asked = subprocess.run(["test", "-x", str(path)], user=identity, extra_groups=[], cwd="/", check=False)
    return asked.returncode == 0
