"""Names of agencies for the codes on a page."""

import datetime as dt
from collections.abc import Collection, Mapping

from axis.console.desk import Desk
from axis.core.codes import lineage
from axis.core.directory import Directory

_MOST = 2_000  # codes of one page; who shows more shows codes alone


async def names_of(desk: Desk, codes: Collection[str], at: dt.datetime | None = None) -> Mapping[str, str]:
    """Return code -> name as of a time; a code that was never in the directory is left out."""
    if not codes or len(codes) > _MOST:
        return {}
    organisations, _, _ = await desk.store.directory.load_changed(set(codes))
    directory = Directory.build(organisations, [])
    when = at or desk.now()
    named = {code: directory.organisation(code, when) or directory.latest(code) for code in codes}
    return {code: found.name for code, found in named.items() if found is not None}


async def directory_of(desk: Desk, codes: Collection[str]) -> Directory:
    """Read what the directory says of codes and of all above them."""
    above = {each for code in codes for each in lineage(code)}
    organisations, mailboxes, _ = await desk.store.directory.load_changed(above)
    return Directory.build(organisations, mailboxes)
