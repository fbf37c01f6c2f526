"""Sending: what is refused before it leaves, what is kept when the broker is away, and receipts."""

import asyncio
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from axis.client import File, NotConfirmed, ReceiptNotice, StatusNotice
from axis.client.witness import Witness
from axis.edxml.errors import EdxmlError
from axis.errors import Malformed, Misconfigured, NotFound, Refused, Unavailable
from schemas import Action, Priority, StatusCode
from tests.unit.client.doubles import World, identity, paper

EDXML = Path(__file__).parents[4] / "shared" / "data" / "edxml"
ENVELOPE = "01995f1c-7a3e-7c21-9f5e-3b7d9c0a4e11"


def bodies(world: World) -> list[Any]:
    return [json.loads(message.body) for message in world.post.published]


async def test_a_document_goes_out_signed_with_its_files(world: World, tmp_path: Path) -> None:
    (tmp_path / "7816-VPCP.pdf").write_bytes(b"%PDF-1.7")
    appendix = File(b"a,b", "phụ lục.csv", description="Số liệu")
    async with world.connect() as agency:
        sent = await agency.send(
            document=paper(Priority.EXPRESS),
            recipients=["G22", "000.00.05.H53"],
            attachments=[tmp_path / "7816-VPCP.pdf", appendix],
        )
        assert sent.lane == "urgent"
        assert await agency.outbox() == []
    (message,) = world.post.published
    assert (message.exchange, message.routing_key, message.user_id) == ("axis.submit", "urgent.H37", "H37")
    assert (message.type, message.message_id) == ("document", sent.envelope_id)
    witness = Witness(source=world.shelf, cache=None, axis_certificate=world.axis.certificate_pem)
    envelope, signer = await witness.envelope(message.body, message.headers["axis-signature"])
    assert signer.organisation == "H37"
    assert envelope.recipients == ["G22", "H53.05"]
    assert [(a.name, a.media_type, a.size, a.role.value) for a in envelope.attachments] == [
        ("7816-VPCP.pdf", "application/pdf", 8, "main"),
        ("phụ lục.csv", "text/csv", 3, "appendix"),
    ]
    assert world.shelf.files[hashlib.sha256(b"a,b").hexdigest()] == b"a,b"


async def test_a_certificate_is_kept_by_several_who_verify_side_by_side(world: World, tmp_path: Path) -> None:
    async with world.connect() as agency:
        await agency.send(document=paper(), recipients=["G22"])
    (message,) = world.post.published
    for number in range(20):
        cache = tmp_path / str(number)
        witness = Witness(source=world.shelf, cache=cache, axis_certificate=world.axis.certificate_pem)
        proofs = (witness.envelope(message.body, message.headers["axis-signature"]) for _ in range(8))
        for _, signer in await asyncio.gather(*proofs):
            assert signer.organisation == "H37"
        (kept,) = await asyncio.to_thread(os.listdir, cache)
        assert kept.endswith(".json")


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ({"recipients": []}, "envelope/no-recipients"),
        ({"recipients": ["G22", "G22"]}, "message/schema"),
        ({"action": Action.RECALL}, "message/schema"),
        ({"sender": "G22"}, "abuse/account"),
        ({"attachments": [File(b"x", "../../x")]}, "envelope/attachment-name"),
        ({"attachments": [File(b"x", ".bashrc")]}, "envelope/attachment-name"),
        ({"attachments": [File(b"x", "a.pdf"), File(b"y", "A.PDF")]}, "message/schema"),
    ],
)
async def test_what_the_axis_would_refuse_never_leaves(world: World, what: dict[str, Any], code: str) -> None:
    async with world.connect() as agency:
        with pytest.raises(Refused) as refused:
            await agency.send(**{"document": paper(), "recipients": ["G22"], **what})
        assert refused.value.code == code
        assert await agency.outbox() == []
    assert world.post.published == []
    assert world.shelf.files == {}


async def test_a_file_that_is_not_there_is_named(world: World, tmp_path: Path) -> None:
    async with world.connect() as agency:
        with pytest.raises(Malformed, match=r"none\.pdf: No such file"):
            await agency.send(document=paper(), recipients=["G22"], attachments=[tmp_path / "none.pdf"])


async def test_a_unit_below_is_spoken_for(world: World) -> None:
    async with world.connect() as agency:
        await agency.send(document=paper(), recipients=["G22"], sender="H37.05")
    assert [message.routing_key for message in world.post.published] == ["normal.H37.05"]


async def test_an_unconfirmed_document_is_kept_and_sent_at_the_next_connect(world: World) -> None:
    world.post.away = True
    async with world.connect() as agency:
        with pytest.raises(NotConfirmed, match="do not send the document anew") as raised:
            await agency.send(document=paper(), recipients=["G22"])
        (kept,) = await agency.outbox()
        assert kept.id == raised.value.envelope_id
    world.post.away = False
    async with world.connect() as agency:
        await world.post.until(lambda: bool(world.post.published))
        assert await agency.outbox() == []
    assert [(message.message_id, message.body) for message in world.post.published] == [(kept.id, kept.body)]


async def test_it_is_sent_by_itself_when_the_broker_comes_back(world: World) -> None:
    world.post.away = True
    async with world.connect() as agency:
        with pytest.raises(NotConfirmed):
            await agency.send(document=paper(), recipients=["G22"])
        world.post.away = False
        await world.post.until(lambda: bool(world.post.published))


async def test_a_lost_confirm_makes_no_second_document(world: World) -> None:
    world.post.deaf = True
    async with world.connect() as agency:
        with pytest.raises(NotConfirmed):
            await agency.send(document=paper(), recipients=["G22"])
        world.post.deaf = False
    async with world.connect() as agency:
        pass
    assert len(world.post.published) >= 2
    assert len({(m.message_id, m.body, m.headers["axis-signature"]) for m in world.post.published}) == 1


async def test_an_id_of_the_applications_own_makes_calling_again_safe(world: World) -> None:
    async with world.connect() as agency:
        identifier = agency.new_envelope_id()
        world.post.away = True
        with pytest.raises(NotConfirmed):
            await agency.send(document=paper(), recipients=["G22"], envelope_id=identifier)
        world.post.away = False
        await agency.send(document=paper(), recipients=["G22"], envelope_id=identifier)
    async with world.connect() as agency:
        await agency.send(document=paper(), recipients=["G22"], envelope_id=identifier)
        with pytest.raises(Refused, match="id-reused"):
            await agency.send(document=paper(), recipients=["G12"], envelope_id=identifier)
    (message,) = world.post.published
    assert message.message_id == identifier


async def test_a_process_that_lives_for_one_document_sends_what_was_left(world: World) -> None:
    world.post.away = True
    async with world.connect() as agency:
        with pytest.raises(NotConfirmed):
            await agency.send(document=paper(), recipients=["G22"])
    world.post.away = False
    async with world.connect() as agency:
        await agency.send(document=paper(), recipients=["G22"])
    assert len({message.message_id for message in world.post.published}) == 2


async def test_the_same_bytes_can_be_sent_again(world: World) -> None:
    async with world.connect() as agency:
        sent = await agency.send(document=paper(), recipients=["G22"])
        again = await agency.send_again(sent.envelope_id)
        assert (again.envelope_id, again.lane) == (sent.envelope_id, sent.lane)
        with pytest.raises(NotFound):
            await agency.send_again(ENVELOPE)
    one, two = world.post.published
    assert one == two


async def test_a_status_about_an_earlier_document(world: World) -> None:
    async with world.connect() as agency:
        first = await agency.report(ENVELOPE, StatusCode.FINISHED)
        again = await agency.report(ENVELOPE, StatusCode.FINISHED)
        other = await agency.report(ENVELOPE, StatusCode.FINISHED, recipient="H37.05")
        await agency.report(ENVELOPE, StatusCode.TAKE_BACK, recipient="G22", reason="Gửi nhầm")
        with pytest.raises(Refused):
            await agency.report(ENVELOPE, StatusCode.REFUSED)
    assert first == again
    assert other.status_id != first.status_id
    assert world.post.statuses() == [
        ("06", "H37", None, None),
        ("06", "H37", "H37.05", None),
        ("13", "H37", "G22", "Gửi nhầm"),
    ]
    assert {message.routing_key for message in world.post.published} == {"H37"}


async def test_what_was_reported_about_a_document_can_be_reported_again(world: World) -> None:
    async with world.connect() as agency:
        await agency.send(document=paper(), recipients=["G22"])
        said = [await agency.report(ENVELOPE, code) for code in (StatusCode.ACCEPTED, StatusCode.FINISHED)]
        assert [each.status_id for each in await agency.report_again(ENVELOPE)] == [each.status_id for each in said]
        assert await agency.report_again("019a0000-0000-7000-8000-000000000000") == []
        assert await agency.outbox() == []
    _, *statuses = world.post.published
    assert statuses[2:] == statuses[:2]


@pytest.mark.skipif(not EDXML.is_dir(), reason="the sample packages are not here")
async def test_an_edxml_package_becomes_an_envelope(world: World) -> None:
    async with world.connect() as agency:
        sent = await agency.send_edxml(EDXML / "edoc_new.edxml", recipients=["G22"], sender="H37")
        with pytest.raises(Refused, match="does not speak for"):
            await agency.send_edxml(EDXML / "edoc_new.edxml", recipients=["G22"])
        with pytest.raises(EdxmlError, match="status package"):
            await agency.send_edxml(EDXML / "status_inbox_01.edxml")
    (body,) = bodies(world)
    assert (body["id"], body["sender"], body["recipients"]) == (sent.envelope_id, "H37", ["G22"])
    for attachment in body["attachments"]:
        assert len(world.shelf.files[attachment["sha256"]]) == attachment["size"]
    package = body["attachments"][-1]
    assert (package["role"], package["media_type"]) == ("package", "application/xml")
    assert package["name"] == "000.00.00.G22,2015_09_30,7816_VPCP-TTĐT.edxml"
    assert world.shelf.files[package["sha256"]] == (EDXML / "edoc_new.edxml").read_bytes()
    assert [each["role"] for each in body["attachments"][:-1]] == ["main"]


# Receipts and notices


async def test_a_receipt_is_waited_for_past_the_statuses_before_it(world: World) -> None:
    async with world.connect() as agency:
        sent = await agency.send(document=paper(), recipients=["G22"])
        status = world.status(sent.envelope_id, StatusCode.ARRIVED)
        await world.post.put("notices.H37", status, world.receipt(sent.envelope_id))
        receipt = await agency.receipt(sent.envelope_id, deadline=5)
        assert (receipt.message_id, receipt.code) == (sent.envelope_id, "recipient/unknown")
        assert not world.post.unacked
    async with world.connect() as agency:
        assert await agency.receipt(sent.envelope_id, deadline=5) == receipt
        seen = [notice async for notice in agency.notices(idle=0.3)]
        assert [type(notice) for notice in seen] == [StatusNotice, ReceiptNotice]
    async with world.connect() as agency:
        assert [notice async for notice in agency.notices(idle=0.3)] == []


async def test_a_receipt_that_does_not_come_is_said_so(world: World) -> None:
    async with world.connect() as agency:
        with pytest.raises(Unavailable, match="no receipt"):
            await agency.receipt(ENVELOPE, deadline=0.05)


async def test_a_notice_left_comes_again_and_done_ends_it(world: World) -> None:
    await world.post.put("notices.H37", world.receipt(ENVELOPE), world.receipt(ENVELOPE))
    async with world.connect() as agency:
        await anext(agency.notices())
        async for notice in agency.notices():
            await notice.done()
            break
        assert len([notice async for notice in agency.notices(idle=0.3)]) == 1


async def test_a_repeated_notice_is_handed_out_once(world: World) -> None:
    receipt = world.receipt(ENVELOPE)
    await world.post.put("notices.H37", receipt, receipt)
    async with world.connect() as agency:
        assert len([notice async for notice in agency.notices(idle=0.3)]) == 1


async def test_notices_that_cannot_be_proved_are_set_aside(world: World) -> None:
    other = identity("G12")
    world.shelf.enrol(other)
    await world.post.put(
        "notices.H37",
        world.receipt(ENVELOPE, by=world.sender),  # not the axis's key
        world.receipt(ENVELOPE, account="H38"),  # not for us
        world.status(ENVELOPE, StatusCode.ARRIVED, by=other),  # not the reporter's key
        world.document(),  # not a notice
        world.status(ENVELOPE, StatusCode.ARRIVED),
    )
    async with world.connect() as agency:
        (notice,) = [notice async for notice in agency.notices(idle=0.3)]
        assert notice.status.reporter == "G22"
        kept = [each.reason for each in await agency.suspicious()]
    assert kept == ["certificate/unknown", "abuse/account", "abuse/signer", "message/type"]
    assert not world.post.unacked
    assert world.post.published == [], "nobody is told: 02 is about documents"


async def test_a_second_process_finds_the_receipt_the_first_was_handed(world: World) -> None:
    async with world.connect() as daemon, world.connect() as agency:
        async with asyncio.TaskGroup() as group:
            waiting = group.create_task(agency.receipt(ENVELOPE, deadline=5))
            reading = group.create_task(anext(daemon.notices()))
            await world.post.put("notices.H37", world.receipt(ENVELOPE))
        assert waiting.result() == reading.result().receipt


async def test_a_gateway_that_refuses_us_is_said_to_who_waits_for_notices(world: World) -> None:
    world.shelf.refuses = "token/invalid"
    await world.post.put("notices.H37", world.status(ENVELOPE, StatusCode.ARRIVED))
    async with world.connect() as agency:
        with pytest.raises(Misconfigured, match="token/invalid"):
            await anext(agency.notices())
    assert len(world.post.waiting("notices.H37")) == 1


# The block itself


async def test_an_error_in_the_block_comes_out_as_it_is(world: World) -> None:
    with pytest.raises(ZeroDivisionError):
        async with world.connect():
            raise ZeroDivisionError


async def test_cancelling_ends_cleanly_and_gives_back(world: World) -> None:
    submission = world.document()
    await world.post.put("mailbox.normal.H37", submission)
    taken = asyncio.Event()

    async def run() -> None:
        async with world.connect() as agency:
            async for _ in agency.inbox():
                taken.set()
                await asyncio.Event().wait()

    task = asyncio.ensure_future(run())
    await taken.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert world.post.waiting("mailbox.normal.H37") == [submission.message_id]


async def test_a_fault_in_the_background_ends_the_block(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("axis.client.outbox.Outbox.run", broken)
    with pytest.raises(ExceptionGroup) as raised:
        async with world.connect():
            await asyncio.Event().wait()
    assert raised.group_contains(ZeroDivisionError)


# State secrets


async def test_of_a_state_secret_nothing_leaves_and_nothing_is_kept(world: World, tmp_path: Path) -> None:
    marked = paper().model_copy(update={"subject": "MẬT: Phương án"})
    package = tmp_path / "a.edxml"
    package.write_text(EDXML_MARKED, encoding="utf-8")
    async with world.connect() as agency:
        for sending in (
            agency.send(document=marked, recipients=["G22"], attachments=[File(b"%PDF", "1.pdf")]),
            agency.send(document=paper(), recipients=["G22"], attachments=[File(b"%PDF", "Tối mật.pdf")]),
            agency.send_edxml(package),
        ):
            with pytest.raises(Refused) as caught:
                await sending
            assert caught.value.code == "secrecy/marked"
        assert await agency.outbox() == []
    assert (world.post.published, world.shelf.files) == ([], {})


EDXML_MARKED = """<?xml version="1.0" encoding="UTF-8"?>
<edXML xmlns="http://www.mic.gov.vn/TBT/QCVN_102_2016"><edXML:edXMLEnvelope
 xmlns:edXML="http://www.mic.gov.vn/TBT/QCVN_102_2016"><edXML:edXMLHeader><edXML:MessageHeader>
<edXML:From><edXML:OrganId>000.00.00.H37</edXML:OrganId></edXML:From>
<edXML:To><edXML:OrganId>000.00.00.G22</edXML:OrganId></edXML:To>
<edXML:DocumentId>000.00.00.H37,2026/11/24,1/UBND</edXML:DocumentId>
<edXML:Subject>V/v phối hợp</edXML:Subject>
<edXML:OtherInfo><edXML:Priority>0</edXML:Priority><edXML:DoMat>Tối mật</edXML:DoMat></edXML:OtherInfo>
</edXML:MessageHeader></edXML:edXMLHeader></edXML:edXMLEnvelope></edXML>
"""
