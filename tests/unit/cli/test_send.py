"""`axis send` before anything leaves this machine."""

from pathlib import Path

import pytest

from axis.client import write_profile
from axis.store import FakeStore
from tests.unit.cli.conftest import Run
from tests.unit.client.doubles import identity


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    own, axis = identity("G22"), identity("W00", "axis")
    folder = tmp_path / "G22"
    write_profile(
        folder,
        code="G22",
        amqp_url="amqp://G22:secret@127.0.0.1:1/axis",
        gateway_url="http://127.0.0.1:1",
        key=own.key_pem,
        certificate=own.certificate_pem,
        axis_certificate=axis.certificate_pem,
    )
    return folder


def test_without_a_profile(run: Run, store: FakeStore, tmp_path: Path) -> None:
    ran = run("send", str(tmp_path / "a.pdf"), "--as", "G22", "--to", "H37")
    assert ran.code == 66
    assert "agency/no-profile" in ran.err
    assert "axis agency add" in ran.err


def test_without_the_file(run: Run, store: FakeStore, tmp_path: Path, profile: Path) -> None:
    ran = run("send", str(tmp_path / "a.pdf"), "--as", "G22", "--to", "H37", "--profile", str(profile))
    assert ran.code == 66
    assert "file/not-found" in ran.err


def test_in_vietnamese(run: Run, store: FakeStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "vi_VN.UTF-8")
    ran = run("send", str(tmp_path / "a.pdf"), "--as", "G22", "--to", "H37")
    assert "Máy này chưa có hồ sơ kết nối của cơ quan." in ran.err
    assert "Tạo hồ sơ bằng lệnh axis agency add" in ran.err


def test_a_state_secret_is_refused_before_anything_is_asked(
    run: Run, store: FakeStore, tmp_path: Path, profile: Path
) -> None:
    (tmp_path / "a.pdf").write_bytes(b"%PDF")
    ran = run(
        *("send", str(tmp_path / "a.pdf"), "--as", "G22", "--to", "H37", "--profile", str(profile)),
        *("--subject", "MẬT: Phương án tác chiến", "--json"),
    )
    assert (ran.code, ran.json["error"]["code"]) == (65, "secrecy/marked")
    assert "tác chiến" not in ran.out + ran.err
