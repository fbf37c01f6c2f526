"""The broker as the SDK sees it: publish with confirms, take batches from a queue, over reconnections."""

from collections.abc import AsyncGenerator, Sequence
from typing import Any, Protocol

from axis.core.messages import Outgoing, Submission
from axis.errors import Unavailable


class Publishes(Protocol):
    """The part of axis.broker.Publisher that is needed here."""

    async def publish_many(self, messages: Sequence[Outgoing]) -> list[Unavailable | None]:
        """Publish and await every confirm, within a deadline; one outcome for each message."""
        ...


class Received(Protocol):
    """One message taken from a queue and not acked yet."""

    @property
    def submission(self) -> Submission:
        """The message."""
        ...


class Batch(Protocol):
    """Messages taken together. What is settled on a channel that is gone raises Unavailable and comes again."""

    @property
    def messages(self) -> Sequence[Received]:
        """The messages, oldest first."""
        ...

    # Any: an implementation takes its own kind of Received.
    async def ack_some(self, *received: Any) -> None:
        """Let the broker forget these."""
        ...


class Source(Protocol):
    """The part of axis.broker.Consumer that is needed here."""

    def batches(self) -> AsyncGenerator[Batch, None]:
        """Yield batches, over any number of reconnections; closing it gives back what is not settled, in its order."""
        ...


class Transport(Protocol):
    """A publisher, and a source for each queue."""

    @property
    def publisher(self) -> Publishes:
        """Publish through this."""
        ...

    def source(self, queue: str) -> Source:
        """Make a consumer of a queue; it takes nothing before its batches are asked for."""
        ...
