"""Forgetting what partners are done with: rows of packages, and the packages that were written here.

A crash in between leaves files without rows, which the next round removes. What is forgotten is known to nobody any
more: a document system that sends a package again after so long sends a new document.
"""

import asyncio
import datetime as dt
import re
from dataclasses import dataclass
from pathlib import Path

from axis.store import PartnerStore

_AT_ONCE = 500
_DIGEST = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How many of each were forgotten."""

    incoming: int = 0
    outgoing: int = 0
    files: int = 0


async def forget_finished(store: PartnerStore, packages: Path, before: dt.datetime) -> Forgotten:
    """Forget what was finished before a time; raise Unavailable, or OSError.

    It may be repeated at any time, by several gateways at once.
    """
    incoming = outgoing = files = 0
    while gone := await store.forget_incoming(before, _AT_ONCE):
        incoming += gone
    while gone := await store.forget_outgoing(before, _AT_ONCE):
        outgoing += gone
    old = await asyncio.to_thread(_written_before, packages, before)
    for start in range(0, len(old), _AT_ONCE):
        some = old[start : start + _AT_ONCE]
        needed = await store.needed(some)
        for each in some:
            if each not in needed:
                await asyncio.to_thread((packages / each).unlink, missing_ok=True)
                files += 1
    return Forgotten(incoming, outgoing, files)


def _written_before(packages: Path, before: dt.datetime) -> list[str]:
    """Name the packages of before a time: one that is written now has no row yet, and a row of long ago its file."""
    if not packages.is_dir():
        return []
    return [
        each.name
        for each in packages.iterdir()
        if _DIGEST.fullmatch(each.name) and each.stat().st_mtime < before.timestamp()
    ]
