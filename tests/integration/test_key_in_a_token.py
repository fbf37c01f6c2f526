"""The axis's own key and an agency's in an HSM (SoftHSM): documents go their way, an outage of the HSM loses none."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from axis.client import AgencySettings, write_profile
from axis.core.lanes import route_queue
from axis.errors import Misconfigured
from axis.trust import DemonstrationCA, Keyring, SigningKey, enrol, new_key
from axis.trust.keys import CERTIFICATE_FILE, KEY_FILE
from schemas import Receipt
from tests.rig import Rig, now, rig, until
from tests.services import Vhost
from tests.softhsm import Hsm, softhsm


@pytest.fixture
def hsm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hsm]:
    with softhsm(tmp_path, monkeypatch) as made:
        made.initialise("trục")
        yield made


def move_axis_key(axis: Rig, hsm: Hsm) -> str:
    """Take the axis's key from its file into the token; return where it is."""
    path = axis.folder / "axis-key" / KEY_FILE
    hsm.put("trục", path.read_bytes(), label="axis")
    path.unlink()
    return hsm.uri("trục", "axis")


async def test_a_document_signed_in_a_token_is_answered_by_a_receipt_signed_in_a_token(
    vhost: Vhost, database: str, tmp_path: Path, hsm: Hsm
) -> None:
    async with rig(vhost, database, tmp_path) as axis:
        await axis.connect(["G22", "H37"])
        agency = await _agency_in_a_token(axis, hsm)
        axis.keys["G22"] = agency.key
        async with axis.worker("router", key=move_axis_key(axis, hsm)):
            submission = axis.submission(axis.envelope())
            await axis.send_as("G22", submission)
            (mail,) = await axis.mail("H37", 1)
            (notice,) = await axis.notices("G22", 1)
        assert (mail.message_id, mail.headers["axis-signature"]) == (
            submission.message_id,
            submission.headers["axis-signature"],
        )
        pinned = enrol(
            (axis.folder / "axis-key" / CERTIFICATE_FILE).read_bytes(), "W00", "axis", now(), allow_demonstration=True
        )
        Keyring([pinned]).verify(notice.body, str(notice.headers["axis-signature"]), now())


async def test_while_the_token_is_away_the_router_waits_and_nothing_is_lost(
    vhost: Vhost, database: str, tmp_path: Path, hsm: Hsm
) -> None:
    async with rig(vhost, database, tmp_path) as axis:
        await axis.connect(["G22", "H37"])
        key = move_axis_key(axis, hsm)
        # The relay beside it: on a busy machine a mailbox may not take what the router publishes, and it is held then.
        async with axis.worker("router", key=key) as router, axis.worker("relay", key=key, relay_seconds="0.6"):
            await axis.send_as("G22", axis.submission(axis.envelope()))
            await axis.notices("G22", 1)
            await axis.mail("H37", 1)
            hsm.remove(elsewhere=tmp_path / "drawer")
            good = [axis.submission(axis.envelope()) for _ in range(5)]
            bad = axis.submission(axis.envelope(), key="H37")  # refused, which needs a signature as well
            await axis.send_as("G22", *good, bad)
            await until(lambda: "key/unavailable" in router.log.read_text())
            assert router.process.returncode is None
            assert [await axis.waiting(queue) for queue in ("notices.G22", "mailbox.normal.H37")] == [0, 0]
            hsm.put_back(tmp_path / "drawer")
            receipts = [Receipt.model_validate_json(each.body) for each in await axis.notices("G22", 6)]
            mail = await axis.mail("H37", 5)
        assert {each.message_id for each in mail} == {each.message_id for each in good}
        assert sorted(receipt.outcome for receipt in receipts) == ["accepted"] * 5 + ["refused"]
        assert await axis.waiting(route_queue("normal")) == 0


async def _agency_in_a_token(axis: Rig, hsm: Hsm) -> AgencySettings:
    authority = DemonstrationCA.open_or_create(axis.folder / "ca", now())
    pem = new_key("ed25519")
    certificate = authority.issue("G22", pem, name="Văn phòng Chính phủ", now=now())
    await axis.store.directory.put_certificate(enrol(certificate, "G22", "agency", now(), allow_demonstration=True))
    hsm.put("trục", pem, label="cơ quan", number="02")
    folder = axis.folder / "profile"
    rest: dict[str, Any] = {"code": "G22", "amqp_url": axis.url_of("G22"), "gateway_url": "http://127.0.0.1:1"}
    write_profile(folder, **rest, key=b"", certificate=certificate, axis_certificate=certificate)
    (folder / "key.pem").unlink()
    with pytest.raises(Misconfigured, match=r"key\.pem is missing"):
        AgencySettings.load(folder)
    profile = json.loads((folder / "profile.json").read_text())
    (folder / "profile.json").write_text(json.dumps({**profile, "key": hsm.uri("trục", "cơ quan")}))
    # Made again, as `axis agency add` does it for a new password: the key stays where it is.
    write_profile(folder, **rest, key=b"", certificate=certificate, axis_certificate=certificate)
    (folder / "key.pem").unlink()
    settings = AgencySettings.load(folder)
    assert isinstance(settings.key, SigningKey)
    assert "PRIVATE" not in repr(settings)
    return settings
