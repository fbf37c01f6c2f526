"""How often somebody may ask: a bucket of requests for each, filled at an even rate."""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

from axis.errors import Refused


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float


class Pace:
    """Let `per_second` requests through on the average and `burst` at once; `clock` counts seconds.

    `code`: what is over it is refused with.
    """

    def __init__(self, per_second: float, burst: int, clock: Callable[[], float], code: str) -> None:
        self._code = code
        self._per_second = per_second
        self._burst = burst
        self._clock = clock
        self._buckets: dict[str, _Bucket] = {}

    def take(self, who: str, cost: int = 1) -> None:
        """Let a request of somebody known pass, or raise Refused with the seconds to wait."""
        now = self._clock()
        bucket = self._buckets.setdefault(who, _Bucket(self._burst, now))
        bucket.left = min(self._burst, bucket.left + (now - bucket.at) * self._per_second)
        bucket.at = now
        if bucket.left < cost:
            after = ceil((cost - bucket.left) / self._per_second)
            told = f"{self._per_second:g} requests a second are allowed"
            raise Refused(self._code, told, retry_after=max(1, after))
        bucket.left -= cost
