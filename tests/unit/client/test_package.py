"""A package that is sent goes along byte for byte, and is saved only for who asks."""

import hashlib
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from axis.client import Delivery, File
from axis.client.gateway import Gateway
from axis.client.package import package_of, read_document
from axis.client.sealing import Sealer
from axis.core.sealing import check_contents
from axis.edxml import DocumentId, EdxmlDocument, EdxmlError, Organisation, attach, build_document
from axis.errors import Malformed, Refused
from schemas import AttachmentRole, Envelope, SealContents
from tests.builders import NOW
from tests.unit.client.doubles import World, identity
from tests.unit.client.test_files import delivered

ID = "01995f1c-7a3e-7c21-9f5e-3b7d9c0a4e11"


def package(*names: str, number: str = "1/BC") -> bytes:
    organisation = Organisation(organ_id="000.00.00.H37")
    return build_document(
        EdxmlDocument(
            sender=organisation,
            recipients=(organisation,),
            document_id=DocumentId.of("000.00.00.H37", NOW.date(), number),
            subject="Báo cáo",
            attachments=tuple(attach(name, name.encode()) for name in names),
        )
    )


def read(data: bytes | Path) -> Any:
    return package_of(*read_document(data), identifier=ID, sent_at=NOW, recipients=None, sender=None, concerns=None)


def test_the_package_is_the_last_attachment_and_streams_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "a.edxml"
    path.write_bytes(package("a.pdf"))
    found = read(path)
    *_, whole = found.envelope.attachments
    assert (whole.role, whole.size, whole.media_type) == (
        AttachmentRole.PACKAGE,
        path.stat().st_size,
        "application/xml",
    )
    assert whole.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (found.files[-1].source, found.files[-1].name) == (path, whole.name)
    assert Envelope.model_validate_json(found.body) == found.envelope


def test_its_name_is_distinct_and_no_path() -> None:
    taken = "000.00.00.H37,2026_11_24,1_BC.EDXML"
    names = [each.name for each in read(package(taken)).envelope.attachments]
    assert names == [taken, "000.00.00.H37,2026_11_24,1_BC (2).edxml"]
    long = read(package(number=f"1/{'Ộ' * 150}")).envelope.attachments[-1].name
    assert len(long) <= 200
    assert long.endswith("Ộ.edxml")


def test_there_is_room_for_the_package_too() -> None:
    assert len(read(package(*(f"{number}.pdf" for number in range(199)))).envelope.attachments) == 200
    with pytest.raises(EdxmlError, match="holds 200 with the package") as caught:
        read(package(*(f"{number}.pdf" for number in range(200))))
    assert caught.value.code == "edxml/conversion"


def test_nothing_but_the_last_can_be_the_package() -> None:
    envelope = read(package("a.pdf")).envelope.model_dump(by_alias=True)
    envelope["attachments"].reverse()
    with pytest.raises(ValueError, match="only the last attachment"):
        Envelope.model_validate(envelope)


def test_nor_among_the_files_of_a_sealed_document() -> None:
    envelope = read(package("a.pdf")).envelope
    said = {"schema": "axis.seal/1", "envelope": ID, "sender": "H37", "key": "A" * 43}
    files = [each.model_dump() for each in envelope.attachments]
    check_contents(SealContents.model_validate({**said, "files": files}), envelope)
    files.reverse()
    with pytest.raises(Refused, match="not the last") as caught:
        check_contents(SealContents.model_validate({**said, "files": files}), envelope)
    assert caught.value.code == "seal/malformed"


async def test_a_file_that_changes_meanwhile_is_not_sent(tmp_path: Path) -> None:
    path = tmp_path / "a.edxml"
    path.write_bytes(package("a.pdf"))
    file: File = read(path).files[-1]
    path.write_bytes(package("b.pdf"))
    asked: list[httpx.Request] = []
    transport = httpx.MockTransport(lambda request: asked.append(request) or httpx.Response(500))  # type: ignore[func-returns-value]
    key = identity("H37").key
    async with Gateway("http://axis", code="H37", key=key, now=lambda: NOW, deadline=5, transport=transport) as gateway:
        with pytest.raises(Malformed, match="changed while") as caught:
            await gateway.upload(file)
        sealer = Sealer(gateway, tmp_path / "sealing", {}, lambda: NOW)
        with pytest.raises(Malformed, match="changed while"):
            await sealer._upload(file, b"\0" * 32, 0)
    assert (caught.value.code, asked) == ("file/changed", [])


async def test_it_is_saved_only_for_who_asks(world: World, tmp_path: Path) -> None:
    delivery: Delivery = await delivered(world, ("a.pdf", b"%PDF"), ("1_BC.edxml", b"<edXML/>"))
    last = delivery.envelope.attachments[1].model_copy(update={"role": AttachmentRole.PACKAGE})
    cast("Any", delivery).envelope = delivery.envelope.model_copy(
        update={"attachments": [delivery.envelope.attachments[0], last]}
    )
    assert [path.name for path in await delivery.save_attachments(tmp_path)] == ["a.pdf"]
    saved = await delivery.save_attachments(tmp_path, package=True)
    assert [path.read_bytes() for path in saved] == [b"%PDF", b"<edXML/>"]
