"""Early recalls in the SDK: declined, of our own documents, and with several processes on one ledger."""

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from axis.client import SqliteLedger
from axis.client.recalls import keep_held
from axis.core.ids import new_id
from axis.errors import Refused
from schemas import StatusCode
from tests.unit.client.doubles import NOW, World, paper
from tests.unit.client.test_recalls import NORMAL, URGENT, answered, recall_of, said, taken


@pytest.mark.parametrize("agrees", [False, True])
async def test_a_declined_recall_leaves_its_document_alone_unless_agreed_to_later(
    world: World, *, agrees: bool
) -> None:
    sent = world.document(recipients=["H37.05", "H37.06"])
    recall = recall_of(world, sent, recipients=["H37.05"])
    async with world.connect() as agency:
        await world.post.put(URGENT, recall)
        async for delivery in agency.inbox(idle=0.2):
            await delivery.decline("đã giải quyết xong")
            if agrees:
                await delivery.agree()
        await agency._ledger.prune(before=new_id(NOW + dt.timedelta(days=900)))
        await world.post.put(NORMAL, sent)
        found = await taken(agency)
    assert [(each.envelope.id, each.recipients) for each in found if each.envelope.id == sent.message_id] == [
        (sent.message_id, ("H37.06",) if agrees else ("H37.05", "H37.06"))
    ]
    assert ((recall.message_id, "15", True) in said(world)) is agrees


async def test_an_agency_that_recalls_from_its_own_unit_finds_both_in_one_ledger(world: World) -> None:
    async with world.connect() as agency:
        sent = await agency.send(document=paper(), recipients=["H37.05"])
        await answered(world, sent.envelope_id, also={"outcome": "accepted", "code": None})
        await agency.receipt(sent.envelope_id, deadline=5)
        recall = await agency.recall(sent.envelope_id, "Ban hành nhầm")
        submitted = {each.message_id: each for each in world.post.published if each.type == "document"}
        for identifier, queue in ((recall.envelope_id, URGENT), (sent.envelope_id, NORMAL)):
            each = submitted[identifier]
            copy = replace(world.document(), body=each.body, message_id=identifier, headers=dict(each.headers))
            await world.post.put(queue, copy)
        found = await taken(agency)
    assert [(each.envelope.id, each.withdrawn) for each in found] == [(recall.envelope_id, True)]


@pytest.mark.parametrize("document_came", [False, True])
async def test_of_two_processes_with_one_ledger_one_gets_an_early_recall(
    world: World, tmp_path: Path, *, document_came: bool
) -> None:
    sent = world.document()
    recall = recall_of(world, sent)
    await world.post.put(URGENT, recall)
    one, other = [await SqliteLedger.open(tmp_path / "l") for _ in range(2)]
    if document_came:
        await world.post.put(NORMAL, sent)
    async with world.connect(ledger=other) as second:
        async with world.connect(ledger=one) as first:
            inbox = first.inbox(idle=0.2)
            delivery = await anext(inbox)
            assert (delivery.envelope.id, delivery.withdrawn) == (recall.message_id, document_came)
            assert await taken(second) == []
        await one.close()
        assert [each.envelope.id for each in await taken(second)] == [recall.message_id]
        assert await taken(second) == []
    await other.close()


async def test_a_recall_that_is_left_again_and_again_is_held_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[str] = []

    def counted(ledger: Any, envelope_id: str, *more: Any) -> Any:
        started.append(envelope_id)
        return keep_held(ledger, envelope_id, *more)

    monkeypatch.setattr("axis.client.inbox.keep_held", counted)
    recall = recall_of(world, world.document())
    await world.post.put(URGENT, recall)
    async with world.connect() as agency:
        for _ in range(3):
            left = agency.inbox(idle=0.2)
            assert (await anext(left)).envelope.id == recall.message_id
            left.leave()
    assert started == [recall.message_id]


async def test_who_declined_a_recall_keeps_a_document_that_was_set_aside(world: World) -> None:
    sent = world.document(recipients=["H37.05", "H37.06"])
    recall = recall_of(world, sent, recipients=["H37.05", "H37.06"])
    async with world.connect() as agency:
        await world.post.put(URGENT, recall)
        await taken(agency)
        await agency.report(recall.message_id, StatusCode.DECLINED, recipient="H37.05", reason="đã giải quyết xong")
        await world.post.put(NORMAL, sent)
        async for delivery in agency.inbox(idle=0.2):
            if delivery.envelope.id == sent.message_id:
                assert delivery.recipients == ("H37.05",)
                await delivery.defer(Refused("seal/no-key"))
        assert [each.recipients for each in await agency.deferred()] == [("H37.05",)]
