"""Everything bad that an agency can send, through real workers: one stable code each, and nobody else is delayed.

A good message is sent right behind every bad one, so that both are in one batch.
"""

import datetime as dt
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio
from aiormq.exceptions import ChannelAccessRefused

from axis.core.messages import Outgoing, Submission
from axis.local import Services
from schemas import Receipt
from tests.bad_input import CASES, SMUGGLED, STATUS_CASES, Case
from tests.rig import Process, Rig, envelope_id, now, rig, until
from tests.services import fresh_database, fresh_vhost

pytestmark = pytest.mark.asyncio(loop_scope="module")
KEPT = ("message/", "signature/", "certificate/", "abuse/")  # decision 0001
LINGER = "30"  # milliseconds a batch waits for company


@dataclass(frozen=True, slots=True)
class Scene:
    """The axis all cases share."""

    axis: Rig
    workers: dict[str, Process]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(
    services: Services, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Scene]:
    folder = tmp_path_factory.mktemp("bad-input")
    with fresh_vhost(services) as vhost, fresh_database(services, migrated_template) as database:
        async with rig(vhost, database, folder) as axis:
            await axis.connect(["G22", "H37", "H26"], without_mailbox=["G22.01", "G22.02"])
            past, ahead = now() - dt.timedelta(days=9), now() + dt.timedelta(days=9)
            await axis.certify("G22", named="nobody's", enrolled=False)
            await axis.certify("G22", named="expired", not_before=past, not_after=now() - dt.timedelta(seconds=1))
            await axis.certify("G22", named="early", not_before=ahead, not_after=ahead + dt.timedelta(days=1))
            await axis.certify("G22", named="revoked", revoked_at=now())
            await axis.certify("G22", named="the axis's", role="axis")
            await axis.store.blobs.record_upload("a" * 64, 7, "G22")
            await axis.store.blobs.record_upload("b" * 64, 7, "H26")
            settings = {"batch_linger_ms": LINGER}
            async with axis.worker("router", **settings) as router, axis.worker("tracker", **settings) as tracker:
                yield Scene(axis, {"router": router, "tracker": tracker})


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_a_bad_document(scene: Scene, case: Case) -> None:
    axis = scene.axis
    for before in case.before(axis):
        await axis.send_as(before.user_id or "", before)
        await axis.notices("G22", 1)
        await axis.mail("H37", 1)
    good = axis.submission(axis.envelope())
    answers = await _answers(scene, case, good, "router")
    ours = [_receipt(each) for each in answers if _receipt(each).message_id == good.message_id]
    assert [(each.code, each.outcome) for each in ours] == [(None, "accepted")] * case.good_copies
    assert [envelope_id(each) for each in await axis.mail("H37", case.good_copies)] == [
        good.message_id
    ] * case.good_copies


async def test_a_key_smuggled_by_cc(scene: Scene) -> None:
    """RabbitMQ holds CC to the topic permission since 4.0.4; an older one routes it, and the router must refuse it."""
    try:
        await test_a_bad_document(scene, SMUGGLED)
    except ChannelAccessRefused as refused:
        assert "write access to topic 'normal.G22'" in str(refused)  # noqa: PT017 - which of both depends on the broker


@pytest.mark.parametrize("case", STATUS_CASES, ids=lambda case: case.name)
async def test_a_bad_status(scene: Scene, case: Case) -> None:
    axis = scene.axis
    known = axis.submission(axis.envelope())
    await axis.send_as("G22", known)
    await axis.notices("G22", 1)
    await axis.mail("H37", 1)
    for before in case.before(axis, known.message_id):
        await axis.send_as(before.user_id or "", before)
        await axis.notices("G22", 1)
    good = axis.status("H37", known.message_id, "03")
    answers = await _answers(scene, case, good, "tracker", known.message_id)
    (forwarded,) = [each for each in answers if each.type == "status"]
    assert (forwarded.body, forwarded.message_id) == (good.body, good.message_id)


async def _answers(scene: Scene, case: Case, good: Outgoing, worker: str, about: str = "") -> list[Submission]:
    """Send the bad message and the good one; check what the bad one ends as; return all that G22 is told."""
    axis, process = scene.axis, scene.workers[worker]
    bad = case.make(axis, about)
    read, before = process.log.stat().st_size, await process.counted("axis_messages_total", reason=case.code)
    url = axis.vhost.amqp_url if case.account is None else axis.url_of(case.account)
    if case.account == good.user_id:
        await axis.send_through(url, bad, good)
    else:
        await axis.send_through(url, bad)
        await axis.send_as(good.user_id or "", good)
    answered = case.account is not None and bad.user_id is not None
    told = await axis.notices("G22", case.good_copies + (answered and case.account == "G22"))
    others = await axis.notices(case.account, 1) if answered and case.account not in {None, "G22"} else []
    refusals = [
        receipt
        for each in (*told, *others)
        if each.type == "receipt" and (receipt := _receipt(each)).message_id != good.message_id
    ]
    sha256 = hashlib.sha256(bad.body).hexdigest()
    expected = [(case.code, case.account, sha256, "refused")] if answered else []
    assert [(each.code, each.account, each.message_sha256, each.outcome) for each in refusals] == expected

    await until(lambda: len(_refused(process, read)) >= 1)
    (line,) = _refused(process, read)
    kept = case.code.startswith(KEPT) or not answered
    assert (line["code"], line["receipt"], line["quarantined"]) == (case.code, answered, kept)
    assert await process.counted("axis_messages_total", outcome="refused", reason=case.code) == before + 1
    found = [each for each in await axis.store.quarantined(limit=1_000) if each.sha256 == sha256]
    assert [(each.reason, each.account, each.body) for each in found] == [(case.code, bad.user_id, bad.body)] * kept
    return told


def _refused(process: Process, since: int) -> list[dict[str, object]]:
    return [each for each in process.events(since) if each["event"] == "refused"]


def _receipt(message: Submission) -> Receipt:
    return Receipt.model_validate_json(message.body)


async def test_each_mailbox_is_empty_and_both_workers_never_stopped(scene: Scene) -> None:
    for queue in ("mailbox.normal.H37", "mailbox.urgent.H37", "mailbox.normal.H26", "mailbox.urgent.H26"):
        assert await scene.axis.take(queue, 0, settle=0.1) == []
    for process in scene.workers.values():
        events = process.events()
        assert [event["event"] for event in events].count("ready") == 1
        assert not [event for event in events if "exception" in event]
