"""The agency SDK on a real broker, under the agency's own account with its own rights."""

import asyncio
import base64
import hashlib
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
from pydantic import SecretStr

from axis.broker import Consumer, Link, ManagementApi, Publisher
from axis.client import Agency, AgencySettings, NotConfirmed, write_profile
from axis.client.certificates import write_certificate
from axis.core.messages import Outgoing, Submission
from axis.core.reading import parse_status, read_envelope
from axis.core.topology import Topology, WorkerUser, desired, difference
from axis.errors import Unavailable
from schemas import Mailbox, Priority, StatusCode
from schemas.wire import DELIVER_EXCHANGE, TRACK_QUEUE
from tests.services import OwnBroker, Vhost
from tests.unit.client.doubles import NOW, Identity, World, identity, paper
from tests.unit.client.doubles import world as make_world

# Accounts are shared by all virtual hosts of a broker: a code of our own keeps other tests' passwords apart.
CODE, PASSWORD = "X37", "for tests only"
WORKER = "axis-worker-client-test"
SECONDS = 60
RECEIVE = Path(__file__).parents[2] / "examples" / "receive.py"


def password_hash(password: str) -> str:
    salt = os.urandom(4)
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()


def as_user(vhost: Vhost, user: str) -> str:
    parts = urlsplit(vhost.amqp_url)
    netloc = f"{user}:{PASSWORD.replace(' ', '%20')}@{parts.hostname}:{parts.port}"
    return urlunsplit(parts._replace(netloc=netloc))


@dataclass
class Axis:
    """A broker set up for one agency, and the axis's side of it."""

    vhost: Vhost
    world: World
    settings: AgencySettings
    own: Identity

    def connect(self, **changes: Any) -> Any:
        return Agency.connect(self.settings, **{"gateway": self.world.shelf, **changes})

    def write_profile(self, folder: Path) -> None:
        """Write the agency's profile; its state already knows the sender's certificate, so no gateway is needed."""
        write_profile(
            folder,
            code=CODE,
            amqp_url=self.settings.amqp_url.get_secret_value(),
            gateway_url="http://127.0.0.1:9",
            key=self.own.key_pem,
            certificate=self.own.certificate_pem,
            axis_certificate=self.world.axis.certificate_pem,
        )
        certificate = self.world.sender.certificate
        cached = folder / "state" / "certificates" / f"{certificate.thumbprint}.json"
        cached.parent.mkdir(parents=True)
        cached.write_bytes(write_certificate(certificate))

    async def deliver(self, *submissions: Submission, lane: str = "normal") -> None:
        await self._publish(submissions, f"mailbox.{lane}.{CODE}")

    async def notify(self, *submissions: Submission) -> None:
        await self._publish(submissions, f"notices.{CODE}")

    async def _publish(self, submissions: Sequence[Submission], queue: str) -> None:
        async with Link(as_user(self.vhost, WORKER), "axis") as link:
            messages = [self._outgoing(each, queue) for each in submissions]
            assert await Publisher(link).publish_many(messages) == [None] * len(messages)

    async def received(self, queue: str, count: int) -> list[Submission]:
        """Take messages from a queue of the axis's until so many different ones have come."""
        found: dict[str | None, Submission] = {}
        async with Link(as_user(self.vhost, WORKER), "axis") as link, asyncio.timeout(SECONDS):
            consumer = Consumer(link, queue)
            async for batch in consumer.batches():
                found |= {each.submission.message_id: each.submission for each in batch.messages}
                await batch.ack()
                if len(found) >= count:
                    await consumer.stop()
        return list(found.values())

    async def until_told(self, met: Callable[[ManagementApi], Awaitable[bool]]) -> None:
        """Wait until the broker itself says so; its statistics are a few seconds behind."""
        async with ManagementApi(self.vhost.api_url, self.vhost.name) as api, asyncio.timeout(SECONDS):
            while not await met(api):  # noqa: ASYNC110 - the broker has nothing to wait on
                await asyncio.sleep(0.2)

    def _outgoing(self, each: Submission, queue: str) -> Outgoing:
        headers = {key: str(value) for key, value in each.headers.items()}
        return Outgoing(
            DELIVER_EXCHANGE, queue, each.body, each.type or "", each.content_type or "", each.message_id or "", headers
        )


async def set_up(vhost: Vhost, folder: Path) -> Axis:
    world = make_world(folder)
    own = identity(CODE)
    world.shelf.enrol(own)
    mailbox = Mailbox(code=CODE, valid_from=NOW.replace(year=2020), password_hash=password_hash(PASSWORD))
    wanted = desired([mailbox], worker_user=WorkerUser(WORKER, password_hash(PASSWORD)), at=NOW)
    async with ManagementApi(vhost.api_url, vhost.name) as api:
        # Against nothing: the real difference would take away the accounts of the tests beside us.
        await api.apply(difference(wanted, Topology.of(())), lambda _: None)
    settings = replace(
        world.settings,
        code=CODE,
        amqp_url=SecretStr(as_user(vhost, CODE)),
        key=own.key,
        state_folder=folder,
    )
    return Axis(vhost, world, settings, own)


@pytest.fixture
async def axis(vhost: Vhost, tmp_path: Path) -> Axis:
    return await set_up(vhost, tmp_path)


@pytest.fixture
async def own_axis(own_vhost: Vhost, tmp_path: Path) -> Axis:
    return await set_up(own_vhost, tmp_path)


def statuses(submissions: list[Submission]) -> list[tuple[str, str]]:
    read = [parse_status(each.body) for each in submissions]
    return [(each.envelope, each.code.value) for each in read]


async def test_what_is_sent_reaches_the_router_proved_by_the_broker(axis: Axis) -> None:
    async with axis.connect() as agency:
        normal = await agency.send(document=paper(), recipients=["G22"])
        urgent = await agency.send(document=paper(Priority.URGENT), recipients=["G22"], sender=f"{CODE}.05")
    for sent, key in ((normal, f"normal.{CODE}"), (urgent, f"urgent.{CODE}.05")):
        (submission,) = await axis.received(f"axis.route.{sent.lane}", 1)
        assert (submission.account, submission.routing_key, submission.message_id) == (CODE, key, sent.envelope_id)
        assert read_envelope(submission).recipients == ["G22"]


async def test_documents_are_taken_once_and_reported(axis: Axis) -> None:
    documents = [axis.world.document(recipients=[CODE]) for _ in range(5)]
    urgent = axis.world.document(recipients=["G12", f"{CODE}.01"], urgent=True, routes={CODE: [1]})
    await axis.deliver(*documents, documents[0])
    await axis.deliver(urgent, lane="urgent")
    seen = []
    async with axis.connect() as agency:
        async for delivery in agency.inbox(idle=1.0):
            seen.append(delivery.envelope.id)
            await delivery.accept()
    expected = {each.message_id for each in (*documents, urgent)}
    assert len(seen) == len(expected)
    assert set(seen) == expected
    reported = await axis.received(TRACK_QUEUE, 12)
    assert sorted(statuses(reported)) == sorted((identifier, code) for identifier in seen for code in ("01", "03"))
    assert {each.account for each in reported} == {CODE}
    await axis.until_told(no_messages)


async def test_a_document_that_is_not_taken_comes_again(axis: Axis) -> None:
    await axis.deliver(axis.world.document(recipients=[CODE]))
    async with axis.connect() as agency:
        first = await anext(agency.inbox())
        again = await anext(agency.inbox())
        assert again.envelope.id == first.envelope.id
    async with axis.connect() as agency:
        (third,) = [delivery async for delivery in agency.inbox(idle=1.0)]
        assert third.envelope.id == first.envelope.id
    assert len(await axis.received(TRACK_QUEUE, 1)) == 1


async def test_what_an_inbox_leaves_is_in_its_old_order_for_the_next(axis: Axis) -> None:
    documents = [axis.world.document(recipients=[CODE]) for _ in range(100)]
    await axis.deliver(*documents)
    async with axis.connect() as agency:
        for _ in range(3):
            async for _ in agency.inbox():
                break
        left = [delivery.envelope.id async for delivery in agency.inbox(idle=3)]
    assert left == [each.message_id for each in documents]


async def test_receipts_and_statuses_are_read(axis: Axis) -> None:
    async with axis.connect() as agency:
        sent = await agency.send(document=paper(), recipients=["G22"])
        await axis.notify(
            axis.world.status(sent.envelope_id, StatusCode.ARRIVED),
            axis.world.receipt(sent.envelope_id, account=CODE),
        )
        receipt = await agency.receipt(sent.envelope_id, deadline=SECONDS)
        assert receipt.message_id == sent.envelope_id
        assert len([notice async for notice in agency.notices(idle=1.0)]) == 2
    await axis.until_told(no_messages)


async def test_a_wrong_password_is_said_at_once(axis: Axis) -> None:
    wrong = axis.settings.amqp_url.get_secret_value().replace("for%20tests", "from%20memory")
    with pytest.raises(Unavailable) as raised:
        async with replace(axis, settings=replace(axis.settings, amqp_url=SecretStr(wrong))).connect():
            pass  # pragma: no cover - never connected
    assert "memory" not in str(raised.value)


async def test_a_broker_restarted_in_mid_flow_loses_and_doubles_nothing(own_axis: Axis, own_broker: OwnBroker) -> None:
    axis = own_axis
    before = [axis.world.document(recipients=[CODE], urgent=number % 2 == 0) for number in range(20)]
    after = [axis.world.document(recipients=[CODE]) for _ in range(10)]
    await axis.deliver(*before[::2], lane="urgent")
    await axis.deliver(*before[1::2])
    seen: list[str] = []
    async with axis.connect() as agency, asyncio.timeout(3 * SECONDS):
        async for delivery in agency.inbox():
            seen.append(delivery.envelope.id)
            if len(seen) == 5:
                await asyncio.to_thread(own_broker.restart_broker)
            await delivery.process()
            if len(seen) == len(before):
                await axis.until_told(two_consumers)
                await axis.deliver(*after)
            if len(seen) == len(before) + len(after):
                break
        # What was reported while the broker was away went out since, without anybody asking.
        await until_sent(agency)
    assert sorted(seen) == sorted(str(each.message_id) for each in (*before, *after))
    reported = await axis.received(TRACK_QUEUE, 2 * len(seen))
    assert sorted(statuses(reported)) == sorted((identifier, code) for identifier in seen for code in ("01", "05"))
    async with axis.connect() as agency:
        assert [delivery async for delivery in agency.inbox(idle=1.0)] == []
    await axis.until_told(no_messages)


async def test_a_document_sent_while_the_broker_is_away_arrives_once(own_axis: Axis, own_broker: OwnBroker) -> None:
    axis = own_axis
    async with replace(axis, settings=replace(axis.settings, deadline=2.0)).connect() as agency:
        await asyncio.to_thread(own_broker.kill_broker)
        with pytest.raises(NotConfirmed) as raised:
            await agency.send(document=paper(), recipients=["G22"])
        await asyncio.to_thread(own_broker.start_broker)
        await until_sent(agency)
    (submission,) = await axis.received("axis.route.normal", 1)
    assert submission.message_id == raised.value.envelope_id


async def test_a_receiver_that_is_killed_again_and_again_loses_and_doubles_nothing(axis: Axis, tmp_path: Path) -> None:
    profile, saved = tmp_path / "profile", tmp_path / "saved"
    axis.write_profile(profile)
    documents = [axis.world.document(recipients=[CODE]) for _ in range(60)]
    await axis.deliver(*documents)
    for kill_at in (1, 15, 16, 40, None):
        receiver = await asyncio.create_subprocess_exec(
            sys.executable, RECEIVE, "--profile", profile, "--save", saved, stdout=asyncio.subprocess.PIPE
        )
        async with asyncio.timeout(SECONDS):
            while len(list(saved.glob("*/envelope.json"))) < (kill_at or len(documents)):
                assert receiver.returncode is None
                await asyncio.sleep(0.005)
        if kill_at is None:
            await axis.until_told(no_messages)
            receiver.send_signal(signal.SIGINT)
            out, _ = await receiver.communicate()
            assert out.decode().endswith("stopped; what was not taken comes again\n")
            assert receiver.returncode == 0
        else:
            receiver.kill()
            await receiver.communicate()
    assert {path.name for path in saved.iterdir()} == {each.message_id for each in documents}
    reported = await axis.received(TRACK_QUEUE, 2 * len(documents))
    assert sorted(statuses(reported)) == sorted(
        (str(each.message_id), code) for each in documents for code in ("01", "03")
    )


async def until_sent(agency: Agency) -> None:
    async with asyncio.timeout(SECONDS):
        while await agency.outbox():  # noqa: ASYNC110 - the agency has nothing public to wait on
            await asyncio.sleep(0.05)


async def no_messages(api: ManagementApi) -> bool:
    depths = await api.queue_depths()
    return not any(depth for queue, depth in depths.items() if queue.endswith(f".{CODE}"))


async def two_consumers(api: ManagementApi) -> bool:
    """The broker's own count: a client may believe that it consumes (aio-pika #231)."""
    return [await api.queue_consumers(f"mailbox.{lane}.{CODE}") for lane in ("urgent", "normal")] == [1, 1]
