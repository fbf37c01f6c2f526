"""`axis key check`: a key is tried where it lives."""

from pathlib import Path

import pytest

from axis.store import FakeStore
from tests.builders import NOW
from tests.softhsm import softhsm
from tests.unit.cli.conftest import Run
from tests.unit.trust.certified import authority, certified


def write(folder: Path, kind: str) -> None:
    _, _, pem = certified(kind)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "key.pem").write_bytes(pem)
    (folder / "certificate.pem").write_bytes(authority().issue("H37", pem, name="x", now=NOW))


def test_the_axiss_own_key_is_tried(run: Run, store: FakeStore, tmp_path: Path) -> None:
    write(tmp_path / ".axis" / "axis-key", "p256")
    ran = run("key", "check", "--json")
    assert (ran.code, ran.json["algorithm"], ran.json["signatures"]) == (0, "ES256", 20)
    assert ran.json["milliseconds"] > 0
    assert "signs ES256" in run("key", "check").out


def test_a_key_in_a_token_is_tried_and_what_is_wrong_has_a_code(
    run: Run, store: FakeStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "H37"
    write(folder, "ed25519")
    with softhsm(tmp_path, monkeypatch) as hsm:
        hsm.initialise("cơ quan")
        hsm.put("cơ quan", (folder / "key.pem").read_bytes(), label="ký số")
        (folder / "key.pem").unlink()
        ran = run("key", "check", hsm.uri("cơ quan", "ký số"), "--in", str(folder))
        assert (ran.code, "signs EdDSA" in ran.out) == (0, True)
        away = run("key", "check", hsm.uri("nơi khác", "ký số"), "--in", str(folder), "--json")
        assert (away.code, away.json["error"]["code"]) == (69, "key/unavailable")
    wrong = run("key", "check", "pkcs11:token=t;object=k?pin-value=1234", "--in", str(folder))
    assert wrong.code == 78
    assert "1234" not in wrong.out + wrong.err


def test_settings_refuse_a_location_that_cannot_be(
    run: Run, store: FakeStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AXIS_KEY", "pkcs11:token=t?module-path=/x.so")
    ran = run("key", "check")
    assert ran.code == 78
    assert "AXIS_KEY" in ran.err
    assert "which key" in ran.err
