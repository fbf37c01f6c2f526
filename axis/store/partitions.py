"""Months as partitions; the SQL and its reasons are in migrations/0003_traffic.sql and 0008_roles.sql."""

import datetime as dt
from typing import Any

# One call each: a transaction of its own.
_TABLES = ("envelope", "delivery", "attachment", "notice", "status_event")
_MONTHS_BACK = 1  # an id may be 31 days old
_MONTHS_AHEAD = 3  # the relay makes new ones daily; if it is down for weeks nothing happens yet


async def ensure_partitions(link: Any, now: dt.datetime) -> list[str]:
    """Make the partitions from last month to three months ahead of `now`; return the names of those made."""
    at = now.astimezone(dt.UTC)
    first = dt.date(at.year, at.month, 1)
    for _ in range(_MONTHS_BACK):
        first = (first - dt.timedelta(days=1)).replace(day=1)
    made: list[str] = []
    for table in _TABLES:
        # As the tables' owner, whoever calls it.
        rows = await link.fetch(
            "SELECT axis_keep_partitions($1, $2, $3)", table, first, _MONTHS_BACK + 1 + _MONTHS_AHEAD
        )
        made.extend(row[0] for row in rows)
    return made
