"""Sealed documents in the SDK: sent, opened, and every way in which they are not to be opened."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from axis.client import Delivery, File, write_sealing_key
from axis.client.opening import Opener
from axis.client.sealing import SealedParts, Sealer
from axis.client.settings import AgencySettings
from axis.core.ids import new_id
from axis.core.reading import parse_envelope
from axis.edxml import DocumentId, EdxmlDocument, Organisation, attach, build_document
from axis.errors import Misconfigured, NotFound, Refused, Unavailable
from axis.trust.stream import SEGMENT_BYTES
from schemas import Envelope, StatusCode
from tests.unit.client.doubles import NOW, World, keys, paper
from tests.unit.client.test_files import profile
from tests.unit.trust.sealing import sealing

SECRET = "Báo cáo về nhân sự, chỉ nơi nhận được đọc. ".encode() * 3
NAME = "Báo cáo nhân sự 2026.docx"


def published(world: World) -> Envelope:
    (message,) = [each for each in world.post.published if each.type == "document"]
    return parse_envelope(message.body)


async def sealed_parts(
    world: World, identifier: str, *files: File, recipients: Sequence[str] = ("H37", "G12"), sender: str = "G22"
) -> SealedParts:
    """Seal as G22 does."""
    sealer = Sealer(world.shelf, world.settings.state_folder / "G22", {}, lambda: NOW)
    described = [file.attachment(number, sha256="0" * 64, size=0) for number, file in enumerate(files)]
    return await sealer.seal(files, described, recipients=recipients, envelope_id=identifier, sender=sender)


async def delivered(world: World, parts: SealedParts, identifier: str) -> Delivery:
    message = world.document(
        recipients=["H37", "G12"], attachments=parts.attachments, sealed=parts.sealed, identifier=identifier
    )
    await world.post.put("mailbox.normal.H37", message)
    async with world.connect() as agency:
        inbox = agency.inbox(idle=1.0)
        async for delivery in inbox:
            if delivery.body == message.body:
                found: Delivery = delivery
                return found
            inbox.leave()  # what an earlier part of the test has left there
    raise AssertionError("it did not come")


async def refused(delivery: Delivery, folder: Path) -> str:
    with pytest.raises(Refused) as caught:
        await delivery.save_attachments(folder)
    assert list(folder.glob("*")) == []  # noqa: ASYNC240 - a test has the time
    return caught.value.code


# Sending


async def test_one_option_seals_and_nothing_readable_leaves(sealed_world: World, tmp_path: Path) -> None:
    world = sealed_world
    path = tmp_path / NAME
    path.write_bytes(SECRET)
    world.shelf.mailboxes = {"G12.18": "G12"}
    async with world.connect() as agency:
        sent = await agency.send(
            document=paper(),
            recipients=["G12", "H60", "G12.18"],
            attachments=[path, File(b"", "Phụ lục.txt")],
            seal=True,
        )
    assert sent.sealed_for == ("G12", "H60")
    envelope = published(world)
    assert [(each.name, each.media_type, each.role.value) for each in envelope.attachments] == [
        ("1.sealed", "application/vnd.axis.sealed", "main"),
        ("2.sealed", "application/vnd.axis.sealed", "appendix"),
    ]
    assert envelope.sealed is not None
    named = {each.sha256 for each in envelope.attachments} | {envelope.sealed.keys.sha256}
    assert named == world.shelf.files.keys()
    everything = b"".join(world.shelf.files.values()) + b"".join(each.body for each in world.post.published)
    for secret in (SECRET[:20], NAME.encode(), json.dumps(NAME)[1:-1].encode(), "Phụ lục".encode()):
        assert secret not in everything
    assert hashlib.sha256(SECRET).hexdigest().encode() not in everything
    assert list((world.settings.state_folder / "sealing").iterdir()) == []


async def test_a_mailbox_more_is_a_wrapped_key_and_never_a_second_ciphertext(sealed_world: World) -> None:
    counts = []
    for recipients in (("G12",), ("G12", "H60"), ("G12", "H60", "H37")):
        sealed_world.shelf.files.clear()
        await sealed_parts(sealed_world, new_id(NOW), File(SECRET, NAME), recipients=recipients)
        counts.append(len(sealed_world.shelf.files))
    assert counts == [2, 2, 2]


async def test_what_cannot_be_sealed_is_not_sent_at_all(sealed_world: World) -> None:
    world = sealed_world
    async with world.connect() as agency:
        for recipients, files, code in (
            (["G12", "G17"], [File(SECRET, NAME)], "seal/no-certificate"),
            (["G12"], [], "seal/no-files"),
            (["G12"], [File(SECRET, "../x")], "envelope/attachment-name"),
        ):
            with pytest.raises(Refused) as caught:
                await agency.send(document=paper(), recipients=recipients, attachments=files, seal=True)
            assert caught.value.code == code
        world.shelf.away = True
        with pytest.raises(Unavailable):
            await agency.send(document=paper(), recipients=["G12"], attachments=[File(SECRET, NAME)], seal=True)
        assert await agency.outbox() == []
    assert (world.shelf.files, world.post.published) == ({}, [])


async def test_sending_again_under_the_same_id_is_one_document(sealed_world: World) -> None:
    world = sealed_world
    async with world.connect() as agency:
        identifier = agency.new_envelope_id()

        async def send(data: bytes = SECRET) -> None:
            await agency.send(
                document=paper(), recipients=["G12"], attachments=[File(data, NAME)], seal=True, envelope_id=identifier
            )

        await send()
        await send()
        published(world)
        with pytest.raises(Refused) as caught:
            await send(SECRET + b"!")
        assert caught.value.code == "envelope/id-reused"


async def test_a_folder_that_cannot_be_written_says_so(sealed_world: World) -> None:
    world = sealed_world
    async with world.connect() as agency:
        (world.settings.state_folder / "sealing").write_text("in the way")
        with pytest.raises(Misconfigured) as caught:
            await agency.send(document=paper(), recipients=["G12"], attachments=[File(SECRET, NAME)], seal=True)
    assert caught.value.code == "file/not-created"


# Opening


async def test_a_sealed_document_opens_by_itself(sealed_world: World, tmp_path: Path) -> None:
    world, identifier = sealed_world, new_id(NOW)
    large = bytes(range(256)) * (3 * SEGMENT_BYTES // 256) + b"end"
    parts = await sealed_parts(world, identifier, File(SECRET, NAME), File(b"", "rỗng.txt"), File(large, "Lớn.bin"))
    delivery = await delivered(world, parts, identifier)
    assert delivery.sealed
    files = await delivery.files()
    assert [(each.name, each.size) for each in files] == [(NAME, len(SECRET)), ("rỗng.txt", 0), ("Lớn.bin", len(large))]
    paths = await delivery.save_attachments(tmp_path / "in")
    assert [path.name for path in paths] == [NAME, "rỗng.txt", "Lớn.bin"]
    assert [path.read_bytes() for path in paths] == [SECRET, b"", large]
    assert await delivery.save_attachments(tmp_path / "in") == paths
    assert b"".join([piece async for piece in delivery.read(files[0])]) == SECRET
    assert b"".join([piece async for piece in delivery.read(delivery.envelope.attachments[0])]) == SECRET
    with pytest.raises(NotFound):
        await anext(delivery.read(files[0].model_copy(update={"name": "x"})))


async def test_an_old_document_opens_with_the_retired_key(sealed_world: World, tmp_path: Path) -> None:
    world, identifier = sealed_world, new_id(NOW)
    parts = await sealed_parts(world, identifier, File(SECRET, NAME))
    delivery = await delivered(world, parts, identifier)
    world.shelf.for_sealing = [sealing("p256", "H37", 1)[1]]
    world.settings = replace(
        world.settings, sealing_keys=keys(sealing("p256", "H37", 1), sealing("p256", "H37"), sealing("rsa", "H37"))
    )
    async with world.connect() as agency:
        opened = await agency.opened(delivery.envelope)
        assert b"".join([piece async for piece in opened.read(opened.files[0])]) == SECRET
        newer = new_id(NOW)
        again = await sealed_parts(world, newer, File(SECRET, NAME), recipients=["H37"])
    assert await (await delivered(world, again, newer)).save_attachments(tmp_path / "in")


async def test_without_the_key_it_is_said_what_is_missing_and_the_document_stays(
    sealed_world: World, tmp_path: Path
) -> None:
    world, identifier = sealed_world, new_id(NOW)
    parts = await sealed_parts(world, identifier, File(SECRET, NAME))
    for held, code in (
        ({}, "seal/no-key"),
        (keys(sealing("p256", "H37", 1)), "seal/not-for-you"),
        (keys(sealing("p256", "H60")), "seal/not-for-you"),
    ):
        world.settings = replace(world.settings, sealing_keys=held)
        delivery = await delivered(world, parts, identifier)
        assert await refused(delivery, tmp_path / "in") == code
        assert not delivery.taken
    assert world.post.statuses() == []


async def test_what_is_set_aside_opens_when_its_key_comes(sealed_world: World, tmp_path: Path) -> None:
    world, identifier = sealed_world, new_id(NOW)
    parts = await sealed_parts(world, identifier, File(SECRET, NAME))
    world.settings = replace(world.settings, sealing_keys={}, sealing_folder=tmp_path / "sealing")
    message = world.document(
        recipients=["H37", "G12"], attachments=parts.attachments, sealed=parts.sealed, identifier=identifier
    )
    await world.post.put("mailbox.normal.H37", message)
    async with world.connect() as agency:
        async for delivery in agency.inbox(idle=1.0):
            with pytest.raises(Refused) as caught:
                await delivery.files()
            await delivery.defer(caught.value)
            break
        assert await anext(agency.inbox(idle=0.1), None) is None
        assert world.post.unacked == []
        assert world.post.statuses() == []
    async with world.connect() as agency:
        (aside,) = await agency.deferred()
        assert await refused(aside, tmp_path / "in") == "seal/no-key"
        (tmp_path / "sealing").mkdir()
        (tmp_path / "sealing" / "2026.key.pem").write_bytes(b"half of i")
        assert await refused(aside, tmp_path / "in") == "seal/no-key"
        _, _, key, certificate = sealing("p256", "H37")
        write_sealing_key(tmp_path, key=key, certificate=certificate, name="2026")
        (path,) = await aside.save_attachments(tmp_path / "in")
        assert path.read_bytes() == SECRET
        await aside.take()
        assert await agency.deferred() == []
    assert world.post.statuses() == [("01", "H37", None, None)]


async def test_the_application_may_refuse_what_it_cannot_open(sealed_world: World) -> None:
    world, identifier = sealed_world, new_id(NOW)
    world.settings = replace(world.settings, sealing_keys=keys(sealing("p256", "H37", 1)))
    parts = await sealed_parts(world, identifier, File(SECRET, NAME))
    message = world.document(attachments=parts.attachments, sealed=parts.sealed, identifier=identifier)
    await world.post.put("mailbox.normal.H37", message)
    async with world.connect() as agency:
        delivery = await anext(agency.inbox())
        with pytest.raises(Refused) as caught:
            await delivery.files()
        await delivery.refuse(str(caught.value))
    assert [(code, reason and reason.split(":")[0]) for code, _, _, reason in world.post.statuses()] == [
        (StatusCode.ARRIVED, None),
        (StatusCode.REFUSED, "seal/not-for-you"),
    ]


async def test_a_blob_that_was_replaced_is_refused(sealed_world: World, tmp_path: Path) -> None:
    world, identifier = sealed_world, new_id(NOW)
    parts = await sealed_parts(world, identifier, File(SECRET, NAME), File(SECRET[::-1], "khác.bin"))
    first, second = (str(each["sha256"]) for each in parts.attachments)
    keys_blob = str(parts.sealed["keys"]["sha256"])  # type: ignore[index]  # an object, as the schema says
    sound = dict(world.shelf.files)
    for changed in (
        {first: sound[second]},
        {first: sound[first][:-1] + b"\0"},
        {keys_blob: sound[keys_blob][:-1] + b" "},
    ):
        world.shelf.files = {**sound, **changed}
        assert await refused(await delivered(world, parts, identifier), tmp_path / "in") == "blob/digest"


async def test_files_that_the_envelope_itself_names_wrongly_are_refused(sealed_world: World, tmp_path: Path) -> None:
    """Their digests fit: somebody with the right to sign has put the wrong bytes there."""
    world, identifier = sealed_world, new_id(NOW)
    parts = await sealed_parts(world, identifier, File(SECRET, NAME), File(SECRET[::-1], "khác.bin"))
    swapped = [
        {**parts.attachments[0], "sha256": parts.attachments[1]["sha256"]},
        {**parts.attachments[1], "sha256": parts.attachments[0]["sha256"]},
    ]
    other = SealedParts(swapped, parts.sealed)
    assert await refused(await delivered(world, other, identifier), tmp_path / "in") == "seal/broken"
    data = b"no ciphertext at all"
    digest = hashlib.sha256(data).hexdigest()
    world.shelf.files[digest] = data
    plain = SealedParts(
        [{**parts.attachments[0], "sha256": digest, "size": len(data)}, parts.attachments[1]], parts.sealed
    )
    assert await refused(await delivered(world, plain, identifier), tmp_path / "in") == "seal/broken"


async def test_keys_of_another_envelope_are_refused(sealed_world: World, tmp_path: Path) -> None:
    """Somebody signs an envelope of his own over what another one sealed: to have it opened, or to seem its author."""
    world = sealed_world
    one, two = new_id(NOW), new_id(NOW)
    first = await sealed_parts(world, one, File(SECRET, NAME))
    second = await sealed_parts(world, two, File(SECRET[::-1], NAME))
    stolen = SealedParts(first.attachments, first.sealed)
    assert await refused(await delivered(world, stolen, two), tmp_path / "in") == "seal/other-envelope"
    mixed = SealedParts(second.attachments, first.sealed)
    assert await refused(await delivered(world, mixed, one), tmp_path / "in") == "seal/broken"
    borrowed = await sealed_parts(world, two, File(SECRET, NAME), sender="G09")
    assert await refused(await delivered(world, borrowed, two), tmp_path / "in") == "seal/other-envelope"


async def test_a_recipient_that_was_taken_out_of_the_keys_is_told_so(sealed_world: World, tmp_path: Path) -> None:
    world, identifier = sealed_world, new_id(NOW)
    parts = await sealed_parts(world, identifier, File(SECRET, NAME))
    keys_blob = dict(parts.sealed["keys"])  # type: ignore[call-overload]  # an object, as the schema says
    jwe = json.loads(world.shelf.files[keys_blob["sha256"]])
    own = sealing("p256", "H37")[1].thumbprint
    jwe["recipients"] = [each for each in jwe["recipients"] if each["header"]["x5t#S256"] != own]
    data = json.dumps(jwe).encode()
    world.shelf.files[keys_blob["sha256"]] = data
    # By the store: the digest in the signed envelope gives it away. By the sender: there is no key for us.
    assert await refused(await delivered(world, parts, identifier), tmp_path / "in") == "blob/digest"
    digest = hashlib.sha256(data).hexdigest()
    world.shelf.files[digest] = data
    sealed = {**parts.sealed, "keys": {"sha256": digest, "size": len(data)}}
    without = SealedParts(parts.attachments, sealed)
    assert await refused(await delivered(world, without, identifier), tmp_path / "in") == "seal/not-for-you"


async def test_a_package_is_sealed_too(sealed_world: World, tmp_path: Path) -> None:
    world = sealed_world
    package = build_document(
        EdxmlDocument(
            sender=Organisation(organ_id="000.00.00.H37", name="UBND tỉnh Lạng Sơn"),
            recipients=(Organisation(organ_id="000.00.00.G12", name="Bộ Tài chính"),),
            document_id=DocumentId.of("000.00.00.H37", NOW.date(), "1/BC"),
            number="1",
            notation="BC",
            subject="Báo cáo",
            content="Báo cáo",
            attachments=(attach(NAME, SECRET),),
        )
    )
    async with world.connect() as agency:
        sent = await agency.send_edxml(package, seal=True)
    envelope = published(world)
    assert (sent.sealed_for, [each.name for each in envelope.attachments]) == (("G12",), ["1.sealed", "2.sealed"])
    key = sealing("rsa", "G12")
    opened = await Opener(world.shelf, keys(key)).open(envelope)
    whole = "000.00.00.H37,2026_11_24,1_BC.edxml"
    assert [(each.name, each.size) for each in opened.files] == [(NAME, len(SECRET)), (whole, len(package))]
    assert b"".join([piece async for piece in opened.read(opened.files[0])]) == SECRET
    assert b"".join([piece async for piece in opened.read(opened.files[1])]) == package
    assert NAME.encode() not in world.post.published[0].body


# Profiles


def test_a_profile_holds_sealing_keys_and_pins(tmp_path: Path) -> None:
    profile(tmp_path)
    assert (dict(AgencySettings.load(tmp_path).sealing_keys), dict(AgencySettings.load(tmp_path).pinned)) == ({}, {})
    _, record, key, certificate = sealing("p256", "H37")
    write_sealing_key(tmp_path, key=key, certificate=certificate, name="2026")
    assert (tmp_path / "sealing" / "2026.key.pem").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "sealing").stat().st_mode & 0o777 == 0o700
    (tmp_path / "recipients").mkdir()
    (tmp_path / "recipients" / "G12.18.pem").write_bytes(sealing("rsa", "G12")[3] + sealing("p256", "H60")[3])
    settings = AgencySettings.load(tmp_path)
    assert settings.sealing_keys.keys() == {record.thumbprint}
    assert settings.pinned == {
        "G12.18": frozenset({sealing("rsa", "G12")[1].thumbprint, sealing("p256", "H60")[1].thumbprint})
    }
    assert "PRIVATE" not in repr(settings)
    (tmp_path / "recipients" / "H37.pem").write_bytes(b"nothing")
    with pytest.raises(Misconfigured, match=r"H37\.pem"):
        AgencySettings.load(tmp_path)
