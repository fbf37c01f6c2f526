import asyncio
import datetime as dt
from pathlib import Path

import pytest

from axis.cli.accounts import fits
from axis.cli.connecting import Connecting, Newcomer
from axis.errors import Misconfigured
from axis.settings import Settings
from axis.store import FakeStore
from tests.builders import NOW, mailbox, organisation
from tests.unit.cli.conftest import Run

LIST = """mã định danh,tên cơ quan
000.00.01.H26,Văn phòng\u200b  UBND
H26.02,Sở Nội vụ
H26.02,Sở Nội vụ
H26.02,Sở Khác
26.H,Không phải mã
H26.03,
"""


@pytest.fixture
def listed(store: FakeStore) -> None:
    async def fill() -> None:
        closed = dt.datetime(2025, 6, 30, 17, tzinfo=dt.UTC)
        await store.directory.put_organisations(
            [
                organisation("H37", name="UBND tỉnh Lạng Sơn"),
                organisation("H37.05", name="Sở Tài chính"),
                organisation("H38"),
                organisation("H22", valid_to=closed, successor="H60"),
            ]
        )
        await store.directory.put_mailbox(mailbox("H37"))

    asyncio.run(fill())


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "danh mục.csv"
    path.write_text(LIST, encoding="utf-8")
    return str(path)


def codes(run: Run, *arguments: str) -> list[str]:
    return [each["code"] for each in run("agency", "list", *arguments, "--json").json["organisations"]]


def test_list_and_its_filters(run: Run, listed: None) -> None:
    assert codes(run) == ["H37", "H37.05", "H38"]
    assert codes(run, "--under", "H37") == ["H37", "H37.05"]
    assert codes(run, "--mailboxes") == ["H37"]
    assert codes(run, "--closed", "--under", "H22") == ["H22"]
    assert "H22" in codes(run, "--at", "2025-06-30")
    assert "UBND tỉnh Lạng Sơn" in run("agency", "list").out


def test_show(run: Run, listed: None) -> None:
    assert "receives through H37" in run("agency", "show", "000.00.05.H37").out
    assert "receives in mailbox.urgent.H37, mailbox.normal.H37, notices.H37" in run("agency", "show", "H37").out
    assert "H60" in run("agency", "show", "H22").out
    assert run("agency", "show", "H37", "--json").json["code102"] == "000.00.00.H37"


def test_show_of_nobody(run: Run, listed: None) -> None:
    ran = run("agency", "show", "H99")
    assert ran.code == 66
    assert "recipient/unknown" in ran.err


def test_import_reports_every_refused_row_and_why(run: Run, store: FakeStore, file: str) -> None:
    ran = run("agency", "import", file, "--json")
    assert ran.code == 0
    told = ran.json
    assert (told["accepted"], told["new"], told["cleaned"]) == (2, 2, 1)
    assert [(each["row_number"], each["first"]) for each in told["repeated"]] == [(4, 3)]
    assert [(each["row_number"], each["code"]) for each in told["refused"]] == [
        (5, "code/duplicate"),
        (6, "code/malformed"),
        (7, "name/missing"),
    ]
    organisations, _, _ = asyncio.run(store.directory.load())
    assert [each.name for each in organisations] == ["Văn phòng UBND", "Sở Nội vụ"]


def test_import_again_changes_nothing(run: Run, store: FakeStore, file: str) -> None:
    run("agency", "import", file)
    ran = run("agency", "import", file)
    assert "2 imported: 0 new, 0 changed, 2 as they were; 1 cleaned, 1 repeated, 3 refused" in ran.out


def test_a_dry_run_does_nothing(run: Run, store: FakeStore, file: str) -> None:
    ran = run("agency", "import", file, "--dry-run")
    assert "2 would be imported: 2 new" in ran.out
    assert asyncio.run(store.directory.load()) == ([], [], [])


def test_import_of_the_catalogue(run: Run, store: FakeStore) -> None:
    first = run("agency", "import", "--catalogue", "--json").json
    again = run("agency", "import", "--catalogue", "--json").json
    assert first["new"] == first["accepted"] > 90
    assert again["same"] == again["accepted"]


def test_import_of_nothing_usable(run: Run, store: FakeStore, tmp_path: Path) -> None:
    path = tmp_path / "empty.csv"
    path.write_text("code,name\nx,y\n", encoding="utf-8")
    assert run("agency", "import", str(path)).code == 65
    assert run("agency", "import", str(tmp_path / "none.csv")).code == 66
    assert run("agency", "import").code == 2
    assert run("agency", "import", str(path), "--catalogue").code == 2


def test_add_of_somebody_without_a_name(run: Run, store: FakeStore) -> None:
    ran = run("agency", "add", "H99", "--no-mailbox")
    assert ran.code == 65
    assert "--name" in ran.err


def test_add_of_a_unit_without_mailbox_needs_no_broker(run: Run, listed: None, store: FakeStore) -> None:
    ran = run("agency", "add", "H37.02", "--name", "Ban Quản lý", "--no-mailbox", "--json")
    assert ran.json["done"] == ["organisation registered"]
    assert ran.json["folder"] is None
    assert run("agency", "add", "H37.02", "--no-mailbox", "--json").json["done"] == []
    assert "receives through H37" in run("agency", "show", "H37.02").out


def test_add_before_the_axis_has_a_key(run: Run, listed: None) -> None:
    ran = run("agency", "add", "H37.05", "--demonstration-key")
    assert ran.code == 78
    assert "`axis up`" in ran.err


def test_add_with_two_kinds_of_certificate(run: Run, listed: None, file: str) -> None:
    assert run("agency", "add", "H37", "--certificate", file, "--demonstration-key").code == 2


def test_a_password_that_is_not_here_is_not_made_up(store: FakeStore) -> None:
    kept = mailbox("H37")
    with pytest.raises(Misconfigured) as caught:
        Connecting(Settings.load(), store, NOW, Newcomer("H37"))._mailbox(kept)
    assert caught.value.code == "agency/password"
    password, opened = Connecting(Settings.load(), store, NOW, Newcomer("H37", new_password=True))._mailbox(kept)
    assert fits(password, opened.password_hash)
