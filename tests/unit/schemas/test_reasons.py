"""The catalogue of reasons: both languages, stable codes, none unused, none used that it does not have."""

import re
import unicodedata
from collections.abc import Iterator

import pytest

from axis.cli.console import in_words, speaks_vietnamese
from axis.errors import AxisError
from schemas.base import REASON_PATTERN
from schemas.reasons import GROUPS, HTTP, REASONS, WIRE, Reason, rivals
from schemas.reasons_page import reasons_page
from tests.reasons import ROOT, codes_in_source

STABLE = ROOT / "tests" / "vectors" / "reasons.txt"
VIETNAMESE = set("ăâđêôơưàáảãạằắẳẵặầấẩẫậèéẻẽẹềếểễệìíỉĩịòóỏõọồốổỗộờớởỡợùúủũụừứửữựỳýỷỹỵ")
CATALOGUE = tuple(reason for reasons in GROUPS.values() for reason in reasons)


def stable_lines() -> list[str]:
    return STABLE.read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("reason", CATALOGUE, ids=lambda reason: reason.code)
def test_a_reason_speaks_both_languages_in_whole_sentences(reason: Reason) -> None:
    for text in (reason.title, reason.remedy, reason.title_vi, reason.remedy_vi):
        assert unicodedata.is_normalized("NFC", text)
        assert text.isprintable()
        assert text == " ".join(text.split())
        assert text.endswith(".")
        assert text[0].isupper() or text.startswith("message_id")
    assert VIETNAMESE & set(reason.title_vi.lower())
    assert VIETNAMESE & set(reason.remedy_vi.lower())
    assert not VIETNAMESE & set(reason.title.lower())


def test_codes_are_unique_and_fit_the_wire() -> None:
    assert len(CATALOGUE) == len(REASONS)
    for code in REASONS:
        assert len(code) <= 60
        assert re.fullmatch(REASON_PATTERN, code)


def test_codes_are_stable() -> None:
    """The list may only grow: a line that is there is never changed or taken away, a new code adds its own."""
    lines = stable_lines()
    assert lines == sorted(set(lines))
    now = {f"{reason.code} {reason.fault.value}{' again' if reason.retry else ''}" for reason in CATALOGUE}
    assert not set(lines) - now, "a code was taken away, or whose fault it is was changed: make a new code instead"
    assert not now - set(lines), f"add to {STABLE.relative_to(ROOT)}, in order"


def test_what_others_call_it_is_named_by_its_system() -> None:
    named = {name for reason in CATALOGUE for name in reason.rivals}
    assert all(name.startswith(rivals.SYSTEMS) for name in named)
    constants = {value for name, value in vars(rivals).items() if name.isupper() and isinstance(value, str)}
    assert constants == named
    assert all(len(set(reason.rivals)) == len(reason.rivals) for reason in CATALOGUE)


def test_every_code_that_is_used_is_in_the_catalogue() -> None:
    strange = {(code, place) for code, place in codes_in_source() if code not in REASONS}
    assert not strange


def test_every_code_of_the_catalogue_is_used() -> None:
    assert not REASONS.keys() - {code for code, _ in codes_in_source()}


def test_every_error_names_a_code_of_the_catalogue() -> None:
    def below(kind: type[AxisError]) -> Iterator[type[AxisError]]:
        yield kind
        for each in kind.__subclasses__():
            yield from below(each)

    assert {kind.code for kind in below(AxisError)} <= REASONS.keys()


def test_what_goes_over_the_wire_is_part_of_the_catalogue() -> None:
    assert not WIRE.keys() & HTTP.keys()
    assert WIRE.keys() | HTTP.keys() <= REASONS.keys()


def test_the_page_has_every_reason_in_both_languages() -> None:
    page = reasons_page()
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    assert [row.split("`")[1] for row in rows] == [reason.code for reason in CATALOGUE]
    assert all(row.count(" | ") == 5 for row in rows)
    assert page == (ROOT / "docs" / "reasons.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("environ", "vietnamese"),
    [
        ({}, False),
        ({"LANG": "C.UTF-8"}, False),
        ({"LANG": "vi_VN.UTF-8"}, True),
        ({"LANG": "vi"}, True),
        ({"LANG": "vi.UTF-8"}, True),
        ({"LANG": "vec_IT.UTF-8"}, False),
        ({"LANG": "vi_VN.UTF-8", "LC_ALL": "en_GB.UTF-8"}, False),
        ({"LANG": "en_GB.UTF-8", "LC_MESSAGES": "vi_VN"}, True),
        ({"LANG": "vi_VN.UTF-8", "LC_ALL": ""}, True),
    ],
)
def test_the_language_is_that_of_the_locale(environ: dict[str, str], vietnamese: bool) -> None:
    assert speaks_vietnamese(environ) is vietnamese


def test_words_in_the_language_of_the_locale(monkeypatch: pytest.MonkeyPatch) -> None:
    reason = REASONS["blob/missing"]
    monkeypatch.setenv("LC_ALL", "vi_VN.UTF-8")
    assert in_words(reason) == (reason.title_vi, reason.remedy_vi)
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    assert in_words(reason) == (reason.title, reason.remedy)
