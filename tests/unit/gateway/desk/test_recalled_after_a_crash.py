"""A recall of what was listed before a crash: the SDK's ledger does not know of it, its partner may have a copy."""

import json

import pytest

from axis.core.conversation import Conversation, Talk
from axis.core.conversation import Kind as Ask
from axis.core.ids import new_id
from axis.core.messages import Submission
from axis.core.partners import Incoming, Kind, Wanted
from schemas import Action
from tests.unit.client.doubles import NOW
from tests.unit.gateway.desk.harness import NORMAL, SYSTEM, Rig, came


async def _listed(desk: Rig, document: Submission, *, fetched: bool) -> Incoming:
    """Do what a desk did that ended before its ledger knew: the package is listed, and maybe fetched."""
    package = Incoming(
        doc_id=new_id(NOW),
        system_id=SYSTEM,
        agency="H37",
        message_id=document.message_id or "",
        kind=Kind.EDOC,
        sender="G22",
        recipients=("H37",),
        document_id="G22,2026/11/24,7816/VPCP-TTĐT",
        subject="Về việc triển khai",
        notation="7816/VPCP-TTĐT",
        sha256="ab" * 32,
        size=1,
        created_at=NOW,
        updated_at=NOW,
    )
    assert await desk.store.partners.receive(package)
    if fetched:
        assert await desk.store.partners.fetch(package.doc_id, NOW)
    return package


def _recall(desk: Rig, document: Submission) -> Submission:
    return desk.world.document(action=Action.RECALL, concerns=document.message_id, reason="Ban hành nhầm")


async def test_nobody_is_told_that_a_copy_is_gone_which_the_partner_may_have(desk: Rig) -> None:
    await desk.add()
    document = desk.world.document()
    recall = _recall(desk, document)
    package = await _listed(desk, document, fetched=True)
    talk = Conversation(
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
        await tx.begin([talk])
    await came(desk, document)
    await desk.connected()
    await desk.until(lambda: desk.world.post.unacked == [] and desk.world.post.waiting(NORMAL) == [])
    assert desk.world.post.statuses() == []
    await came(desk, recall)  # its partner answers it
    found = await desk.waiting(count=2)
    assert {each.message_id for each in found} == {package.message_id, recall.message_id}
    assert desk.world.post.statuses() == []


@pytest.mark.parametrize("fetched", [False, True])
async def test_what_was_listed_is_withdrawn_or_its_partner_hears_of_the_recall(desk: Rig, *, fetched: bool) -> None:
    await desk.add()
    document = desk.world.document()
    recall = _recall(desk, document)
    package = await _listed(desk, document, fetched=fetched)
    await came(desk, document, recall)  # the SDK has both at once, and withdraws the document
    await desk.connected()
    expected = {package.message_id, recall.message_id} if fetched else set()

    async def settled() -> bool:
        listed = await desk.store.partners.listed(SYSTEM, Wanted(Kind.EDOC))
        return {each.message_id for each in listed} == expected

    await desk.until(settled)
    await desk.until(lambda: len(desk.world.post.statuses()) == 3 and desk.world.post.unacked == [])
    said = [json.loads(each.body) for each in desk.world.post.published]
    assert {(each["envelope"], each["code"]) for each in said} == {(recall.message_id, "01"), (recall.message_id, "15")}
