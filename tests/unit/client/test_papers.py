"""Documents are found again by their DocumentId, which is all that an edXML package knows of them."""

import json
import sqlite3
import unicodedata
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from axis.client import Ledger, MemoryLedger, SqliteLedger, sqlite
from axis.client.papers import Paper
from axis.edxml import (
    Business,
    DocumentId,
    EdxmlDocument,
    EdxmlError,
    EdxmlStatus,
    Instant,
    Organisation,
    Replacement,
    Response,
    build_document,
    build_status,
)
from axis.errors import Malformed, NotFound, Refused
from schemas import Action, StatusCode
from tests.unit.client.doubles import NOW, World

OURS = DocumentId.of("000.00.00.H37", NOW.date(), "7/UBND-VP")
THEIRS = DocumentId("G22,2026/11/24,7816/VPCP-TTĐT")


def kept(number: int, *, document_id: str = "a", received: bool = False, action: Action = Action.NEW) -> Paper:
    return Paper(f"e{number}", document_id, "G22", ("H37", "G12"), action, None, received)


@pytest.fixture(params=["memory", "sqlite"])
async def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Ledger]:
    opened: Ledger = MemoryLedger() if request.param == "memory" else await SqliteLedger.open(tmp_path / "l")
    yield opened
    await opened.close()


async def test_papers_are_found_the_last_kept_first_and_kept_once(ledger: Ledger) -> None:
    both = [kept(1, document_id="văn"), kept(1, document_id="văn", received=True), kept(2), kept(3)]
    await ledger.write(papers=both)
    await ledger.write(papers=[replace(both[0], document_id="other")])
    assert await ledger.papers(document_id="a") == [both[3], both[2]]
    assert await ledger.papers(document_id=unicodedata.normalize("NFD", " văn ")) == [both[1], both[0]]
    assert await ledger.papers(envelope_id="e2") == [both[2]]
    assert await ledger.papers(document_id="other") == []
    await ledger.prune(before="z")
    assert len(await ledger.papers(document_id="a")) == 2


async def test_what_an_older_ledger_sent_is_found(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "ledger.sqlite3"
    steps = sqlite._STEPS
    monkeypatch.setattr(sqlite, "_STEPS", steps[:2])
    monkeypatch.setattr(sqlite, "_VERSION", 2)
    await (await SqliteLedger.open(path)).close()
    old = world.document()
    with sqlite3.connect(path) as db:
        for number, (kind, body) in enumerate((("status", b"{"), ("document", old.body))):
            db.execute(
                "INSERT INTO entry (id, key, kind, about, exchange, routing_key, media_type, body, signature)"
                " VALUES (?, ?, ?, 'a', 'x', 'r', 'm', ?, 's')",
                (old.message_id if number else "s", str(number), kind, body),
            )
    db.close()
    monkeypatch.setattr(sqlite, "_STEPS", steps)
    monkeypatch.setattr(sqlite, "_VERSION", len(steps))
    ledger = await SqliteLedger.open(path)
    (found,) = await ledger.papers(document_id=THEIRS.text)
    assert (found.envelope_id, found.recipients, found.action, found.received) == (
        old.message_id,
        ("H37",),
        Action.NEW,
        False,
    )
    await ledger.close()


def package(document_id: DocumentId = OURS, business: Business | None = None) -> bytes:
    return build_document(
        EdxmlDocument(
            sender=Organisation(organ_id="000.00.00.H37", name="UBND tỉnh Lạng Sơn"),
            recipients=(Organisation(organ_id="000.00.00.G22", name="Văn phòng Chính phủ"),),
            document_id=document_id,
            number="7",
            notation="UBND-VP",
            subject="Báo cáo",
            content="Báo cáo",
            business=business,
        )
    )


def status(
    code: str,
    *,
    about: DocumentId = THEIRS,
    party: str = "000.00.00.G22",
    by: str = "000.00.00.H37",
    why: str = "Vì sai",
) -> bytes:
    return build_status(
        EdxmlStatus(
            sender=Organisation(organ_id=by, name="UBND tỉnh Lạng Sơn"),
            response=Response(organ_id=party, code="7816/VPCP-TTĐT", document_id=about),
            code=code,
            description=why,
            at=Instant.of(NOW),
        )
    )


def said(world: World, kind: str) -> list[Any]:
    return [json.loads(message.body) for message in world.post.published if message.type == kind]


async def test_an_agency_finds_what_it_sent_and_what_it_took(world: World) -> None:
    theirs = [world.document(), world.document()]
    async with world.connect() as agency:
        sent = [(await agency.send_edxml(package())).envelope_id for _ in range(2)]
        await world.post.put("mailbox.normal.H37", *theirs)
        async for _ in agency.inbox(idle=0.1):
            pass
        assert await agency.find(OURS.text) == sent[::-1]
        assert await agency.find(OURS.text, party="000.00.00.G22") == sent[::-1]
        assert await agency.find(OURS.text, party="G12") == []
        assert await agency.find(THEIRS.text, party="G22") == [each.message_id for each in theirs[::-1]]
        assert await agency.find(THEIRS.text, party="H37") == []
        with pytest.raises(Malformed):
            await agency.find(OURS.text, party="?")


async def test_packages_about_a_document_find_it_by_its_number(world: World) -> None:
    other = DocumentId.of("000.00.00.H37", NOW.date(), "8/UBND-VP")
    replaces = Business(Action.REPLACE, "3", replacements=(Replacement(OURS), Replacement(OURS)))
    async with world.connect() as agency:

        async def accepted(envelope_id: str) -> None:
            receipt = world.receipt(envelope_id, also={"outcome": "accepted", "code": None})
            await world.post.put("notices.H37", receipt)
            await agency.receipt(envelope_id, deadline=5)

        await accepted((await agency.send_edxml(package())).envelope_id)
        await agency.send_edxml(package(business=Business(Action.RECALL, "1", "Ban hành nhầm")))
        await agency.send_edxml(package(other, Business(Action.UPDATE, "2", document_id=OURS)))
        await accepted((await agency.send_edxml(package(other, replaces))).envelope_id)
        await agency.send_edxml(package(other, Business(Action.UPDATE, "2")))
        with pytest.raises(Refused, match="9/UBND-VP was sent from here"):
            await agency.send_edxml(package(DocumentId("H37,2026/11/24,9/UBND-VP"), Business(Action.RECALL, "1")))
        several = Business(Action.REPLACE, "3", replacements=(Replacement(OURS), Replacement(other)))
        with pytest.raises(EdxmlError, match="replaces 2 documents"):
            await agency.send_edxml(package(other, several))
    first, *later = said(world, "document")
    assert [(each["action"], each["concerns"]) for each in later] == [
        ("recall", first["id"]),
        ("update", first["id"]),  # not the recall, which bears the same number
        ("replace", first["id"]),
        ("update", later[2]["id"]),
    ]


async def test_a_status_package_is_reported_of_the_document_it_names(world: World) -> None:
    async with world.connect() as agency:
        ours = await agency.send_edxml(package())
        original = world.document()
        recall = world.document(action=Action.RECALL, concerns=original.message_id)
        unit = world.document(recipients=["H37.05", "H37.06", "G12"])
        for each in (original, recall):
            await world.post.put("mailbox.normal.H37", each)
            async for _ in agency.inbox(idle=0.1):
                pass
        world.post.published.clear()
        (reported,) = await agency.report_edxml(status("03"))
        assert (reported.code, reported.recipient) == (StatusCode.ACCEPTED, "H37")
        await agency.report_edxml(status("15"))
        await agency.report_edxml(status("13", about=OURS))
        await agency.report_edxml(status("05", party="?"), envelope_id=original.message_id)
        await world.post.put("mailbox.normal.H37", unit)
        async for _ in agency.inbox(idle=0.1):
            pass
        assert len(await agency.report_edxml(status("04"))) == 2
        with pytest.raises(NotFound, match="was taken here"):
            await agency.report_edxml(status("03", party="000.00.00.G12"))
        with pytest.raises(NotFound, match="was sent here"):
            await agency.report_edxml(status("13"))
        with pytest.raises(EdxmlError, match="document package"):
            await agency.report_edxml(package())
        with pytest.raises(EdxmlError, match="103"):
            await agency.report_edxml(status("103"))
        with pytest.raises(Refused, match="does not speak"):
            await agency.report_edxml(status("03", by="000.00.00.G12"))
    told = [(each["envelope"], each["code"], each.get("recipient")) for each in said(world, "status")]
    assert [each for each in told if each[1] != "01"] == [
        (original.message_id, "03", None),
        (recall.message_id, "15", None),
        (ours.envelope_id, "13", "G22"),
        (original.message_id, "05", None),
        (unit.message_id, "04", "H37.05"),
        (unit.message_id, "04", "H37.06"),
    ]
    assert said(world, "status")[0]["at"].startswith("2026-11-24T08:00:00")
