"""Recalls in the SDK: the sender's wait for their document, the mailbox hands out one thing, proofs are reported."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from axis.client import Delivery, File, MemoryLedger, NotConfirmed, SqliteLedger
from axis.client.acting import beside
from axis.client.ledger import Entry, Ledger, Taken
from axis.core.ids import new_id, time_of
from axis.core.messages import Submission
from axis.edxml import Business, ReceiverChange
from axis.errors import NotFound, Refused
from schemas import Action, StatusCode
from tests.unit.client.doubles import NOW, World, identity, paper
from tests.unit.client.test_papers import OURS, package

NORMAL, URGENT = "mailbox.normal.H37", "mailbox.urgent.H37"


def recall_of(world: World, sent: Submission, **changes: Any) -> Submission:
    return world.document(action=Action.RECALL, concerns=sent.message_id, reason="Ban hành nhầm", **changes)


async def taken(agency: Any, idle: float = 0.2) -> list[Delivery]:
    return [delivery async for delivery in agency.inbox(idle=idle)]


def said(world: World) -> list[tuple[str, str, object]]:
    bodies = [json.loads(each.body) for each in world.post.published if each.type == "status"]
    return [(each["envelope"], each["code"], each.get("destroyed", {}).get("untaken")) for each in bodies]


def sent_documents(world: World) -> list[Any]:
    return [json.loads(each.body) for each in world.post.published if each.type == "document"]


# The recipient


async def test_a_recall_in_the_other_lane_withdraws_its_document(world: World) -> None:
    sent = world.document()
    recall = recall_of(world, sent, urgent=True)
    await world.post.put(URGENT, recall)
    await world.post.put(NORMAL, sent, world.document())
    async with world.connect() as agency:
        found = await taken(agency)
        assert [(each.envelope.action, each.withdrawn) for each in found] == [
            (Action.RECALL, True),
            (Action.NEW, False),
        ]
        assert await taken(agency) == []
    assert not world.post.unacked
    assert [each for each in said(world) if each[0] == recall.message_id] == [
        (recall.message_id, "01", None),
        (recall.message_id, "15", None),
        (recall.message_id, "15", True),
    ]
    assert not [each for each in said(world) if each[0] == sent.message_id]


async def test_a_recall_waiting_behind_its_document_withdraws_it_too(world: World) -> None:
    sent = world.document()
    recall = recall_of(world, sent)
    await world.post.put(NORMAL, world.document(), sent, world.document(), recall)
    async with world.connect() as agency:
        found = await taken(agency)
    assert [each.withdrawn for each in found if each.envelope.id == recall.message_id] == [True]
    assert sent.message_id not in [each.envelope.id for each in found]
    assert len(found) == 3
    assert not world.post.unacked


async def test_a_recall_of_what_was_taken_is_the_applications_to_answer(world: World, tmp_path: Path) -> None:
    digest = (await world.shelf.upload(File.of_bytes("7.pdf", b"%PDF"))).sha256
    sent = world.document(
        attachments=[{"name": "7.pdf", "media_type": "application/pdf", "size": 4, "sha256": digest, "role": "main"}]
    )
    recall = recall_of(world, sent)
    async with world.connect() as agency:
        await world.post.put(NORMAL, sent)
        await taken(agency)
        await world.post.put(NORMAL, recall)
        async for delivery in agency.inbox(idle=0.2):
            assert not delivery.withdrawn
            await delivery.agree()
            for _ in range(2):
                (proved,) = await delivery.destroyed()
        assert proved.code is StatusCode.AGREED
        assert [each for each in said(world) if each[0] == recall.message_id] == [
            (recall.message_id, "01", None),
            (recall.message_id, "15", None),
            (recall.message_id, "15", False),
        ]
        proof = json.loads(world.post.published[-1].body)["destroyed"]
        assert (proof["files"], proof["at"][:10]) == ([digest], "2026-11-24")
        assert await agency.find("G22,2026/11/24,7816/VPCP-TTĐT") == [recall.message_id, sent.message_id]
        await agency.forget(sent.message_id)
        assert await agency.find("G22,2026/11/24,7816/VPCP-TTĐT") == [recall.message_id]
        # What was taken stays taken.
        await world.post.put(NORMAL, sent)
        assert await taken(agency) == []


async def test_a_recall_without_its_document_is_handed_out_when_nothing_else_comes(world: World) -> None:
    sent = world.document()
    recall = recall_of(world, sent)
    async with world.connect() as agency:
        await world.post.put(URGENT, recall)
        (alone,) = await taken(agency)
        assert (alone.envelope.id, alone.withdrawn) == (recall.message_id, False)
        await world.post.put(NORMAL, sent)
        assert await taken(agency) == []
    assert (recall.message_id, "15", True) in said(world)


async def test_what_is_not_dealt_with_comes_again_after_a_crash(world: World, tmp_path: Path) -> None:
    sent = world.document()
    recall = recall_of(world, sent)
    await world.post.put(URGENT, recall)
    await world.post.put(NORMAL, sent)

    async def look() -> None:
        async with world.connect() as agency:
            async for delivery in agency.inbox(idle=0.2):
                assert delivery.withdrawn
                raise KeyboardInterrupt

    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            await look()
    async with world.connect() as agency:
        inbox = agency.inbox(idle=0.2)
        async for _ in inbox:
            inbox.leave()
        (again,) = await taken(agency)
        await again.agree()
        assert await taken(agency) == []
    assert len(said(world)) == 3  # also the application's own 15 is the one that was said


async def test_recalls_behind_their_document_wait_in_their_line_again_when_one_fails(world: World) -> None:
    sent = world.document(recipients=["H37.05", "H37.06"])
    recalls = [recall_of(world, sent, recipients=[code]) for code in ("H37.05", "H37.06")]
    await world.post.put(NORMAL, sent, *recalls)
    ledger = MemoryLedger()
    write = ledger.write

    async def failing(**changes: Any) -> list[Entry]:
        ledger.write = write  # type: ignore[method-assign]
        raise OSError("no space left")

    async with world.connect(ledger=ledger) as agency:
        inbox = agency.inbox(idle=0.5)
        ledger.write = failing  # type: ignore[method-assign]
        with pytest.raises(OSError, match="no space left"):
            await anext(inbox)
        found = [delivery async for delivery in inbox]
    assert [(each.envelope.id, each.withdrawn) for each in found] == [(each.message_id, True) for each in recalls]
    assert not world.post.unacked


async def test_a_recall_of_what_was_taken_meanwhile_is_handed_out(world: World) -> None:
    sent = world.document()
    recall = recall_of(world, sent)
    await world.post.put(NORMAL, sent, recall)
    ledger = MemoryLedger()
    taken_before = ledger.taken

    async def taken_meanwhile(envelope_id: str) -> Taken | None:
        known = await taken_before(envelope_id)
        if envelope_id == recall.message_id and known is None:
            await ledger.write(taken=[Taken(str(sent.message_id), "0" * 64, NOW)])
        return known

    async with world.connect(ledger=ledger) as agency:
        ledger.taken = taken_meanwhile  # type: ignore[method-assign]
        assert recall.message_id in [each.envelope.id for each in await taken(agency)]
    assert not world.post.unacked


@pytest.mark.parametrize("lane", [URGENT, NORMAL])
async def test_who_only_looks_withdraws_nothing(world: World, lane: str) -> None:
    sent = world.document()
    recall = recall_of(world, sent, urgent=lane == URGENT)
    both = [sent.message_id, recall.message_id]
    await world.post.put(NORMAL, sent)
    await world.post.put(lane, recall)
    for _ in range(2):
        ledger = MemoryLedger()
        async with world.connect(ledger=ledger) as agency:
            found = [each async for each in agency.inbox(idle=0.2, looking=True)]
        assert sorted((each.envelope.id, each.withdrawn, each.taken) for each in found) == [
            (each, False, False) for each in sorted(map(str, both))
        ]
        assert (await ledger.entries(), await ledger.open_recalls()) == ([], [])
    assert said(world) == []
    async with world.connect() as agency:
        assert [(each.envelope.id, each.withdrawn) for each in await taken(agency)] == [(recall.message_id, True)]


async def test_a_recall_for_one_of_two_units_leaves_the_document_to_the_other(world: World) -> None:
    sent = world.document(recipients=["H37.05", "H37.06"])
    recall = recall_of(world, sent, recipients=["H37.05"])
    await world.post.put(URGENT, recall)
    await world.post.put(NORMAL, sent)
    async with world.connect() as agency:
        found = await taken(agency)
    assert {(each.envelope.id, each.recipients, each.withdrawn) for each in found} == {
        (sent.message_id, ("H37.06",), False),
        (recall.message_id, ("H37.05",), True),
    }


async def test_a_strangers_recall_withdraws_nothing(world: World) -> None:
    stranger = identity("G12")
    world.shelf.enrol(stranger)
    sent = world.document()
    await world.post.put(URGENT, recall_of(world, sent, sender="G12", by=stranger))
    await world.post.put(NORMAL, sent)
    async with world.connect() as agency:
        found = await taken(agency)
    assert [(each.envelope.action, each.withdrawn) for each in found] == [(Action.NEW, False), (Action.RECALL, False)]
    forged = world.document()
    await world.post.put(NORMAL, forged, recall_of(world, forged, by=stranger))
    async with world.connect() as agency:
        assert [each.envelope.id for each in await taken(agency)] == [forged.message_id]
        assert len(await agency.suspicious()) == 1


# The sender


async def answered(world: World, about: str, **changes: Any) -> None:
    await world.post.put("notices.H37", world.receipt(about, **changes))


async def test_a_recall_goes_to_everybody_who_still_has_the_document(world: World) -> None:
    async with world.connect() as agency:
        sent = await agency.send(document=paper(), recipients=["G22", "G12", "H26"])
        await answered(world, sent.envelope_id, also={"outcome": "accepted", "code": None})
        await agency.receipt(sent.envelope_id, deadline=5)
        update, removal = await agency.update(sent.envelope_id, reason="Bổ sung", add=["K11"], remove=["G12"])
        await agency.replace(sent.envelope_id, document=paper(), reason="Sai số liệu", recipients=["H26"])
        await agency.recall(sent.envelope_id, "Ban hành nhầm")
        with pytest.raises(NotFound):
            await agency.recall(new_id(NOW), "Ban hành nhầm")
    first, *rest = sent_documents(world)
    assert [(each["action"], each["recipients"], each["concerns"]) for each in rest] == [
        ("update", ["G22", "H26", "K11"], first["id"]),
        ("recall", ["G12"], first["id"]),
        ("replace", ["H26"], first["id"]),
        ("recall", ["G22", "H26", "K11"], first["id"]),
    ]
    assert removal.envelope_id == beside(update.envelope_id, "removed")
    assert time_of(removal.envelope_id) == time_of(update.envelope_id)
    assert rest[3]["document"]["document_id"] == first["document"]["document_id"]


async def test_receivers_of_a_package_are_added_and_removed(world: World) -> None:
    changes = (ReceiverChange("000.00.00.G12", added=False), ReceiverChange("000.00.00.K11", added=True))
    async with world.connect() as agency:
        sent = await agency.send_edxml(package(), recipients=["G22", "G12"])
        await answered(world, sent.envelope_id, also={"outcome": "accepted", "code": None})
        await agency.receipt(sent.envelope_id, deadline=5)
        await agency.send_edxml(
            package(business=Business(Action.UPDATE, "2", "Đổi nơi nhận", document_id=OURS, receiver_changes=changes))
        )
    _, *rest = sent_documents(world)
    assert [(each["action"], each["recipients"]) for each in rest] == [("update", ["G22", "K11"]), ("recall", ["G12"])]


@pytest.mark.parametrize("accepted", [True, False])
async def test_a_recall_waits_for_the_receipt_of_its_document(world: World, *, accepted: bool) -> None:
    outcome = {"outcome": "accepted", "code": None} if accepted else {}
    async with world.connect() as agency:
        sent = await agency.send(document=paper(), recipients=["G22"])
        recalling = asyncio.create_task(agency.recall(sent.envelope_id, "Ban hành nhầm"))
        await world.post.until(lambda: recalling.done() or bool(world.post.published))
        assert [each["action"] for each in sent_documents(world)] == ["new"]
        await answered(world, sent.envelope_id, also=outcome)
        if accepted:
            await recalling
            assert [each["action"] for each in sent_documents(world)] == ["new", "recall"]
            return
        with pytest.raises(Refused) as caught:
            await recalling
        assert caught.value.code == "concerns/refused"
        with pytest.raises(Refused):
            await agency.recall(sent.envelope_id, "Ban hành nhầm")
    assert len(sent_documents(world)) == 1


async def test_a_recall_of_what_is_over_a_limit_stays_in_the_outbox(world: World) -> None:
    world.settings = replace(world.settings, deadline=0.2)
    ledger = MemoryLedger()
    async with world.connect(ledger=ledger) as agency:
        sent = await agency.send(document=paper(), recipients=["G22"])
        await answered(world, sent.envelope_id, retry_after=3600)
        with pytest.raises(NotConfirmed) as caught:
            await agency.recall(sent.envelope_id, "Ban hành nhầm")
        recall = caught.value.envelope_id
    assert [each["action"] for each in sent_documents(world)] == ["new"]
    world.settings = replace(world.settings, deadline=5.0)
    async with world.connect(ledger=ledger) as agency:
        # The document was sent again meanwhile, and refused: so is the recall.
        await answered(world, sent.envelope_id)
        await agency.receipt(sent.envelope_id, deadline=5)
        with pytest.raises(Refused, match="was refused"):
            await agency.receipt(recall, deadline=0.05)
    assert [each["action"] for each in sent_documents(world)] == ["new"]


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
async def test_what_waits_is_let_go_given_up_or_sent_after_all(kind: str, tmp_path: Path) -> None:
    ledger: Ledger = MemoryLedger() if kind == "memory" else await SqliteLedger.open(tmp_path / "l")

    def entry(name: str, waits_for: str | None = None) -> Entry:
        return Entry(name, name, "document", name, "x", "r", "m", b"b", "s", waits_for=waits_for)

    first = entry("first")
    waiting = [entry(name, "first") for name in ("one", "two")] + [entry("other", "elsewhere")]
    await ledger.write(entries=[first, *waiting])
    assert await ledger.entries(due=NOW) == [first]
    await ledger.give_up("elsewhere", NOW)
    (given_up,) = [each for each in await ledger.entries(unconfirmed=False) if each.given_up]
    assert given_up.id == "other"
    await ledger.unblock("nobody")
    await ledger.unblock(None, confirmed_before=NOW)
    assert await ledger.entries(due=NOW) == [first]
    await ledger.confirm([first], NOW)
    await ledger.unblock(None, confirmed_before=NOW)
    assert await ledger.entries(due=NOW) == []
    await ledger.unblock(None, confirmed_before=NOW + NOW.resolution)
    assert [each.id for each in await ledger.entries(due=NOW)] == ["one", "two"]
    await ledger.write(entries=[entry("three", "first")])
    await ledger.unblock("first")
    assert [each.id for each in await ledger.entries(due=NOW)] == ["one", "two", "three"]
    await ledger.close()
