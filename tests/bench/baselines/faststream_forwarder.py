"""The same forwarder as a FastStream application: a subscriber that publishes what it gets.

Prefetch 256 (FastStream handles each message in a task of its own), publishes confirmed, persistent and mandatory,
acknowledged by the framework after the handler; its log of every message is off, which is not its default.
"""

import asyncio
import sys

from faststream.rabbit import Channel, RabbitBroker, RabbitExchange, RabbitQueue
from faststream.rabbit.annotations import RabbitMessage

from tests.bench.baselines.waiting import go, say

PREFETCH = 256


async def main(url: str, count: int, queue_name: str, key: str) -> None:
    broker = RabbitBroker(url, logger=None, default_channel=Channel(prefetch_count=PREFETCH, on_return_raises=True))
    deliver = RabbitExchange("axis.deliver", declare=False)
    finished = asyncio.Event()
    handled = 0

    @broker.subscriber(RabbitQueue(queue_name, declare=False))
    async def forward(message: RabbitMessage) -> None:
        nonlocal handled
        await broker.publish(
            message.body,
            exchange=deliver,
            routing_key=key,
            mandatory=True,
            persist=True,
            headers=message.headers,
            message_id=message.message_id,
            message_type=message.raw_message.type,
            content_type=message.content_type,
        )
        handled += 1
        if handled == count:
            finished.set()

    await broker.connect()
    await go()
    await broker.start()
    await finished.wait()
    await broker.stop()  # acknowledges what is handled
    say("done")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]))
