"""What cannot be taken, told or written down: left and told, never lost, and in nobody's way."""

import base64
import json
from typing import Any

import pytest

from axis.client.building import Author
from axis.core.conversation import Conversation, Talk
from axis.core.conversation import Kind as Ask
from axis.core.partners import Kind, Wanted
from axis.core.reading import parse_status
from axis.edxml import EdxmlStatus, read
from axis.errors import Refused, Unavailable
from axis.gateway.desk import again, agencies, receiving
from axis.gateway.desk.packing import Packing
from axis.store.fake_partners import FakePartners
from schemas import Action, StatusCode
from tests.unit.client.doubles import NOW, paper
from tests.unit.gateway.desk.harness import NORMAL, SYSTEM, Rig, came, described, document_id, package

OF_G22 = document_id(paper().document_id)


async def test_a_document_nobody_can_open_is_refused_to_its_sender(desk: Rig) -> None:
    await desk.add()
    named = described(desk, ("a.pdf", b"what was sent", "main"))
    desk.world.shelf.files[str(named[0]["sha256"])] = b"something else"
    await came(desk, desk.world.document(attachments=named))
    await desk.connected()
    await desk.until(lambda: [each[0] for each in desk.world.post.statuses()] == ["01", "02"])
    assert "blob/digest" in str(desk.world.post.statuses()[1][3])
    assert await desk.store.partners.listed(SYSTEM, Wanted(Kind.EDOC)) == []


async def test_a_fault_in_one_document_does_not_stop_the_mailbox(desk: Rig, monkeypatch: pytest.MonkeyPatch) -> None:

    await desk.add()
    bad, good = desk.world.document(), desk.world.document()
    pack = Packing.pack

    async def failing(self: Packing, delivery: Any, partner: Any, **more: Any) -> Any:
        if delivery.envelope.id == bad.message_id:
            raise RuntimeError("a fault of ours")
        return await pack(self, delivery, partner, **more)

    monkeypatch.setattr(Packing, "pack", failing)
    await came(desk, bad, good)
    await desk.connected()
    (waiting,) = await desk.waiting()
    assert waiting.message_id == good.message_id
    await desk.until(lambda: [each.message_id for each in desk.world.post.unacked] == [bad.message_id])


async def test_what_is_left_comes_again_by_itself(desk: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(again, "_FIRST_PAUSE_SECONDS", 0.02)
    monkeypatch.setattr(again, "_LONGEST_PAUSE_SECONDS", 0.05)
    await desk.add()
    document = desk.world.document()
    failures = [
        RuntimeError("a fault of ours"),
        OSError("No space left on device"),
        Unavailable("the gateway answered 503"),
        Refused("certificate/expired"),
        Refused("limit/messages"),
        Refused("seal/no-key"),
    ]
    pack = Packing.pack

    async def failing(self: Packing, delivery: Any, partner: Any, **more: Any) -> Any:
        if failures:
            raise failures.pop(0)
        return await pack(self, delivery, partner, **more)

    monkeypatch.setattr(Packing, "pack", failing)
    await came(desk, document)
    await desk.connected()
    (waiting,) = await desk.waiting()
    assert waiting.message_id == document.message_id
    await desk.until(lambda: desk.world.post.unacked == [])
    assert desk.world.post.statuses() == []  # nothing of it was its sender's fault


async def test_one_document_that_is_not_served_stops_no_other(desk: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    await desk.add()
    bad, good = desk.world.document(), desk.world.document()
    pack = Packing.pack

    async def failing(self: Packing, delivery: Any, partner: Any, **more: Any) -> Any:
        if delivery.envelope.id == bad.message_id:
            raise Unavailable("the gateway answered 500")
        return await pack(self, delivery, partner, **more)

    monkeypatch.setattr(Packing, "pack", failing)
    await came(desk, bad, good)
    await desk.connected()
    (waiting,) = await desk.waiting()
    assert waiting.message_id == good.message_id
    assert desk.desk.agencies.states == {"H37": True}


async def test_however_many_documents_are_not_served_their_neighbours_are(
    desk: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiving, "_LEFT_AT_MOST", 3)
    monkeypatch.setattr(again, "_FIRST_PAUSE_SECONDS", 0.02)
    monkeypatch.setattr(again, "_LONGEST_PAUSE_SECONDS", 0.05)
    await desk.add()
    bad = [desk.world.document() for _ in range(9)]
    good = desk.world.document()
    away = {each.message_id for each in bad}
    pack = Packing.pack

    async def failing(self: Packing, delivery: Any, partner: Any, **more: Any) -> Any:
        if delivery.envelope.id in away:
            raise Unavailable("the gateway answered 500")
        return await pack(self, delivery, partner, **more)

    monkeypatch.setattr(Packing, "pack", failing)
    await came(desk, *bad, good)
    await desk.connected()
    (waiting,) = await desk.waiting()
    assert waiting.message_id == good.message_id
    agency = desk.desk.agencies.agency("H37")
    assert len(await agency.deferred()) == len(bad) - 3  # so many are left where they are
    assert desk.desk.agencies.states == {"H37": True}
    away.clear()
    found = await desk.waiting(count=10)
    assert {each.message_id for each in found} == {each.message_id for each in (*bad, good)}
    assert await agency.deferred() == []
    assert desk.world.post.statuses() == []


@pytest.mark.parametrize("text", ["không\ufffe nhận", "không\uffff nhận"])
async def test_a_status_that_xml_cannot_carry_is_told_with_what_it_can(desk: Rig, text: str) -> None:
    await desk.add()
    await desk.connected()
    sent = await desk.vxp().send(package())
    (own,) = desk.world.post.published
    await desk.accept(own.body)
    made = Author("G22", desk.world.sender.key, desk.world.clock).status(
        sent["DocId"], StatusCode.REFUSED, reason="không nhận"
    )
    # The wire forbids it by now; what says it was kept before.
    status = parse_status(made.body).model_copy(update={"reason": text})
    await desk.desk.agencies._telling._status(
        desk.desk.agencies.agency("H37"), status, (await desk.store.partners.partners())[0]
    )
    (waiting,) = await desk.waiting(Kind.STATUS)
    said = read(base64.b64decode((await desk.vxp().call("getEdoc", docId=waiting.doc_id))["data"]))
    assert isinstance(said, EdxmlStatus)
    assert said.description == "không\ufffd nhận"


async def test_a_notice_that_cannot_be_told_stops_no_other_and_comes_again(
    desk: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(again, "_FIRST_PAUSE_SECONDS", 0.05)
    await desk.add()
    await desk.connected()
    sent = await desk.vxp().send(package())
    (own,) = desk.world.post.published
    await desk.accept(own.body)
    failures = [RuntimeError("a fault of ours"), Refused("message/schema")]
    heard = FakePartners.heard

    async def failing(self: FakePartners, *arguments: Any) -> Any:
        if failures:
            raise failures.pop(0)
        return await heard(self, *arguments)

    monkeypatch.setattr(FakePartners, "heard", failing)
    for code in (StatusCode.ARRIVED, StatusCode.ACCEPTED, StatusCode.ASSIGNED):
        await desk.world.post.put("notices.H37", desk.world.status(sent["DocId"], code))
    await desk.waiting(Kind.STATUS, 3)
    assert failures == []
    assert desk.desk.agencies.states == {"H37": True}


async def test_a_fault_of_the_desk_does_not_end_the_gateway(desk: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[None] = []

    async def failing(*_: object) -> Any:
        asked.append(None)
        raise RuntimeError("a fault of ours")

    await desk.add()
    monkeypatch.setattr(agencies, "_LOOK_SECONDS", 0.01)
    monkeypatch.setattr(desk.store.partners, "partners", failing)
    monkeypatch.setattr(desk.store.partners, "unreported", failing)
    await desk.connected()
    await desk.until(lambda: len(asked) > 3)
    assert not any(task.done() for task in desk.tasks)
    assert (await desk.vxp().call("countReceiveEdoc"))["status"] == "OK"


@pytest.mark.parametrize("left", [(), ("H37.05",)])
async def test_a_document_that_the_axis_knows_as_recalled_is_not_listed(desk: Rig, left: tuple[str, ...]) -> None:
    """Its recall came when another ledger was this desk's, or is still behind it."""
    await desk.add()
    document = desk.world.document(recipients=["H37", *left], routes={"H37": [0, 1][: 1 + len(left)]})
    recall = desk.world.document(action=Action.RECALL, concerns=document.message_id, reason="Ban hành nhầm")
    asked = Conversation(
        request=recall.message_id or "",
        about=document.message_id or "",
        recipient="H37",
        original="H37",
        kind=Ask.RECALL,
        state=Talk.REQUESTED,
        requested_at=NOW,
        requested_by="G22",
    )
    async with desk.store.transaction() as tx:
        await tx.begin([asked])
    await came(desk, document)
    await desk.connected()
    await desk.until(lambda: desk.world.post.unacked == [] and desk.world.post.waiting(NORMAL) == [])
    listed = await desk.store.partners.listed(SYSTEM, Wanted(Kind.EDOC))
    assert [each.recipients for each in listed] == ([left] if left else [])
    said = [json.loads(each.body) for each in desk.world.post.published]
    assert [(each["envelope"], each["code"], each.get("destroyed", {}).get("untaken")) for each in said] == [
        (recall.message_id, "15", None),
        (recall.message_id, "15", True),
    ]
    if not left:  # the recall finds it withdrawn, and says nothing new but that it has come
        await came(desk, recall)
        await desk.until(lambda: desk.world.post.unacked == [] and desk.world.post.waiting(NORMAL) == [])
        assert [each[0] for each in desk.world.post.statuses()] == ["15", "15", "01"]
        assert await desk.store.partners.listed(SYSTEM, Wanted(Kind.EDOC)) == []
