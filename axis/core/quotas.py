"""How much of what all share one account may take, and when to come back with what is over it.

Counted is a level: it rises by what is taken and runs out at an even rate. What does not fit under the limit is over
it. So an account may take a whole limit at once after a pause, and in the long run exactly its rate; there is no edge
of a window at which it could take double (the generic cell rate algorithm of ITU-T I.371 counts the same way).
"""

import math
from dataclasses import dataclass, field

LONGEST_SECONDS = 3600  # nobody is sent away for longer: limits may be raised meanwhile

MINUTE_SECONDS = 60
DAY_SECONDS = 86_400

# Of a limit: what sums of floats are wrong by. Without it who comes back in the very second told may be refused.
_DUST = 1e-10


@dataclass(frozen=True, slots=True)
class OverLimit:
    """Why a message or a file was not looked at, and after how many seconds it may come again."""

    code: str
    detail: str
    retry_after: int


@dataclass(frozen=True, slots=True)
class Taking:
    """What an account took of a limit since it was counted last; negative: it is given back."""

    account: str
    meter: str
    amount: float
    per_second: float


@dataclass(slots=True)
class Level:
    """What one account has taken of one limit, as one process knows it. Times in seconds of any clock that only rises.

    `uncounted`: what of it the others have not been told yet.
    """

    limit: int
    seconds: int
    at: float
    level: float = 0.0
    uncounted: float = 0.0
    _line: float = field(default=-math.inf)  # when the one that was sent away last was told to come back

    @property
    def per_second(self) -> float:
        """How fast it runs out."""
        return self.limit / self.seconds

    def wait(self, amount: float, now: float) -> float:
        """Return for how many seconds an amount does not fit; 0: it fits. What never fits, fits into an empty one."""
        self._run_out(now)
        over = self.level + min(amount, self.limit) - self.limit
        return over / self.per_second if over > _DUST * self.limit else 0.0

    def take(self, amount: float) -> None:
        """Take what fits."""
        self.level += amount
        self.uncounted += amount

    def send_away(self, amount: float, now: float) -> int:
        """Return after how many whole seconds what does not fit may come again.

        Each is told a later time than the one before, so that they come back one after the other and not all at once.
        """
        soonest = max(now + self.wait(amount, now), self._line)
        after = min(soonest - now, LONGEST_SECONDS)
        self._line = min(soonest + min(amount, self.limit) / self.per_second, now + LONGEST_SECONDS)
        return max(1, math.ceil(after))

    def told(self, level: float, now: float) -> None:
        """Take over the level that all processes together have made; what was taken meanwhile comes on top."""
        self.level = max(0.0, level) + self.uncounted
        self.at = now

    @property
    def idle(self) -> bool:
        """Whether nothing is left of it."""
        return self.level <= 0 and not self.uncounted

    def _run_out(self, now: float) -> None:
        if now > self.at:  # who asks may have read its clock before another one did
            self.level = max(0.0, self.level - (now - self.at) * self.per_second)
            self.at = now
