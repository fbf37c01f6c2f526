"""What FakeBroker and the real broker promise alike."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from typing import Any, Protocol

import pytest

from axis.broker import Consumer, FakeBroker, Link, Publisher
from axis.broker.fake import FakePublisher
from axis.core.messages import Outgoing, Submission
from axis.errors import NotRouted
from tests.services import Vhost
from tests.topologies import apply_queues, queues_of


class Rig(Protocol):
    @property
    def publisher(self) -> Publisher | FakePublisher: ...

    # Any: both take their own kind of batch back.
    def consumer(self, queue: str, *, batch: int = 256) -> Any: ...


class RealRig:
    def __init__(self, publishing: Link, consuming: Link) -> None:
        self.publisher = Publisher(publishing)
        self._consuming = consuming

    def consumer(self, queue: str, *, batch: int = 256) -> Consumer:
        return Consumer(self._consuming, queue, batch=batch)


class FakeRig:
    def __init__(self) -> None:
        broker = FakeBroker(queues_of("H37", "H26"))
        self.publisher = broker.publisher()
        self.consumer: Any = broker.consumer


@pytest.fixture(params=["fake", "real"])
def rig_kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def maybe_vhost(rig_kind: str, request: pytest.FixtureRequest) -> Vhost | None:
    return request.getfixturevalue("vhost") if rig_kind == "real" else None


@pytest.fixture
async def rig(maybe_vhost: Vhost | None) -> AsyncIterator[Rig]:
    if maybe_vhost is None:
        yield FakeRig()
        return
    await apply_queues(maybe_vhost, "H37", "H26")
    async with (
        Link(maybe_vhost.amqp_url, "test publishing") as publishing,
        Link(maybe_vhost.amqp_url, "test") as consuming,
    ):
        yield RealRig(publishing, consuming)


def message(number: int, key: str = "mailbox.normal.H37", exchange: str = "axis.deliver", **more: Any) -> Outgoing:
    base: dict[str, Any] = {
        "body": f"body {number}".encode(),
        "type": "document",
        "content_type": "text/plain",
        "message_id": f"m{number}",
    }
    return Outgoing(exchange=exchange, routing_key=key, **{**base, **more})


async def drain(rig: Rig, queue: str, count: int) -> list[Submission]:
    """Take and ack exactly `count` messages."""
    consumer = rig.consumer(queue)
    found: list[Submission] = []
    async with asyncio.timeout(20), contextlib.aclosing(consumer.batches()) as batches:
        async for batch in batches:
            found.extend(received.submission for received in batch.messages)
            await batch.ack()
            if len(found) >= count:
                break
    assert len(found) == count
    return found


async def test_what_is_published_arrives_in_order_with_its_properties(rig: Rig) -> None:
    headers = {"axis-signature": "a..b", "axis-routes": '{"H37":[0]}'}
    outcomes = await rig.publisher.publish_many([message(n, headers=headers) for n in range(300)])
    assert outcomes == [None] * 300
    found = await drain(rig, "mailbox.normal.H37", 300)
    assert [each.message_id for each in found] == [f"m{n}" for n in range(300)]
    first = found[0]
    assert (first.body, first.type, first.content_type) == (b"body 0", "document", "text/plain")
    assert dict(first.headers) == headers
    assert (first.exchange, first.routing_key, first.redelivered) == ("axis.deliver", "mailbox.normal.H37", False)


async def test_one_publish_reaches_every_mailbox_and_hides_the_others(rig: Rig) -> None:
    await rig.publisher.publish(message(1, bcc=("mailbox.normal.H26", "mailbox.urgent.H26")))
    for queue in ("mailbox.normal.H37", "mailbox.normal.H26", "mailbox.urgent.H26"):
        (found,) = await drain(rig, queue, 1)
        assert found.message_id == "m1"
        assert "BCC" not in found.headers


async def test_a_key_without_a_queue_is_not_routed(rig: Rig) -> None:
    with pytest.raises(NotRouted):
        await rig.publisher.publish(message(1, key="mailbox.normal.X99"))
    outcomes = await rig.publisher.publish_many([message(1), message(2, key="nobody"), message(3)])
    assert [type(outcome) for outcome in outcomes] == [type(None), NotRouted, type(None)]
    assert [each.message_id for each in await drain(rig, "mailbox.normal.H37", 2)] == ["m1", "m3"]


async def test_an_envelope_in_several_publishes_is_told_apart_though_its_id_is_one(rig: Rig) -> None:
    parts = [message(1), message(1, key="mailbox.normal.X99"), message(1, key="mailbox.normal.H26")]
    outcomes = await rig.publisher.publish_many(parts)
    assert [type(outcome) for outcome in outcomes] == [type(None), NotRouted, type(None)]
    assert await rig.publisher.publish_many([]) == []


async def test_copies_do_not_help_a_key_without_a_queue_only_where_there_are_none(rig: Rig) -> None:
    # Routed to one copy is routed: the broker tells nothing of the key that led nowhere.
    await rig.publisher.publish(message(1, key="mailbox.normal.X99", bcc=("mailbox.normal.H37",)))
    await drain(rig, "mailbox.normal.H37", 1)
    with pytest.raises(NotRouted):
        await rig.publisher.publish(message(2, key="mailbox.normal.X99", bcc=("mailbox.normal.X98",)))


@pytest.mark.parametrize("size", [0, 1, 131_064, 256 * 1024])
async def test_bodies_of_any_size_arrive_as_they_were(rig: Rig, size: int) -> None:
    body = random.Random(size).randbytes(size)  # noqa: S311 - bytes to compare
    await rig.publisher.publish_many([message(n, body=body) for n in range(3)])
    assert [each.body for each in await drain(rig, "mailbox.normal.H37", 3)] == [body] * 3


async def test_batches_are_no_larger_than_asked_and_keep_the_order(rig: Rig) -> None:
    await rig.publisher.publish_many([message(n) for n in range(20)])
    found: list[str | None] = []
    async with asyncio.timeout(20), contextlib.aclosing(rig.consumer("mailbox.normal.H37", batch=8).batches()) as taken:
        async for batch in taken:
            assert len(batch.messages) <= 8
            found += [received.submission.message_id for received in batch.messages]
            await batch.ack()
            if len(found) == 20:
                break
    assert found == [f"m{n}" for n in range(20)]


async def test_a_missing_copy_is_skipped_in_silence_so_look_before(rig: Rig) -> None:
    await rig.publisher.publish(message(1, bcc=("mailbox.normal.X99",)))
    names = ["mailbox.normal.H37", "mailbox.normal.X99", "notices.H26", "notices.X98"]
    states = await rig.publisher.queue_states(names)
    assert {name for name, state in states.items() if state is None} == {"mailbox.normal.X99", "notices.X98"}
    assert states["mailbox.normal.H37"] == (0, 1)
    assert await rig.publisher.queue_states([]) == {}


async def test_lanes_are_told_apart_by_the_routing_key(rig: Rig) -> None:
    for lane in ("urgent", "normal"):
        await rig.publisher.publish(message(1, key=f"{lane}.H37.05", exchange="axis.submit"))
        (found,) = await drain(rig, f"axis.route.{lane}", 1)
        assert found.routing_key == f"{lane}.H37.05"
    await rig.publisher.publish(message(2, key="H37", exchange="axis.status"))
    await drain(rig, "axis.track", 1)
    with pytest.raises(NotRouted):
        await rig.publisher.publish(message(3, key="slow.H37", exchange="axis.submit"))


async def test_what_is_not_acked_comes_again_marked(rig: Rig) -> None:
    await rig.publisher.publish_many([message(n) for n in range(5)])
    async with contextlib.aclosing(rig.consumer("mailbox.normal.H37").batches()) as batches:
        batch = await anext(batches)
        await batch.ack_some(*batch.messages[1:3])
    found = await drain(rig, "mailbox.normal.H37", 5 - 2)
    assert [each.message_id for each in found] == ["m0", "m3", "m4"]
    assert all(each.redelivered for each in found)


async def test_acking_a_later_batch_leaves_an_earlier_one_alone(rig: Rig) -> None:
    await rig.publisher.publish_many([message(n) for n in range(4)])
    async with contextlib.aclosing(rig.consumer("mailbox.normal.H37", batch=2).batches()) as batches:
        first = await anext(batches)
        second = await anext(batches)
        assert (len(first.messages), len(second.messages)) == (2, 2)
        await second.ack()
        await second.ack()
    found = await drain(rig, "mailbox.normal.H37", 2)
    assert [each.message_id for each in found] == ["m0", "m1"]


async def test_released_messages_come_again(rig: Rig) -> None:
    await rig.publisher.publish_many([message(n) for n in range(3)])
    async with contextlib.aclosing(rig.consumer("mailbox.normal.H37").batches()) as batches:
        batch = await anext(batches)
        await batch.release()
        async with asyncio.timeout(20):
            again = await anext(batches)
        assert [each.submission.message_id for each in again.messages] == ["m0", "m1", "m2"]
        await again.ack()


async def test_a_rejected_message_goes_to_quarantine_alone(rig: Rig) -> None:
    await rig.publisher.publish_many([message(n, key="H37", exchange="axis.status") for n in range(3)])
    async with contextlib.aclosing(rig.consumer("axis.track").batches()) as batches:
        batch = await anext(batches)
        assert len(batch.messages) == 3
        await batch.reject(batch.messages[1])
        await batch.ack()
    (found,) = await drain(rig, "axis.quarantine", 1)
    assert found.message_id == "m1"
    assert "x-death" in found.headers


async def test_stopping_hands_out_what_is_here_and_leaves_nothing_unacked(rig: Rig) -> None:
    await rig.publisher.publish_many([message(n) for n in range(20)])
    consumer = rig.consumer("mailbox.normal.H37", batch=7)
    seen = 0
    async with asyncio.timeout(20):
        async for batch in consumer.batches():
            await consumer.stop()
            seen += len(batch.messages)
            await batch.ack()
    rest = 20 - seen
    if rest:
        # Some may be marked: a quorum queue can hand out a message while it is told to stop, and takes it back.
        await drain(rig, "mailbox.normal.H37", rest)


async def test_a_stopped_consumer_that_waits_ends(rig: Rig) -> None:
    consumer = rig.consumer("mailbox.normal.H37")

    async def consume() -> int:
        return sum([len(batch.messages) async for batch in consumer.batches()])

    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        consuming = group.create_task(consume())
        await asyncio.sleep(0)
        await consumer.stop()
    assert consuming.result() == 0
