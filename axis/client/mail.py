"""Messages on their way from a queue into the application's hands: the broker side of inbox and notices."""

import asyncio
import contextlib
import datetime as dt
import hashlib
import logging
import random
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from axis.client.ledger import Suspicious
from axis.client.transport import Batch, Received, Source
from axis.core.hybrid import joined
from axis.core.messages import Submission
from axis.errors import Refused, Unavailable

log = logging.getLogger("axis.client")

_FIRST_WAIT_SECONDS = 0.2
_LONGEST_WAIT_SECONDS = 15.0
# How often a certificate that the gateway does not know is asked for again: the directory reaches it within a second,
# and an accusation is final.
_ASKED_AGAIN = 6

_Result = TypeVar("_Result")


@dataclass(frozen=True, eq=False, slots=True)
class Parcel:
    """One unacked message; a copy of it comes again when its channel is lost before the ack."""

    received: Received
    batch: Batch
    queue: str

    @property
    def submission(self) -> Submission:
        """The message."""
        return self.received.submission


class Mail:
    """What the broker handed over and nobody has asked for yet; parcels of the first queue come first.

    Bounded by the consumers' prefetch, because everything here is unacked.
    """

    def __init__(self, sources: Mapping[str, Source]) -> None:
        self._sources = sources
        self._waiting: dict[str, deque[Parcel]] = {queue: deque() for queue in sources}
        self._unacked: set[Parcel] = set()
        self._changed = asyncio.Event()
        self._running = len(sources)
        self._closed = False
        self._pumps: list[asyncio.Task[None]] = []

    async def run(self) -> None:
        """Take messages in until `close`."""
        if self._closed:
            return
        async with asyncio.TaskGroup() as group:
            self._pumps = [group.create_task(self._pump(queue, source)) for queue, source in self._sources.items()]

    @property
    def ended(self) -> bool:
        """Whether no more parcels will ever come."""
        return self._closed or not self._running

    async def get(self, idle: float | None = None) -> Parcel | None:
        """Wait for the next parcel; None when nothing comes for `idle` seconds, or no more ever will."""
        try:
            async with asyncio.timeout(idle):
                while True:
                    for line in self._waiting.values():
                        if line:
                            return line.popleft()
                    if self.ended:
                        return None
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return None

    def more(self, limit: int) -> list[Parcel]:
        """Return up to `limit` parcels that are here already, without waiting."""
        found: list[Parcel] = []
        for line in self._waiting.values():
            while line and len(found) < limit:
                found.append(line.popleft())
        return found

    def pick(self, wanted: Callable[[bytes], bool]) -> list[Parcel]:
        """Take out of all lines the parcels that are here already and whose body is wanted."""
        found: list[Parcel] = []
        for line in self._waiting.values():
            picked = [parcel for parcel in line if wanted(parcel.submission.body)]
            for parcel in picked:
                line.remove(parcel)
            found += picked
        return found

    def put_back(self, parcel: Parcel) -> None:
        """Make it the next parcel of its queue again."""
        if not self._closed:
            self._waiting[parcel.queue].appendleft(parcel)

    async def ack(self, parcel: Parcel) -> None:
        """Let the broker forget a parcel; a lost ack only brings a repeat, which the ledger knows."""
        if parcel not in self._unacked:
            return
        self._unacked.discard(parcel)
        try:
            await parcel.batch.ack_some(parcel.received)
        except Unavailable as error:
            log.debug("the ack of %s is lost: %s", parcel.submission.message_id, error)

    async def close(self) -> None:
        """Take no more. What is unacked goes back to the broker all at once, with the channel it came on.

        Given back piece by piece it would be handed out again to us while the rest is on its way, and lie in the queue
        in another order then.
        """
        self._closed = True
        self._changed.set()
        self._unacked.clear()
        for line in self._waiting.values():
            line.clear()
        for pump in self._pumps:
            pump.cancel()
        if self._pumps:
            await asyncio.wait(self._pumps)

    async def _pump(self, queue: str, source: Source) -> None:
        try:
            async with contextlib.aclosing(source.batches()) as batches:
                async for batch in batches:
                    parcels = [Parcel(received, batch, queue) for received in batch.messages]
                    self._unacked.update(parcels)
                    self._waiting[queue].extend(parcels)
                    self._changed.set()
        finally:
            self._running -= 1
            self._changed.set()


async def patiently(prove: Callable[[], Awaitable[_Result]]) -> _Result:
    """Prove a message, waiting as long as that cannot be known; raise Refused once it is sure."""
    asked, wait = 0, _FIRST_WAIT_SECONDS
    while True:
        try:
            return await prove()
        except Unavailable as error:
            log.warning("waiting: %s", error)
        except Refused as error:
            asked += 1
            if error.code != "certificate/unknown" or asked > _ASKED_AGAIN:
                raise
        await asyncio.sleep(wait * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, not a secret
        wait = min(wait * 2, _LONGEST_WAIT_SECONDS)


def signature_of(submission: Submission) -> str:
    """Return the signature, empty where there is none to be had: that is refused when it is verified."""
    try:
        return joined(submission.headers)
    except Refused:
        return ""


def digest_of(submission: Submission) -> str:
    """SHA-256 of the exact bytes."""
    return hashlib.sha256(submission.body).hexdigest()


def evidence(parcel: Parcel, error: Refused, at: dt.datetime) -> Suspicious:
    """Keep what could not be proved, with its reason; logged here, once."""
    log.error("set aside %s from %s: %s", parcel.submission.message_id, parcel.queue, error)
    return Suspicious(
        sha256=digest_of(parcel.submission),
        source=parcel.queue,
        message_id=parcel.submission.message_id,
        reason=error.code,
        detail=error.detail,
        at=at,
        body=parcel.submission.body,
        signature=signature_of(parcel.submission),
    )
