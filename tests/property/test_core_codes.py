import contextlib
import re

from hypothesis import assume, example, given
from hypothesis import strategies as st

from axis.core.codes import MAX_CODE_LENGTH, canonical, from_qcvn102, is_within, level, lineage, parent, to_qcvn102
from axis.core.directory import Directory
from axis.errors import Malformed
from schemas.base import CODE_PATTERN

TOPS = st.from_regex(r"[A-Z][0-9]{2}", fullmatch=True)
CODES = st.from_regex(r"[A-Z][0-9]{2}(\.[A-Z0-9]{1,5}){0,4}", fullmatch=True)
# Codes as the 13-character form can hold them: any of its three lower levels, except level 3 without level 2.
LEVELS = st.tuples(st.integers(0, 99), st.integers(0, 99), st.integers(0, 999)).filter(lambda n: n[0] != 0 or n[1] == 0)
FORMS_102 = st.builds(lambda top, n: f"{n[2]:03d}.{n[1]:02d}.{n[0]:02d}.{top}", TOPS, LEVELS)
INVISIBLE = st.sampled_from("\u200b\u200c\u200d\u2060\ufeff\u00ad\u202e")


@given(FORMS_102)
def test_the_old_form_comes_back_letter_for_letter(old: str) -> None:
    assert to_qcvn102(from_qcvn102(old)) == old


@given(CODES)
@example("H37.00")
@example("H37.000")
@example("H37.05.00")
def test_the_new_form_comes_back_or_has_no_old_one(code: str) -> None:
    old = to_qcvn102(code)
    assert old is None or from_qcvn102(old) == code


@given(FORMS_102, FORMS_102)
def test_two_old_codes_never_become_one(one: str, other: str) -> None:
    assert (from_qcvn102(one) == from_qcvn102(other)) == (one == other)


@given(st.one_of(CODES, FORMS_102))
def test_reading_a_read_code_changes_nothing(text: str) -> None:
    assert canonical(canonical(text)) == canonical(text)


@given(st.one_of(st.text(), st.from_regex(r"[A-Z0-9. ]{0,40}", fullmatch=True)), st.booleans())
def test_any_text_is_a_canonical_code_or_malformed(text: str, tolerant: bool) -> None:
    with contextlib.suppress(Malformed):
        code = canonical(text, tolerant=tolerant)
        assert re.fullmatch(CODE_PATTERN, code)
        assert len(code) <= MAX_CODE_LENGTH


@given(st.one_of(CODES, FORMS_102), st.lists(st.tuples(st.integers(0, 40), INVISIBLE), max_size=5))
def test_invisible_characters_make_no_difference(text: str, dirt: list[tuple[int, str]]) -> None:
    dirty = text
    for place, letter in dirt:
        dirty = dirty[:place] + letter + dirty[place:]
    assert canonical(f" {dirty.lower()}\t") == canonical(text)


@given(FORMS_102, CODES)
def test_a_row_of_the_directory_wins(old: str, code: str) -> None:
    assert canonical(old, {old: code}) == code


@given(FORMS_102)
def test_an_empty_directory_answers_by_the_rule(old: str) -> None:
    assert Directory().code_of_102(old) == canonical(old)


@given(CODES)
def test_a_lineage_goes_up_one_level_at_a_time(code: str) -> None:
    line = lineage(code)
    assert line[0] == code
    assert [parent(below) for below in line] == [*line[1:], None]
    assert [level(each) for each in line] == list(range(len(line), 0, -1))


@given(CODES, CODES)
def test_being_within_is_being_in_the_lineage(code: str, other: str) -> None:
    assert is_within(code, other) == (other in lineage(code))


@given(CODES, st.from_regex(r"[A-Z0-9]{1,3}", fullmatch=True))
def test_longer_names_are_not_units_below(code: str, more: str) -> None:
    assume("." not in more)
    assert is_within(f"{code}.{more}", code)
    assert not is_within(code + more, code)
