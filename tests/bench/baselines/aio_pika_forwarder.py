"""The bare forwarder: consume, publish (persistent, mandatory, confirmed), ack. No checks, no database.

Written as well as the library allows: prefetch 256, every message handled in a task of its own, so that no publish
waits for another one's confirm, nothing logged. One connection does both: two were tried and cost the broker more.
"""

import asyncio
import sys

import aio_pika
from aio_pika.abc import AbstractIncomingMessage

from tests.bench.baselines.waiting import go, say

PREFETCH = 256


async def main(url: str, count: int, queue_name: str, keys: list[str]) -> None:
    async with await aio_pika.connect_robust(url) as connection:
        channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
        exchange = await channel.get_exchange("axis.deliver", ensure=False)
        await channel.set_qos(prefetch_count=PREFETCH)
        queue = await channel.get_queue(queue_name, ensure=False)
        finished = asyncio.Event()
        handled = 0

        async def forward(message: AbstractIncomingMessage) -> None:
            nonlocal handled
            copy = aio_pika.Message(
                message.body,
                headers=message.headers,
                message_id=message.message_id,
                type=message.type,
                content_type=message.content_type,
                delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
            )
            if len(keys) == 1:
                await exchange.publish(copy, routing_key=keys[0], mandatory=True)
            else:
                await asyncio.gather(*(exchange.publish(copy, routing_key=key, mandatory=True) for key in keys))
            await message.ack()
            handled += 1
            if handled == count:
                finished.set()

        await go()
        await queue.consume(forward)
        await finished.wait()
        say("done")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4:]))
