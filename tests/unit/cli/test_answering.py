"""How `axis inbox` answers recalls, and what it deletes for them."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from axis.cli.answering import Answering
from axis.client import Delivery, File, MemoryLedger, Reported
from axis.core.messages import Submission
from schemas import Action
from tests.unit.client.doubles import World
from tests.unit.client.doubles import world as make_world

NORMAL = "mailbox.normal.H37"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return make_world(tmp_path / "state")


async def recalled(world: World, folder: Path | None, answering: Answering) -> list[tuple[str, list[str] | None]]:
    """Take a document, save it as the command does, take its recall and answer it; return what was said of that."""
    digest = (await world.shelf.upload(File.of_bytes("7.pdf", b"%PDF"))).sha256
    sent: Submission = world.document(
        attachments=[{"name": "7.pdf", "media_type": "application/pdf", "size": 4, "sha256": digest, "role": "main"}]
    )
    recall = world.document(action=Action.RECALL, concerns=sent.message_id, reason="Ban hành nhầm")
    async with world.connect() as agency:
        for each in (sent, recall):
            await world.post.put(NORMAL, each)
            async for delivery in agency.inbox(idle=0.2):
                if folder is not None and delivery.envelope.action is Action.NEW:
                    await delivery.save_attachments(folder / delivery.envelope.id / "files")
                    (folder / delivery.envelope.id / "envelope.json").write_bytes(delivery.body)
                await answering.answer(delivery)
    said = [json.loads(each.body) for each in world.post.published if each.type == "status"]
    about = [each for each in said if each["envelope"] == recall.message_id and each["code"] != "01"]
    return [(each["code"], each.get("destroyed", {}).get("files")) for each in about]


async def test_what_was_saved_is_destroyed_and_proved(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "received"
    said = await recalled(world, folder, Answering(agree=True, decline=None, saved_in=folder))
    (digest,) = world.shelf.files
    assert said == [("15", None), ("15", [digest])]
    assert list(folder.iterdir()) == []


async def test_what_is_not_here_is_agreed_to_and_not_proved(world: World, tmp_path: Path) -> None:
    assert await recalled(world, None, Answering(agree=True, decline=None, saved_in=tmp_path / "no")) == [("15", None)]


async def test_a_link_out_of_the_folder_is_not_followed(world: World, tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "received", tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious").write_text("văn bản khác")

    class Linking(Answering):
        async def answer(self, delivery: Delivery) -> list[Reported]:
            if delivery.envelope.action is Action.NEW:
                (folder / delivery.envelope.id / "link").symlink_to(elsewhere)
            return await super().answer(delivery)

    assert len(await recalled(world, folder, Linking(agree=True, decline=None, saved_in=folder))) == 2
    assert (elsewhere / "precious").exists()


@pytest.mark.parametrize(
    ("owner", "step", "error"),
    [
        (shutil, "rmtree", PermissionError("not yours")),
        (Path, "unlink", PermissionError("not yours")),
        (Path, "rmdir", KeyboardInterrupt()),
        (Delivery, "destroyed", KeyboardInterrupt()),
    ],
)
async def test_what_failed_in_between_is_done_again(
    owner: Any, step: str, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, error: BaseException
) -> None:
    folder = tmp_path / "received"

    class Failing(Answering):
        async def answer(self, delivery: Delivery) -> list[Reported]:
            if delivery.envelope.action is Action.RECALL:
                monkeypatch.setattr(owner, step, fail)
            return await super().answer(delivery)

    def fail(*_: object, **__: object) -> None:
        raise error

    with pytest.raises(type(error)):
        await recalled(world, folder, Failing(agree=True, decline=None, saved_in=folder))
    monkeypatch.undo()
    answering = Answering(agree=True, decline=None, saved_in=folder)
    assert "15" not in [json.loads(each.body).get("code") for each in world.post.published]
    async with world.connect() as agency:
        async for delivery in agency.inbox(idle=0.2):
            assert [each.code for each in await answering.answer(delivery)] == ["15", "15"]
    said = [json.loads(each.body) for each in world.post.published if each.type == "status"]
    (digest,) = world.shelf.files
    assert [each.get("destroyed", {}).get("files") for each in said if each["code"] == "15"] == [None, [digest]]
    assert list(folder.iterdir()) == []


async def test_agreement_and_proof_are_one_write(world: World, tmp_path: Path) -> None:
    ledger = MemoryLedger()
    sent = world.document()
    recall = world.document(action=Action.RECALL, concerns=sent.message_id, reason="Ban hành nhầm")
    async with world.connect(ledger=ledger) as agency:
        await world.post.put(NORMAL, sent)
        async for _ in agency.inbox(idle=0.2):
            pass
        await world.post.put(NORMAL, recall)
        async for delivery in agency.inbox(idle=0.2):
            world.post.away = True
            await delivery.destroyed(files=[])
            break
        kept = await ledger.entries(about=recall.message_id)
    assert [json.loads(each.body)["code"] for each in kept] == ["01", "15", "15"]


@pytest.mark.parametrize(("decline", "codes"), [("đã giải quyết", ["16"]), (None, [])])
async def test_it_declines_or_says_nothing(world: World, decline: str | None, codes: list[str]) -> None:
    said = await recalled(world, None, Answering(agree=False, decline=decline, saved_in=None))
    assert [code for code, _ in said] == codes
