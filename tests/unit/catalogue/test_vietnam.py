"""The catalogue: every code of the fact sheet, the closures of 2025 and who took over."""

import datetime as dt
import unicodedata
from importlib import resources
from pathlib import Path

import pytest

from axis.catalogue import CATALOGUE_START, clean, load, read_rows
from schemas.directory import Organisation

MINISTRIES = dt.datetime(2025, 2, 28, 17, tzinfo=dt.UTC)  # 1 March in Vietnam
PROVINCES = dt.datetime(2025, 6, 30, 17, tzinfo=dt.UTC)  # 1 July in Vietnam
NOW = dt.datetime(2026, 11, 24, tzinfo=dt.UTC)

# survivor: the closed codes folded in
FOLDED = {
    "H60": "H22", "H38": "H63", "H55": "H03", "H44": "H62 H28", "H05": "H02", "H31": "H54", "H24": "H23",
    "H42": "H25 H40", "H50": "H46", "H17": "H47", "H48": "H34", "H21": "H08", "H32": "H43", "H36": "H16 H11",
    "H15": "H45", "H29": "H09 H06", "H19": "H10", "H53": "H39", "H13": "H51 H30", "H61": "H07 H59", "H20": "H58",
    "H12": "H04", "H01": "H33",
}  # fmt: skip
UNCHANGED = "H14 H18 H26 H27 H35 H37 H41 H49 H52 H56 H57".split()  # noqa: SIM905 - a list of codes reads best so


def in_force(code: str, at: dt.datetime) -> Organisation | None:
    found = [
        one
        for one in load()
        if one.code == code and one.valid_from <= at and (one.valid_to is None or at < one.valid_to)
    ]
    assert len(found) <= 1
    return found[0] if found else None


def closed(prefix: str, at: dt.datetime) -> dict[str, str | None]:
    renamed = {one.code for one in load() if one.valid_from == at}
    return {
        one.code: one.successor
        for one in load()
        if one.code.startswith(prefix) and one.valid_to == at and one.code not in renamed
    }


def test_all_63_provinces_were_in_force_before_the_merger() -> None:
    before = PROVINCES - dt.timedelta(seconds=1)
    assert all(in_force(f"H{number:02}", before) for number in range(1, 64))
    assert {one.code for one in load() if one.code[0] == "H"} == {f"H{number:02}" for number in range(1, 64)}


def test_34_provinces_are_left() -> None:
    left = {one.code for one in load() if one.code[0] == "H" and in_force(one.code, PROVINCES)}
    assert left == set(FOLDED) | set(UNCHANGED)
    assert len(left) == 34


def test_every_closed_province_names_its_survivor() -> None:
    expected = {code: survivor for survivor, folded in FOLDED.items() for code in folded.split()}
    assert len(expected) == 29
    assert closed("H", PROVINCES) == expected


def test_ministries_closed_in_2025() -> None:
    assert closed("G", MINISTRIES) == {
        "G04": "G17",
        "G05": "G12",
        "G07": "G09",
        "G13": "G10",
        "G14": "G06",
        "G24": "G12",
        "G34": None,
        "G36": "G12",
    }
    assert [one.code for one in load() if one.successor and not one.forwarding] == ["G36"]


def test_successors_are_in_force_themselves() -> None:
    assert all(in_force(one.successor, NOW) for one in load() if one.successor)


@pytest.mark.parametrize(
    ("code", "day", "before", "after"),
    [
        ("G10", MINISTRIES, "Bộ Nông nghiệp và Phát triển nông thôn", "Bộ Nông nghiệp và Môi trường"),
        ("G21", MINISTRIES, "Ủy ban Dân tộc", "Bộ Dân tộc và Tôn giáo"),
        (
            "H57",
            dt.datetime(2024, 12, 31, 17, tzinfo=dt.UTC),
            "Ủy ban nhân dân tỉnh Thừa Thiên Huế",
            "Ủy ban nhân dân thành phố Huế",
        ),
    ],
)
def test_a_new_name_begins_where_the_old_one_ends(code: str, day: dt.datetime, before: str, after: str) -> None:
    old, new = in_force(code, day - dt.timedelta(seconds=1)), in_force(code, day)
    assert old is not None
    assert new is not None
    assert (old.name, new.name) == (before, after)
    assert old.successor is None


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("G22", "Văn phòng Chính phủ"),
        ("G12", "Bộ Tài chính"),
        ("H37", "Ủy ban nhân dân tỉnh Lạng Sơn"),
        ("H29", "Ủy ban nhân dân thành phố Hồ Chí Minh"),
        ("H01", "Ủy ban nhân dân tỉnh An Giang"),
    ],
)
def test_names_today(code: str, name: str) -> None:
    organisation = in_force(code, NOW)
    assert organisation is not None
    assert organisation.name == name
    assert organisation.code102 == f"000.00.00.{code}"


def test_everything_is_nfc_and_within_one_level() -> None:
    assert all(unicodedata.is_normalized("NFC", one.name) for one in load())
    assert all("." not in one.code for one in load())
    assert min(one.valid_from for one in load()) == CATALOGUE_START


def test_the_data_file_can_be_imported_like_any_list() -> None:
    with resources.as_file(resources.files("axis.catalogue").joinpath("vietnam.csv")) as path:
        plan = clean(read_rows(Path(path)), valid_from=CATALOGUE_START)
    assert plan.accepted == load()
    assert (plan.refused, plan.repeated, plan.cleaned) == ((), (), 0)
