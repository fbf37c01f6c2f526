"""Names of agencies for the codes on a page."""

import datetime as dt
from collections.abc import Collection, Mapping

from axis.console.desk import Desk

_MOST = 2_000  # codes of one page; who shows more shows codes alone


async def names_of(desk: Desk, codes: Collection[str], at: dt.datetime | None = None) -> Mapping[str, str]:
    """Return code -> name as of a time; a code that was never in the directory is left out."""
    if not codes or len(codes) > _MOST:
        return {}
    return await desk.store.directory.names(set(codes), at or desk.now())
