"""`axis send` before anything leaves this machine."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from axis.client import Agency, Sent, write_profile
from axis.store import FakeStore
from tests.builders import NOW
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


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the client is asked to send."""
    asked: list[dict[str, Any]] = []

    class Recording:
        async def send(self, **what: Any) -> Sent:
            asked.append(what)
            return Sent("01995f1c-7a3e-7c21-9f5e-3b7d9c0a4e11", "normal", NOW)

    @contextlib.asynccontextmanager
    async def connect(*_: object, **__: object) -> AsyncIterator[Recording]:
        yield Recording()

    monkeypatch.setattr(Agency, "connect", connect)
    return asked


def test_what_is_said_about_a_document(
    run: Run, store: FakeStore, tmp_path: Path, profile: Path, sent: list[dict[str, Any]]
) -> None:
    (tmp_path / "a.docx").write_bytes(b"PK")
    named = ("send", str(tmp_path / "a.docx"), "--as", "G22", "--to", "H37", "--profile", str(profile), "--no-wait")
    ran = run(
        *(*named, "--number", "7", "--notation", "VPCP-TTĐT", "--place", "Hà Nội", "--abstract", "Tóm tắt"),
        *("--signer", "Nguyễn Văn A", "--position", "Chánh Văn phòng", "--pages", "3", "--paper"),
        *("--replies-to", "H37,2026/11/01,1/UBND", "--replies-to", "khác", "--json"),
    )
    assert ran.code == 0, ran.err
    document = sent[0]["document"]
    assert (document.number, document.place, document.pages, document.paper_follows) == ("7", "Hà Nội", 3, True)
    assert (document.signer.name, document.signer.position) == ("Nguyễn Văn A", "Chánh Văn phòng")
    assert [each.document_id for each in document.replies_to] == ["H37,2026/11/01,1/UBND", "khác"]
    assert run(*named, "--position", "Chánh Văn phòng").code == 2
    assert run(*named, "--signer", "x" * 201).code == 65
    assert len(sent) == 1


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
