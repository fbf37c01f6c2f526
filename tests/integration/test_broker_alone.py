"""What an agency's account cannot do at the broker, tried one by one; nothing of it leaves a trace."""

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import quote

import aiormq
import httpx
import pytest
import pytest_asyncio
from aiormq.exceptions import (
    AMQPError,
    ChannelAccessRefused,
    ChannelNotFoundEntity,
    ChannelPreconditionFailed,
    ConnectionNotImplemented,
)

from axis.broker import ManagementApi
from axis.broker.address import Address
from axis.broker.channel import ClosedByBroker
from axis.broker.connection import Connection
from axis.core.topology import WorkerUser, desired, difference
from axis.local import Services
from tests.broker_alone import ATTEMPTS, CONNECTING, MANAGEMENT, TAKEN, Attempt, Login, Request
from tests.rig import DEADLINE_SECONDS, WORKER, Rig, hash_of, now, password_of, rig
from tests.services import fresh_database, fresh_vhost

pytestmark = pytest.mark.asyncio(loop_scope="module")
KEPT = ("mailbox.normal.H26", "mailbox.urgent.H26", "notices.H26", "axis.quarantine")

_CODES: dict[type[AMQPError], str] = {
    ChannelAccessRefused: "403",
    ChannelNotFoundEntity: "404",
    ChannelPreconditionFailed: "406",
    ConnectionNotImplemented: "540",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def axis(
    services: Services, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Rig]:
    """Two agencies, a message in each queue that is not H37's to touch, and no workers."""
    folder = tmp_path_factory.mktemp("broker-alone")
    with fresh_vhost(services) as vhost, fresh_database(services, migrated_template) as database:
        async with rig(vhost, database, folder) as made:
            await made.connect(["H37", "H26"])
            async with aiormq.connect(vhost.amqp_url) as connection:
                channel = await connection.channel(publisher_confirms=True)
                for queue in KEPT:
                    await channel.basic_publish(b"kept", routing_key=queue)
            yield made


@pytest.mark.parametrize("login", CONNECTING, ids=lambda each: each.name)
async def test_connecting(axis: Rig, login: Login) -> None:
    where = axis.vhost.amqp_url.rpartition("@")[2]
    if login.vhost is not None:
        where = f"{where.rpartition('/')[0]}/{login.vhost}"
    # Through our own client: aiormq does not say with which code the broker turns somebody away.
    address = Address.parse(f"amqp://{login.user}:{login.password}@{where}")
    answer = TAKEN
    async with asyncio.timeout(DEADLINE_SECONDS):
        try:
            connection = await Connection.open(address, address.places[0], "test")
            await connection.close()
        except ClosedByBroker as error:
            answer = str(error.reply_code)
    assert answer in login.answers


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=lambda each: each.name)
async def test_on_a_channel(axis: Rig, attempt: Attempt) -> None:
    answer = TAKEN
    async with asyncio.timeout(DEADLINE_SECONDS):
        connection = await aiormq.connect(axis.url_of("H37"))
        try:
            channel = await connection.channel(publisher_confirms=attempt.confirms)
            await attempt.do(channel)
        except AMQPError as error:
            answer = _CODES[type(error)]
        finally:
            await connection.close()
    assert answer in attempt.answers


@pytest.mark.parametrize("request_", MANAGEMENT, ids=lambda each: each.name)
async def test_by_the_management_api(axis: Rig, request_: Request) -> None:
    place = axis.vhost.api_url.rpartition("@")[2]
    path = request_.path.replace("{v}", quote(axis.vhost.name, safe=""))
    async with httpx.AsyncClient(auth=("H37", password_of("H37")), trust_env=False, timeout=DEADLINE_SECONDS) as client:
        response = await client.request(request_.method, f"http://{place}/api/{path}", json=request_.body)
    assert str(response.status_code) in request_.answers


async def test_nothing_has_changed(axis: Rig) -> None:
    _, mailboxes, _ = await axis.store.directory.load()
    wanted = desired(mailboxes, worker_user=WorkerUser(WORKER, hash_of(WORKER)), at=now())
    async with ManagementApi(axis.vhost.api_url, axis.vhost.name) as api:
        actual = await api.actual()
    assert difference(wanted, actual) == ()
    assert {queue.name for queue in actual.queues} == {queue.name for queue in wanted.queues}
    assert {queue: await axis.waiting(queue) for queue in KEPT} == dict.fromkeys(KEPT, 1)
