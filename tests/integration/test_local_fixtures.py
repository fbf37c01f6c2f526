"""The fixtures every other test stands on."""

import asyncio

import aio_pika
import asyncpg

from axis import local
from tests.services import OwnBroker, Vhost


async def test_a_vhost_takes_and_gives_a_message(vhost: Vhost) -> None:
    async with asyncio.timeout(30), await aio_pika.connect(vhost.amqp_url) as connection:
        channel = await connection.channel()
        queue = await channel.declare_queue("q", durable=True, arguments={"x-queue-type": "quorum"})
        await channel.default_exchange.publish(aio_pika.Message(b"hello"), "q")
        got = await queue.get(timeout=10)
        assert got is not None
        assert got.body == b"hello"


async def test_a_database_is_our_own(database: str, services: local.Services) -> None:
    connection = await asyncpg.connect(database)
    try:
        name = await connection.fetchval("SELECT current_database()")
        assert database.endswith(f"/{name}")
        assert database != services.database_url
        await connection.execute("CREATE TABLE t (i int)")
    finally:
        await connection.close()


async def test_what_was_confirmed_survives_a_killed_broker(own_broker: OwnBroker, own_vhost: Vhost) -> None:
    async with asyncio.timeout(30), await aio_pika.connect(own_vhost.amqp_url) as connection:
        channel = await connection.channel()
        await channel.declare_queue("q", durable=True, arguments={"x-queue-type": "quorum"})
        message = aio_pika.Message(b"kept", delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
        await channel.default_exchange.publish(message, "q")
    await asyncio.to_thread(own_broker.restart_broker)
    async with asyncio.timeout(30), await aio_pika.connect(own_vhost.amqp_url) as connection:
        channel = await connection.channel()
        queue = await channel.get_queue("q")
        got = await queue.get(timeout=10)
        assert got is not None
        assert got.body == b"kept"
