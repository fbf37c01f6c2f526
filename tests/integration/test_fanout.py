"""One publish for all mailboxes, at the size of the country: 63 mailboxes, 3,321 communes, 5,000 recipients."""

import datetime as dt
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from axis.core.fanout import recipients_of
from axis.core.messages import Submission
from axis.core.reading import parse_envelope
from axis.local import Services
from schemas import Receipt
from schemas.wire import ROUTES_HEADER
from tests.builders import organisations
from tests.rig import Process, Rig, envelope_id, rig, until
from tests.services import fresh_database, fresh_vhost

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]
PROVINCES = [f"H{n:02}" for n in range(1, 64)]
MERGED = PROVINCES[:34]
COMMUNES = [f"{MERGED[n % 34]}.{n:04}" for n in range(3_321)]


@dataclass(frozen=True, slots=True)
class Scene:
    """The axis of the module."""

    axis: Rig
    router: Process

    async def published(self) -> float:
        return await self.router.counted("axis_published_total", kind="document")

    async def deliver(self, *, recipients: list[str]) -> tuple[str, Receipt, float]:
        """Send one envelope; return its id, its receipt, and how many publishes it took."""
        before, done = await self.published(), await self.router.counted("axis_messages_total")
        message = self.axis.submission(self.axis.envelope(recipients=recipients))
        await self.axis.send_as("G22", message)
        (receipt,) = await self.axis.receipts("G22", 1)
        await until(lambda: self._counted(done + 1))  # which it does last, after all confirms and the mark
        return message.message_id, receipt, await self.published() - before

    async def _counted(self, messages: float) -> bool:
        return await self.router.counted("axis_messages_total") == messages


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(
    services: Services, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Scene]:
    folder = tmp_path_factory.mktemp("fanout")
    with fresh_vhost(services) as vhost, fresh_database(services, migrated_template) as database:
        async with rig(vhost, database, folder) as axis:
            await axis.connect(["G22", *PROVINCES])
            await axis.store.directory.put_organisations(organisations(COMMUNES))
            async with axis.worker("router") as router:
                yield Scene(axis, router)


async def test_sixty_three_mailboxes_with_one_publish(scene: Scene) -> None:
    identifier, receipt, publishes = await scene.deliver(recipients=PROVINCES)
    assert publishes == 1
    assert [each.outcome for each in receipt.recipients] == ["routed"] * 63
    bodies = set()
    for code in PROVINCES:
        (message,) = await scene.axis.mail(code, 1)
        assert (envelope_id(message), message.account) == (identifier, None)
        assert message.headers.keys() == {"axis-signature"}
        bodies.add(message.body)
    assert len(bodies) == 1


async def test_all_communes_through_thirty_four_mailboxes_with_one_publish(scene: Scene) -> None:
    identifier, receipt, publishes = await scene.deliver(recipients=COMMUNES)
    assert publishes == 1
    assert receipt.outcome == "accepted"
    assert {each.mailbox for each in receipt.recipients} == set(MERGED)
    served: list[str] = []
    for code in MERGED:
        (message,) = await scene.axis.mail(code, 1)
        assert envelope_id(message) == identifier
        told = _served(code, message)
        assert told == tuple(commune for commune in COMMUNES if commune.startswith(f"{code}."))
        served.extend(told)
    assert sorted(served) == sorted(COMMUNES)
    (tracked,) = await scene.axis.store.track(identifier)
    assert len(tracked.deliveries) == len(COMMUNES)
    assert {each.state for each in tracked.deliveries} == {"delivered"}


async def test_five_thousand_recipients_good_and_bad(scene: Scene) -> None:
    unknown = [f"H01.X{n:04}" for n in range(5_000 - len(COMMUNES) - 1)]
    identifier, receipt, publishes = await scene.deliver(recipients=[*unknown, *COMMUNES, "H63"])
    assert publishes == 1
    assert (receipt.outcome, receipt.message_id, len(receipt.recipients)) == ("partial", identifier, 5_000)
    refused = [each for each in receipt.recipients if each.outcome == "refused"]
    assert [each.recipient for each in refused] == unknown
    assert {each.code for each in refused} == {"recipient/not-registered"}
    served = 0
    for code in (*MERGED, "H63"):
        (message,) = await scene.axis.mail(code, 1)
        served += len(_served(code, message))
    assert served == len(COMMUNES) + 1


async def test_a_mailbox_that_is_named_itself_and_for_its_units_gets_one_copy(scene: Scene) -> None:
    commune = COMMUNES[0]
    identifier, receipt, publishes = await scene.deliver(recipients=[commune, "H02", "H01"])
    assert publishes == 1
    (message,) = await scene.axis.mail("H01", 1)
    assert _served("H01", message) == (commune, "H01")
    assert [envelope_id(each) for each in await scene.axis.mail("H02", 1)] == [identifier]
    assert [(each.recipient, each.mailbox) for each in receipt.recipients] == [
        (commune, "H01"),
        ("H02", "H02"),
        ("H01", "H01"),
    ]


async def test_nothing_came_twice_and_all_is_marked(scene: Scene) -> None:
    for code in PROVINCES[:3]:
        assert await scene.axis.take(f"mailbox.normal.{code}", 0, settle=0.1) == []
    assert await scene.axis.store.unpublished(dt.timedelta(0), 10) == ([], [])


def _served(code: str, message: Submission) -> tuple[str, ...]:
    routes = message.headers.get(ROUTES_HEADER)
    assert routes is None or isinstance(routes, str)
    return recipients_of(code, parse_envelope(message.body).recipients, routes)
