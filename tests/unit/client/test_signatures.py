"""What a recipient is told of the signatures inside the files: a difference in law."""

import asyncio
from pathlib import Path

import pytest

from axis.client import AgencySettings
from axis.signatures.pdf import MAX_BYTES
from axis.signatures.trust import Trust
from axis.signatures.verdict import Standing, Verdict
from schemas import AttachmentRole
from tests.authority import TestAuthority
from tests.pdf_signing import plain_pdf, sign_pdf
from tests.unit.client.doubles import World
from tests.unit.client.test_files import delivered, profile

AUTHORITY = TestAuthority()
SIGNED = sign_pdf(plain_pdf(), AUTHORITY.issue("p256"))


async def test_each_file_has_its_standing(world: World) -> None:
    delivery = await delivered(
        world, ("7816.pdf", SIGNED), ("phụ lục.PDF", plain_pdf()), ("số liệu.xlsx", b"PK"), ("gói.edxml", b"<a/>")
    )
    files = list(delivery.envelope.attachments)
    files[3] = files[3].model_copy(update={"role": AttachmentRole.PACKAGE})
    delivery.envelope = delivery.envelope.model_copy(update={"attachments": files})
    found = {file.name: verdict for file, verdict in await delivery.signatures()}
    assert {name: verdict.standing for name, verdict in found.items()} == {
        "7816.pdf": Standing.NOT_TRUSTED,
        "phụ lục.PDF": Standing.NOT_SIGNED,
        "số liệu.xlsx": Standing.NOT_A_PDF,
    }
    delivery._desk.document_trust = Trust(AUTHORITY.authorities)  # type: ignore[misc] # read-only for everybody else
    found = {file.name: verdict for file, verdict in await delivery.signatures()}
    assert found["7816.pdf"].told() == "signed by UBND tỉnh Lạng Sơn, intact, trusted (revocation not checked)"
    assert not delivery.taken


async def test_a_file_too_large_is_not_fetched(world: World) -> None:
    delivery = await delivered(world, ("a.pdf", b"%PDF"))
    (file,) = delivery.envelope.attachments
    files = [file.model_copy(update={"size": MAX_BYTES + 1})]
    delivery.envelope = delivery.envelope.model_copy(update={"attachments": files})
    world.shelf.away = True
    ((_, verdict),) = await delivery.signatures()
    assert verdict.standing is Standing.NOT_LOOKED_AT


async def test_the_same_content_is_looked_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[bytes] = []

    async def look(path: Path, **_: object) -> Verdict:
        looked.append(path.read_bytes())  # noqa: ASYNC240 - a few bytes
        return Verdict(Standing.BROKEN)

    monkeypatch.setattr("axis.client.delivery.look_at", look)
    delivery = await delivered(world, *((f"{number}.pdf", b"%PDF") for number in range(50)), ("a.xlsx", b"%PDF"))
    found = [verdict.standing for _, verdict in await delivery.signatures()]
    assert found == [Standing.BROKEN] * 50 + [Standing.NOT_A_PDF]
    assert looked == [b"%PDF"]


async def test_there_is_one_deadline_for_all_files(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Path] = []

    async def look(path: Path, **_: object) -> Verdict:
        asked.append(path)
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr("axis.client.delivery.look_at", look)
    monkeypatch.setattr("axis.client.delivery._LOOKING_SECONDS", 0.2)
    delivery = await delivered(world, *((f"{number}.pdf", f"%PDF-{number}".encode()) for number in range(9)))
    found = await delivery.signatures()
    assert len(asked) <= 1
    assert not any(path.exists() for path in asked)
    assert {verdict.told() for _, verdict in found} == {
        "not looked at yet: the files of this document took more than 0 s"
    }
    assert len(found) == 9


def test_whom_a_profile_trusts(tmp_path: Path) -> None:
    profile(tmp_path)
    assert AgencySettings.load(tmp_path).document_trust == Trust()
    AUTHORITY.put_into(tmp_path / "trusted")
    assert AgencySettings.load(tmp_path).document_trust == Trust(AUTHORITY.authorities)
