"""Taking documents, and what a crash or a cut does at each step (the list in axis.client.inbox)."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from axis.client import SqliteLedger
from axis.client.delivery import Delivery
from axis.errors import Misconfigured, Unavailable
from schemas import Staff, StatusCode
from tests.unit.client.doubles import NOW, World, identity

NORMAL = "mailbox.normal.H37"
URGENT = "mailbox.urgent.H37"


class Crash(Exception):
    """The process ends here."""


@contextlib.asynccontextmanager
async def crashing(world: World) -> AsyncIterator[Any]:
    """Connect, and end as a process does that fails in the block."""
    with pytest.raises(Crash):  # noqa: PT012 - the block is the caller's
        async with world.connect() as agency:
            yield agency
            raise Crash


async def drain(agency: Any, *, idle: float = 0.05) -> list[Delivery]:
    return [delivery async for delivery in agency.inbox(idle=idle)]


async def test_asking_for_the_next_takes_the_one_before(world: World) -> None:
    first, second = world.document(), world.document()
    await world.post.put(NORMAL, first, second)
    async with world.connect() as agency:
        inbox = agency.inbox()
        one = await anext(inbox)
        assert (one.envelope.id, one.recipients, one.signer.organisation) == (first.message_id, ("H37",), "G22")
        assert not one.taken
        assert world.post.published == []
        two = await anext(inbox)
        assert one.taken
        assert two.envelope.id == second.message_id
        assert world.post.statuses() == [("01", "H37", None, None)]
        assert [submission.message_id for submission in world.post.unacked] == [second.message_id]


async def test_urgent_documents_come_first(world: World) -> None:
    urgent = world.document(urgent=True)
    await world.post.put(NORMAL, world.document(), world.document())
    await world.post.put(URGENT, urgent)
    async with world.connect() as agency:
        inbox = agency.inbox()
        await anext(inbox)  # whatever was there when the first was asked for
        await world.post.until(lambda: len(world.post.unacked) == 3)
        ids = [(await anext(inbox)).envelope.id, (await anext(inbox)).envelope.id]
    assert urgent.message_id not in ids[1:]


async def test_a_body_left_by_an_exception_takes_nothing(world: World) -> None:
    submission = world.document()
    await world.post.put(NORMAL, submission)
    async with crashing(world) as agency:
        await anext(agency.inbox())
    assert world.post.published == []
    assert world.post.waiting(NORMAL) == [submission.message_id]
    async with world.connect() as agency:
        assert [each.envelope.id for each in await drain(agency)] == [submission.message_id]


async def test_a_body_left_by_break_takes_nothing_and_a_new_inbox_hands_it_out_again(world: World) -> None:
    submission = world.document()
    await world.post.put(NORMAL, submission)
    async with world.connect() as agency:
        async for _ in agency.inbox():
            break
        async for again in agency.inbox():
            assert again.envelope.id == submission.message_id
            await again.take()
            break
    assert world.post.statuses() == [("01", "H37", None, None)]
    assert not world.post.unacked
    assert not world.post.waiting(NORMAL)


async def test_what_is_left_comes_again_in_a_new_inbox(world: World) -> None:
    first, second = world.document(), world.document()
    await world.post.put(NORMAL, first, second)
    async with world.connect() as agency:
        inbox = agency.inbox(idle=0.3)
        async for _ in inbox:
            inbox.leave()
        assert world.post.published == []
        assert [each.envelope.id for each in await drain(agency)] == [first.message_id, second.message_id]
    assert not world.post.waiting(NORMAL)


async def test_a_status_takes_the_document_first(world: World) -> None:
    await world.post.put(NORMAL, world.document())
    async with world.connect() as agency:
        async for delivery in agency.inbox(idle=0.3):
            (reported,) = await delivery.accept(staff=Staff(name="Nguyễn Văn A"))
            assert reported.confirmed_at is not None
            await delivery.process()
            await delivery.finish()
            (again,) = await delivery.accept(staff=Staff(name="Nguyễn Văn A"))
            assert again == reported
    assert [code for code, *_ in world.post.statuses()] == ["01", "03", "05", "06"]
    assert not world.post.unacked


async def test_a_refusal_says_why(world: World) -> None:
    await world.post.put(NORMAL, world.document())
    async with world.connect() as agency:
        async for delivery in agency.inbox(idle=0.3):
            await delivery.refuse("Gửi nhầm nơi nhận")
    assert world.post.statuses()[1:] == [("02", "H37", None, "Gửi nhầm nơi nhận")]


async def test_statuses_name_each_recipient_as_addressed(world: World) -> None:
    submission = world.document(recipients=["G12", "H37.05", "H37", "H03"], routes={"H37": [1, 3]})
    await world.post.put(NORMAL, submission)
    async with world.connect() as agency:
        async for delivery in agency.inbox(idle=0.3):
            assert delivery.recipients == ("H37.05", "H37", "H03")
            await delivery.assign()
    assert sorted(world.post.statuses(), key=str) == [
        ("01", "H37", "H03", None),
        ("01", "H37", "H37.05", None),
        ("01", "H37", None, None),
        ("04", "H37", "H03", None),
        ("04", "H37", "H37.05", None),
        ("04", "H37", None, None),
    ]


@pytest.mark.parametrize("routes", [None, {"H37": [7]}, {"H37": "x"}, [1]])
async def test_without_usable_routes_our_code_and_below_are_meant(world: World, routes: Any) -> None:
    await world.post.put(NORMAL, world.document(recipients=["G12", "H37.05", "H38"], routes=routes))
    async with world.connect() as agency:
        (delivery,) = await drain(agency)
    assert delivery.recipients == ("H37.05",)


# Crash points


async def test_crash_after_hand_out_brings_it_again(world: World) -> None:
    # 1: nothing is recorded, so the application meets the id a second time
    submission = world.document()
    await world.post.put(NORMAL, submission)
    async with crashing(world) as agency:
        delivery = await anext(agency.inbox())
        assert delivery.envelope.id == submission.message_id
    async with world.connect() as agency:
        assert len(await drain(agency)) == 1


async def test_crash_after_the_ledger_sends_the_same_01_and_hands_nothing_out(world: World, tmp_path: Path) -> None:
    # 2: the broker is away between the ledger and the publish; then the process ends
    submission = world.document()
    await world.post.put(NORMAL, submission)
    world.post.away = True
    async with crashing(world) as agency:
        delivery = await anext(agency.inbox())
        await delivery.take()
        (waiting,) = await agency.outbox()
    assert world.post.waiting(NORMAL) == [submission.message_id]
    world.post.away = False
    async with world.connect() as agency:
        assert await drain(agency) == []
        assert await agency.outbox() == []
    assert [message.body for message in world.post.published] == [waiting.body]
    assert not world.post.unacked
    assert not world.post.waiting(NORMAL)


async def test_taking_and_the_first_status_are_kept_together(world: World) -> None:
    # 2: the process ends inside accept(), after the one write
    await world.post.put(NORMAL, world.document())
    async with crashing(world) as agency:
        delivery = await anext(agency.inbox())
        world.post.away = True
        await delivery.accept()
        kept = await agency.outbox()
        assert [entry.key.split()[1] for entry in kept] == ["01", "03"]
    world.post.away = False
    async with world.connect() as agency:
        assert await drain(agency) == []
    assert [message.body for message in world.post.published] == [entry.body for entry in kept]


async def test_a_lost_confirm_sends_the_same_bytes_again(world: World) -> None:
    # 3: the 01 reached the broker, its confirm did not reach us
    await world.post.put(NORMAL, world.document())
    world.post.deaf = True
    async with world.connect() as agency:
        delivery = await anext(agency.inbox())
        await delivery.take()
        assert len(world.post.unacked) == 1, "not acked before the 01 is confirmed"
        world.post.deaf = False
        await world.post.until(lambda: not world.post.unacked)
    assert len(world.post.published) >= 2
    assert len({(message.message_id, message.body) for message in world.post.published}) == 1


async def test_what_is_held_for_somebody_is_the_brokers_no_more_and_01_is_reported_later(world: World) -> None:
    document = world.document()
    await world.post.put(NORMAL, document, document)
    async with world.connect() as agency:
        delivery = await anext(agency.inbox())
        await delivery.hold()
        assert delivery.taken
        assert world.post.published == []
        assert await drain(agency) == []  # the copy is known, and only acked
        assert world.post.unacked == []
        await agency.report(delivery.envelope.id, StatusCode.ARRIVED, recipient="H37")
    assert world.post.statuses() == [("01", "H37", None, None)]


async def test_a_lost_ack_brings_a_repeat_that_is_only_acked(world: World) -> None:
    # 4 and 5: confirmed and noted, but the channel is gone before the ack
    await world.post.put(NORMAL, world.document())
    async with world.connect() as agency:
        inbox = agency.inbox(idle=0.3)
        delivery = await anext(inbox)
        await world.post.cut()
        await delivery.accept()
        assert [each async for each in inbox] == []
    assert [code for code, *_ in world.post.statuses()] == ["01", "03"]
    assert not world.post.unacked
    assert not world.post.waiting(NORMAL)


async def test_while_the_broker_takes_no_publishes_the_application_goes_on(world: World) -> None:
    await world.post.put(NORMAL, world.document(), world.document())
    world.post.away = True
    async with world.connect() as agency:
        seen = 0
        async for delivery in agency.inbox(idle=0.3):
            (reported,) = await delivery.accept()
            assert reported.confirmed_at is None
            seen += 1
        assert seen == 2
        assert len(world.post.unacked) == 2
        world.post.away = False
        await world.post.until(lambda: not world.post.unacked)
    assert sorted(code for code, *_ in world.post.statuses()) == ["01", "01", "03", "03"]


async def test_a_document_taken_under_one_process_is_known_to_the_next(world: World) -> None:
    submission = world.document()
    await world.post.put(NORMAL, submission, submission)
    async with world.connect() as agency:
        assert len(await drain(agency)) == 1
    await world.post.put(URGENT, submission)
    async with world.connect() as agency:
        assert await drain(agency) == []
    assert [code for code, *_ in world.post.statuses()] == ["01"]


async def test_a_ledger_that_cannot_be_written_takes_nothing(world: World) -> None:
    class Full(SqliteLedger):
        async def write(self, **what: Any) -> Any:
            if what.get("taken"):
                raise Unavailable("disk full")
            return await super().write(**what)

    await world.post.put(NORMAL, world.document())
    ledger = await Full.open(world.settings.state_folder / "full.sqlite3")
    async with world.connect(ledger=ledger) as agency:
        delivery = await anext(agency.inbox())
        with pytest.raises(Unavailable, match="disk full"):
            await delivery.take()
        assert not delivery.taken
        assert world.post.published == []
        assert len(world.post.unacked) == 1
    await ledger.close()


async def test_a_cancelled_wait_loses_nothing(world: World) -> None:
    world.shelf.away = True
    await world.post.put(NORMAL, world.document())
    async with world.connect() as agency:
        inbox = agency.inbox()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await anext(inbox)
        world.shelf.away = False
        assert (await anext(inbox)).envelope.sender == "G22"


# What cannot be proved


async def suspicious(world: World, *submissions: Any) -> tuple[str, list[Any]]:
    await world.post.put(NORMAL, *submissions)
    async with world.connect() as agency:
        assert await drain(agency) == []
        (kept,) = await agency.suspicious()
    assert not world.post.unacked
    assert not world.post.waiting(NORMAL)
    return kept.reason, world.post.statuses()


async def test_an_altered_document_is_set_aside_and_its_sender_told(world: World) -> None:
    altered = world.document(body=lambda body: body.replace(b"7816", b"7817"))
    reason, statuses = await suspicious(world, altered)
    assert reason == "signature/invalid"
    ((code, reporter, recipient, why),) = statuses
    assert (code, reporter, recipient) == ("02", "H37", None)
    assert why.startswith("signature/invalid: ")


async def test_a_key_of_another_agency_is_not_the_senders(world: World) -> None:
    other = identity("G12")
    world.shelf.enrol(other)
    reason, statuses = await suspicious(world, world.document(by=other))
    assert reason == "abuse/signer"
    assert [code for code, *_ in statuses] == ["02"]


async def test_the_axis_signs_no_documents(world: World) -> None:
    reason, _ = await suspicious(world, world.document(sender="W00", by=world.axis))
    assert reason == "abuse/signer"


async def test_an_expired_certificate_is_judged_as_of_the_document(world: World) -> None:
    short = identity("G22", not_after=NOW.replace(hour=9))
    world.shelf.enrol(short)
    submission = world.document(by=short)
    await world.post.put(NORMAL, submission)
    world.clock.time = NOW.replace(year=2027)
    async with world.connect() as agency:
        assert len(await drain(agency)) == 1


async def test_bytes_nobody_can_read_are_kept_and_nobody_is_told(world: World) -> None:
    assert await suspicious(world, world.document(body=lambda _: b"{")) == ("message/not-json", [])


async def test_other_bytes_under_a_taken_id_do_not_refuse_the_good_document(world: World) -> None:
    good = world.document()
    forged = world.document(body=lambda body: body)
    body = json.loads(forged.body)
    body["id"] = good.message_id
    changed = json.dumps(body).encode()
    forged = replace(
        forged,
        body=changed,
        message_id=good.message_id,
        headers={"axis-signature": world.sender.key.sign(changed)},
    )
    await world.post.put(NORMAL, good, forged)
    async with world.connect() as agency:
        assert len(await drain(agency)) == 1
        (kept,) = await agency.suspicious()
    assert kept.reason == "envelope/id-reused"
    assert [code for code, *_ in world.post.statuses()] == ["01"]


async def test_a_certificate_the_gateway_learns_of_late_accuses_nobody(world: World) -> None:
    late = identity("G22")
    await world.post.put(NORMAL, world.document(by=late))
    async with world.connect() as agency:
        inbox = agency.inbox()
        waiting = asyncio.ensure_future(anext(inbox))
        await world.post.until(lambda: world.shelf.asked >= 1)
        world.shelf.enrol(late)
        assert (await waiting).signer.organisation == "G22"
    assert world.post.published == []


async def test_a_gateway_that_refuses_us_says_nothing_about_the_document(world: World) -> None:
    world.shelf.refuses = "certificate/expired"
    await world.post.put(NORMAL, world.document())
    async with world.connect() as agency:
        with pytest.raises(Misconfigured, match="certificate/expired"):
            await anext(agency.inbox())
        assert await agency.suspicious() == []
    assert len(world.post.waiting(NORMAL)) == 1


async def test_certificates_are_kept_for_the_next_run(world: World) -> None:
    await world.post.put(NORMAL, world.document(), world.document())
    async with world.connect() as agency:
        await drain(agency)
    assert world.shelf.asked == 1
    world.shelf.away = True
    await world.post.put(NORMAL, world.document())
    async with world.connect() as agency:
        assert len(await drain(agency)) == 1
