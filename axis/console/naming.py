"""Names of agencies for the codes on a page."""

import datetime as dt
from collections.abc import Collection, Mapping

from axis.console.desk import Desk
from axis.core.directory import Directory

_MOST = 2_000  # codes of one page; who shows more shows codes alone


async def names_of(desk: Desk, codes: Collection[str], at: dt.datetime | None = None) -> Mapping[str, str]:
    """Return code -> name as of a time; a code that was never in the directory is left out."""
    if not codes or len(codes) > _MOST:
        return {}
    organisations, _, _ = await desk.store.directory.shown(set(codes))
    directory = Directory.build(organisations, [])
    when = at or desk.now()
    named = {code: directory.organisation(code, when) or directory.latest(code) for code in codes}
    return {code: found.name for code, found in named.items() if found is not None}
