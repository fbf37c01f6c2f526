"""What a recipient is told of the signatures inside the files: a difference in law."""

from pathlib import Path

from axis.client import AgencySettings
from axis.signatures.pdf import MAX_BYTES
from axis.signatures.trust import Trust
from axis.signatures.verdict import Standing
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
    assert found["7816.pdf"].told() == "signed by UBND tỉnh Lạng Sơn, intact, trusted"
    assert not delivery.taken


async def test_a_file_too_large_is_not_fetched(world: World) -> None:
    delivery = await delivered(world, ("a.pdf", b"%PDF"))
    (file,) = delivery.envelope.attachments
    files = [file.model_copy(update={"size": MAX_BYTES + 1})]
    delivery.envelope = delivery.envelope.model_copy(update={"attachments": files})
    world.shelf.away = True
    ((_, verdict),) = await delivery.signatures()
    assert verdict.standing is Standing.NOT_LOOKED_AT


def test_whom_a_profile_trusts(tmp_path: Path) -> None:
    profile(tmp_path)
    assert AgencySettings.load(tmp_path).document_trust == Trust()
    AUTHORITY.put_into(tmp_path / "trusted")
    assert AgencySettings.load(tmp_path).document_trust == Trust(AUTHORITY.authorities)
