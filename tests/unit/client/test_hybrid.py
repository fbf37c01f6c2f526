"""An agency signs twice once its profile holds a second key, and a recipient verifies both."""

from pathlib import Path

import pytest

from axis.client import AgencySettings, write_profile
from axis.core.hybrid import headers_of
from axis.errors import Misconfigured
from axis.settings import Settings
from axis.trust import Keyring
from tests.builders import NOW
from tests.unit.trust.certified import authority, certified


def profile(folder: Path, second: str) -> Path:
    _, _, pem = certified("p256", "H37")
    issued = authority().issue("H37", pem, name="UBND tỉnh Lạng Sơn", now=NOW)
    write_profile(
        folder,
        code="H37",
        amqp_url="amqp://H37:x@127.0.0.1/",
        gateway_url="http://127.0.0.1:1",
        key=pem,
        certificate=issued,
        axis_certificate=issued,
    )
    _, _, beside = certified(second, "H37")
    (folder / "second").mkdir()
    (folder / "second" / "key.pem").write_bytes(beside)
    (folder / "second" / "certificate.pem").write_bytes(authority().issue("H37", beside, name="x", now=NOW))
    return folder


def test_a_second_key_in_the_profile_makes_every_signature_a_hybrid(tmp_path: Path) -> None:
    key = AgencySettings.load(profile(tmp_path, "ml-dsa-65")).key
    signature = key.sign(b"body")
    assert headers_of(signature).keys() == {"axis-signature", "axis-signature-pq"}
    assert " " not in key.sign_compact({"typ": "axis-token"}, b"{}")
    with pytest.raises(Exception, match="certificate/unknown"):
        Keyring([]).verify(b"body", signature, NOW)


def test_a_classical_key_is_no_second_one(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="cannot stand beside"):
        AgencySettings.load(profile(tmp_path, "ed25519"))


def test_who_has_to_make_both_is_a_setting(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in (
        ("AMQP_URL", "amqp://guest:guest@127.0.0.1:1/"),
        ("RABBITMQ_API_URL", "http://guest:guest@127.0.0.1:1"),
        ("DATABASE_URL", "postgresql://127.0.0.1:1/none"),
        ("HYBRID_REQUIRED", '["H37", "G22.05"]'),
    ):
        monkeypatch.setenv(f"AXIS_{name}", value)
    assert Settings.load(tmp_path).hybrid_required == {"H37", "G22.05"}
    monkeypatch.setenv("AXIS_HYBRID_REQUIRED", '["nơi nào"]')
    with pytest.raises(Misconfigured, match="AXIS_HYBRID_REQUIRED"):
        Settings.load(tmp_path)
