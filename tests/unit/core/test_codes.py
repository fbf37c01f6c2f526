import csv
from pathlib import Path

import pytest

from axis.core.codes import canonical, from_qcvn102, is_within, level, lineage, parent, to_qcvn102
from axis.errors import Malformed

REAL = Path(__file__).parents[4] / "shared" / "data" / "organisations_2020.csv"

PAIRS = [
    ("000.00.00.H53", "H53"),
    ("000.00.13.H53", "H53.13"),
    ("000.21.31.H53", "H53.31.21"),
    ("007.21.31.H53", "H53.31.21.007"),
    ("001.00.31.H53", "H53.31.001"),
    ("001.00.00.H53", "H53.001"),
    ("000.00.80.G24", "G24.80"),
]


@pytest.mark.parametrize(("old", "new"), PAIRS)
def test_both_forms_say_the_same(old: str, new: str) -> None:
    assert from_qcvn102(old) == new
    assert to_qcvn102(new) == old
    assert canonical(old) == canonical(new) == new


@pytest.mark.parametrize(
    "text",
    [
        " H37.05 ",
        "\u200bH37.05",
        "H37\u200b.05\ufeff",
        "h37.05",
        "H37.05\n",
        "\u202eH37.05",
        "000.00.05.h37",
        "\u00a0000.00.05.H37",
    ],
)
def test_what_cannot_be_seen_is_forgiven(text: str) -> None:
    assert canonical(text) == "H37.05"


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "H37.",
        ".H37",
        "H37..05",
        "H3",
        "H370",
        "HH7",
        "H37 .05",
        "H37-05",
        "H37.05.ĐN",
        "Ｈ37",
        "H\u0663\u0667",
        "H37.05\nG22",
        "000.1137.H53",
        "00.00.05.H37",
        "000.00.05.H37.01",
        "0٠0.00.05.H37",
        "001.00.20.JB2",
        "H37." + "1" * 32,
    ],
)
def test_what_is_no_code_is_refused_with_its_code(text: str) -> None:
    with pytest.raises(Malformed) as caught:
        canonical(text)
    assert caught.value.code == "code/malformed"
    assert caught.value.detail.isprintable()


def test_a_level_left_out_is_refused_because_it_would_be_another_unit() -> None:
    with pytest.raises(Malformed, match="level 3 without"):
        from_qcvn102("000.21.00.H53")
    with pytest.raises(Malformed, match="level 3 without"):
        canonical("28.00.H17", tolerant=True)


@pytest.mark.parametrize(
    ("seen", "code"),
    [
        ("28.22.H17", "H17.22.28"),
        ("01.02.G22", "G22.02.01"),
        ("99.99.99.G21", "G21.99.99.99"),
        ("999.010.01.H22", "H22.01.010.999"),
        ("00.53.W00", "W00.53"),
    ],
)
def test_irregular_codes_of_real_traffic_are_read_only_when_asked(seen: str, code: str) -> None:
    assert canonical(seen, tolerant=True) == code
    with pytest.raises(Malformed):
        canonical(seen)


def test_the_directory_goes_before_the_rule() -> None:
    mapping = {"000.00.13.H53": "H53.07", "28.22.H17": "H17.VT"}
    assert canonical("000.00.13.H53", mapping) == "H53.07"
    assert canonical("\u200b28.22.h17", mapping) == "H17.VT"
    assert canonical("000.00.14.H53", mapping) == "H53.14"


@pytest.mark.parametrize(
    "code", ["H37.DN.001", "H37.5", "H37.005.01", "H37.01.02.03", "H37.01.02.003.04", "H37.00", "H37.00.21"]
)
def test_codes_without_an_old_form_say_so(code: str) -> None:
    assert to_qcvn102(code) is None


def test_lines_of_descent() -> None:
    assert lineage("H37.05.02") == ("H37.05.02", "H37.05", "H37")
    assert parent("H37.05.02") == "H37.05"
    assert parent("H37") is None
    assert [level(code) for code in ("H37", "H37.05", "H37.DN.001")] == [1, 2, 3]


def test_within_counts_levels_not_letters() -> None:
    assert is_within("H37", "H37")
    assert is_within("H37.05.02", "H37")
    assert not is_within("H37", "H37.05")
    assert not is_within("H37.050", "H37.05")


@pytest.mark.skipif(not REAL.exists(), reason="needs the shared data folder beside the repository")
def test_all_real_codes_of_2020_but_one_survive_both_ways() -> None:
    with REAL.open(encoding="utf-8-sig", newline="") as file:
        codes = [row["code_qcvn102"] for row in csv.DictReader(file)]
    malformed = []
    for text in codes:
        try:
            assert to_qcvn102(canonical(text)) == text
        except Malformed:
            malformed.append(text)
    assert len(codes) == 455
    assert malformed == ["000.1137.H53"]
