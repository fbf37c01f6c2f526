"""`axis folder` before anything is connected, and what it prints."""

import json
from pathlib import Path

import pytest

from axis.client import write_profile
from axis.store import FakeStore
from tests.unit.cli.conftest import Run
from tests.unit.client.doubles import identity


@pytest.fixture
def arguments(store: FakeStore, tmp_path: Path) -> tuple[str, ...]:
    own, axis = identity("G22"), identity("W00", "axis")
    write_profile(
        tmp_path / "G22",
        code="G22",
        amqp_url="amqp://G22:secret@127.0.0.1:1/axis",
        gateway_url="http://127.0.0.1:1",
        key=own.key_pem,
        certificate=own.certificate_pem,
        axis_certificate=axis.certificate_pem,
    )
    (tmp_path / "out").mkdir()
    return ("folder", "--as", "G22", "--profile", str(tmp_path / "G22"), "--out", str(tmp_path / "out"))


def test_a_folder_that_is_not_there_is_not_made(run: Run, arguments: tuple[str, ...], tmp_path: Path) -> None:
    ran = run(*arguments, "--in", str(tmp_path / "in"))
    assert ran.code == 66
    assert "folder/not-found" in ran.err
    assert not (tmp_path / "in").exists()


def test_one_folder_for_both(run: Run, arguments: tuple[str, ...], tmp_path: Path) -> None:
    ran = run(*arguments, "--in", str(tmp_path / "out"), "--json")
    assert ran.code == 78
    assert ran.json["error"]["code"] == "folder/unusable"


def test_a_broker_that_is_away_at_the_start(run: Run, arguments: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    assert run(*arguments, "--in", str(tmp_path / "in"), "--once").code == 69
    assert sorted(each.name for each in (tmp_path / "out").iterdir() if each.is_dir()) == ["refused", "sending", "sent"]


def test_a_line_is_text_for_anybody(capsys: pytest.CaptureFixture[str]) -> None:
    from axis.cli.folder import _Watching
    from axis.folder import Event, What

    odd = "was b\udcff\x9b\u202e.edxml"
    watching = _Watching(None, None, as_json=True)  # type: ignore[arg-type]  # of no use here
    watching._tell(Event(What.PICKED_UP, "a.edxml", detail=odd))
    line = capsys.readouterr().out
    line.encode()  # a strict output takes it
    assert json.loads(line)["detail"] == "was b\ufffd\ufffd\ufffd.edxml"
