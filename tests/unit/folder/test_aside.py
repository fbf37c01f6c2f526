"""Documents that cannot be opened yet: set aside with a word why, in nobody's way, and taken up again."""

import json
from collections.abc import Iterable
from typing import Any

import pytest

from axis.client import Delivery
from axis.client.sqlite import SqliteLedger
from axis.errors import Refused, Unavailable
from axis.folder import What, watching
from axis.folder.disk import PART_PREFIX
from schemas import Action, Attachment
from tests.unit.folder.desk import MAILBOX, Desk


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> dict[str, Exception]:
    """Documents that cannot be opened, by their ids, and why."""
    why: dict[str, Exception] = {}
    opened = Delivery.files

    async def files(delivery: Delivery) -> tuple[Attachment, ...]:
        if (error := why.get(delivery.envelope.id)) is not None:
            raise error
        return await opened(delivery)

    monkeypatch.setattr(Delivery, "files", files)
    monkeypatch.setattr(watching, "_FIRST_AGAIN_SECONDS", 0.02)
    return why


async def _keyless(desk: Desk, closed: dict[str, Exception], count: int) -> list[Any]:
    documents = [desk.world.document() for _ in range(count)]
    closed |= {str(each.message_id): Refused("seal/no-key") for each in documents}
    await desk.world.post.put(MAILBOX, *documents)
    return documents


def reports(desk: Desk) -> list[str]:
    """Name the reports that lie there; one that is written anew meanwhile has a hidden part beside it."""
    folder = desk.incoming / "aside"
    names = [each.name for each in folder.iterdir()] if folder.exists() else []
    return sorted(name for name in names if not name.startswith(PART_PREFIX))


def packages(desk: Desk) -> list[str]:
    return [each for each in desk.arrived() if each.endswith(".edxml")]


def ids(documents: Iterable[Any]) -> set[Any]:
    return {each.message_id for each in documents}


async def test_documents_without_a_key_are_in_nobodys_way_and_taken_up_when_it_comes(
    desk: Desk, closed: dict[str, Exception]
) -> None:
    sealed = await _keyless(desk, closed, 33)
    plain = desk.world.document()
    lost = desk.world.document()
    closed[lost.message_id or ""] = Refused("blob/not-found")
    await desk.world.post.put(MAILBOX, lost, plain)
    async with desk.watching() as watcher:
        (received,) = await desk.told(What.RECEIVED)
        assert received.envelope == plain.message_id
        aside = await desk.told(What.ASIDE, 34)
        assert watcher.aside == 34
        await desk.until(lambda: not desk.world.post.unacked)
    assert ids(sealed) | {lost.message_id} == {each.envelope for each in aside}
    assert len(reports(desk)) == 68
    told = {each.envelope: each for each in aside}[lost.message_id]
    text = (desk.incoming / (told.file or "")).read_text("utf-8-sig")
    assert "Mã lý do: blob/not-found" in text
    assert "Cần làm: " in text
    said = json.loads((desk.incoming / (told.file or "").replace(".txt", ".json")).read_bytes())
    assert (said["code"], said["envelope"]) == ("blob/not-found", lost.message_id)
    assert desk.world.post.statuses() == [("01", "H37", None, None)]

    async with desk.watching() as watcher:  # a process later they are still known, and told
        await desk.until(lambda: watcher.aside == 34)
        closed.clear()
        taken = await desk.told(What.RECEIVED, 35)
        await desk.until(lambda: reports(desk) == [])
    assert ids(sealed) < {each.envelope for each in taken}
    assert len(packages(desk)) == 35
    assert len(desk.world.post.statuses()) == 35


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("name", ["write", "finish_deferred"])
async def test_wherever_it_ends_it_is_one_document(
    desk: Desk, closed: dict[str, Exception], monkeypatch: pytest.MonkeyPatch, name: str, *, after: bool
) -> None:
    (sealed,) = await _keyless(desk, closed, 1)
    original = getattr(SqliteLedger, name)
    ended: list[None] = []

    async def ending(self: SqliteLedger, *arguments: Any, **named: Any) -> Any:
        meant = not ended and (name != "write" or named.get("deferred"))
        if meant and not after:
            ended.append(None)
            raise Unavailable("the end")
        result = await original(self, *arguments, **named)
        if meant:
            ended.append(None)
            raise Unavailable("the end")
        return result

    monkeypatch.setattr(SqliteLedger, name, ending)
    async with desk.watching() as watcher:
        await desk.until(lambda: watcher.aside == 1)
        closed.clear()
        await desk.until(lambda: ended and reports(desk) == [] and watcher.aside == 0)
        assert await watcher._agency.deferred() == []
    assert len(packages(desk)) == 1
    assert (sealed.message_id or "") in packages(desk)[0]
    assert desk.world.post.statuses() == [("01", "H37", None, None)]


async def test_one_document_that_is_not_served_is_set_aside_after_a_while(
    desk: Desk, closed: dict[str, Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "_LONGEST_WAIT_SECONDS", 0.02)
    bad, good = desk.world.document(), desk.world.document()
    closed[bad.message_id or ""] = Unavailable("the gateway answered 500")
    await desk.world.post.put(MAILBOX, bad, good)
    async with desk.watching():
        (received,) = await desk.told(What.RECEIVED)
        (aside,) = await desk.told(What.ASIDE)
    assert (received.envelope, aside.envelope) == (good.message_id, bad.message_id)


async def test_a_recall_of_what_is_set_aside_withdraws_it(desk: Desk, closed: dict[str, Exception]) -> None:
    (sealed,) = await _keyless(desk, closed, 1)
    async with desk.watching() as watcher:
        await desk.told(What.ASIDE)
        recall = desk.world.document(action=Action.RECALL, concerns=sealed.message_id, reason="Ban hành nhầm")
        await desk.world.post.put(MAILBOX, recall)
        (withdrawn,) = await desk.told(What.WITHDRAWN)
        assert withdrawn.envelope == recall.message_id
        closed.clear()
        await desk.until(lambda: watcher.aside == 0 and reports(desk) == [])
        assert await watcher._agency.deferred() == []
    assert packages(desk) == [withdrawn.file]
    about = [json.loads(each.body) for each in desk.world.post.published if each.type == "status"]
    assert {each["envelope"] for each in about} == {recall.message_id}
    assert [each["code"] for each in about] == ["01", "15", "15"]
    assert about[-1]["destroyed"]["untaken"] is True


async def test_what_is_recalled_while_others_are_tried_is_not_written_any_more(
    desk: Desk, closed: dict[str, Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = await _keyless(desk, closed, 2)
    async with desk.watching():
        await desk.told(What.ASIDE, 2)
    recall = desk.world.document(action=Action.RECALL, concerns=second.message_id, reason="Ban hành nhầm")
    closed.pop(second.message_id)
    asked = Delivery.files
    tried: list[Any] = []

    async def files(delivery: Delivery) -> tuple[Attachment, ...]:
        if delivery.envelope.id == first.message_id and not tried:
            tried.append(delivery)
            await desk.world.post.put(MAILBOX, recall)
            await desk.until(lambda: len(desk.world.post.statuses()) == 3)  # its sender has the proof
        return await asked(delivery)

    monkeypatch.setattr(Delivery, "files", files)
    async with desk.watching() as watcher:
        (withdrawn,) = await desk.told(What.WITHDRAWN)
        await desk.until(lambda: watcher.aside == 1)
        assert [each.envelope.id for each in await watcher._agency.deferred()] == [first.message_id]
    assert packages(desk) == [withdrawn.file]
    assert [each[0] for each in desk.world.post.statuses()] == ["01", "15", "15"]
