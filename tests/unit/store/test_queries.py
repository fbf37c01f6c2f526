import re
from importlib import resources

import pytest

from axis.store.queries import load, parse

GROUPS = sorted(entry.name.removesuffix(".sql") for entry in resources.files("axis.store").joinpath("sql").iterdir())


def test_queries_are_split_by_name() -> None:
    assert parse("-- name: one\n-- why\nSELECT 1;\n\n-- name: two\nSELECT 2\n  FROM x;\n", "x") == {
        "one": "-- why\nSELECT 1",
        "two": "SELECT 2\n  FROM x",
    }


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 1;\n-- name: one\nSELECT 1;",
        "-- name: one\nSELECT 1;\n-- name: one\nSELECT 2;",
        "-- name: one\n;\n",
        "-- part: one\na\n-- part: one\nb",
        "-- part: one\n\n-- name: one\nSELECT 1",
    ],
)
def test_mistakes_are_found(text: str) -> None:
    with pytest.raises(ValueError, match=r"x\.sql"):
        parse(text, "x")


def test_parts_are_put_where_they_are_named() -> None:
    text = "-- part: row\na, b\n-- part: all\n(SELECT {row}, {other})\n-- name: one\nSELECT {row} FROM {all}\n"
    assert parse(text, "x") == {"one": "SELECT a, b FROM (SELECT a, b, {other})"}
    assert parse(text, "x", row="a") == {"one": "SELECT a FROM (SELECT a, {other})"}
    with pytest.raises(ValueError, match=r"x\.sql: no part rows"):
        parse(text, "x", rows="a")


def test_an_empty_file_holds_nothing() -> None:
    assert parse("", "x") == {}


@pytest.mark.parametrize("group", GROUPS)
def test_every_query_is_used(group: str) -> None:
    source = "".join(
        entry.read_text(encoding="utf-8")
        for entry in resources.files("axis.store").iterdir()
        if entry.name.endswith(".py")
    )
    # By its name in quotes, or by a name that is put together: `sql[f"deliveries_{name}"]`.
    named = set(re.findall(r'"([a-z_0-9]+)"', source))
    made = [re.sub(r"\{.*?\}", ".+", name) for name in re.findall(r'\w\[f"([^"]+)"\]', source)]
    assert not [name for name in load(group) if name not in named and not any(re.fullmatch(m, name) for m in made)]
