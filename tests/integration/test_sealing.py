"""Sealed documents through a whole axis: recipients read them; others, the operator and copies of its stores do not."""

import asyncio
import datetime as dt
import shutil
from collections.abc import Iterator, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from axis import local
from axis.cli.connecting import DEMONSTRATION_CA
from axis.cli.onboarding import Newcomer, onboard_many
from axis.client import Agency, AgencySettings, Delivery, File, write_sealing_key
from axis.client.addressing import Ways
from axis.client.gateway import Gateway
from axis.errors import Refused
from axis.store import Store
from axis.trust import DemonstrationCA, SigningKey, enrol, new_key
from schemas import Document, Envelope
from tests.rig import until
from tests.whole_axis import ROUTE, Axis, whole_axis

# Broker accounts are shared by all virtual hosts of a broker, so these codes are this module's own.
SENDER, FIRST, UNIT, SECOND, THIRD, WITHOUT = "X81", "X82", "X82.07", "X83", "X84", "X85"
WORKER = "axis-worker-of-test-sealing"
NAME = "Báo cáo nhân sự 2026.txt"
SECRET = "Danh sách cán bộ được đề nghị, chỉ nơi nhận được đọc. " * 40_000  # three segments


@pytest.fixture(scope="module")
def axis(services: local.Services, migrated_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Axis]:
    with whole_axis(
        services, migrated_template, tmp_path_factory.mktemp("sealing"), worker=WORKER, processes=ROUTE
    ) as running:
        newcomers = [Newcomer(code, f"Cơ quan {code}") for code in (SENDER, FIRST, SECOND, THIRD)]
        newcomers.append(Newcomer(UNIT, "Phòng Tổ chức", mailbox=False))
        newcomers.append(Newcomer(WITHOUT, "Cơ quan chưa có khóa", demonstration_key=None))
        asyncio.run(connect(running, newcomers))
        yield running


async def connect(axis: Axis, newcomers: Sequence[Newcomer]) -> None:
    async with store(axis) as opened:
        await onboard_many(axis.settings, opened, newcomers, progress=lambda _: None)


def store(axis: Axis) -> AbstractAsyncContextManager[Store]:
    return Store.connect(axis.settings.database_url.get_secret_value(), connections=2)


def gateway(axis: Axis, kind: type[Gateway] = Gateway) -> Gateway:
    settings = AgencySettings.load(profile(axis, SENDER))
    return kind(settings.gateway_url, code=SENDER, key=settings.key, now=lambda: dt.datetime.now(dt.UTC), deadline=10.0)


@pytest.fixture
def report(tmp_path: Path) -> Path:
    path = tmp_path / NAME
    path.write_text(SECRET, encoding="utf-8")
    return path


def profile(axis: Axis, code: str) -> Path:
    return axis.home / "agencies" / code


async def new_sealing_key(axis: Axis, code: str, kind: str) -> str:
    """Do what an agency and its operator do: key into the profile, certificate enrolled, old ones revoked."""
    now = dt.datetime.now(dt.UTC)
    key = new_key(kind)
    authority = DemonstrationCA.open_or_create(axis.home / DEMONSTRATION_CA, now)
    certificate = authority.issue(code, key, name=code, now=now, sealing=True)
    write_sealing_key(profile(axis, code), key=key, certificate=certificate, name=f"next-{kind}")
    record = enrol(certificate, code, "sealing", now, allow_demonstration=True)
    async with store(axis) as opened:
        _, _, enrolled = await opened.directory.load()
        await opened.directory.put_certificate(record)
        for old in enrolled:
            if (old.organisation, old.role) == (code, "sealing"):
                await opened.directory.revoke(old.thumbprint, now)

    async def offered() -> bool:
        return [each.thumbprint for each in (await asking.ways([code])).certificates] == [record.thumbprint]

    async with gateway(axis) as asking:
        await until(offered)
    return record.thumbprint


async def everything_stored(axis: Axis) -> bytes:
    """Return all that whoever has the database and the blob store has, rows as text (bytea in hexadecimal)."""
    connection = await asyncpg.connect(axis.settings.database_url.get_secret_value())
    try:
        tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        rows = [
            str(row[0])
            for table in tables
            for row in await connection.fetch(f'SELECT t::text FROM "{table[0]}" t')  # noqa: S608 - the catalogue's name
        ]
    finally:
        await connection.close()
    blobs = [path.read_bytes() for path in (axis.home / "blobs").rglob("*") if path.is_file()]
    assert len(rows) > 10
    assert blobs
    return "\n".join(rows).encode() + b"\n".join(blobs)


async def test_two_read_it_and_nobody_else(axis: Axis, report: Path, tmp_path: Path) -> None:
    await new_sealing_key(axis, SECOND, "rsa")
    to = ("--to", FIRST, "--to", UNIT, "--to", SECOND)
    sent = await asyncio.to_thread(
        axis.json, "send", str(report), "--as", SENDER, *to, "--seal", "--subject", "Báo cáo"
    )
    assert sent["receipt"]["outcome"] == "accepted"
    assert sent["sealed_for"] == [FIRST, SECOND]

    stored = await everything_stored(axis)
    for secret in (SECRET[:30], SECRET[-30:], NAME, NAME.removesuffix(".txt")):
        assert secret.encode() not in stored
        assert secret.encode().hex().encode() not in stored
    assert "Báo cáo".encode().hex().encode() in stored  # the subject is readable, as it is said to be

    for code in (FIRST, SECOND):
        folder = tmp_path / code
        told = await asyncio.to_thread(axis.json, "inbox", "--as", code, "--save", str(folder), "--accept")
        (document,) = told["documents"]
        assert document["sealed"]["opened"]
        assert (folder / sent["envelope"] / "files" / NAME).read_text(encoding="utf-8") == SECRET
    assert document["recipients"] == [SECOND]

    envelope = Envelope.model_validate_json((tmp_path / FIRST / sent["envelope"] / "envelope.json").read_bytes())
    async with Agency.connect(AgencySettings.load(profile(axis, THIRD))) as third:
        with pytest.raises(Refused) as caught:
            await third.opened(envelope)
        assert caught.value.code == "blob/not-found"
        with pytest.raises(Refused) as caught:
            await anext(third.read(envelope.attachments[0]))
        assert caught.value.code == "blob/not-found"


def test_without_its_key_a_recipient_is_told_and_loses_nothing(axis: Axis, report: Path, tmp_path: Path) -> None:
    sent = axis.json("send", str(report), "--as", SENDER, "--to", THIRD, "--seal", "--subject", "Báo cáo")
    keys, away = profile(axis, THIRD) / "sealing", tmp_path / "away"
    shutil.move(keys, away)
    folder = tmp_path / "in"
    ran = axis.run("inbox", "--as", THIRD, "--save", str(folder), "--accept", code=1)
    assert "seal/no-key" in ran.stdout
    assert "left in the mailbox, sealed" in ran.stdout
    assert not folder.exists()
    looked = axis.json("inbox", "--as", THIRD, "--leave")["documents"]
    assert [(each["taken"], each["sealed"]["code"]) for each in looked] == [(False, "seal/no-key")]
    shutil.move(away, keys)
    ran = axis.run("inbox", "--as", THIRD, "--save", str(folder), "--accept")
    assert "opened with the sealing key" in ran.stdout
    assert NAME in ran.stdout
    assert (folder / sent["envelope"] / "files" / NAME).read_text(encoding="utf-8") == SECRET


def test_a_recipient_without_a_sealing_certificate_stops_it_before_anything_is_sent(axis: Axis, report: Path) -> None:
    arguments = ("--as", SENDER, "--to", FIRST, "--to", WITHOUT, "--seal", "--subject", "Báo cáo")
    ran = axis.json("send", str(report), *arguments, code=65)
    assert ran["error"]["code"] == "seal/no-certificate"
    # The file's name, which is the subject otherwise, is sealed: a subject has to be given.
    assert "--subject" in axis.run("send", str(report), "--as", SENDER, "--to", FIRST, "--seal", code=2).stderr
    assert WITHOUT in ran["error"]["detail"]


async def take(settings: AgencySettings) -> Delivery:
    async with Agency.connect(settings) as agency:
        delivery = await anext(agency.inbox(idle=30.0))
        await delivery.files()
        await delivery.take()
        return delivery


async def opened_by(settings: AgencySettings, envelope: Envelope) -> bytes:
    async with Agency.connect(settings) as agency:
        opened = await agency.opened(envelope)
        async with aclosing(opened.read(opened.files[0])) as pieces:
            return b"".join([piece async for piece in pieces])


async def send(axis: Axis, report: Path) -> None:
    async with Agency.connect(AgencySettings.load(profile(axis, SENDER))) as agency:
        document = Document(document_id=f"{SENDER},1", subject="Báo cáo")
        await agency.send(document=document, recipients=[FIRST], attachments=[report], seal=True)


async def test_a_key_is_replaced_and_old_documents_still_open(axis: Axis, report: Path) -> None:
    await send(axis, report)
    old = await take(AgencySettings.load(profile(axis, FIRST)))
    newest = await new_sealing_key(axis, FIRST, "p256")
    await send(axis, report)
    settings = AgencySettings.load(profile(axis, FIRST))
    new = await take(settings)
    assert len(settings.sealing_keys) == 2
    for delivery in (old, new):
        assert await opened_by(settings, delivery.envelope) == SECRET.encode()
    retired = {thumbprint: key for thumbprint, key in settings.sealing_keys.items() if thumbprint != newest}
    for held, refused in ((retired, new), ({newest: settings.sealing_keys[newest]}, old)):
        with pytest.raises(Refused) as caught:
            await opened_by(replace(settings, sealing_keys=held, sealing_folder=None), refused.envelope)
        assert caught.value.code == "seal/not-for-you"
        # Where the folder of the profile is known, a key that came into it since is found.
        assert await opened_by(replace(settings, sealing_keys=held), refused.envelope) == SECRET.encode()


class Stale(Gateway):
    """A gateway whose word about a recipient is from before it came to another mailbox."""

    async def ways(self, recipients: Sequence[str]) -> Ways:
        found = await super().ways([THIRD])
        return Ways(tuple(way.model_copy(update={"recipient": UNIT}) for way in found.ways), found.certificates)


async def test_a_recipient_that_leads_elsewhere_by_now_is_refused_with_a_reason(axis: Axis, report: Path) -> None:
    settings = AgencySettings.load(profile(axis, SENDER))
    async with gateway(axis, Stale) as stale, Agency.connect(settings, gateway=stale) as agency:
        document = Document(document_id=f"{SENDER},2", subject="Báo cáo")
        sent = await agency.send(document=document, recipients=[UNIT, FIRST], attachments=[report], seal=True)
        receipt = await agency.receipt(sent.envelope_id)
    assert sent.sealed_for == (THIRD,)
    assert receipt.outcome.value == "refused"
    assert [(each.recipient, each.code) for each in receipt.recipients] == [
        (UNIT, "seal/other-mailbox"),
        (FIRST, "seal/other-mailbox"),
    ]
    assert FIRST in (receipt.recipients[0].detail or "")


async def test_a_sealing_key_that_was_stolen_signs_nothing(axis: Axis) -> None:
    settings = AgencySettings.load(profile(axis, SENDER))
    folder = profile(axis, SENDER) / "sealing"
    (key,) = folder.glob("*.key.pem")
    certificate = key.with_name(key.name.replace(".key.", ".certificate."))
    stolen = SigningKey.from_pem(key.read_bytes(), certificate.read_bytes())
    async with Agency.connect(replace(settings, key=stolen)) as agency:
        document = Document(document_id=f"{SENDER},3", subject="Giả mạo")
        sent = await agency.send(document=document, recipients=[FIRST])
        receipt = await agency.receipt(sent.envelope_id)
        assert (receipt.outcome.value, receipt.code) == ("refused", "abuse/signer")
        with pytest.raises(Refused, match="abuse/signer"):
            await agency.send(document=document, recipients=[FIRST], attachments=[File(b"x", "x.txt")], seal=True)
