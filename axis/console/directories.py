"""The whole directory for pages, read again when what is known is half a minute old."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from axis.console.desk import Desk
from axis.core.directory import Directory
from axis.core.enrolment import Enrolment

_FOR = dt.timedelta(seconds=30)
_KEY = "directory"


@dataclass(frozen=True, slots=True)
class Known:
    """The directory as it was read at a time."""

    at: dt.datetime
    directory: Directory
    certificates: Sequence[Enrolment]


async def whole_directory(desk: Desk) -> Known:
    """Return all of the directory, at most half a minute old."""
    known = desk.kept.get(_KEY)
    now = desk.now()
    if isinstance(known, Known) and dt.timedelta() <= now - known.at < _FOR:
        return known
    organisations, mailboxes, certificates = await desk.store.directory.shown()
    fresh = Known(now, Directory.build(organisations, mailboxes), certificates)
    desk.kept[_KEY] = fresh
    return fresh
