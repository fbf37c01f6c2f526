"""What records statuses without an axis: one row for each message, then its ack. Nothing is verified or forwarded.

Written as well as the libraries allow: prefetch 256, every message in a task of its own over a pool of connections
(so that commits of several share one flush of the disk), statements prepared once by the driver, orjson to read.
"""

import asyncio
import datetime as dt
import sys

import aio_pika
import asyncpg
import orjson
from aio_pika.abc import AbstractIncomingMessage

from tests.bench.baselines.waiting import go, say

PREFETCH = 256
POOL = 32
TABLE = """
CREATE TABLE IF NOT EXISTS bench_status (
    id uuid PRIMARY KEY, envelope uuid NOT NULL, reporter text NOT NULL, code text NOT NULL, at timestamptz NOT NULL,
    signature text NOT NULL, body bytea NOT NULL
)
"""
INSERT = "INSERT INTO bench_status VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING"


async def main(url: str, count: int, queue_name: str, database: str) -> None:
    async with (
        asyncpg.create_pool(database, min_size=POOL, max_size=POOL) as pool,
        await aio_pika.connect_robust(url) as connection,
    ):
        await pool.execute(TABLE)
        channel = await connection.channel()
        await channel.set_qos(prefetch_count=PREFETCH)
        queue = await channel.get_queue(queue_name, ensure=False)
        finished = asyncio.Event()
        handled = 0

        async def record(message: AbstractIncomingMessage) -> None:
            nonlocal handled
            status = orjson.loads(message.body)
            await pool.execute(
                INSERT,
                status["id"],
                status["envelope"],
                status["reporter"],
                status["code"],
                dt.datetime.fromisoformat(status["at"]),
                message.headers["axis-signature"],
                message.body,
            )
            await message.ack()
            handled += 1
            if handled == count:
                finished.set()

        await go()
        await queue.consume(record)
        await finished.wait()
        say("done")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]))
