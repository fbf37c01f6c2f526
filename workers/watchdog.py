"""End a worker that works on one thing for ever: then it is a worker that ended, see workers.suspects.

Counted is processor time in which the event loop did not turn, not time: a machine that is slow, paused or asleep must
not end anybody. The kernel counts and kills, because what never ends may never let Python run again.
"""

import asyncio
import faulthandler
import signal

_TURN_SECONDS = 1.0


async def watch(seconds: float) -> None:
    """Have the process killed by SIGPROF, saying where it was, when the loop does not turn for `seconds`."""
    faulthandler.register(signal.SIGPROF, all_threads=True, chain=True)
    try:
        while True:
            signal.setitimer(signal.ITIMER_PROF, seconds)
            await asyncio.sleep(_TURN_SECONDS)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        faulthandler.unregister(signal.SIGPROF)
