import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from axis.store import hostile
from tests.unit.store.rows import quarantine_row

ANY_TEXT = st.text(st.characters(categories=None) | st.sampled_from("\0\ud800\udfff"))


@given(ANY_TEXT, st.integers(0, 50))
def test_text_always_fits_the_database(value: str, limit: int) -> None:
    fit = hostile.text(value, limit)
    assert "\0" not in fit
    fit.encode("utf-8")
    assert len(fit) <= limit


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_ordinary_text_stays_as_it_is(value: str) -> None:
    assert hostile.text(value, len(value)) == value


@given(
    st.dictionaries(
        ANY_TEXT,
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.binary() | ANY_TEXT,
            lambda inner: st.lists(inner) | st.dictionaries(ANY_TEXT, inner),
            max_leaves=10,
        ),
    )
)
def test_json_always_fits_the_database(value: dict[str, object]) -> None:
    written = hostile.as_json(value)
    written.encode("utf-8")
    assert "\\u0000" not in written.replace("\\\\", "")
    json.loads(written)


def test_rows_alike_are_folded_in_one_order() -> None:
    rows = [quarantine_row(reason=reason) for reason in ("b", "a", "b", "b")]
    kept = hostile.kept(rows)
    assert [(each.row.id, each.count) for each in kept] == [(rows[1].id, 1), (rows[0].id, 3)]
    assert [each.row for each in hostile.kept(rows[::-1])] == [rows[1], rows[3]]


@pytest.mark.parametrize("account", ["", None])
def test_no_account_is_not_an_empty_one(account: str | None) -> None:
    rows = [quarantine_row(account=account), quarantine_row(account="G22")]
    assert [each.row.account for each in hostile.kept(rows)] == [account, "G22"]
    assert len(hostile.kept([quarantine_row(account=None), quarantine_row(account="")])) == 2
