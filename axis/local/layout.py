"""Where things lie under `.axis/`, and whose they are."""

import os
import pwd
import secrets
import shutil
import subprocess
from pathlib import Path

from axis.errors import Misconfigured

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
    fresh.replace(path)


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
    """Return the folder that holds the nodes' data: under `.axis`, unless a service user cannot get there.

    A clone under a closed folder such as /root cannot be entered by the user `postgres`. Nothing above the clone
    is opened for that; the data goes to a folder of its own under /var/tmp, and its name is recorded.
    """
    if recorded is not None and Path(recorded).is_dir():
        return Path(recorded)
    inside = folder(root) / "data"
    inside.mkdir(mode=0o711, exist_ok=True)
    inside.chmod(0o711)
    if all(_can_enter(user, inside) for user in users):
        return inside
    inside.rmdir()
    outside = SHARED_TEMPORARY / f"axis-{secrets.token_hex(6)}"
    outside.mkdir(mode=0o711)
    outside.chmod(0o711)
    return outside


def forget_data(data: Path) -> None:
    """Remove a data folder."""
    shutil.rmtree(data, ignore_errors=True)


def _can_enter(user: str, path: Path) -> bool:
    identity: int | str = int(user) if user.isdecimal() else user
    asked = subprocess.run(["test", "-x", str(path)], user=identity, extra_groups=[], cwd="/", check=False)
    return asked.returncode == 0
