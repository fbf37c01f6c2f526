"""What only a real broker can show: restarts, alarms, accounts, and the topology through the management API."""

import asyncio
import base64
import contextlib
import functools
import hashlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiormq
import pytest
from aiormq.exceptions import ChannelAccessRefused

from axis.broker import Consumer, Link, ManagementApi, Publisher, frames
from axis.core.messages import Outgoing, Submission
from axis.core.topology import Change, Topology, WorkerUser, desired, difference, places
from axis.core.watching import absent
from axis.errors import Misconfigured, Unavailable
from schemas import Mailbox
from tests.builders import NOW, mailbox
from tests.services import OwnBroker, Vhost

SALT = b"salt"


def password_hash(password: str) -> str:
    return base64.b64encode(SALT + hashlib.sha256(SALT + password.encode()).digest()).decode()


def boxes(*codes: str) -> list[Mailbox]:
    return [mailbox(code, password_hash=password_hash(f"secret {code}")) for code in codes]


def topology(*codes: str) -> Topology:
    return desired(boxes(*codes), worker_user=WorkerUser("axis-worker", password_hash("secret worker")), at=NOW)


async def apply(vhost: Vhost, *codes: str) -> tuple[Change, ...]:
    async with ManagementApi(vhost.api_url, vhost.name) as api:
        changes = difference(topology(*codes), await api.actual())
        await api.apply(changes, lambda _: None)
        return changes


def url_for(vhost: Vhost, user: str, password: str) -> str:
    scheme, _, rest = vhost.amqp_url.partition("://")
    return f"{scheme}://{user}:{password.replace(' ', '%20')}@{rest.rpartition('@')[2]}"


def document(key: str, exchange: str = "axis.submit", **more: Any) -> Outgoing:
    base: dict[str, Any] = {"body": b"{}", "type": "document", "content_type": "application/json", "message_id": "m"}
    return Outgoing(exchange=exchange, routing_key=key, **{**base, **more})


async def test_the_topology_is_applied_once_and_then_agrees(own_vhost: Vhost) -> None:
    told: list[str] = []
    async with ManagementApi(own_vhost.api_url, own_vhost.name) as api:
        await api.apply(difference(topology("H37", "H37.05"), await api.actual()), told.append)
        assert any("mailbox.urgent.H37.05" in line for line in told)
        assert difference(topology("H37", "H37.05"), await api.actual()) == ()
        # The auditor sees the same with less: names and numbers from one listing, and what is bound.
        counts, wanted = await api.queue_counts(), places(["H37", "H37.05"])
        assert {each.queue for each in counts} == {queue.name for queue in wanted.queues}
        assert {(each.ready, each.unacked, each.consumers) for each in counts} == {(0, 0, 0)}
        assert absent(wanted, [each.queue for each in counts], await api.bindings()) == ()
        # An agency that leaves loses its account and rights; its queues stay, with what is in them.
        gone = difference(topology("H37"), await api.actual())
        await api.apply(gone, lambda _: None)
        after = await api.actual()
        assert "H37.05" not in {user.name for user in after.users}
        assert "mailbox.normal.H37.05" in {queue.name for queue in after.queues}


async def test_a_wrong_password_is_a_setting_to_mend_not_an_outage(vhost: Vhost) -> None:
    async with ManagementApi(vhost.api_url.replace("://", "://nobody:x@", 1).replace("@@", "@"), vhost.name) as api:
        with pytest.raises(Misconfigured):
            await api.actual()


async def test_an_absent_management_api_is_unavailable() -> None:
    async with ManagementApi("http://a:b@127.0.0.1:9", "/") as api:
        with pytest.raises(Unavailable):
            await api.actual()
    with pytest.raises(Unavailable):
        async with Link("amqp://a:b@127.0.0.1:9/", "test", deadline=5):
            pass


async def refused(vhost: Vhost, message: Outgoing, user: str = "H37") -> bool:
    async with Link(url_for(vhost, user, f"secret {user}"), "agency", deadline=5) as link:
        try:
            await Publisher(link).publish(message)
        except Unavailable:
            return True
        return False


async def test_an_account_can_do_its_own_and_nothing_else(own_vhost: Vhost) -> None:
    await apply(own_vhost, "H37", "H26")
    assert not await refused(own_vhost, document("normal.H37", user_id="H37"))
    assert not await refused(own_vhost, document("urgent.H37.05", user_id="H37"))
    assert not await refused(own_vhost, document("H37", "axis.status"))
    for message in (
        document("normal.H26"),
        document("normal.H37X05"),
        document("normal.H3"),
        document("H26", "axis.status"),
        document("mailbox.normal.H26", "axis.deliver"),
        document("mailbox.normal.H37", "axis.deliver"),
        document("mailbox.normal.H26", ""),
        document("normal.H37", user_id="H26"),
    ):
        assert await refused(own_vhost, message), message
    # Through a client of somebody else's, which does not mind its manners.
    async with aiormq.connect(url_for(own_vhost, "H37", "secret H37")) as connection:
        for queue, allowed in (("mailbox.normal.H37", True), ("mailbox.normal.H26", False), ("axis.track", False)):
            channel = await connection.channel()
            if allowed:
                await channel.basic_get(queue)
            else:
                with pytest.raises(ChannelAccessRefused):
                    await channel.basic_get(queue)
        channel = await connection.channel()
        with pytest.raises(ChannelAccessRefused):
            await channel.queue_declare("mine")


async def test_a_worker_works_with_the_rights_it_has(own_vhost: Vhost) -> None:
    await apply(own_vhost, "H37")
    async with Link(url_for(own_vhost, "axis-worker", "secret worker"), "worker") as link:
        publisher = Publisher(link)
        states = await publisher.queue_states(["mailbox.normal.H37", "mailbox.normal.H99"])
        assert (states["mailbox.normal.H37"] is None, states["mailbox.normal.H99"]) == (False, None)
        await publisher.publish(document("mailbox.normal.H37", "axis.deliver"))
        for queue in ("axis.route.urgent", "axis.route.normal", "axis.track", "axis.quarantine"):
            async with consuming(link, queue, []):
                await until(functools.partial(consumers, link, queue, 1), 20)
        with pytest.raises(Unavailable):
            await publisher.publish(document("normal.H37"))


async def test_what_cannot_be_said_in_amqp_fails_alone(own_vhost: Vhost) -> None:
    await apply(own_vhost, "H37")

    def delivered(**more: Any) -> Outgoing:
        return document("mailbox.normal.H37", "axis.deliver", **more)

    async with Link(own_vhost.amqp_url, "test") as link:
        bad = [
            delivered(headers={"axis-routes": "x" * 131_072}),
            delivered(bcc=tuple(f"mailbox.normal.H{n:05}" for n in range(6_000))),
            delivered(message_id="x" * 256),
            delivered(user_id="ệ" * 128),
            delivered(body=b"", headers={"x" * 256: ""}),
            document("k" * 256, "axis.deliver"),
            delivered(headers={"axis-signature": "\ud800"}),
        ]
        good = [delivered(), delivered(body=b"x" * 256 * 1024), delivered(body=b"")]
        mixed = [good[0], *bad, *good[1:]]
        publisher = Publisher(link)
        outcomes = await publisher.publish_many(mixed)
        assert [outcome is None for outcome in outcomes] == [message in good for message in mixed]
        assert {outcome.code for outcome in outcomes if outcome is not None} == {"axis/internal"}
        await publisher.publish(delivered())


async def test_headers_that_fill_a_frame_arrive_though_the_broker_adds_to_them(own_vhost: Vhost) -> None:
    await apply(own_vhost, "H37")
    async with Link(own_vhost.amqp_url, "p") as publishing, Link(own_vhost.amqp_url, "c") as taking:
        publisher = Publisher(publishing)
        # The longest that still passes, found by halving.
        fits, too_long = 100_000, 131_072
        while too_long - fits > 1:
            size = (fits + too_long) // 2
            message = document("H37", "axis.status", headers={"axis-signature": "x" * size}, message_id=str(size))
            (outcome,) = await publisher.publish_many([message])
            fits, too_long = (size, too_long) if outcome is None else (fits, size)
        async with contextlib.aclosing(Consumer(taking, "axis.track").batches()) as batches, asyncio.timeout(20):
            while True:
                batch = await anext(batches)
                await batch.reject(*batch.messages)
                if batch.messages[-1].submission.message_id == str(fits):
                    break
        async with contextlib.aclosing(Consumer(taking, "axis.quarantine").batches()) as batches, asyncio.timeout(20):
            seen: list[Submission] = []
            while not any(each.message_id == str(fits) for each in seen):
                batch = await anext(batches)
                seen += [received.submission for received in batch.messages]
                await batch.ack()
        assert all("x-death" in each.headers for each in seen)


@contextlib.asynccontextmanager
async def consuming(link: Link, queue: str, seen: list[str]) -> AsyncIterator[None]:
    consumer = Consumer(link, queue)

    async def take() -> None:
        async for batch in consumer.batches():
            seen.extend(received.submission.message_id or "" for received in batch.messages)
            with contextlib.suppress(Unavailable):
                await batch.ack()

    async with asyncio.TaskGroup() as group:
        group.create_task(take())
        yield
        await consumer.stop()


async def until(condition: Callable[[], Any], seconds: float = 90) -> None:
    """Await a condition (a function or coroutine function) by asking again."""
    async with asyncio.timeout(seconds):
        while True:
            result = condition()
            if await result if asyncio.iscoroutine(result) else result:
                return
            await asyncio.sleep(0.1)


async def test_after_a_restart_the_consumer_is_back_as_the_broker_sees_it(
    own_vhost: Vhost, own_broker: OwnBroker
) -> None:
    await apply(own_vhost, "H37")
    seen: list[str] = []
    async with Link(own_vhost.amqp_url, "p") as publishing, Link(own_vhost.amqp_url, "c") as taking:
        publisher = Publisher(publishing)
        async with consuming(taking, "mailbox.normal.H37", seen):
            await publisher.publish(document("mailbox.normal.H37", "axis.deliver", message_id="before"))
            await until(lambda: "before" in seen)
            await asyncio.to_thread(own_broker.kill_broker)
            with pytest.raises(Unavailable):
                await publisher.publish(document("mailbox.normal.H37", "axis.deliver", message_id="lost"))
            await asyncio.to_thread(own_broker.start_broker)
            async with ManagementApi(own_vhost.api_url, own_vhost.name) as api:

                async def back() -> bool:
                    with contextlib.suppress(Unavailable):
                        return await api.queue_consumers("mailbox.normal.H37") == 1
                    return False

                await until(back)

            async def published() -> bool:
                (outcome,) = await publisher.publish_many(
                    [document("mailbox.normal.H37", "axis.deliver", message_id="after")]
                )
                return outcome is None

            await until(published)
            await until(lambda: "after" in seen)


async def test_an_alarm_is_told_at_once_and_clears_by_itself(own_vhost: Vhost, own_broker: OwnBroker) -> None:
    await apply(own_vhost, "H37")
    async with Link(own_vhost.amqp_url, "p", deadline=3) as link:
        publisher = Publisher(link)
        message = document("mailbox.normal.H37", "axis.deliver")
        await publisher.publish(message)
        await asyncio.to_thread(own_broker.rabbitmqctl, "set_vm_memory_high_watermark", "absolute", "1")
        try:

            async def told() -> bool:
                (outcome,) = await publisher.publish_many([message])
                return outcome is not None

            await until(told, 30)
        finally:
            await asyncio.to_thread(own_broker.rabbitmqctl, "set_vm_memory_high_watermark", "0.4")

        async def clear() -> bool:
            (outcome,) = await publisher.publish_many([message])
            return outcome is None

        await until(clear, 30)


async def consumers(link: Link, queue: str, count: int) -> bool:
    state = (await link.queue_states([queue]))[queue]
    return state is not None and state.consumers == count


async def test_hostile_properties_reach_the_consumer_and_leave_the_connection_alone(
    own_vhost: Vhost, monkeypatch: pytest.MonkeyPatch
) -> None:
    await apply(own_vhost, "H37")
    real = frames._short

    def short(what: str, text: str) -> bytes:
        return b"\x05\xff\xfe!!!" if text == "HOSTILE" else real(what, text)

    monkeypatch.setattr(frames, "_short", short)
    async with (
        Link(url_for(own_vhost, "H37", "secret H37"), "agency") as agency,
        Link(own_vhost.amqp_url, "c") as taking,
    ):
        bad = document("normal.H37", message_id="HOSTILE", content_type="HOSTILE", user_id="H37")
        good = document("normal.H37", message_id="good", user_id="H37")
        assert await Publisher(agency).publish_many([bad, good]) == [None, None]
        batches = Consumer(taking, "axis.route.normal").batches()
        async with contextlib.aclosing(batches), asyncio.timeout(20):
            found: list[Submission] = []
            while len(found) < 2:
                batch = await anext(batches)
                found += [received.submission for received in batch.messages]
                await batch.ack()
        assert [each.account for each in found] == ["H37", "H37"]
        assert "\ufffd" in (found[0].message_id or "")
        assert not any(each.redelivered for each in found)
