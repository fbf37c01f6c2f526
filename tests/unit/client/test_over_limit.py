"""What the axis refused for the time being comes again by itself, and nobody takes the refusal for the last word."""

import asyncio
import datetime as dt

import pytest

from axis.client import Agency, ReceiptNotice
from axis.errors import Unavailable
from schemas import StatusCode
from tests.unit.client.doubles import World, paper

STRANGE = "01995f1c-7a3e-7c21-9f5e-3b7d9c0a4e11"
SECOND = dt.timedelta(seconds=1)


async def postponed(agency: Agency) -> None:
    """Wait until a notice has postponed a message; whoever sends takes notices, asked for or not."""
    async with asyncio.timeout(30):
        while not any(entry.not_before for entry in await agency.outbox()):  # noqa: ASYNC110 - nothing to wait on
            await asyncio.sleep(0.01)


async def test_a_document_over_a_limit_is_kept_and_sent_again_when_it_may(world: World) -> None:
    async with world.connect() as agency:
        sent = await agency.send(document=paper(), recipients=["G22"])
        await world.post.put("notices.H37", world.receipt(sent.envelope_id, retry_after=1))
        await postponed(agency)
        with pytest.raises(Unavailable, match="sent again by itself from"):
            await agency.receipt(sent.envelope_id, deadline=0.05)
        (kept,) = await agency.outbox()
        assert kept.id == sent.envelope_id
        await world.post.until(lambda: not world.post.unacked)
        assert len(world.post.published) == 1
        world.clock.time += SECOND
        await world.post.until(lambda: len(world.post.published) == 2)
        first, second = world.post.published
        assert first == second
        final = world.receipt(sent.envelope_id)
        await world.post.put("notices.H37", final)
        assert (await agency.receipt(sent.envelope_id, deadline=30)).id == final.message_id
        notices = [each async for each in agency.notices(idle=0.2)]
        assert [each.receipt.code for each in notices if isinstance(each, ReceiptNotice)] == ["recipient/unknown"]


async def test_it_is_not_sent_before_its_time_and_not_forgotten_with_the_process(world: World) -> None:
    async with world.connect() as agency:
        sent = await agency.send(document=paper(), recipients=["G22"])
        await world.post.put("notices.H37", world.receipt(sent.envelope_id, retry_after=3600))
        await postponed(agency)
    async with world.connect() as agency:
        other = await agency.send(document=paper(), recipients=["G22"])
        assert [each.id for each in await agency.outbox()] == [sent.envelope_id]
    assert [each.message_id for each in world.post.published] == [sent.envelope_id, other.envelope_id]
    world.clock.time += 3600 * SECOND
    async with world.connect() as agency:
        await world.post.until(lambda: len(world.post.published) == 3)
        assert await agency.outbox() == []
    assert world.post.published[-1].message_id == sent.envelope_id


async def test_a_status_over_a_limit_is_sent_again_too(world: World) -> None:
    async with world.connect() as agency:
        reported = await agency.report(STRANGE, StatusCode.ACCEPTED)
        await world.post.put("notices.H37", world.receipt(reported.status_id, retry_after=1))
        await postponed(agency)
        world.clock.time += SECOND
        await world.post.until(lambda: len(world.post.published) == 2)
        assert world.post.statuses() == [("03", "H37", None, None)] * 2


async def test_a_refusal_that_waited_in_the_queue_for_longer_is_over(world: World) -> None:
    async with world.connect() as agency:
        sent = await agency.send(document=paper(), recipients=["G22"])
        receipt = world.receipt(sent.envelope_id, retry_after=600)
        world.clock.time += 601 * SECOND
        await world.post.put("notices.H37", receipt)
        agency.notices()
        await world.post.until(lambda: len(world.post.published) == 2)


async def test_sending_again_by_hand_does_not_wait(world: World) -> None:
    async with world.connect() as agency:
        sent = await agency.send(document=paper(), recipients=["G22"])
        await world.post.put("notices.H37", world.receipt(sent.envelope_id, retry_after=3600))
        await postponed(agency)
        await agency.send_again(sent.envelope_id)
        assert len(world.post.published) == 2


async def test_an_agency_that_only_sends_sends_it_again_too(world: World) -> None:
    async with world.connect() as agency:
        sent = await agency.send(document=paper(), recipients=["G22"])
        await world.post.put("notices.H37", world.receipt(sent.envelope_id, retry_after=1))
        await postponed(agency)
        world.clock.time += SECOND
        await world.post.until(lambda: len(world.post.published) == 2)
    async with world.connect() as agency:
        reported = await agency.report(STRANGE, StatusCode.ACCEPTED)
        await world.post.put("notices.H37", world.receipt(reported.status_id, retry_after=1))
        await postponed(agency)
        world.clock.time += SECOND
        await world.post.until(lambda: len(world.post.published) == 4)


async def test_a_receipt_that_says_more_than_we_know_is_a_receipt(world: World) -> None:
    async with world.connect() as agency:
        sent = await agency.send(document=paper(), recipients=["G22"])
        later = world.receipt(sent.envelope_id, retry_after=1, also={"log_index": 7})
        await world.post.put("notices.H37", later)
        await postponed(agency)
        await world.post.put("notices.H37", final := world.receipt(sent.envelope_id, also={"log_index": 8}))
        assert (await agency.receipt(sent.envelope_id, deadline=30)).id == final.message_id
        notice = await anext(agency.notices(idle=30))
        assert isinstance(notice, ReceiptNotice)
        assert notice.receipt.id == final.message_id


async def test_one_about_a_message_of_somebody_else_is_told(world: World) -> None:
    async with world.connect() as agency:
        await world.post.put("notices.H37", world.receipt(STRANGE, retry_after=60))
        notice = await anext(agency.notices(idle=30))
        assert isinstance(notice, ReceiptNotice)
        assert (notice.receipt.code, notice.receipt.retry_after) == ("limit/messages", 60)
