"""Reading, cleaning and refusing rows of anybody's list of organisations."""

import csv
import datetime as dt
import re
from collections.abc import Iterable
from pathlib import Path

import openpyxl
import pytest

from axis.catalogue import ImportPlan, Row, clean, read_rows, rows
from axis.errors import Malformed, NotFound

START = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
DIRECTORY = Path(__file__).parents[4] / "shared" / "data" / "organisations_2020.csv"


def plan_of(*lines: str, heading: str = "code,name") -> ImportPlan:
    names = heading.split(",")
    rows = [Row(number, dict(zip(names, line.split(","), strict=True))) for number, line in enumerate(lines, 2)]
    return clean(rows, valid_from=START)


def refusals(plan: ImportPlan) -> list[tuple[int, str]]:
    return [(row.row_number, row.code) for row in plan.refused]


def test_both_code_forms() -> None:
    plan = plan_of("000.00.13.H53,Sở Thông tin", "H53.31.21,Xã An Thạnh", "H37.DN.001,Doanh nghiệp", "h37,UBND")
    assert [(one.code, one.code102) for one in plan.accepted] == [
        ("H37", "000.00.00.H37"),
        ("H37.DN.001", None),
        ("H53.13", "000.00.13.H53"),
        ("H53.31.21", "000.21.31.H53"),
    ]
    assert all(one.valid_from == START for one in plan.accepted)


def test_a_pair_of_codes_is_the_mapping() -> None:
    plan = plan_of("H53.05,000.00.13.H53,Sở Khoa học", heading="code,code102,name")
    assert [(one.code, one.code102) for one in plan.accepted] == [("H53.05", "000.00.13.H53")]


def test_invisible_and_decomposed_characters_and_spaces() -> None:
    plan = plan_of("\ufeff000.00.13.\u200bH53\u200d,  Sở\u00a0\u200b Thông  ti\u0301n\u200c ")
    assert [(one.code, one.name) for one in plan.accepted] == [("H53.13", "Sở Thông tín")]
    assert plan.cleaned == 1


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("000.1137.H53,Phòng Y tế", "code/malformed"),
        ("28.22.H17,Xã", "code/malformed"),
        ("000.21.00.H53,Xã không có huyện", "code/malformed"),
        ("H5,Tỉnh", "code/malformed"),
        ("Bộ Tài chính,G12", "code/malformed"),
        (",Không mã", "code/missing"),
        ("\u200b,Không mã", "code/missing"),
        ("H37,", "name/missing"),
        ("H37,\u200b\u00a0", "name/missing"),
        (f"H37,{'x' * 501}", "import/value"),
        ("H37,chuông\x07", "import/value"),
    ],
)
def test_refused_row(line: str, code: str) -> None:
    plan = plan_of("G12,Bộ Tài chính", line)
    assert refusals(plan) == [(3, code)]
    assert plan.refused[0].raw == line
    assert plan.refused[0].reason
    assert [one.code for one in plan.accepted] == ["G12"]


def test_the_first_of_two_names_wins() -> None:
    plan = plan_of("000.00.00.G15,Bộ Tư pháp", "G15,Bộ Tư pháp - CQCP", "G15,Bộ\u200b  Tư pháp")
    assert [one.name for one in plan.accepted] == ["Bộ Tư pháp"]
    assert refusals(plan) == [(3, "code/duplicate")]
    assert plan.refused[0].reason == "G15 is 'Bộ Tư pháp' in row 2"
    assert [(row.row_number, row.first) for row in plan.repeated] == [(4, 2)]


def test_a_history_of_names_is_no_duplicate() -> None:
    heading = "code,name,valid_from,valid_to,successor"
    plan = plan_of(
        "G10,Bộ Nông nghiệp và Môi trường,2025-03-01,,",
        "G10,Bộ Nông nghiệp,2016/04/01,01/03/2025,",
        "G13,Bộ Tài nguyên,2016-04-01,2025-03-01,000.00.00.G10",
        "G10,Chồng lên,2025-01-01,2025-04-01,",
        heading=heading,
    )
    assert [(one.code, one.name, one.successor) for one in plan.accepted] == [
        ("G10", "Bộ Nông nghiệp", None),
        ("G10", "Bộ Nông nghiệp và Môi trường", None),
        ("G13", "Bộ Tài nguyên", "G10"),
    ]
    assert plan.accepted[0].valid_to == plan.accepted[1].valid_from == dt.datetime(2025, 2, 28, 17, tzinfo=dt.UTC)
    assert refusals(plan) == [(5, "code/duplicate")]


@pytest.mark.parametrize(
    ("heading", "line", "code"),
    [
        ("code,name,valid_from", "H37,UBND,2025-02-30", "import/date"),
        ("code,name,valid_from,valid_to", "H37,UBND,2025-02-01,2025-01-01", "import/value"),
        ("code,name,successor", "H37,UBND,H37", "import/value"),
        ("code,name,successor", "H37,UBND,ai đó", "code/malformed"),
        ("code,name,forwarding", "H37,UBND,maybe", "import/value"),
        ("code,name,unknown_below", "H37,UBND,maybe", "import/value"),
        ("code,code102,name", "H37,37,UBND", "code/malformed"),
    ],
)
def test_refused_details(heading: str, line: str, code: str) -> None:
    assert refusals(plan_of(line, heading=heading)) == [(2, code)]


def test_policies() -> None:
    (one,) = plan_of("H37,UBND,no,open", heading="code,name,forwarding,unknown_below").accepted
    assert (one.forwarding, one.unknown_below) == (False, "open")


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize(
    "text",
    [
        "code,name\nH37,Lạng Sơn\n",
        "\ufeffMã định danh;Tên cơ quan\r\nH37;Lạng Sơn\r\n",
        "STT\tTên đơn vị\tMÃ ĐỊNH DANH\n1\tLạng Sơn\tH37\n",
        '\n\n"code_qcvn102","name","in_charge"\n\n000.00.00.H37,"Lạng Sơn",VN,thừa\n',
    ],
)
def test_csv_of_many_kinds(tmp_path: Path, text: str) -> None:
    plan = clean(read_rows(write(tmp_path / "list.csv", text)), valid_from=START)
    assert [(one.code, one.name) for one in plan.accepted] == [("H37", "Lạng Sơn")]


def test_row_numbers_are_the_spreadsheets(tmp_path: Path) -> None:
    path = write(tmp_path / "list.csv", 'code,name\n\nH37,"Lạng\nSơn"\nX,y\n')
    assert [row.number for row in read_rows(path)] == [3, 4]


def spreadsheet(path: Path, rows: Iterable[Iterable[object]]) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(list(row))
    book.save(path)
    return path


def test_spreadsheet(tmp_path: Path) -> None:
    path = spreadsheet(
        tmp_path / "list.xlsx",
        [
            ["STT", "Mã định danh", "Tên cơ quan, đơn vị", "Hiệu lực từ"],
            [1, "H37", "Lạng\u200b Sơn", dt.datetime(2025, 7, 1)],  # noqa: DTZ001 - as spreadsheets have them
            [None, None, None, None],
            [2, 37, "Số thay cho mã", None],
        ],
    )
    plan = clean(read_rows(path), valid_from=START)
    assert [(one.code, one.name, one.valid_from) for one in plan.accepted] == [
        ("H37", "Lạng Sơn", dt.datetime(2025, 6, 30, 17, tzinfo=dt.UTC))
    ]
    assert refusals(plan) == [(4, "code/malformed")]


@pytest.mark.parametrize(
    ("name", "data", "code", "line"),
    [
        ("list.csv", "mã,tên\nH37,Lạng Sơn\n".encode("utf-16"), "import/encoding", 1),
        ("list.csv", b"code,name\nH37,L\xe1ng\n", "import/encoding", 2),
        ("list.csv", b"id,label\n1,2\n", "import/heading", 1),
        ("list.csv", b"code,ma,name\n1,2,3\n", "import/heading", 1),
        ("list.csv", b'code,name\nH37,"a" b\n', "import/not-csv", 2),
        ("list.xlsx", b"code,name\n", "import/not-spreadsheet", None),
    ],
)
def test_unreadable_file(tmp_path: Path, name: str, data: bytes, code: str, line: int | None) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(Malformed) as caught:
        list(read_rows(path))
    assert (caught.value.code, caught.value.line) == (code, line)


def test_empty_file_has_no_rows(tmp_path: Path) -> None:
    assert list(read_rows(write(tmp_path / "list.csv", ""))) == []


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        read_rows(tmp_path / "nothing.csv")


@pytest.mark.skipif(
    not DIRECTORY.is_file(), reason="the real directory (../shared/data/organisations_2020.csv) is not here"
)
def test_the_directory_of_2020() -> None:
    plan = clean(read_rows(DIRECTORY), valid_from=START)

    # Counted a second time, with nothing but the standard library.
    with DIRECTORY.open(encoding="utf-8", newline="") as source:
        (_, *lines) = csv.reader(source)
    codes = [re.sub(r"[\u200b\s]", "", line[0]) for line in lines]
    malformed = [code for code in codes if not re.fullmatch(r"\d{3}(\.\d\d){2}\.[A-Z]\d\d", code)]
    repeated = len(codes) - len(set(codes))
    assert (len(lines), len(malformed), repeated) == (455, 1, 7)

    assert len(plan.accepted) == 447
    assert len(plan.refused) == 8
    assert plan.repeated == ()
    assert len(plan.accepted) + len(plan.refused) == len(lines)
    assert refusals(plan) == [
        (17, "code/duplicate"),
        (60, "code/duplicate"),
        (65, "code/duplicate"),
        (68, "code/duplicate"),
        (73, "code/duplicate"),
        (76, "code/duplicate"),
        (83, "code/duplicate"),
        (316, "code/malformed"),
    ]
    assert not any("\u200b" in one.name for one in plan.accepted)
    by_code = {one.code: one for one in plan.accepted}
    assert by_code["H53.31.21"].name == "UBND Xã An Thạnh huyện Bến Cầu"
    assert by_code["G15"].name == "Bộ Tư Pháp"
    assert clean(read_rows(DIRECTORY), valid_from=START) == plan


def test_a_file_over_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "MAX_BYTES", 10)
    file = tmp_path / "all.csv"
    file.write_text("code,name\nH37,Lạng Sơn\n", encoding="utf-8")
    with pytest.raises(Malformed) as caught:
        read_rows(file)
    assert caught.value.code == "import/too-large"
