"""Levels in memory."""

import datetime as dt
from collections.abc import Callable, Sequence

from axis.core.quotas import Taking
from axis.store.seam import QuotaStore


class FakeQuotas(QuotaStore):
    """A level and its time for each account and meter."""

    def __init__(self, check: Callable[[], None], now: Callable[[], dt.datetime]) -> None:
        self._check = check
        self._now = now
        self._levels: dict[tuple[str, str], tuple[float, dt.datetime]] = {}

    async def add(self, takings: Sequence[Taking]) -> dict[tuple[str, str], float]:
        """Add what was taken; return the levels now."""
        self._check()
        now = self._now()
        for each in takings:
            level, at = self._levels.get((each.account, each.meter), (0.0, now))
            left = max(0.0, level - each.per_second * max(0.0, (now - at).total_seconds()))
            self._levels[each.account, each.meter] = (left + each.amount, now)
        return {(each.account, each.meter): self._levels[each.account, each.meter][0] for each in takings}
