"""What arrives: as a package, whole and once, under a name that every system takes."""

import contextlib
import errno
import hashlib
import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from axis.client.building import Author
from axis.client.package import acted_on, package_of, read_document
from axis.core.messages import Submission
from axis.edxml import EdxmlDocument, EdxmlStatus, read
from axis.folder import What, disk
from axis.folder.register import _SCHEMA, Placed, Register
from axis.folder.writing import Writer
from schemas import Action, Outcome, Receipt, StatusCode
from schemas.wire import SIGNATURE_HEADER
from tests.unit.client.doubles import paper
from tests.unit.folder.desk import MAILBOX, NOTICES, Desk, package


def submission(desk: Desk, data: bytes, *, sender: str = "G22", files: Sequence[bytes] | None = None) -> Submission:
    """What G22 sends when it sends a package; `files`: what it really sends along."""
    made = package_of(
        *read_document(data),
        identifier=desk.world.document().message_id or "",
        sent_at=desk.world.clock(),
        recipients=["H37"],
        sender=sender,
        concerns=None,
    )
    for each in made.files:
        content = b"".join(each.chunks(1000))
        desk.world.shelf.files[hashlib.sha256(content).hexdigest()] = content
    body = made.body
    entry = Author("G22", desk.world.sender.key, desk.world.clock).signed_envelope(body)
    headers: dict[str, object] = {SIGNATURE_HEADER: entry.signature}
    return Submission(entry.body, "axis.deliver", "", None, "document", entry.media_type, entry.id, headers)


def in_folder(desk: Desk) -> list[bytes]:
    return [(desk.incoming / name).read_bytes() for name in desk.arrived()]


async def test_a_package_arrives_byte_for_byte_before_it_is_taken(desk: Desk) -> None:
    data = package(sender="000.00.00.G22", to=("000.00.00.H37",))
    document = submission(desk, data)
    await desk.world.post.put(MAILBOX, document)
    async with desk.watching():
        (received,) = await desk.told(What.RECEIVED)
        assert desk.world.post.statuses() == [("01", "H37", None, None)]
    assert desk.arrived() == [received.file] == [f"7-UBND_G22_{document.message_id}.edxml"]
    assert in_folder(desk) == [data]


async def test_a_document_that_was_none_becomes_one_with_its_files_inside(desk: Desk) -> None:
    content = b"%PDF-1.7 " * 1000
    digest = hashlib.sha256(content).hexdigest()
    desk.world.shelf.files[digest] = content
    file = {"name": "công văn.pdf", "media_type": "application/pdf", "size": len(content), "sha256": digest}
    await desk.world.post.put(MAILBOX, desk.world.document(attachments=[{**file, "role": "main"}]))
    async with desk.watching():
        await desk.told(What.RECEIVED)
    (written,) = in_folder(desk)
    found = read(written)
    assert isinstance(found, EdxmlDocument)
    assert (found.sender.organ_id, found.sender.name) == ("000.00.00.G22", "Văn phòng Chính phủ")
    assert [(each.name, each.content.read()) for each in found.attachments] == [("công văn.pdf", content)]


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (package(sender="000.00.00.G01", to=("000.00.00.H37",)), "sender"),
        (package("8/X", sender="000.00.00.G22", to=("000.00.00.H37",)), "document"),
        (package(sender="000.00.00.G22", action=Action.RECALL, about="7/UBND"), "action"),
        (package(sender="000.00.00.G22", files={"a.pdf": b"another"}), "list of files"),
        (b"<no-package/>", "format"),
    ],
)
async def test_a_package_that_says_something_else_than_the_signed_envelope(desk: Desk, data: bytes, what: str) -> None:
    honest = submission(desk, package(sender="000.00.00.G22", to=("000.00.00.H37",)))
    envelope: dict[str, Any] = json.loads(honest.body)
    digest = hashlib.sha256(data).hexdigest()
    envelope["attachments"][-1] |= {"sha256": digest, "size": len(data)}
    desk.world.shelf.files[digest] = data
    entry = Author("G22", desk.world.sender.key, desk.world.clock).signed_envelope(
        json.dumps(envelope, ensure_ascii=False).encode()
    )
    headers: dict[str, object] = {SIGNATURE_HEADER: entry.signature}
    forged = Submission(entry.body, "axis.deliver", "", None, "document", entry.media_type, entry.id, headers)
    await desk.world.post.put(MAILBOX, forged)
    async with desk.watching():
        await desk.told(What.RECEIVED)
    (trouble,) = [each for each in desk.events if each.what is What.TROUBLE]
    assert f"says another {what} " in (trouble.detail or "")
    (written,) = in_folder(desk)
    found = read(written)
    assert isinstance(found, EdxmlDocument)
    assert (found.sender.organ_id, found.document_id.notation) == ("000.00.00.G22", "7/UBND")
    assert [each.content.read() for each in found.attachments] == [b"%PDF-1.7"]


async def test_statuses_arrive_as_packages(desk: Desk) -> None:
    desk.put("a.edxml", package())
    async with desk.watching():
        (sent,) = await desk.told(What.SENT)
        status = desk.world.status(sent.envelope or "", StatusCode.ACCEPTED)
        await desk.world.post.put(NOTICES, status, status)
        (told,) = await desk.told(What.STATUS)
    assert desk.arrived() == [told.file] == [f"7-UBND_G22_03_{status.message_id}.edxml"]
    found = read(in_folder(desk)[0])
    assert isinstance(found, EdxmlStatus)
    assert found.response.document_id is not None
    assert (found.code, found.sender.organ_id) == ("03", "000.00.00.G22")
    assert found.response.document_id.text == "000.00.00.H37,2026/11/24,7/UBND"


async def test_a_sender_s_wish_to_have_a_document_back_arrives_too(desk: Desk) -> None:
    document = desk.world.document()
    await desk.world.post.put(MAILBOX, document)
    async with desk.watching():
        await desk.told(What.RECEIVED)
        author = Author("G22", desk.world.sender.key, desk.world.clock)
        entry = author.status(document.message_id or "", StatusCode.TAKE_BACK, recipient="H37", reason="Nhầm")
        headers: dict[str, object] = {SIGNATURE_HEADER: entry.signature}
        wish = Submission(entry.body, "axis.deliver", "", None, "status", entry.media_type, entry.id, headers)
        await desk.world.post.put(NOTICES, wish)
        (told,) = await desk.told(What.STATUS)
    found = read((desk.incoming / (told.file or "")).read_bytes())
    assert isinstance(found, EdxmlStatus)
    assert found.response.document_id is not None
    assert (found.code, found.response.document_id.text) == ("13", paper().document_id)


async def test_a_status_of_nothing_known_is_told_and_passed_over(desk: Desk) -> None:
    await desk.world.post.put(NOTICES, desk.world.status("01995f1c-7a3e-7c21-9f5e-3b7d9c0a4e11", StatusCode.ACCEPTED))
    async with desk.watching():
        (ignored,) = await desk.told(What.IGNORED)
    assert "not known here" in (ignored.detail or "")
    assert desk.arrived() == []


async def test_what_the_axis_refuses_can_arrive_as_a_status_of_the_recipient(desk: Desk) -> None:
    desk.put("a.edxml", package(to=("000.00.00.G22", "000.00.00.H99")))
    refused = {"recipient": "H99", "outcome": "refused", "code": "recipient/unknown", "detail": "H99"}
    async with desk.watching(refusals=True, answered=False):
        await desk.until(desk.documents)
        (document,) = desk.documents()
        recipients = [{"recipient": "G22", "outcome": "routed", "mailbox": "G22"}, refused]
        receipt = desk.receipt(document["id"], outcome=Outcome.PARTIAL.value, recipients=recipients)
        await desk.world.post.put(NOTICES, receipt, receipt)
        await desk.told(What.PARTLY)
    receipt_id = Receipt.model_validate_json(receipt.body).id
    assert desk.arrived() == [f"7-UBND_H99_02_{receipt_id}.edxml"]
    found = read(in_folder(desk)[0])
    assert isinstance(found, EdxmlStatus)
    assert found.code == "02"
    assert (found.description or "").startswith("recipient/unknown: ")
    text = (desk.out / "sent" / "a.edxml.receipt.txt").read_text("utf-8-sig")
    assert "- G22: đã chuyển" in text
    assert "- H99: từ chối: " in text


async def test_documents_that_nobody_can_ever_open_are_refused_and_in_nobody_s_way(desk: Desk) -> None:
    desk.world.shelf.files["0" * 64] = b"x"  # not the named bytes
    damaged = [desk.world.document(attachments=[_missing()]) for _ in range(33)]
    await desk.world.post.put(MAILBOX, *damaged, desk.world.document())
    async with desk.watching():
        await desk.told(What.RECEIVED)
        returned = await desk.told(What.RETURNED, 33)
    assert {(each.envelope, each.code) for each in returned} == {(each.message_id, "blob/digest") for each in damaged}
    refused = [json.loads(each.body) for each in desk.world.post.published if each.type == "status"]
    told = {each["envelope"]: each["reason"] for each in refused if each["code"] == "02"}
    assert told.keys() == {each.message_id for each in damaged}
    assert all(each.startswith("blob/digest: ") for each in told.values())
    assert not [each for each in desk.events if each.what in {What.ASIDE, What.TROUBLE}]
    assert len(desk.arrived()) == 1
    assert not [each for each in desk.incoming.iterdir() if each.name.endswith(".part")]


async def test_codes_as_the_partner_reads_them(desk: Desk) -> None:
    from axis.edxml import CodeForm, naming_from

    await desk.world.post.put(MAILBOX, desk.world.document())
    async with desk.watching(naming=naming_from({}, form=CodeForm.QD20)):
        await desk.told(What.RECEIVED)
    found = read(in_folder(desk)[0])
    assert (found.sender.organ_id, found.sender.name) == ("G22", "G22")


async def test_a_file_of_somebody_s_under_our_name_is_left(desk: Desk) -> None:
    document = submission(desk, package(sender="000.00.00.G22", to=("000.00.00.H37",)))
    name = f"7-UBND_G22_{document.message_id}.edxml"
    (desk.incoming / name).write_bytes(b"of somebody")
    await desk.world.post.put(MAILBOX, document)
    async with desk.watching():
        (received,) = await desk.told(What.RECEIVED)
    assert (desk.incoming / name).read_bytes() == b"of somebody"
    assert received.file != name
    assert len(desk.arrived()) == 2


def _missing() -> dict[str, object]:
    return {"name": "a.pdf", "media_type": "application/pdf", "size": 3, "sha256": "0" * 64, "role": "main"}


async def test_a_recall_that_overtakes_its_document_says_so(desk: Desk) -> None:
    document = desk.world.document()
    recall = desk.world.document(action=Action.RECALL, concerns=document.message_id, reason="Nhầm")
    await desk.world.post.put(MAILBOX, recall, document)
    async with desk.watching():
        (told,) = await desk.told(What.WITHDRAWN)
    assert desk.arrived() == [told.file]
    assert (told.file or "").endswith(f"{recall.message_id}_withdrawn.edxml")


@pytest.mark.parametrize("fetched", [False, True])
async def test_a_recalled_document_that_a_crash_has_left_in_the_folder(desk: Desk, *, fetched: bool) -> None:
    class Crash(Exception):
        pass

    document = desk.world.document()
    await desk.world.post.put(MAILBOX, document)
    with pytest.MonkeyPatch.context() as patch:

        async def crash(*_: object) -> None:
            raise Crash

        patch.setattr("axis.client.Delivery.take", crash)
        with contextlib.suppress(BaseExceptionGroup):  # or it is ended before it gets there
            async with desk.watching():
                await desk.until(desk.arrived)
    (name,) = desk.arrived()
    if fetched:
        (desk.incoming / name).unlink()
    await desk.world.post.cut()
    urgent = desk.world.document(action=Action.RECALL, concerns=document.message_id, reason="Nhầm", urgent=True)
    await desk.world.post.put("mailbox.urgent.H37", urgent)
    async with desk.watching():
        (told,) = await desk.told(What.WITHDRAWN)
    assert desk.arrived() == [told.file]
    assert (told.file or "").endswith("_withdrawn.edxml") is not fetched
    assert any("see that it is destroyed" in (each.detail or "") for each in desk.events) is fetched


async def test_what_could_not_be_placed_is_not_lost_when_another_folder_is_watched(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = disk.place

    def full(part: Path, path: Path) -> None:
        if path.parent == desk.incoming and path.suffix == ".edxml":
            raise OSError(errno.EIO, "Input/output error")
        place(part, path)

    monkeypatch.setattr(disk, "place", full)
    document = desk.world.document()
    await desk.world.post.put(MAILBOX, document)
    async with desk.watching():
        await desk.told(What.TROUBLE)
    assert desk.world.post.statuses() == []
    await desk.world.post.cut()
    (tmp_path / "other").mkdir()
    async with desk.watching(incoming=tmp_path / "other"):
        (received,) = await desk.told(What.RECEIVED)
    assert (tmp_path / "other" / (received.file or "")).is_file()


def test_a_register_of_before_is_read_on(tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "folder.sqlite3")) as before:
        for statement in _SCHEMA:
            before.execute(statement)
        before.execute("INSERT INTO placed VALUES ('id', 'a.edxml', '.axis-1.part')")
        before.execute("PRAGMA user_version = 1")
        before.commit()
    with contextlib.closing(Register(tmp_path / "folder.sqlite3")) as register:
        writer = Writer(tmp_path, register)
        assert register.placed("id") == Placed("a.edxml", ".axis-1.part", "")
        assert writer.finish("id") == "a.edxml"  # as it was understood then
        (placed,) = [register.placed("id")]
    assert placed is not None
    assert placed.done


@pytest.mark.parametrize("action", [Action.RECALL, Action.REPLACE, Action.UPDATE])
async def test_what_acts_on_a_document_names_it(desk: Desk, action: Action) -> None:
    first = desk.world.document()
    await desk.world.post.put(MAILBOX, first)
    async with desk.watching():
        await desk.told(What.RECEIVED)
        later = desk.world.document(
            action=action, concerns=first.message_id, reason="Nhầm", document_id="000.00.00.G22,2026/11/25,9/QD"
        )
        await desk.world.post.put(MAILBOX, later)
        _, told = await desk.told(What.RECEIVED, 2)
    found = read((desk.incoming / (told.file or "")).read_bytes())
    assert isinstance(found, EdxmlDocument)
    assert acted_on(found) == paper().document_id


async def test_what_a_crash_has_left_opened_is_removed_at_the_start(desk: Desk) -> None:
    spool = desk.world.settings.state_folder / "opened"
    (spool / "tmp1").mkdir(parents=True)
    (spool / "tmp1" / "a").write_bytes(b"opened")
    async with desk.open():
        assert list(spool.iterdir()) == []
        assert spool.stat().st_mode & 0o077 == 0
