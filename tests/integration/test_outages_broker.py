"""The broker killed in mid-flow, and out of memory: what was confirmed arrives, and all consumers are back."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from axis.broker import Link, ManagementApi, Publisher, peek
from axis.core.lanes import LANES, mailbox_queue, route_queue
from axis.core.messages import Outgoing
from axis.errors import Unavailable
from schemas.wire import QUARANTINE_QUEUE, TRACK_QUEUE
from tests.rig import Process, Rig, envelope_id, rig, until
from tests.services import OwnBroker, Vhost
from tests.topologies import apply_queues

CONSUMERS = {**{route_queue(lane): 2 for lane in LANES}, TRACK_QUEUE: 1, QUARANTINE_QUEUE: 1}


async def test_the_broker_killed_in_mid_flow_loses_nothing_that_was_confirmed(
    own_broker: OwnBroker, own_vhost: Vhost, database: str, tmp_path: Path
) -> None:
    async with rig(own_vhost, database, tmp_path) as axis:
        await axis.connect(["G22", "H37", "H26"])
        async with _workers(axis) as workers:
            known = axis.submission(axis.envelope(recipients=["H37", "H26"]))
            await axis.send_as("G22", known)
            await axis.notices("G22", 1)
            documents, statuses = list[str](), list[str]()
            enough = asyncio.Event()
            async with asyncio.TaskGroup() as group:
                group.create_task(_keep_sending(axis, "G22", documents, enough, partial(_document, axis)))
                for code in ("H37", "H26"):
                    report = partial(axis.status, code, known.message_id, "03")
                    group.create_task(_keep_sending(axis, code, statuses, enough, report))
                await until(lambda: len(documents) > 100 and len(statuses) > 50)
                await asyncio.to_thread(own_broker.restart_broker)
                before = len(documents)
                await until(lambda: len(documents) > before + 100)
                enough.set()
            await _arrive(axis, {known.message_id, *documents})
            await until(lambda: _all_recorded(axis, known.message_id, statuses))
            await _answered(axis, set(documents), set(statuses))
            async with ManagementApi(axis.vhost.api_url, axis.vhost.name) as api:
                await until(lambda: _consumers_are(api, CONSUMERS))
            for process in workers:
                assert [each["event"] for each in process.events()].count("ready") == 1
        for queue in CONSUMERS:
            assert await axis.waiting(queue) == 0


async def test_while_the_broker_is_out_of_memory_nothing_is_marked_and_all_goes_out_after_it(
    own_broker: OwnBroker, own_vhost: Vhost, database: str, tmp_path: Path
) -> None:
    async with rig(own_vhost, database, tmp_path) as axis:
        await axis.connect(["G22", "H37"])
        sent = [_document(axis) for _ in range(5)]
        await axis.send_as("G22", *sent)
        await asyncio.to_thread(own_broker.rabbitmqctl, "set_vm_memory_high_watermark", "0.000001")
        try:
            async with axis.worker("router") as router:
                await until(lambda: any(each["event"] in {"waiting", "publish failed"} for each in router.events()))
        finally:
            await asyncio.to_thread(own_broker.rabbitmqctl, "set_vm_memory_high_watermark", "0.8")
        async with axis.worker("router"), axis.worker("relay", relay_seconds="0.6"):
            await _arrive(axis, {each.message_id for each in sent}, "H37")
            await _answered(axis, {each.message_id for each in sent}, set())


async def test_a_queue_without_a_leader_is_not_taken_for_an_empty_one(own_broker: OwnBroker, own_vhost: Vhost) -> None:
    await apply_queues(own_vhost, "H37")
    queue = mailbox_queue("normal", "H37")
    server = f"{{'{own_vhost.name}_{queue}', node()}}"
    async with Link(own_vhost.amqp_url, "looking", deadline=20.0) as link:
        await Publisher(link).publish(Outgoing("axis.deliver", queue, b"{}", "document", "application/json", "one"))
        await asyncio.to_thread(own_broker.rabbitmqctl, "eval", f"ra:stop_server(quorum_queues, {server}).")
        try:
            with pytest.raises(Unavailable):
                await _seen(link, queue)
        finally:
            await asyncio.to_thread(own_broker.rabbitmqctl, "eval", f"ra:restart_server(quorum_queues, {server}).")
        await until(lambda: _holds(link, queue, 1))
        assert await _seen(link, queue) == ["one"]


async def _seen(link: Link, queue: str) -> list[str | None]:
    async with aclosing(peek(link, queue)) as batches:
        return [submission.message_id async for batch in batches for submission in batch]


async def _holds(link: Link, queue: str, number: int) -> bool:
    state = (await link.queue_states([queue]))[queue]
    return state is not None and state.messages == number


@asynccontextmanager
async def _workers(axis: Rig) -> AsyncIterator[list[Process]]:
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(axis.worker(name, relay_seconds="1"))
            for name in ("router", "router", "tracker", "relay")
        ]


def _document(axis: Rig) -> Outgoing:
    return axis.submission(axis.envelope(recipients=["H37", "H26"]))


async def _keep_sending(
    axis: Rig, account: str, confirmed: list[str], enough: asyncio.Event, make: Callable[[], Outgoing]
) -> None:
    """Do what an agency does: send one after the other, and each until it is confirmed."""
    async with Link(axis.url_of(account), f"agency {account}") as link:
        publisher = Publisher(link)
        while not enough.is_set():
            message = make()
            while True:
                try:
                    await publisher.publish(message)
                    break
                except Unavailable:
                    await asyncio.sleep(0.1)
            confirmed.append(message.message_id)


async def _arrive(axis: Rig, ids: set[str], *codes: str) -> None:
    for code in codes or ("H37", "H26"):
        missing = set(ids)
        while missing:
            missing -= set(map(envelope_id, await axis.mail(code, 1)))


async def _answered(axis: Rig, documents: set[str], statuses: set[str]) -> None:
    """Await a receipt for every document and the notice of every status."""
    while documents or statuses:
        for notice in await axis.notices("G22", 1):
            if notice.type == "status":
                statuses.discard(notice.message_id or "")
            else:
                documents -= {each for each in documents if each.encode() in notice.body}


async def _all_recorded(axis: Rig, identifier: str, statuses: list[str]) -> bool:
    (tracked,) = await axis.store.track(identifier)
    return {each.id for each in tracked.statuses} == set(statuses)


async def _consumers_are(api: ManagementApi, wanted: dict[str, int]) -> bool:
    return {queue: await api.queue_consumers(queue) for queue in wanted} == wanted
