"""The signatures inside a PDF, looked at in a process of its own with a deadline: see `axis.signatures.child`."""

import asyncio
import base64
import datetime as dt
import json
import os
import sys
from pathlib import Path

from axis.signatures.trust import Trust
from axis.signatures.verdict import Standing, Verdict

MAX_BYTES = 512 * 1024 * 1024
SECONDS = 30
_HEAD = 1024  # Acrobat takes a header anywhere in the first bytes (ISO 32000-1, implementation note 13)
_PIECE = 1024 * 1024
# Every signature names the bytes that it covers; outside object streams, for they are filled in afterwards.
_MARK = b"ByteRange"


async def look_at(
    path: Path, *, trust: Trust, at: dt.datetime, seconds: int = SECONDS, patience: int | None = None
) -> Verdict:
    """Say what the signatures of a file make of it, as of the time when it is known to have been there.

    Only what has signatures costs a process, which gets `seconds` of a processor. It is given up after as many of the
    clock, or after `patience`. Raises OSError for a file that cannot be read, and nothing for what is in it.
    """
    patience = seconds if patience is None else patience
    early = await asyncio.to_thread(_without_a_process, path)
    if early is not None:
        return early
    said = {
        "at": at.isoformat(),
        "seconds": seconds,
        "roots": [base64.b64encode(each).decode() for each in trust.roots],
        "intermediates": [base64.b64encode(each).decode() for each in trust.intermediates],
    }
    child = await asyncio.create_subprocess_exec(
        *_command(path),
        cwd="/",
        env=_environment(),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(patience):
            answer, _ = await child.communicate(json.dumps(said).encode())
    except TimeoutError:
        return Verdict(Standing.NOT_LOOKED_AT, detail=f"looking at it took more than {patience} s")
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if child.returncode != 0:
        return Verdict(Standing.NOT_LOOKED_AT, detail="looking at it takes more than it may")
    try:
        return Verdict.from_json(json.loads(answer))
    except (ValueError, KeyError, TypeError):
        return Verdict(Standing.NOT_LOOKED_AT, detail="looking at it ended in nothing")


def _command(path: Path) -> list[str]:
    # -P and another directory: a file that was saved where somebody works is no module of ours.
    return [sys.executable, "-P", "-m", "axis.signatures.child", os.fspath(path.absolute())]


def _environment() -> dict[str, str]:
    """Take what finds the program and reads its files' names: whoever breaks the child finds nothing else there."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    # Nothing in it may mean the directory of the moment, which is where files are saved.
    if places := [
        os.fspath(Path(each).absolute()) for each in os.environ.get("PYTHONPATH", "").split(os.pathsep) if each
    ]:
        kept["PYTHONPATH"] = os.pathsep.join(places)
    return kept


def _without_a_process(path: Path) -> Verdict | None:
    size = path.stat().st_size
    with path.open("rb") as file:
        piece = file.read(_PIECE)
        if b"%PDF-" not in piece[:_HEAD]:
            return Verdict(Standing.NOT_A_PDF)
        if size > MAX_BYTES:
            return Verdict(Standing.NOT_LOOKED_AT, detail=f"{size} bytes are over the limit of {MAX_BYTES}")
        while piece:
            if _MARK in piece:
                return None
            if not (more := file.read(_PIECE)):
                break
            piece = piece[-len(_MARK) :] + more
    return Verdict(Standing.NOT_SIGNED)
