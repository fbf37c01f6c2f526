"""What each account may still submit: what is over its limit is marked here, and refused before it is read.

Each process counts what it lets pass, adds that to the store about once a second and learns there what all of them let
pass together. So an account may take what it may take at once, and what the processes let pass in the second until they
know of each other; that is owed then, and in the long run it is its rate exactly, however many processes there are.
"""

import datetime as dt
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from axis.core.messages import Submission
from axis.core.quotas import MINUTE_SECONDS, Level, OverLimit, Taking
from axis.errors import Unavailable
from axis.store import QuotaStore
from schemas import Quota

SETTLE_SECONDS = 1.0

Gate = Callable[[Sequence[Submission], str], tuple[Submission, ...]]


class Quotas:
    """Levels of the accounts that have limits.

    `quota_of(account, now)`: what holds for an account; one that proved none has the empty name.
    """

    def __init__(
        self,
        store: QuotaStore,
        quota_of: Callable[[str, dt.datetime], Quota],
        now: Callable[[], dt.datetime],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._quota_of = quota_of
        self._now = now
        self._clock = clock
        self._levels: dict[tuple[str, str], Level] = {}

    def gate(self, batch: Sequence[Submission], queue: str) -> tuple[Submission, ...]:
        """Mark what is over its account's limit; ask once for each message, and keep the answer.

        What comes again from the broker passes: it may be committed already, and then its receipt has been written.
        """
        now, at = self._clock(), self._now()
        quotas = {account: self._quota_of(account, at) for account in {each.account or "" for each in batch}}
        if not any(quota.messages_per_minute or quota.bytes_per_minute for quota in quotas.values()):
            return tuple(batch)
        return tuple(
            each if each.redelivered else self._judged(each, quotas[each.account or ""], queue, now) for each in batch
        )

    async def settle(self) -> None:
        """Tell the store what was taken, and learn what was taken elsewhere."""
        counted = {key: (level, level.uncounted) for key, level in self._levels.items()}
        takings = [Taking(*key, amount, level.per_second) for key, (level, amount) in counted.items()]
        for level, _ in counted.values():
            level.uncounted = 0.0
        try:
            found = await self._store.add(takings) if takings else {}
        except Unavailable:
            for level, amount in counted.values():
                level.uncounted += amount
            raise
        now = self._clock()
        for key, together in found.items():
            self._levels[key].told(together, now)
            if self._levels[key].idle:
                del self._levels[key]

    def _judged(self, submission: Submission, quota: Quota, queue: str, now: float) -> Submission:
        wanted = [
            (self._level(submission.account or "", f"{queue} {what}", limit, now), amount, code, what)
            for code, what, limit, amount in (
                ("limit/messages", "messages", quota.messages_per_minute, 1),
                ("limit/bytes", "bytes", quota.bytes_per_minute, len(submission.body)),
            )
            if limit
        ]
        for level, amount, code, what in wanted:
            if level.wait(amount, now):
                after = level.send_away(amount, now)
                detail = f"{level.limit} {what} a minute are allowed; send it again after {after} s"
                return replace(submission, over_limit=OverLimit(code, detail, after))
        for level, amount, _, _ in wanted:
            level.take(amount)
        return submission

    def _level(self, account: str, meter: str, limit: int, now: float) -> Level:
        level = self._levels.get((account, meter))
        if level is None:
            level = self._levels[account, meter] = Level(limit, MINUTE_SECONDS, now)
        level.limit = limit
        return level
