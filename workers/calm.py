"""When nothing was unread in the route queues, as far as this process has seen.

An envelope that waits for the one it acts on is refused when that does not come. But that may sit in a route queue that
nobody reads: routers were stopped for an hour, or those of the other lane are behind. So the time it waits counts from
a moment when every route queue was seen empty: all that was submitted before is then decided, or in the hands of a
router, which ends or gives it back long before the time is over. A process that has just begun has seen no such moment,
and one that was without the broker or the store forgets those it saw: what routers have in hand waited as well.
"""

import datetime as dt
from collections import deque

from axis.broker import Publisher
from axis.core.concerning import WAIT
from axis.core.lanes import LANES, route_queue

_BETWEEN = dt.timedelta(seconds=10)
_LONG_AGO = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class Calm:
    """Looks at the route queues now and then."""

    def __init__(self) -> None:
        self._looked = _LONG_AGO
        self._seen: deque[dt.datetime] = deque()

    async def look(self, publisher: Publisher, at: dt.datetime) -> None:
        """Look, unless that was done a moment ago; raise Unavailable."""
        if abs(at - self._looked) < _BETWEEN:
            return
        states = await publisher.queue_states([route_queue(lane) for lane in LANES])
        self._looked = at
        if all(state is not None and state.messages == 0 for state in states.values()):
            self._seen.append(at)

    def forget(self) -> None:
        """Count from anew."""
        self._looked = _LONG_AGO
        self._seen.clear()

    def over(self, at: dt.datetime) -> dt.datetime:
        """Return the time by which a wait has to end to be over now: it has lasted since before such a moment."""
        while len(self._seen) > 1 and self._seen[1] <= at - WAIT:
            self._seen.popleft()
        return self._seen[0] + WAIT if self._seen and self._seen[0] <= at - WAIT else _LONG_AGO
