"""How much an agency may bring in a day, counted for all gateways together."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from axis.core.quotas import DAY_SECONDS, Level, Taking
from axis.errors import Refused
from schemas import Quota


class Counts(Protocol):
    """The part of the store that counts."""

    async def add(self, takings: Sequence[Taking], /) -> dict[tuple[str, str], float]:
        """Add to levels; return (account, meter) -> level now."""


class UploadQuotas:
    """Let an upload begin, or say when it may. `quota_of(account, now)`: the limits of an account."""

    def __init__(self, counts: Counts, quota_of: Callable[[str, dt.datetime], Quota]) -> None:
        self._counts = counts
        self._quota_of = quota_of

    async def take(self, account: str, size: int, at: dt.datetime) -> None:
        """Count one file of `size` bytes; raise Refused limit/* when it is over a limit, and count nothing then.

        Counted is what was announced, before anything is read: an upload that breaks off and comes again counts twice.
        """
        quota = self._quota_of(account, at)
        wanted = _wanted(account, quota.uploads_per_day, 1, "uploads", "limit/uploads")
        wanted += _wanted(account, quota.upload_bytes_per_day, size, "upload bytes", "limit/upload-bytes")
        if not wanted:
            return
        takings = [taking for taking, _, _ in wanted]
        found = await self._counts.add(takings)
        for taking, level, code in wanted:
            level.told(found[account, taking.meter] - taking.amount, now=0.0)
            if level.wait(taking.amount, now=0.0):
                await self._counts.add([replace(each, amount=-each.amount) for each in takings])
                after = level.send_away(taking.amount, now=0.0)
                detail = f"{level.limit} {taking.meter} a day are allowed; upload it again after {after} s"
                raise Refused(code, detail, retry_after=after)

    async def owe(self, account: str, size: int, at: dt.datetime) -> None:
        """Count bytes that came without being announced: the next upload waits for them."""
        limit = self._quota_of(account, at).upload_bytes_per_day
        if found := _wanted(account, limit, size, "upload bytes", "limit/upload-bytes"):
            await self._counts.add([taking for taking, _, _ in found])


def _wanted(account: str, limit: int | None, amount: int, meter: str, code: str) -> list[tuple[Taking, Level, str]]:
    if not limit:
        return []
    level = Level(limit, DAY_SECONDS, at=0.0)
    # What is larger than the limit fits into an empty one, and fills it.
    return [(Taking(account, meter, min(amount, limit), level.per_second), level, code)]
