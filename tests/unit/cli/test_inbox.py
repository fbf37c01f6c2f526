"""`axis inbox`: a document is kept before anything else is asked of it."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from axis.cli.answering import Answering
from axis.cli.inbox import _read, _Reading
from axis.client import Delivery, File
from axis.errors import AxisError, Unavailable
from axis.signatures.verdict import Verdict
from schemas import Action, Attachment
from tests.unit.client.doubles import World
from tests.unit.client.doubles import world as make_world


@pytest.mark.parametrize("error", [Unavailable("away", code="gateway/unreachable"), OSError("no space left")])
async def test_signatures_are_looked_at_when_a_document_is_taken(
    error: AxisError | OSError, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world: World = make_world(tmp_path / "state")
    digest = (await world.shelf.upload(File.of_bytes("7816.pdf", b"%PDF"))).sha256
    file = {"name": "7816.pdf", "media_type": "application/pdf", "size": 4, "sha256": digest, "role": "main"}
    sent = world.document(attachments=[file])
    await world.post.put("mailbox.normal.H37", sent)
    saved = tmp_path / "in" / str(sent.message_id) / "files" / "7816.pdf"
    seen: list[tuple[bool, bool]] = []

    async def signatures(self: Delivery) -> tuple[tuple[Attachment, Verdict], ...]:
        seen.append((self.taken, saved.exists()))
        raise error

    monkeypatch.setattr(Delivery, "signatures", signatures)
    reading = _Reading(
        save=tmp_path / "in",
        package=False,
        signatures=True,
        accept=False,
        answering=Answering(agree=False, decline=None, saved_in=None),
        leave=False,
        lines=False,
        quiet=True,
    )
    async with world.connect() as agency:
        assert await reading.document(await anext(agency.inbox())) is False
    assert seen == [(True, True)]
    ((told,),) = [each["signatures"] for each in reading.documents]
    assert (told["file"], told["standing"], told["detail"]) == ("7816.pdf", "not-looked-at", str(error))


async def test_who_leaves_a_recall_and_its_document_has_answered_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world: World = make_world(tmp_path / "state")
    sent = world.document()
    recall = world.document(action=Action.RECALL, concerns=sent.message_id, reason="Ban hành nhầm")
    await world.post.put("mailbox.normal.H37", sent, recall)

    def connect(*_: object, **__: object) -> Any:
        return world.connect()

    monkeypatch.setattr("axis.cli.inbox.Agency", SimpleNamespace(connect=connect))
    reading = _Reading(
        save=None,
        package=False,
        signatures=False,
        accept=False,
        answering=Answering(agree=False, decline=None, saved_in=None),
        leave=True,
        lines=False,
        quiet=True,
    )
    await _read(world.settings, reading, idle=0.2, limit=None)
    assert [each["envelope"]["id"] for each in reading.documents] == [sent.message_id, recall.message_id]
    assert world.post.published == []
    assert sorted(map(str, world.post.waiting("mailbox.normal.H37"))) == sorted(
        map(str, (sent.message_id, recall.message_id))
    )
