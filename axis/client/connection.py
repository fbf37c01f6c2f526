"""The real broker behind the SDK: two connections, because an alarm blocks the one that publishes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from axis.broker import Consumer, Link, Publisher
from axis.client.settings import AgencySettings

# Everything handed over is unacked and waits in memory until the application asks for it.
_BATCH = 16
_PREFETCH = 64


@dataclass(frozen=True, slots=True)
class Broker:
    """A publisher, and a consumer for each queue."""

    publisher: Publisher
    consuming: Link

    def source(self, queue: str) -> Consumer:
        """Make a consumer of a queue."""
        return Consumer(self.consuming, queue, batch=_BATCH, linger=0.0, prefetch=_PREFETCH, in_order=True)


@asynccontextmanager
async def connect_broker(settings: AgencySettings) -> AsyncIterator[Broker]:
    """Connect as the agency's own account; both connections come back by themselves."""
    url, name = settings.amqp_url.get_secret_value(), f"axis.client {settings.code}"
    async with (
        Link(url, f"{name} publishing", deadline=settings.deadline) as publishing,
        Link(url, f"{name} consuming", deadline=settings.deadline) as consuming,
    ):
        yield Broker(Publisher(publishing), consuming)
